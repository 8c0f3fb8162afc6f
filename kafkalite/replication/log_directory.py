"""The logs of one broker on its disk: opened at the start, looked after by timers, closed in order.

    at the start   every folder `topic-partition` is opened; the checkpoints say how far each may be trusted
    every 5 s      the high watermarks are written down, every minute the recovery points and the log starts
    every 5 min    retention; every 15 s compaction
    at a crash     nothing: what follows from the files is found again

A disk that fails takes the whole directory offline: its replicas answer KAFKA_STORAGE_ERROR until the broker is
restarted on a disk that works, and the broker itself lives on.

Source: Kafka's LogManager. Left out: several directories (JBOD), deleting in the background.
"""

from __future__ import annotations

from collections.abc import Callable

from kafkalite.config import BrokerConfig
from kafkalite.facts import LogDeleted, LogDirectoryFailed, LogLoaded, LogStartMoved
from kafkalite.log.checkpoints import (
    HIGH_WATERMARK,
    LOG_START_OFFSET,
    RECOVERY_POINT,
    mark_clean_shutdown,
    read_checkpoint,
    take_clean_shutdown,
    write_checkpoint,
)
from kafkalite.log.errors import StorageError
from kafkalite.log.partition_log import FlushMark, PartitionLog
from kafkalite.node import Component, Node
from kafkalite.replication.ports import ClusterView
from kafkalite.types import TopicPartition

TIMERS = ("high_watermarks", "recovery_points", "retention", "cleaning", "flush")


def folder_of(key: TopicPartition) -> str:
    """The folder of a replica.

    >>> folder_of(("orders", 0))
    'orders-0'
    """
    return f"{key[0]}-{key[1]}"


def key_of(folder: str) -> TopicPartition | None:
    """The replica that a folder belongs to; None for a folder of another kind.

    >>> key_of("my-orders-12"), key_of("lost+found")
    (('my-orders', 12), None)
    """
    topic, dash, index = folder.rpartition("-")
    return (topic, int(index)) if dash and topic and index.isdigit() else None


class LogDirectory(Component):
    """The logs, by topic and partition."""

    def __init__(self, node: Node, config: BrokerConfig, cluster: ClusterView) -> None:
        super().__init__(node, "logs")
        self._config, self._cluster = config, cluster
        self.logs: dict[TopicPartition, PartitionLog] = {}
        self.is_offline = False
        self._on_failure: Callable[[], None] | None = None
        self._then: Callable[[], None] | None = None

    def start(self, on_failure: Callable[[], None]) -> None:
        """Open what is there, and begin to look after it; `on_failure` is told once if the disk ever fails."""
        self._on_failure = on_failure
        try:
            self._load()
        except StorageError as error:
            self.fail(error)
            return
        config = self._config
        self.set_timer("high_watermarks", config.replica_high_watermark_checkpoint_interval_ms)
        self.set_timer("recovery_points", config.log_flush_offset_checkpoint_interval_ms)
        self.set_timer("retention", config.log_retention_check_interval_ms)
        self.set_timer("cleaning", config.log_cleaner_backoff_ms)
        if config.log_flush_interval_ms is not None:
            self.set_timer("flush", config.log_flush_interval_ms)

    def _load(self) -> None:
        storage = self.node.storage
        was_clean = take_clean_shutdown(storage)
        recovery_points = read_checkpoint(storage, RECOVERY_POINT)
        high_watermarks = read_checkpoint(storage, HIGH_WATERMARK)
        log_starts = read_checkpoint(storage, LOG_START_OFFSET)
        for key in sorted(filter(None, map(key_of, storage.folders()))):
            log = self._open(key, recovery_points.get(key, 0), log_starts.get(key, 0), is_clean=was_clean)
            watermark = high_watermarks.get(key, log.log_start_offset)
            log.high_watermark = max(log.log_start_offset, min(watermark, log.log_end_offset))

    def _open(self, key: TopicPartition, recovery_point: int, log_start: int, *, is_clean: bool) -> PartitionLog:
        log = self.logs[key] = PartitionLog(
            self.node.storage,
            folder_of(key),
            self._cluster.topic_settings(key[0]).log,
            self.node.wall_ms,
            is_clean=is_clean,
            recovery_point=recovery_point,
            log_start_offset=log_start,
        )
        self.node.note(LogLoaded(*key, log.log_start_offset, log.log_end_offset, is_clean))
        return log

    def log_of(self, key: TopicPartition) -> PartitionLog:
        """The replica's log, made if there is none. Raises StorageError."""
        log = self.logs.get(key)
        if log is None:
            return self._open(key, 0, 0, is_clean=True)
        log.configure(self._cluster.topic_settings(key[0]).log)
        return log

    def delete(self, key: TopicPartition) -> None:
        """Forget a replica's log and its files. Raises StorageError."""
        storage, folder = self.node.storage, folder_of(key)
        if self.logs.pop(key, None) is None:
            return
        storage.delete(*(f"{folder}/{name}" for name in storage.names(folder)))
        # Or a topic of the same name, made anew, would be taken to be where this one was.
        self.write_high_watermarks()
        self.write_recovery_points()
        self.node.note(LogDeleted(*key))

    def fail(self, error: StorageError) -> None:
        """The disk did not do what it was asked: nothing here is trusted any more."""
        if self.is_offline:
            return
        self.is_offline = True
        self.node.note(LogDirectoryFailed(f"{type(error).__name__}: {error}"))
        if self._on_failure is not None:
            self._on_failure()

    # Checkpoints ----------------------------------------------------------------------------------------------------

    def write_high_watermarks(self) -> None:
        """Where a restarted replica begins to know what is committed. Raises StorageError."""
        write_checkpoint(self.node.storage, HIGH_WATERMARK, {key: log.high_watermark for key, log in self.logs.items()})

    def write_recovery_points(self) -> None:
        """Up to where each log is on the disk, and where it begins. Raises StorageError.

        After a truncation this is written in the same step: the file must never trust a log further than it reaches.
        """
        storage, logs = self.node.storage, self.logs
        write_checkpoint(storage, RECOVERY_POINT, {key: log.recovery_point for key, log in logs.items()})
        moved = {key: log.log_start_offset for key, log in logs.items() if log.log_start_offset > 0}
        write_checkpoint(storage, LOG_START_OFFSET, moved)

    def on_high_watermarks(self) -> None:
        self._run(self.write_high_watermarks)
        self.set_timer("high_watermarks", self._config.replica_high_watermark_checkpoint_interval_ms)

    def on_recovery_points(self) -> None:
        self._run(self.write_recovery_points)
        self.set_timer("recovery_points", self._config.log_flush_offset_checkpoint_interval_ms)

    # Timers ---------------------------------------------------------------------------------------------------------

    def on_retention(self) -> None:
        self._run(self._delete_expired)
        self.set_timer("retention", self._config.log_retention_check_interval_ms)

    def _delete_expired(self) -> None:
        for key, log in self.logs.items():
            was = log.log_start_offset
            log.delete_expired(self.node.wall_ms)
            if log.log_start_offset != was:
                self.node.note(LogStartMoved(*key, log.log_start_offset))

    def on_cleaning(self) -> None:
        self._run(self._compact)
        self.set_timer("cleaning", self._config.log_cleaner_backoff_ms)

    def _compact(self) -> None:
        for log in self.logs.values():
            log.compact(self.node.wall_ms)

    def on_flush(self) -> None:
        assert self._config.log_flush_interval_ms is not None
        marks = tuple((log, log.unflushed()) for log in self.logs.values() if log.recovery_point < log.log_end_offset)
        if marks and not self.is_offline:
            self.node.flush(self.flushed, *marks)
        self.set_timer("flush", self._config.log_flush_interval_ms)

    def flushed(self, *marks: tuple[PartitionLog, FlushMark]) -> None:
        """What was there at these marks is on the disk."""
        for log, mark in marks:
            log.flushed(mark)

    def _run(self, work: Callable[[], None]) -> None:
        if self.is_offline:
            return
        try:
            work()
        except StorageError as error:
            self.fail(error)

    # Stopping -------------------------------------------------------------------------------------------------------

    def close(self, then: Callable[[], None]) -> None:
        """Stop in order: bring everything to the disk, say so in a file, then call `then()`."""
        self._then = then
        for timer in TIMERS:
            self.cancel_timer(timer)
        self._run(self._close)
        self.node.flush(self._closed, *((log, log.unflushed()) for log in self.logs.values()))

    def _close(self) -> None:
        for log in self.logs.values():
            log.close()

    def _closed(self, *marks: tuple[PartitionLog, FlushMark]) -> None:
        self.flushed(*marks)
        self._run(self._say_closed)
        assert self._then is not None
        self._then()

    def _say_closed(self) -> None:
        self.write_high_watermarks()
        self.write_recovery_points()
        mark_clean_shutdown(self.node.storage)
