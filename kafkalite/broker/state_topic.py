"""A topic that keeps what coordinators know, as this broker sees it: which partitions are led here, and loaded.

    led here from now on   read it to its end, a chunk at a time; meanwhile COORDINATOR_LOAD_IN_PROGRESS
    loaded                 appends are answered once the high watermark has passed them, as with acks=all
    led elsewhere          forget everything: whoever leads it has read the same log

The topic comes about when somebody first asks for a coordinator. `offsets_topic` is the one of groups,
`transactions_topic` that of transactions.

Source: Kafka's GroupMetadataManager, TransactionStateManager; onElection, onResignation of their coordinators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from kafkalite.broker.appending import append, when_replicated
from kafkalite.broker.metadata import MetadataCache
from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.groups.placement import partition_of_group
from kafkalite.log.batch import NO_PRODUCER_ID, TRANSACTIONAL, encode_batch
from kafkalite.log.errors import CorruptBatch, StorageError
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.node import Component, Node
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.types import TopicPartition

PAUSE_MS = 1.0  # between two chunks: whoever asks meanwhile is answered


class StateFold(Protocol):
    """What a coordinator's log says, up to an offset."""

    position: int

    def load_some(self, log: PartitionLog, max_bytes: int, /) -> bool: ...
    def apply(self, record: Record, /) -> None: ...


F = TypeVar("F", bound=StateFold)
F_contra = TypeVar("F_contra", bound=StateFold, contravariant=True)


class Listener(Protocol[F_contra]):
    """Who coordinates what is loaded."""

    def on_loaded(self, index: int, fold: F_contra, /) -> None: ...
    def on_unloaded(self, index: int, /) -> None: ...


class StateTopic(Component, Generic[F]):
    """The partitions of one such topic that are led here."""

    name = ""
    partitions = 1  # how many it will have, as long as it is not there
    load_bytes = 0
    append_timeout_ms = 0
    is_strict = False  # what is not replicated yet is not acted on, and every leader epoch begins from the log

    def __init__(self, node: Node, label: str, replicas: ReplicaManager, metadata: MetadataCache) -> None:
        super().__init__(node, label)
        self._replicas, self._metadata = replicas, metadata
        self._loading: dict[int, F] = {}
        self.loaded: dict[int, F] = {}
        self._epochs: dict[int, int] = {}  # of the leaders that loaded, or are loading
        self.listener: Listener[F] | None = None
        replicas.watchers[self.name] = self._changed

    def empty(self) -> F:
        """What an empty partition says."""
        raise NotImplementedError

    # Where a key is -------------------------------------------------------------------------------------------------

    def index_of(self, key: str) -> int:
        """The partition that keeps the group, or the transactional id."""
        known = self._metadata.view.topics.get(self.name, {})
        return partition_of_group(key, len(known) or self.partitions)

    def refusal(self, key: str) -> ErrorCode:
        """Why it is not coordinated here, or not yet; NONE if it is."""
        index = self.index_of(key)
        if index in self.loaded:
            return ErrorCode.NONE
        return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS if index in self._loading else ErrorCode.NOT_COORDINATOR

    def coordinator_of(self, key: str) -> tuple[int, str, int] | None:
        """The coordinator's id, host and port; None if there is none yet, which asking has then begun to change."""
        view = self._metadata.view
        if self.name not in view.topics:
            self._metadata.bring_about(self.name)
            return None
        answers = {one.node_id: one for one in view.broker_answers()}
        state = view.topics[self.name].get(self.index_of(key))
        found = answers.get(state.leader) if state is not None else None
        return None if found is None else (found.node_id, found.host, found.port)

    def epoch_of(self, index: int) -> int:
        """The epoch in which this broker leads the partition: its coordinator's epoch."""
        return self._epochs[index]

    # Loading --------------------------------------------------------------------------------------------------------

    def _changed(self, key: TopicPartition) -> None:
        """Something about one of the partitions has changed; perhaps who leads it."""
        partition, index = self._replicas.partitions[key], key[1]
        is_here = index in self.loaded or index in self._loading
        if is_here and not partition.is_leader:
            self._unload(index)
        elif is_here and self.is_strict and partition.leader_epoch != self._epochs[index]:
            self._unload(index)
            self._begin(index, partition.leader_epoch)
        elif partition.is_leader and not is_here:
            self._begin(index, partition.leader_epoch)
        elif self.is_strict and index in self._loading:  # the watermark may have come there
            self.set_timer(f"load:{index}", 0)

    def _begin(self, index: int, leader_epoch: int) -> None:
        self._loading[index], self._epochs[index] = self.empty(), leader_epoch
        self.set_timer(f"load:{index}", 0)

    def _unload(self, index: int) -> None:
        self._loading.pop(index, None)
        if self.loaded.pop(index, None) is not None and self.listener is not None:
            self.listener.on_unloaded(index)

    def on_load(self, argument: str) -> None:
        """Read one chunk more."""
        index = int(argument)
        fold = self._loading.get(index)
        if fold is None:
            return
        log = self._replicas.partitions[self.name, index].log
        try:
            is_read = fold.load_some(log, self.load_bytes)
        except StorageError as failure:
            self._replicas.logs.fail(failure)
            return
        except (CorruptBatch, ProtocolError) as error:  # what is behind it counts no less
            self._replicas.logs.fail(StorageError(f"{self.name}-{index}: {error}"))
            return
        if not is_read:
            self.set_timer(f"load:{index}", PAUSE_MS)
        elif not self.is_strict or log.high_watermark >= fold.position:
            self.loaded[index] = self._loading.pop(index)
            if self.listener is not None:
                self.listener.on_loaded(index, fold)

    # Appending ------------------------------------------------------------------------------------------------------

    def append(
        self,
        index: int,
        records: Iterable[tuple[bytes, bytes | None]],
        then: Callable[..., None],
        *arguments: Any,
        producer: tuple[int, int] | None = None,
    ) -> None:
        """Append keys and values; call `then(error, *arguments)` once all in sync have them, and the fold too.

        `producer` is the id and the epoch of one in whose transaction they are; then the fold knows them at once.
        """
        now_ms, key = self.node.wall_ms, (self.name, index)
        rows = [Record(key_, value, now_ms, (), offset) for offset, (key_, value) in enumerate(records)]
        producer_id, epoch = producer or (NO_PRODUCER_ID, -1)
        attributes = TRANSACTIONAL if producer else 0
        batch = encode_batch(rows, attributes=attributes, producer_id=producer_id, producer_epoch=epoch)
        error, appended = append(self._replicas, key, batch)
        if appended is None:
            then(error, *arguments)
            return
        base, last = appended.base_offset, appended.last_offset
        moved = [Record(row.key, row.value, row.timestamp_ms, (), base + row.offset) for row in rows]
        if producer:
            self.in_transaction(index, moved, producer_id)
            moved = []
        when_replicated(
            self._replicas, key, last, self.append_timeout_ms, self._appended, index, moved, then, arguments
        )

    def in_transaction(self, index: int, rows: list[Record], producer_id: int) -> None:
        """These are in the log, and count once their transaction is committed."""
        raise NotImplementedError

    def _appended(
        self, error: ErrorCode, index: int, rows: list[Record], then: Callable[..., None], arguments: Any
    ) -> None:
        fold = self.loaded.get(index)
        if error is ErrorCode.NONE and fold is not None:
            for row in rows:
                fold.apply(row)
        then(error, *arguments)
