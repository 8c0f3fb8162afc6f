"""How a coordinator writes: append to a partition that is led here, and hear of it once all in sync have it (acks=all).

Nobody is at the other end of a connection, so no connection's end makes it void. Its batches have no sequences: who
coordinates knows what it has written.

Source: Kafka's ReplicaManager.appendRecords with AppendOrigin.COORDINATOR, DelayedProduce.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.errors import ErrorCode
from kafkalite.log.admission import Appended
from kafkalite.log.errors import BatchTooLarge, CoordinatorFenced, CorruptBatch, ProducerFenced, StorageError
from kafkalite.replication.partition import Partition
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.types import NodeName, TopicPartition

ACKS_ALL = -1
NOBODY: NodeName = ""  # asked for what is appended
ERRORS: dict[type[Exception], ErrorCode] = {
    BatchTooLarge: ErrorCode.MESSAGE_TOO_LARGE,
    CoordinatorFenced: ErrorCode.TRANSACTION_COORDINATOR_FENCED,
    CorruptBatch: ErrorCode.CORRUPT_MESSAGE,
    ProducerFenced: ErrorCode.INVALID_PRODUCER_EPOCH,
}

# What whoever asked a coordinator is told when its log did not take what was to be remembered.
STORE_ERRORS = {
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.NOT_ENOUGH_REPLICAS: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.REQUEST_TIMED_OUT: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.NOT_LEADER_OR_FOLLOWER: ErrorCode.NOT_COORDINATOR,
    ErrorCode.KAFKA_STORAGE_ERROR: ErrorCode.NOT_COORDINATOR,
}


class Replicating:
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


def append(replicas: ReplicaManager, key: TopicPartition, batch: bytes) -> tuple[ErrorCode, Appended | None]:
    """Put a coordinator's batch at the end of a partition that is led here; where it stands, or why not."""
    partition = replicas.partitions.get(key)
    error = replicas.unknown(*key) if partition is None else partition.refusal()
    if partition is None or error is not ErrorCode.NONE:
        return error, None
    if not partition.has_enough_replicas(ACKS_ALL):
        return ErrorCode.NOT_ENOUGH_REPLICAS, None
    try:
        return ErrorCode.NONE, partition.append(batch, is_from_client=False)
    except tuple(ERRORS) as refusal:
        return ERRORS[type(refusal)], None
    except StorageError as failure:
        replicas.logs.fail(failure)
        return ErrorCode.KAFKA_STORAGE_ERROR, None


def when_replicated(
    replicas: ReplicaManager,
    key: TopicPartition,
    last_offset: int,
    timeout_ms: int,
    then: Callable[..., None],
    *arguments: Any,
) -> None:
    """Call `then(error, *arguments)` once all in sync have what was appended up to there, or the time is up."""
    waiting = Replicating(replicas.partitions[key], last_offset, then, arguments)
    replicas.waiting.check(key)  # followers that wait for something to fetch
    if waiting.is_ready():
        waiting.finish()
    else:
        replicas.waiting.acks.park(waiting, [key], timeout_ms)
