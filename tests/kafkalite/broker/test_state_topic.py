"""The partitions that keep what coordinators know: loaded with leadership, unloaded without."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafkalite.broker.metadata_view import MetadataView
from kafkalite.broker.offsets_topic import OffsetsTopic
from kafkalite.broker.state_topic import StateTopic
from kafkalite.broker.transactions_topic import TransactionsTopic
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.log.batch import encode_batch
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.log.settings import LogConfig
from kafkalite.reference import REFERENCE
from kafkalite.storage import StorageError
from kafkalite.storage.memory import MemoryStorage
from kafkalite.transactions.records import transaction_key, transaction_value
from kafkalite.transactions.transaction import Transaction

from .scripted import Stage

KEY = "t"


class Heard:
    """Who coordinates."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []

    def on_loaded(self, index: int, fold: Any) -> None:
        self.said.append(("loaded", index))

    def on_unloaded(self, index: int) -> None:
        self.said.append(("unloaded", index))


class Scene:
    """A topic of one partition, its replica here played by the test."""

    def __init__(self, kind: str, records: int = 3) -> None:
        self.stage, self.heard = Stage(), Heard()
        self.failed: list[StorageError] = []
        replicas: Any = SimpleNamespace(watchers={}, partitions={}, logs=SimpleNamespace(fail=self.failed.append))
        self.replicas = replicas
        metadata: Any = SimpleNamespace(view=MetadataView())
        config = BrokerConfig(
            101,
            (),
            offsets_topic_num_partitions=1,
            transaction_state_log_num_partitions=1,
            transaction_state_log_load_buffer_size=1,
            offsets_load_buffer_size=1,
        )
        node = self.stage.node
        self.topic: StateTopic[Any] = (
            TransactionsTopic(node, config, replicas, metadata)
            if kind == "transactions"
            else OffsetsTopic(node, config, replicas, metadata, REFERENCE)
        )
        self.topic.listener = self.heard
        self.key = self.topic.name, 0
        self.log = PartitionLog(MemoryStorage(), "state-0", LogConfig(), 0)
        for number in range(records):
            value = transaction_value(Transaction(7, number)) if kind == "transactions" else None
            key = transaction_key(KEY) if kind == "transactions" else b"\0\x09"
            self.log.append_as_leader(encode_batch([Record(key, value)]), 0, 0)
        self.log.high_watermark = records
        self.replicas.partitions[self.key] = SimpleNamespace(log=self.log, is_leader=False, leader_epoch=4)

    def becomes(self, *, is_leader: bool, leader_epoch: int = 4) -> None:
        self.replicas.partitions[self.key].is_leader = is_leader
        self.replicas.partitions[self.key].leader_epoch = leader_epoch
        self.changes()

    def changes(self) -> None:
        self.replicas.watchers[self.topic.name](self.key)
        self.stage.drain()

    def loads(self, chunks: int = 3) -> None:
        for _ in range(chunks):
            self.stage.fires(f"{self.topic.label}.load:0")


KINDS = ["offsets", "transactions"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_partition_is_read_a_chunk_at_a_time_and_then_coordinated(kind: str) -> None:
    scene = Scene(kind)
    answers = [scene.topic.refusal(KEY)]
    scene.becomes(is_leader=True)

    for _ in range(3):
        answers.append(scene.topic.refusal(KEY))
        scene.loads(1)
    answers.append(scene.topic.refusal(KEY))

    loading = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    assert [ErrorCode.NOT_COORDINATOR, loading, loading, loading, ErrorCode.NONE] == answers
    assert [("loaded", 0)] == scene.heard.said
    assert (4, 3) == (scene.topic.epoch_of(0), scene.topic.loaded[0].position)


@pytest.mark.parametrize("kind", KINDS)
def test_led_elsewhere_it_is_forgotten_also_half_read(kind: str) -> None:
    scene = Scene(kind)
    scene.becomes(is_leader=True)
    scene.loads(1)
    scene.becomes(is_leader=False)
    scene.loads(1)
    assert ([], ErrorCode.NOT_COORDINATOR) == (scene.heard.said, scene.topic.refusal(KEY))
    scene.becomes(is_leader=True, leader_epoch=6)
    scene.loads()

    scene.becomes(is_leader=False, leader_epoch=7)

    assert [("loaded", 0), ("unloaded", 0)] == scene.heard.said
    assert {} == scene.topic.loaded


def test_in_a_new_epoch_transactions_are_read_again_and_groups_go_on() -> None:
    """What was written in the epoch before and not heard of again may be in the log, or not."""
    said = {}
    for kind in KINDS:
        scene = Scene(kind)
        scene.becomes(is_leader=True)
        scene.loads()
        scene.changes()

        scene.becomes(is_leader=True, leader_epoch=5)
        scene.loads()

        said[kind] = (*(word for word, _ in scene.heard.said), scene.topic.epoch_of(0))

    assert {"offsets": ("loaded", 4), "transactions": ("loaded", "unloaded", "loaded", 5)} == said


def test_transactions_are_coordinated_once_what_was_read_is_replicated() -> None:
    """A marker for a decision that is then lost could not be called back."""
    scene = Scene("transactions")
    scene.log.high_watermark = 2
    scene.becomes(is_leader=True)
    scene.loads(5)
    assert ErrorCode.COORDINATOR_LOAD_IN_PROGRESS is scene.topic.refusal(KEY)
    scene.log.high_watermark = 3
    scene.changes()

    scene.loads(1)

    assert [("loaded", 0)] == scene.heard.said
    assert Transaction(7, 2) == scene.topic.loaded[0].transactions[KEY]


def test_a_log_that_cannot_be_read_fails_the_disk() -> None:
    """What is behind it counts no less than what is before."""
    for record in (Record(b"", b""), Record(transaction_key(KEY), b"\0\0no transaction")):
        scene = Scene("transactions", records=0)
        scene.log.append_as_leader(encode_batch([record]), 0, 0)
        scene.becomes(is_leader=True)

        scene.loads(1)

        assert 1 == len(scene.failed)
        assert "__transaction_state-0" in str(scene.failed[0])
        assert [] == scene.heard.said
