"""Facts: what nodes announce. Diagrams, checkers and counterexamples read facts and steps; nobody pokes into state.

A fact is a past participle: it has happened. Its fields are plain data. Who announces it is known from the step, so a
broker's fact does not repeat its name; `partition` is always a number within `topic`.

In this file: the one-partition broker of chapter 1; coordination; the controller; replicas; clients; groups;
transactions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LogOpened:
    """A log exists; its next value gets the offset `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RecordsAppended:
    """A log took these values; `base_offset` is what it said the first one got."""

    base_offset: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogStartAdvanced:
    """Everything below `start` is gone."""

    start: int


@dataclass(frozen=True, slots=True)
class ReaderMoved:
    """A reader has read up to `position`, its next offset, and saw the log end at `end`."""

    position: int
    end: int
    lag: int


@dataclass(frozen=True, slots=True)
class ReaderSought:
    """A reader was told to go on from `offset`, which its cursor says is `lag` offsets before the end."""

    offset: int
    lag: int


@dataclass(frozen=True, slots=True)
class RecordsProcessed:
    """A reader is done with these values; the first of them stands at `offset`."""

    offset: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartFailed:
    """A part raised an error that is not among its answers; whoever asked was told UNKNOWN_SERVER_ERROR."""

    part: str
    error: str


# Coordination --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServerElected:
    """A server of the coordination service leads: a majority follows it, in this epoch."""

    epoch: int


@dataclass(frozen=True, slots=True)
class ServerStoppedServing:
    """A server has no majority any more (or no leader) and answers nobody until it finds one."""

    epoch: int


@dataclass(frozen=True, slots=True)
class ChangeCommitted:
    """A server has applied a change of the tree; `digest` is equal on all servers that applied the same changes."""

    zxid: int
    digest: int


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A client has a session, with the time-out that was agreed. Announced by the leader that committed it."""

    session_id: int
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class SessionExpired:
    """A session was not heard of in time, or was closed: its ephemeral znodes are gone. Announced by the leader."""

    session_id: int
    was_closed: bool


@dataclass(frozen=True, slots=True)
class WatchFired:
    """A watch was triggered, and is gone. Announced by the server that tells its client."""

    session_id: int
    path: str
    event: str


# The controller, and what brokers know of it --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BrokerRegistered:
    """A broker's znode was made; `broker_epoch` is its czxid."""

    broker: int
    broker_epoch: int


@dataclass(frozen=True, slots=True)
class BrokerFenced:
    """A broker's own session has expired: to the others it is gone, until it registers again."""

    broker: int


@dataclass(frozen=True, slots=True)
class BrokerStopped:
    """A broker stopped in order: its logs are closed and synced."""

    broker: int


@dataclass(frozen=True, slots=True)
class ControllerElected:
    """A broker won the race for `/controller`."""

    broker: int
    controller_epoch: int


@dataclass(frozen=True, slots=True)
class ControllerResigned:
    """A controller learned that it is none any more."""

    broker: int
    controller_epoch: int


@dataclass(frozen=True, slots=True)
class BrokersChanged:
    """The controller saw brokers come (`started`) and go (`died`)."""

    live: tuple[int, ...]
    started: tuple[int, ...]
    died: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TopicCreated:
    """A topic exists. `assignment[i]` are the brokers of partition i, the preferred leader first."""

    topic: str
    assignment: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class PartitionsAdded:
    """A topic has more partitions than before."""

    topic: str
    assignment: tuple[tuple[int, ...], ...]
    first_new: int


@dataclass(frozen=True, slots=True)
class TopicDeleted:
    """A topic is gone from the coordination service."""

    topic: str


@dataclass(frozen=True, slots=True)
class LeaderElected:
    """The controller wrote a new leader; -1 means that there is none and the partition is offline.

    With the reason "isr" the leader is the old one, in a new epoch: a follower died, or is about to stop.
    """

    topic: str
    partition: int
    leader: int
    leader_epoch: int
    isr: tuple[int, ...]
    is_unclean: bool
    reason: str  # "new", "offline", "preferred", "shutdown", "isr"


@dataclass(frozen=True, slots=True)
class ReplicasReassigned:
    """The controller has written where a partition is to be; while `adding` or `removing` is not empty, it moves."""

    topic: str
    partition: int
    replicas: tuple[int, ...]  # those that come and those that are to go among them
    adding: tuple[int, ...]
    removing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ControllerObeyed:
    """A broker obeys another controller than before: its epoch is the one that counts here from now on."""

    controller_epoch: int


@dataclass(frozen=True, slots=True)
class ControllerRequestRefused:
    """A broker was told something by a controller, and does not obey it: an epoch is stale."""

    api: str
    error: str


# Replicas -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogLoaded:
    """A broker opened the log of a replica: after a restart, or to make it new (0 to 0)."""

    topic: str
    partition: int
    start: int
    end: int
    was_clean: bool


@dataclass(frozen=True, slots=True)
class LogDeleted:
    """A replica's files are gone."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class BecameLeader:
    """A broker leads the partition from now on; `end` is where its epoch begins."""

    topic: str
    partition: int
    leader_epoch: int
    end: int
    isr: tuple[int, ...]
    replicas: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BecameFollower:
    """A broker follows `leader` (-1: nobody)."""

    topic: str
    partition: int
    leader_epoch: int
    leader: int


@dataclass(frozen=True, slots=True)
class BatchAppended:
    """A replica, leader or follower, has one more batch; `crc` names its content."""

    topic: str
    partition: int
    base_offset: int
    last_offset: int
    leader_epoch: int
    crc: int
    is_leader: bool


@dataclass(frozen=True, slots=True)
class LogTruncated:
    """A replica forgot what stood at `end` and above, `was_end` having been its end."""

    topic: str
    partition: int
    was_end: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class HighWatermarkAdvanced:
    """A replica's watermark moved up. The leader's decides; a follower's follows it."""

    topic: str
    partition: int
    was: int
    high_watermark: int
    leader_epoch: int
    is_leader: bool


@dataclass(frozen=True, slots=True)
class LogStartMoved:
    """A replica's log begins later: retention, or DeleteRecords."""

    topic: str
    partition: int
    start: int


@dataclass(frozen=True, slots=True)
class IsrShrinkProposed:
    """A leader asks the coordination service to take these out of the ISR. Until it knows, they count."""

    topic: str
    partition: int
    isr: tuple[int, ...]
    lagging: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IsrExpandProposed:
    """A leader asks the coordination service to take these into the ISR. From now on they count."""

    topic: str
    partition: int
    isr: tuple[int, ...]
    joining: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IsrChanged:
    """The coordination service has the leader's new ISR."""

    topic: str
    partition: int
    was: tuple[int, ...]
    isr: tuple[int, ...]
    leader_epoch: int
    zk_version: int


@dataclass(frozen=True, slots=True)
class IsrChangeRefused:
    """Somebody else changed the partition's znode: this leader's knowledge is old."""

    topic: str
    partition: int
    isr: tuple[int, ...]
    zk_version: int


@dataclass(frozen=True, slots=True)
class DuplicateFound:
    """A leader was sent a batch that it has: a retry. It will say again what it said, or would have said."""

    topic: str
    partition: int
    producer_id: int
    base_sequence: int
    base_offset: int


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A broker answered a request of a client or a follower with an error."""

    api: str
    topic: str
    partition: int
    error: str


@dataclass(frozen=True, slots=True)
class LogDirectoryFailed:
    """The disk did not do what it was asked: the broker's replicas are offline."""

    error: str


# Clients: the history that a checker reads ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MetadataRefreshed:
    """A client has new metadata: from whom, and why it asked."""

    source: str
    reason: str
    brokers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RecordSent:
    """A program handed a record to its producer, which chose the partition. `record` numbers it in this producer."""

    record: int
    topic: str
    partition: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class BatchSent:
    """A producer sent a batch over the network, for the first time or again."""

    topic: str
    partition: int
    records: tuple[int, ...]
    attempt: int  # from 1
    to: str
    base_sequence: int  # -1 without idempotence


@dataclass(frozen=True, slots=True)
class RecordsAcknowledged:
    """These records were acknowledged; the first of them stands at `base_offset` (-1 with acks=0: nobody knows)."""

    topic: str
    partition: int
    records: tuple[int, ...]
    base_offset: int


@dataclass(frozen=True, slots=True)
class RecordsFailed:
    """A producer gave up on these records. If `is_definite`, none of them is in the log, nor ever will be."""

    topic: str
    partition: int
    records: tuple[int, ...]
    error: str
    is_definite: bool


@dataclass(frozen=True, slots=True)
class RecordsPolled:
    """A consumer was handed these records of one partition, in this order; `position` is the next offset it wants.

    Without records, it moved past what is none: markers, aborted records, what compaction has taken.
    """

    topic: str
    partition: int
    offsets: tuple[int, ...]
    values: tuple[bytes | None, ...]
    position: int


@dataclass(frozen=True, slots=True)
class PositionReset:
    """A consumer found its position outside the log, or had none, and goes on from here."""

    topic: str
    partition: int
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class PollFailed:
    """A consumer cannot go on from its position: it has none and may not choose, or what stands there is unreadable."""

    topic: str
    partition: int
    position: int  # -1: none
    error: str


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """An admin client's request came to an end: NONE or the name of an error, and what it was told.

    `request` is the number under which it was asked; `found` is what it found as data, where a line says too little.
    """

    request: int
    api: str
    error: str
    answer: str
    found: Any = None


# Groups ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CoordinatorLoaded:
    """A broker has read a partition of `__consumer_offsets` to its end: it coordinates the groups in there."""

    partition: int
    groups: tuple[str, ...]
    records: int  # the offset at which the log ended


@dataclass(frozen=True, slots=True)
class CoordinatorUnloaded:
    """A broker coordinates the groups of that partition no more."""

    partition: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupRebalancing:
    """A group's members are to join again."""

    group: str
    generation: int  # the one that ends
    reason: str


@dataclass(frozen=True, slots=True)
class GroupStabilized:
    """A generation knows what it reads: for each member, as (topic, partition)."""

    group: str
    generation: int
    assignment: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


@dataclass(frozen=True, slots=True)
class GroupEmptied:
    """Nobody is left in the group; its offsets are."""

    group: str
    generation: int


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """A member is in this generation."""

    group: str
    member: str
    generation: int
    is_leader: bool


@dataclass(frozen=True, slots=True)
class MemberLeft:
    """A member said that it leaves."""

    group: str
    member: str


@dataclass(frozen=True, slots=True)
class MemberExpired:
    """A member was thrown out: not heard of in time ("expired"), or late for a rebalance ("late")."""

    group: str
    member: str
    reason: str


@dataclass(frozen=True, slots=True)
class MemberFenced:
    """Another one has taken this member's place, by its instance id."""

    group: str
    member: str
    instance: str


@dataclass(frozen=True, slots=True)
class GroupRequestRefused:
    """A coordinator answered a member with an error."""

    api: str
    group: str
    member: str
    error: str


@dataclass(frozen=True, slots=True)
class OffsetsCommitted:
    """A coordinator has these offsets, and all in sync have them: (topic, partition, next offset to read)."""

    group: str
    generation: int
    member: str
    offsets: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class OffsetsFetched:
    """A coordinator told somebody how far a group is; -1 where it has not committed anything."""

    group: str
    offsets: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class OffsetsExpired:
    """Nobody has used these for so long, or their group was deleted: they are forgotten."""

    group: str
    partitions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class GroupDeleted:
    """A coordinator has forgotten a group: an administrator wanted it, or nothing is left of it."""

    group: str


@dataclass(frozen=True, slots=True)
class PartitionsAssigned:
    """A consumer reads these, in addition to what it reads already."""

    group: str
    member: str
    generation: int
    partitions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PartitionsRevoked:
    """A consumer gave these up; if they are `is_lost`, somebody else may have them already."""

    group: str
    member: str
    generation: int
    partitions: tuple[tuple[str, int], ...]
    is_lost: bool


@dataclass(frozen=True, slots=True)
class PollProcessed:
    """A consumer's program is done with all it was handed: (topic, partition, next offset to read) where it got any."""

    group: str
    member: str
    positions: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class CommitAnswered:
    """A consumer's commit came to an end: NONE or the name of an error."""

    group: str
    error: str
    offsets: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class MembershipFailed:
    """A consumer cannot be a member, and does not try again."""

    group: str
    member: str
    error: str


@dataclass(frozen=True, slots=True)
class EffectApplied:
    """Something was done in the world outside, where nothing can be taken back; `key` says what for."""

    key: str
    value: bytes | None


# Transactions: producers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProducerIdentified:
    """A transactional producer has its id and a new epoch: whoever had its transactional id before is fenced."""

    transactional_id: str
    producer_id: int
    epoch: int


@dataclass(frozen=True, slots=True)
class TransactionBegun:
    """What the producer is handed from now on belongs together; `transaction` counts those it has begun."""

    transactional_id: str
    transaction: int


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """The producer was told that its transaction is decided; the markers may still be under way."""

    transactional_id: str
    transaction: int
    is_commit: bool


@dataclass(frozen=True, slots=True)
class TransactionFailed:
    """A transaction cannot be committed. If `is_fatal`, another one has taken the producer's place for good.

    A fatal error in answer to a commit leaves open whether that has happened.
    """

    transactional_id: str
    transaction: int
    error: str
    is_fatal: bool


@dataclass(frozen=True, slots=True)
class TransactionCallRefused:
    """A program asked its producer for what cannot be asked in that state."""

    transactional_id: str
    call: str
    state: str


# Transactions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TransactionsLoaded:
    """A broker has read a partition of `__transaction_state` to its end: it coordinates these transactional ids."""

    partition: int
    ids: tuple[str, ...]
    records: int  # the offset at which the log ended


@dataclass(frozen=True, slots=True)
class TransactionsUnloaded:
    """A broker coordinates the transactional ids of that partition no more."""

    partition: int


@dataclass(frozen=True, slots=True)
class TransactionTurned:
    """A transactional id is so now, and all in sync have it: Empty, Ongoing, PrepareCommit, ..., Dead."""

    transactional_id: str
    producer_id: int
    epoch: int
    state: str
    partitions: tuple[tuple[str, int], ...]  # that have no marker yet


@dataclass(frozen=True, slots=True)
class TransactionFenced:
    """A coordinator takes the epoch from a producer and aborts: its time is up ("timeout"), or another begins ("init").

    `epoch` is the new one, which nobody is given.
    """

    transactional_id: str
    producer_id: int
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class TransactionRefused:
    """A coordinator answered a producer with an error."""

    api: str
    transactional_id: str
    error: str


@dataclass(frozen=True, slots=True)
class MarkerWritten:
    """A leader appended the end of a producer's transaction, as the coordinator of that epoch said."""

    topic: str
    partition: int
    offset: int
    producer_id: int
    epoch: int
    is_commit: bool
    coordinator_epoch: int


@dataclass(frozen=True, slots=True)
class MarkerRefused:
    """A leader did not append it, or cannot say whether all in sync have it."""

    topic: str
    partition: int
    producer_id: int
    error: str


@dataclass(frozen=True, slots=True)
class LastStableOffsetAdvanced:
    """A leader decided up to where nothing is open; told only where that is, or was, below the high watermark."""

    topic: str
    partition: int
    was: int
    offset: int


@dataclass(frozen=True, slots=True)
class OffsetsPending:
    """A transaction has written these offsets of a group; they count if it commits."""

    group: str
    producer_id: int
    offsets: tuple[tuple[str, int, int], ...]


Fact = Any  # chapters announce facts of their own, too
