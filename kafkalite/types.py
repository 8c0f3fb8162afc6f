"""The words parts speak: frozen values that cross between a part and its cluster, and over a pipe, unchanged.

Every dataclass here is plain data (see `kafkalite.plain`). Left out: messages on the wire (`protocol`), and what
nodes announce (`facts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

Offset = int  # a place in one partition: of a record, or of the next record to be written
NodeName = str  # of a node, or of one connection with it: "b1", "b1#fetch"
TopicPartition = tuple[str, int]


def channel(node: NodeName, name: str) -> NodeName:
    """A connection of its own with a node, beside the others.

    >>> channel("b1", "fetch")
    'b1#fetch'
    """
    return f"{node}#{name}"


def node_of(peer: NodeName) -> NodeName:
    """Whose connection it is.

    >>> node_of("b1#fetch"), node_of("b1")
    ('b1', 'b1')
    """
    return peer.partition("#")[0]


def address(host: str, port: int) -> NodeName:
    """The node that a broker's advertised host and port lead to; in the simulator hosts are nodes and have no ports.

    >>> address("b1", 0), address("127.0.0.1", 9092)
    ('b1', '127.0.0.1:9092')
    """
    return f"{host}:{port}" if port else host


@dataclass(frozen=True, slots=True)
class Published:
    """A source put a value into the topic."""

    value: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A sink connected, or connected again: it has nothing in hand, and wants every value from `offset` on."""

    sink: str
    offset: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A sink has finished what it was handed last and can take more."""

    sink: str


@dataclass(frozen=True, slots=True)
class Left:
    """A sink's connection is gone. What it was handed last may or may not have arrived."""

    sink: str


@dataclass(frozen=True, slots=True)
class Hand:
    """Hand `values`, the first of them at `offset`, to one sink."""

    sink: str
    offset: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """All a topic knows: its values, each sink's next offset, and the sinks that wait for something to do.

    A sink is in `positions` while it is subscribed, and in `idle` while it has nothing in hand.
    """

    values: tuple[str, ...] = ()
    positions: dict[str, int] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()


# Replication ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplicaProgress:
    """What a leader knows of one follower, from its fetches.

    `end_offset` is where its log ends, as its last fetch said (-1: it has not fetched from this leader yet);
    `caught_up_ms` is when it last had all the leader had. The last fetch and the leader's end at that moment are kept
    because a follower that has by now what the leader had then was caught up then.
    """

    end_offset: int = -1
    caught_up_ms: float = 0.0
    last_fetch_ms: float = 0.0
    leader_end_at_last_fetch: int = -1


@dataclass(frozen=True, slots=True)
class ReplicaView:
    """A replica from which a consumer might read (KIP-392): where it stands, and what it has."""

    broker: int
    rack: str | None
    is_leader: bool
    log_start: int
    end_offset: int
    since_caught_up_ms: float = 0.0


# Groups ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a member of a group tells the assignor: its topics, and what it holds since which generation."""

    member: str
    topics: tuple[str, ...]
    instance: str | None = None  # its group.instance.id, if it has one (KIP-345)
    owned: tuple[TopicPartition, ...] = ()
    generation: int = -1


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What holds for every group of a coordinator."""

    initial_rebalance_delay_ms: float = 3000  # what a group that was empty waits for more members, each time one comes
    max_size: int = 2_147_483_647
    new_member_timeout_ms: float = 300_000  # a member that waits for its first generation cannot send heartbeats


@dataclass(frozen=True, slots=True)
class MemberImage:
    """A member of a group, as the log keeps it."""

    member: str
    instance: str | None = None
    client_id: str = ""
    client_host: str = ""
    rebalance_timeout_ms: int = 0
    session_timeout_ms: int = 0
    subscription: bytes = b""
    assignment: bytes = b""


@dataclass(frozen=True, slots=True)
class GroupImage:
    """A group, as the log keeps it. An empty one has no protocol and no leader."""

    protocol_type: str
    generation: int
    protocol: str | None = None
    leader: str | None = None
    members: tuple[MemberImage, ...] = ()


# What happens to a group. A ticket numbers a question; every ticket gets one answer, at once or later.


@dataclass(frozen=True, slots=True)
class JoinAsked:
    """A member asks to be in the next generation. Without an id (""), it is new, and `new_member` is its id to be."""

    ticket: int
    member: str
    protocols: tuple[tuple[str, bytes], ...]  # the assignors it can do, best first, with what it tells each
    new_member: str = ""
    instance: str | None = None
    protocol_type: str = "consumer"
    session_timeout_ms: int = 45_000
    rebalance_timeout_ms: int = 300_000
    needs_known_id: bool = True  # a new member is first told its id, and asks again with it (KIP-394)
    can_skip_assignment: bool = True  # it understands that it leads and need not assign (KIP-814)
    client_id: str = ""
    client_host: str = ""


@dataclass(frozen=True, slots=True)
class SyncAsked:
    """A member asks what is assigned to it; the leader says what is assigned to everybody."""

    ticket: int
    member: str
    generation: int
    instance: str | None = None
    protocol_type: str | None = None
    protocol: str | None = None
    assignments: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class HeartbeatAsked:
    """A member says that it lives."""

    ticket: int
    member: str
    generation: int
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class CommitAsked:
    """A member wants to commit offsets. Generation -1 and no member: somebody who assigns partitions by hand."""

    ticket: int
    member: str
    generation: int
    instance: str | None = None
    is_transactional: bool = False


@dataclass(frozen=True, slots=True)
class LeaveAsked:
    """A member leaves; an administrator may name an instance instead (KIP-345)."""

    ticket: int
    member: str
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class TimePassed:
    """It is time to look whether somebody is overdue."""


@dataclass(frozen=True, slots=True)
class GroupStored:
    """What StoreGroup of that number asked for is in the log, and replicated; or it is not, and this is why."""

    number: int
    error: str = "NONE"


@dataclass(frozen=True, slots=True)
class GroupLoaded:
    """A new coordinator found this in the log."""

    image: GroupImage


@dataclass(frozen=True, slots=True)
class GroupUnloaded:
    """The group is coordinated here no more; whoever waits is told so."""

    error: str = "NOT_COORDINATOR"


# What a group does about it.


@dataclass(frozen=True, slots=True)
class AnswerJoin:
    """The new generation. Only its leader is told the members: (id, instance, what it tells the assignor)."""

    ticket: int
    error: str
    member: str = ""
    generation: int = -1
    protocol_type: str | None = None
    protocol: str | None = None
    leader: str = ""
    members: tuple[tuple[str, str | None, bytes], ...] = ()
    skips_assignment: bool = False


@dataclass(frozen=True, slots=True)
class AnswerSync:
    """What a member is to read."""

    ticket: int
    error: str
    assignment: bytes = b""
    protocol_type: str | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a heartbeat, a commit, a leave."""

    ticket: int
    error: str = "NONE"


@dataclass(frozen=True, slots=True)
class StoreGroup:
    """Write this to the log; GroupStored with its number says what became of it."""

    number: int
    image: GroupImage


@dataclass(frozen=True, slots=True)
class GroupTurned:
    """The group is in another state now; the generation is the one that ends, or that now is."""

    state: str
    generation: int
    reason: str


@dataclass(frozen=True, slots=True)
class MemberGone:
    """A member is none any more: it "left", "expired", was "fenced" or "late"."""

    member: str
    instance: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class CommittedOffset:
    """How far a group has come in one partition: `offset` is the next one to read, not the last one read (M31)."""

    offset: int
    leader_epoch: int = -1
    metadata: str = ""
    commit_ms: int = -1
    expire_ms: int = -1  # when a client chose its own retention; -1: the coordinator's holds
