"""What a broker finds on its disk, and how it looks after it."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.facts import LogDirectoryFailed, LogLoaded, LogStartMoved
from kafkalite.log.checkpoints import CLEAN_SHUTDOWN, HIGH_WATERMARK, RECOVERY_POINT
from kafkalite.log.settings import LogConfig
from kafkalite.replication.ports import TopicSettings
from kafkalite.sim.faults import Kill, PowerLoss, Restart

from .rig import Rig, produced


def led_by_1(**config: Any) -> Rig:
    rig = Rig(1, **config)
    rig.elect(1)
    rig.run(20)
    return rig


def file_of(rig: Rig, name: str) -> bytes:
    return bytes(rig.broker(1).storage.read(name, 0, 1000))


def restart(rig: Rig, fault: object) -> None:
    rig.sim.inject(fault)  # type: ignore[arg-type]
    rig.run(1)
    rig.sim.inject(Restart("b1"))
    rig.run(1)


def test_a_killed_broker_finds_its_log_as_it_was_and_its_watermark_as_it_was_last_written() -> None:
    rig = led_by_1()
    rig.produce("a", "b")
    rig.run(5100)
    rig.produce("c")
    rig.run(10)
    restart(rig, Kill("b1"))

    assert [(0, 3, False)] == [(f.start, f.end, f.was_clean) for f in rig.facts_of(LogLoaded)[1:]]
    assert 2 == rig.log(1).high_watermark

    rig.elect(1)
    rig.run(10)

    assert 3 == rig.log(1).high_watermark
    assert ["a", "b", "c"] == rig.values(1)


@pytest.mark.parametrize("seed", range(10))
def test_after_a_power_loss_the_log_is_a_prefix_and_all_that_was_synced(seed: int) -> None:
    rig = led_by_1(seed=seed, log_flush_interval_ms=100)
    for n in range(20):
        rig.produce(f"v{n}")
        rig.run(30)
    synced = rig.log(1).recovery_point
    restart(rig, PowerLoss("b1"))
    rig.elect(1)
    rig.run(10)
    values = rig.values(1)

    assert synced >= 10
    assert len(values) >= synced
    assert [f"v{n}" for n in range(len(values))] == values
    assert rig.log(1).high_watermark == len(values)


def test_a_broker_that_stops_in_order_says_so_and_starts_without_looking() -> None:
    rig = led_by_1()
    rig.produce("a", "b")
    rig.run(10)
    rig.sim.call("b1", "shut_down")
    rig.run(10)

    assert rig.broker(1).is_closed
    assert file_of(rig, CLEAN_SHUTDOWN)
    assert b"t 0 2" in file_of(rig, RECOVERY_POINT)
    assert b"t 0 2" in file_of(rig, HIGH_WATERMARK)

    restart(rig, PowerLoss("b1"))

    assert [(0, 2, True)] == [(f.start, f.end, f.was_clean) for f in rig.facts_of(LogLoaded)[1:]]
    assert b"" == file_of(rig, CLEAN_SHUTDOWN)  # a crash from now on is one


def test_a_follower_that_stopped_in_order_copies_nothing_more() -> None:
    """Or its log would not be what it said it was."""
    rig = Rig(2)
    rig.elect(1)
    rig.run(20)
    rig.sim.call("b2", "shut_down")
    rig.run(20)
    rig.produce("a", acks=1)
    rig.run(100)

    assert 0 == rig.log(2).log_end_offset


def test_whoever_waits_at_a_broker_that_stops_is_answered() -> None:
    rig = Rig(2)
    rig.elect(1)
    rig.run(20)
    rig.sim.inject(Kill("b2"))
    answer = rig.produce("a")
    rig.run(10)
    rig.sim.call("b1", "shut_down")
    rig.run(10)

    assert "NOT_LEADER_OR_FOLLOWER" == answer.error


def test_a_log_that_rolls_syncs_what_it_closed() -> None:
    rig = led_by_1(settings=TopicSettings(LogConfig(segment_bytes=200)))
    for _ in range(4):
        rig.produce("x" * 50)
        rig.run(10)

    assert len(rig.log(1).segments) > 1
    assert rig.log(1).segments[-1].base_offset <= rig.log(1).recovery_point


def test_records_go_when_their_segment_is_too_old_read_or_not() -> None:
    """T4."""
    settings = TopicSettings(LogConfig(segment_ms=1000, retention_ms=3000))
    rig = led_by_1(settings=settings, log_retention_check_interval_ms=500)
    rig.produce_now("old")
    rig.run(2000)
    rig.produce_now("new")
    rig.run(2600)

    assert [1] == [fact.start for fact in rig.facts_of(LogStartMoved)]
    assert ["new"] == rig.values(1)
    late = rig.fetch(0)
    rig.run(10)
    assert "OFFSET_OUT_OF_RANGE" == late.error


def test_a_compacted_topic_keeps_the_last_value_of_a_key() -> None:
    """T4."""
    rig = led_by_1(settings=TopicSettings(LogConfig(compact=True, delete=False, segment_bytes=150)))
    for n in range(6):
        rig.produce_keyed(b"k", b"%d" % n)
        rig.run(10)
    rig.run(16_000)

    assert ["3", "4", "5"] == rig.values(1)  # what is closed has one value of the key, the rest waits to be closed


def test_other_settings_hold_from_the_next_batch_on() -> None:
    rig = led_by_1()
    rig.knows.settings = TopicSettings(LogConfig(max_message_bytes=100))
    rig.sim.call("b1", "change_settings")
    refused = rig.produce("x" * 100)
    rig.run(10)

    assert "MESSAGE_TOO_LARGE" == refused.error


def test_a_checkpoint_that_cannot_be_read_takes_the_disk_offline() -> None:
    rig = led_by_1()
    rig.produce("a")
    rig.run(10)
    rig.broker(1).storage.replace(RECOVERY_POINT, b"nonsense")
    restart(rig, Kill("b1"))
    rig.elect(1)
    answer = rig.produce("b")
    rig.run(10)

    assert ["CorruptCheckpoint"] == [fact.error.split(":")[0] for fact in rig.facts_of(LogDirectoryFailed)]
    assert "KAFKA_STORAGE_ERROR" == answer.error


def test_a_broker_whose_disk_failed_once_keeps_its_replicas_offline_until_it_is_restarted() -> None:
    rig = led_by_1()
    rig.produce("a")
    rig.run(10)
    storage = rig.broker(1).storage
    storage.capacity_bytes = storage.used_bytes
    failed = rig.produce("b")
    rig.run(10)
    storage.capacity_bytes = None
    still = rig.produce("c")
    rig.run(100)

    assert ["KAFKA_STORAGE_ERROR"] * 2 == [failed.error, still.error]
    assert 1 == len(rig.facts_of(LogDirectoryFailed))

    restart(rig, Kill("b1"))
    rig.elect(1)
    again = rig.produce("d")
    rig.run(10)

    assert 1 == produced(again).base_offset
    assert ["a", "d"] == rig.values(1)
