"""What coordinators write: refused, appended, and heard of again once it is replicated or never will be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafkalite.broker.appending import append, when_replicated
from kafkalite.errors import ErrorCode
from kafkalite.log.errors import BatchTooLarge, CoordinatorFenced, CorruptBatch, ProducerFenced
from kafkalite.replication.purgatory import Purgatory
from kafkalite.storage import StorageError

from .scripted import Stage

KEY = ("__transaction_state", 0)


class Scene:
    """A partition, played by the test."""

    def __init__(self) -> None:
        self.stage, self.failed = Stage(), list[StorageError]()
        self.appended: Any = object()  # where it stands
        self.partition = SimpleNamespace(
            is_leader=True,
            leader_epoch=4,
            refusal=lambda: ErrorCode.NONE,
            has_enough_replicas=lambda acks: acks == -1,
            is_acknowledged=lambda *_: False,
            append=self._append,
        )
        self.raises: Exception | None = None
        acks = Purgatory(self.stage.node, "acks")
        replicas: Any = SimpleNamespace(
            partitions={KEY: self.partition},
            waiting=SimpleNamespace(acks=acks, check=acks.check),
            logs=SimpleNamespace(fail=self.failed.append),
            unknown=lambda *_: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        )
        self.replicas = replicas
        self.heard: list[ErrorCode] = []

    def _append(self, batch: bytes, *, is_from_client: bool) -> Any:
        assert not is_from_client
        if self.raises is not None:
            raise self.raises
        return self.appended

    def waits(self) -> None:
        when_replicated(self.replicas, KEY, 7, 1000, self.heard.append)

    def changes(self) -> None:
        self.replicas.waiting.check(KEY)


def test_only_a_leader_with_enough_replicas_appends() -> None:
    scene = Scene()
    assert (ErrorCode.NONE, scene.appended) == append(scene.replicas, KEY, b"")
    assert (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, None) == append(scene.replicas, ("A", 0), b"")
    scene.partition.has_enough_replicas = lambda *_: False
    assert (ErrorCode.NOT_ENOUGH_REPLICAS, None) == append(scene.replicas, KEY, b"")

    scene.partition.refusal = lambda: ErrorCode.NOT_LEADER_OR_FOLLOWER

    assert (ErrorCode.NOT_LEADER_OR_FOLLOWER, None) == append(scene.replicas, KEY, b"")


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (BatchTooLarge("x"), ErrorCode.MESSAGE_TOO_LARGE),
        (CoordinatorFenced("x"), ErrorCode.TRANSACTION_COORDINATOR_FENCED),
        (CorruptBatch("x"), ErrorCode.CORRUPT_MESSAGE),
        (ProducerFenced("x"), ErrorCode.INVALID_PRODUCER_EPOCH),
        (StorageError("x"), ErrorCode.KAFKA_STORAGE_ERROR),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_the_log_refuses_is_told_by_its_name(raised: Exception, error: ErrorCode) -> None:
    scene = Scene()
    scene.raises = raised

    assert (error, None) == append(scene.replicas, KEY, b"")
    assert [one for one in [raised] if isinstance(one, StorageError)] == scene.failed


def test_it_is_heard_of_once_all_in_sync_have_it() -> None:
    scene = Scene()
    scene.waits()
    scene.changes()
    assert [] == scene.heard
    scene.partition.is_acknowledged = lambda last_offset, acks: (last_offset, acks) == (7, -1)

    scene.changes()
    scene.waits()

    assert [ErrorCode.NONE, ErrorCode.NONE] == scene.heard


def test_what_is_not_replicated_in_time_may_have_happened() -> None:
    scene = Scene()
    scene.waits()
    scene.stage.now_ms = 1000

    scene.stage.fires("acks.expire")

    assert [ErrorCode.REQUEST_TIMED_OUT] == scene.heard


def test_in_another_epoch_nobody_says_that_it_is_there_though_the_same_broker_leads() -> None:
    """An acknowledgement counts for the epoch in which it was asked for."""
    for changed in ({"is_leader": False}, {"leader_epoch": 5}):
        scene = Scene()
        scene.waits()
        vars(scene.partition).update(changed, is_acknowledged=lambda *_: True)

        scene.changes()

        assert [ErrorCode.NOT_LEADER_OR_FOLLOWER] == scene.heard
