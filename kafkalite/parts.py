"""Parts: every piece of the system that can be replaced, by a learner or by a test.

A part is a pure function, or a small class, that takes plain data and returns plain data; it never calls out. Brokers
and clients receive their `Parts` and never import the reference, so replacing one is all there is to plugging it in:

    replace(REFERENCE, log=MyLog)

`kafkalite.reference` holds the pieces this package itself is made of. A part that belongs to one chapter's story and
not to Kafka (a migration plan, a loss report) lives in that chapter's room instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from kafkalite.types import (
    CommittedOffset,
    GroupImage,
    GroupSettings,
    ReplicaProgress,
    ReplicaView,
    Subscription,
    TopicPartition,
)


class LogPart(Protocol):
    """What a broker asks of a log; `kafkalite.log.memory.Log` says what each means."""

    def append(self, values: list[str], /) -> int: ...
    def read(self, offset: int, max_records: int, /) -> list[str]: ...
    def start(self) -> int: ...
    def end(self) -> int: ...
    def delete_before(self, offset: int, /) -> int: ...


class CursorPart(Protocol):
    """What a reader asks of its place in a log; `kafkalite.clients.cursor.Cursor` says what each means."""

    def poll(self, start: int, end: int, max_records: int, /) -> tuple[int, int]: ...
    def seek(self, offset: int, /) -> None: ...
    def lag(self, end: int, /) -> int: ...


class StickyPartitionerPart(Protocol):
    """Where records without a key go; `kafkalite.clients.partitioner.StickyPartitioner` says what it means."""

    def partition(self, available: list[int], size_bytes: int, draw: float, /) -> int: ...


class AccumulatorPart(Protocol):
    """What a producer asks of its batches; `kafkalite.clients.accumulator.Accumulator` says what each means."""

    def append(self, partition: TopicPartition, record: int, size_bytes: int, now_ms: float, /) -> bool: ...
    def ready(self, now_ms: float, /) -> list[TopicPartition]: ...
    def take(self, partition: TopicPartition, /) -> list[int]: ...
    def next_ready_ms(self, now_ms: float, /) -> float | None: ...
    def flush(self) -> None: ...


class GroupPart(Protocol):
    """What a coordinator asks of a group; `kafkalite.groups.group.Group` says what each means."""

    def on(self, event: Any, now_ms: float, /) -> list[Any]: ...
    def due_ms(self) -> float: ...
    def image(self) -> GroupImage: ...


class OffsetsPart(Protocol):
    """What a coordinator asks of the committed offsets; `kafkalite.groups.offsets.Offsets` says what each means."""

    def commit(self, group: str, partition: TopicPartition, committed: CommittedOffset, /) -> None: ...
    def forget(self, group: str, partition: TopicPartition, /) -> None: ...
    def fetch(self, group: str, partition: TopicPartition, /) -> CommittedOffset | None: ...
    def partitions(self, group: str, /) -> list[TopicPartition]: ...
    def groups(self) -> list[str]: ...


PartitionForPart = Callable[[bytes | None, int], int | None]
HighWatermarkPart = Callable[[dict[int, int], frozenset[int], frozenset[int], int, int], int]
ReadableEndPart = Callable[[int, int], int]
ProgressPart = Callable[[ReplicaProgress, int, int, float], ReplicaProgress]
LaggingPart = Callable[[dict[int, ReplicaProgress], int, float, float], frozenset[int]]
MayJoinPart = Callable[[ReplicaProgress, int, int], bool]
EnoughReplicasPart = Callable[[int, int, int], bool]
TruncateToPart = Callable[[list[tuple[int, int]], int, tuple[int, int]], tuple[int, bool]]
ReadReplicaPart = Callable[[list[ReplicaView], int, str], int]
AssignReplicasPart = Callable[[int, int, list[int], dict[int, str | None], int, int, int], dict[int, list[int]]]
ElectLeaderPart = Callable[[list[int], list[int], frozenset[int], bool], tuple[int, list[int]] | None]
QuorumPart = Callable[[int], int]
AssignPart = Callable[[list[Subscription], dict[str, int]], dict[str, list[TopicPartition]]]
ReconcilePart = Callable[
    [dict[str, list[TopicPartition]], dict[str, list[TopicPartition]]], dict[str, list[TopicPartition]]
]
FencedPart = Callable[[int, int, int, int], str]
TransactionStatePart = Callable[[str, str], tuple[str, str]]
LastStableOffsetPart = Callable[[list[tuple[int, int | None]], int], int]


@dataclass(frozen=True, slots=True)
class Parts:
    """One piece for each name. Classes are given as what makes an instance: `log(start)`, `cursor(position)`."""

    log: Callable[[int], LogPart]
    cursor: Callable[[int], CursorPart]
    # replication of one partition, in kafkalite.replication
    high_watermark: HighWatermarkPart  # (end_offsets, isr, maximal_isr, previous, min_isr)
    readable_end: ReadableEndPart  # (log_end, high_watermark): what a consumer may read is below it
    progress: ProgressPart  # (progress, fetch_offset, leader_end, now_ms): what a follower's fetch tells
    lagging: LaggingPart  # (followers in the ISR, leader_end, now_ms, max_lag_ms): who is to leave it
    may_join: MayJoinPart  # (progress, high_watermark, epoch_start)
    enough_replicas: EnoughReplicasPart  # (isr_size, min_isr, acks): may this be appended?
    truncate_to: TruncateToPart  # (follower_epochs, follower_end, leader_answer): (offset, is that all)
    read_replica: ReadReplicaPart  # (replicas, fetch_offset, client_rack): the broker to read from
    # the cluster, in kafkalite.controller
    assign_replicas: AssignReplicasPart  # (partitions, rf, brokers, racks, start, shift, first_partition)
    elect_leader: ElectLeaderPart  # (assignment, isr, live, unclean): (leader, isr), or None for nobody
    # producers, in kafkalite.clients
    partition_for: PartitionForPart  # (key, partitions): None for no key
    sticky_partitioner: Callable[[int], StickyPartitionerPart]  # (batch_bytes)
    accumulator: Callable[[int, float], AccumulatorPart]  # (batch_bytes, linger_ms)
    # coordination, in kafkalite.coordination
    quorum: QuorumPart  # (servers): how many of them decide
    # consumer groups, in kafkalite.groups
    range_assign: AssignPart  # (members, partitions of each topic): who reads what
    round_robin_assign: AssignPart
    sticky_assign: AssignPart
    reconcile: ReconcilePart  # (owned, target): what each may be told now; nothing that another still holds
    group: Callable[[GroupSettings], GroupPart]
    offsets: Callable[[], OffsetsPart]
    # transactions, in kafkalite.transactions and kafkalite.log
    fenced: FencedPart  # (known_id, known_epoch, producer_id, epoch): why it may not speak, or NONE
    transaction_state: TransactionStatePart  # (state, what happens): (next state, answer)
    last_stable_offset: LastStableOffsetPart  # ([(first offset, marker or None)], high_watermark)
