"""`__consumer_offsets` as the coordinators of this broker see it: which of its partitions are led here, and loaded.

    led here from now on   read it to its end, a chunk at a time; meanwhile COORDINATOR_LOAD_IN_PROGRESS
    loaded                 appends are answered once the high watermark has passed them, as with acks=all
    led elsewhere          forget everything: whoever leads it has read the same log

The topic comes about when somebody first asks for a coordinator.

Source: Kafka's GroupMetadataManager; GroupCoordinator.onElection, onResignation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from kafkalite.broker.metadata import MetadataCache
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.groups.fold import Fold
from kafkalite.groups.placement import partition_of_group
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.log.batch import encode_batch
from kafkalite.log.errors import BatchTooLarge, CorruptBatch, StorageError
from kafkalite.log.record import Record
from kafkalite.node import Component, Node
from kafkalite.parts import Parts
from kafkalite.replication.partition import Partition
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.types import NodeName, TopicPartition

ACKS_ALL = -1
NOBODY: NodeName = ""  # asked for what is appended: no connection's end makes it void


class Listener(Protocol):
    """Who coordinates what is loaded."""

    def on_loaded(self, index: int, fold: Fold) -> None: ...
    def on_unloaded(self, index: int) -> None: ...


class Append:
    """Records that are in the leader's log, waiting until all in sync have them."""

    def __init__(self, partition: Partition, last_offset: int, then: Callable[..., None], arguments: Any) -> None:
        self.peer = NOBODY
        self._partition, self._leader_epoch, self._last_offset = partition, partition.leader_epoch, last_offset
        self._then, self._arguments = then, arguments

    def is_ready(self) -> bool:
        return self._is_led_elsewhere() or self._partition.is_acknowledged(self._last_offset, ACKS_ALL)

    def _is_led_elsewhere(self) -> bool:
        return not self._partition.is_leader or self._partition.leader_epoch != self._leader_epoch

    def finish(self) -> None:
        if self._is_led_elsewhere():
            error = ErrorCode.NOT_LEADER_OR_FOLLOWER
        elif self._partition.is_acknowledged(self._last_offset, ACKS_ALL):
            error = ErrorCode.NONE
        else:
            error = ErrorCode.REQUEST_TIMED_OUT
        self._then(error, *self._arguments)


class OffsetsTopic(Component):
    """The partitions of `__consumer_offsets` that are led here."""

    def __init__(
        self, node: Node, config: BrokerConfig, replicas: ReplicaManager, metadata: MetadataCache, parts: Parts
    ) -> None:
        super().__init__(node, "offsets_topic")
        self._config, self._replicas, self._metadata, self._parts = config, replicas, metadata, parts
        self._loading: dict[int, Fold] = {}
        self.loaded: dict[int, Fold] = {}
        self.listener: Listener | None = None
        replicas.watchers[OFFSETS_TOPIC] = self._changed

    # Where a group is ----------------------------------------------------------------------------------------------

    def index_of(self, group: str) -> int:
        """The partition that keeps the group."""
        known = self._metadata.view.topics.get(OFFSETS_TOPIC, {})
        return partition_of_group(group, len(known) or self._config.offsets_topic_num_partitions)

    def refusal(self, group: str) -> ErrorCode:
        """Why the group is not coordinated here, or not yet; NONE if it is."""
        index = self.index_of(group)
        if index in self.loaded:
            return ErrorCode.NONE
        return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS if index in self._loading else ErrorCode.NOT_COORDINATOR

    def coordinator_of(self, group: str) -> tuple[int, str, int] | None:
        """The coordinator's id, host and port; None if there is none yet, which asking has then begun to change."""
        view = self._metadata.view
        if OFFSETS_TOPIC not in view.topics:
            self._metadata.bring_about(OFFSETS_TOPIC)
            return None
        answers = {one.node_id: one for one in view.broker_answers()}
        state = view.topics[OFFSETS_TOPIC].get(self.index_of(group))
        found = answers.get(state.leader) if state is not None else None
        return None if found is None else (found.node_id, found.host, found.port)

    # Loading --------------------------------------------------------------------------------------------------------

    def _changed(self, key: TopicPartition) -> None:
        """Something about one of the partitions has changed; perhaps who leads it."""
        partition, index = self._replicas.partitions[key], key[1]
        is_here = index in self.loaded or index in self._loading
        if partition.is_leader and not is_here:
            self._loading[index] = Fold(self._parts.offsets())
            self.set_timer(f"load:{index}", 0)
        elif is_here and not partition.is_leader:
            self._loading.pop(index, None)
            if self.loaded.pop(index, None) is not None and self.listener is not None:
                self.listener.on_unloaded(index)

    def on_load(self, argument: str) -> None:
        """Read one chunk more."""
        index = int(argument)
        fold = self._loading.get(index)
        if fold is None:
            return
        log = self._replicas.partitions[OFFSETS_TOPIC, index].log
        try:
            is_read = fold.load_some(log, self._config.offsets_load_buffer_size)
        except StorageError as failure:
            self._replicas.logs.fail(failure)
            return
        except (CorruptBatch, ProtocolError) as error:  # what is behind it counts no less
            self._replicas.logs.fail(StorageError(f"{OFFSETS_TOPIC}-{index}: {error}"))
            return
        if not is_read:
            self.set_timer(f"load:{index}", 0)
            return
        self.loaded[index] = self._loading.pop(index)
        if self.listener is not None:
            self.listener.on_loaded(index, fold)

    # Appending ------------------------------------------------------------------------------------------------------

    def append(
        self, index: int, records: Iterable[tuple[bytes, bytes | None]], then: Callable[..., None], *arguments: Any
    ) -> None:
        """Append keys and values; call `then(error, *arguments)` once all in sync have them, and the fold too."""
        now_ms = self.node.wall_ms
        rows = [Record(key, value, now_ms, (), offset) for offset, (key, value) in enumerate(records)]
        partition = self._replicas.partition(OFFSETS_TOPIC, index)
        error = ErrorCode.NOT_LEADER_OR_FOLLOWER if partition is None else partition.refusal()
        if partition is None or error is not ErrorCode.NONE:
            then(error, *arguments)
        elif not partition.has_enough_replicas(ACKS_ALL):
            then(ErrorCode.NOT_ENOUGH_REPLICAS, *arguments)
        else:
            self._append(partition, rows, then, arguments)

    def _append(self, partition: Partition, rows: list[Record], then: Callable[..., None], arguments: Any) -> None:
        try:
            appended = partition.append(encode_batch(rows), is_from_client=False)
        except BatchTooLarge:
            then(ErrorCode.MESSAGE_TOO_LARGE, *arguments)
            return
        except StorageError as failure:
            self._replicas.logs.fail(failure)
            then(ErrorCode.KAFKA_STORAGE_ERROR, *arguments)
            return
        index, base = partition.key[1], appended.base_offset
        moved = [Record(row.key, row.value, row.timestamp_ms, (), base + row.offset) for row in rows]
        waiting = Append(partition, appended.last_offset, self._appended, (index, moved, then, arguments))
        self._replicas.waiting.check(partition.key)  # followers that wait for something to fetch
        if waiting.is_ready():
            waiting.finish()
        else:
            self._replicas.waiting.acks.park(waiting, [partition.key], self._config.offsets_commit_timeout_ms)

    def _appended(
        self, error: ErrorCode, index: int, rows: list[Record], then: Callable[..., None], arguments: Any
    ) -> None:
        fold = self.loaded.get(index)
        if error is ErrorCode.NONE and fold is not None:
            for row in rows:
                fold.apply(row)
        then(error, *arguments)
