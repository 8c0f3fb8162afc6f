"""Leaders die, come back, and disagree with their followers: what was committed stays, and the logs agree again."""

from __future__ import annotations

import pytest

from kafkalite.facts import BecameLeader, LogTruncated
from kafkalite.replication.ports import TopicSettings
from kafkalite.sim.faults import Cut, Freeze, Kill, LoseDisk, PowerLoss, Restart

from .rig import Rig, fetched, produced, values_in


def led_by(leader: int, brokers: int = 3, **config: object) -> Rig:
    rig = Rig(brokers, **config)  # type: ignore[arg-type]
    rig.elect(leader)
    rig.run(20)
    return rig


def crash(rig: Rig, broker: int, *, and_restart: bool = True) -> None:
    rig.sim.inject(Kill(f"b{broker}"))
    rig.run(1)
    if and_restart:
        rig.sim.inject(Restart(f"b{broker}"))
        rig.run(1)


def test_what_was_acknowledged_survives_the_leader() -> None:
    """R4, R6, P4: any in-sync replica can lead."""
    rig = led_by(1)
    answer = rig.produce("a", "b")
    rig.run(30)
    rig.sim.inject(Kill("b1"))
    rig.run(1)
    rig.elect(3, isr=(2, 3))
    rig.run(20)
    rig.produce("c")
    rig.run(1200)
    read = rig.fetch(0)
    rig.run(10)

    assert 0 == produced(answer).base_offset
    assert ["a", "b", "c"] == rig.values(2) == rig.values(3)
    assert ["a", "b", "c"] == values_in(fetched(read).records)


def test_n_minus_1_brokers_may_die_one_after_the_other() -> None:
    """R6."""
    rig = led_by(1)
    rig.produce("a")
    rig.run(30)
    rig.sim.inject(Kill("b1"))
    rig.elect(2, isr=(2, 3))
    rig.run(30)
    answer = rig.produce("b")
    rig.run(1500)
    rig.sim.inject(Kill("b2"))
    rig.elect(3, isr=(3,))
    rig.run(30)
    last = rig.produce("c")
    rig.run(30)

    assert [1, 2] == [produced(one).base_offset for one in (answer, last)]
    assert ["a", "b", "c"] == rig.values(3)
    assert 3 == rig.log(3).high_watermark


def test_kip_101_a_restart_and_then_the_leaders_crash_lose_nothing() -> None:
    """R4: the follower's watermark lags by a fetch. Going back to it, it would have cut off what was committed."""
    rig = led_by(1, 2)
    answer = rig.produce("m1", "m2")
    rig.run(20)

    assert 0 == produced(answer).base_offset  # acknowledged: both have it
    assert (2, 0) == (rig.log(2).log_end_offset, rig.log(2).high_watermark)

    crash(rig, 2)
    rig.tell()  # it follows again, and asks where its epoch ends
    rig.run(20)
    rig.sim.inject(Kill("b1"))
    rig.elect(2, isr=(2,))
    rig.run(20)

    assert ["m1", "m2"] == rig.values(2)
    assert 2 == rig.log(2).high_watermark
    assert [] == rig.facts_of(LogTruncated)

    rig.sim.inject(Restart("b1"))
    rig.tell()
    rig.run(100)

    assert ["m1", "m2"] == rig.values(1)


def test_kip_101_two_power_losses_leave_no_two_histories() -> None:
    """R4: scenario 2; both lose power, the one with less leads and writes, the other must drop what only it has."""
    rig = led_by(1, 2)
    rig.sim.inject(Cut("b1", "b2", 600))
    rig.produce("m1", "only 1", acks=1)
    rig.run(20)
    for broker in (1, 2):
        crash(rig, broker)
    rig.elect(2)
    rig.run(5)
    rig.produce("other 1", "other 2", "other 3", acks=1)
    rig.run(3000)

    assert ["other 1", "other 2", "other 3"] == rig.values(1) == rig.values(2)
    assert [(2, 0)] == [(fact.was_end, fact.end) for fact in rig.facts_of(LogTruncated, 1)]


def test_kip_279_a_follower_asks_again_when_the_leader_answers_with_an_epoch_it_never_saw() -> None:
    """R4: fast changes of leaders that were not copied; one answer is not enough to find where histories part."""
    rig = led_by(1, 2)
    rig.produce("a1", "b1")
    rig.run(600)
    rig.sim.inject(Kill("b1"))
    rig.elect(2, isr=(2,))
    rig.run(5)
    rig.produce("c2", "d2", acks=1)
    rig.run(5)
    rig.sim.inject(Kill("b2"))
    rig.sim.inject(Restart("b1"))
    rig.run(1)
    rig.elect(1, isr=(1,))  # unclean
    rig.run(5)
    for value in ("x3", "y3", "z3"):
        rig.produce(value, acks=1)
        rig.run(5)
    rig.sim.inject(Kill("b1"))
    rig.sim.inject(Restart("b2"))
    rig.run(1)
    rig.elect(2, isr=(2,))  # unclean again
    rig.run(5)
    rig.produce("e4", acks=1)
    rig.run(5)
    rig.sim.inject(Restart("b1"))
    rig.run(1)
    rig.tell()
    rig.run(100)

    assert ["a1", "b1", "c2", "d2", "e4"] == rig.values(2) == rig.values(1)
    assert [(5, 2)] == [(fact.was_end, fact.end) for fact in rig.facts_of(LogTruncated, 1)]


def test_the_recovery_point_on_the_disk_never_lies_above_a_log_that_was_cut() -> None:
    """Or after the next crash the tail written in its place would be trusted without being looked at."""
    rig = led_by(1, 2, log_flush_interval_ms=10, log_flush_offset_checkpoint_interval_ms=30)
    rig.sim.inject(Cut("b1", "b2", 150))
    rig.produce("m1", "only 1", acks=1)
    rig.run(100)

    assert b"t 0 2" in rig.broker(1).storage.read("recovery-point-offset-checkpoint", 0, 100)

    rig.elect(2)
    rig.sim.run(lambda: bool(rig.facts_of(LogTruncated, 1)))

    assert b"t 0 0" in rig.broker(1).storage.read("recovery-point-offset-checkpoint", 0, 100)


def test_an_unclean_leader_takes_committed_records_with_it() -> None:
    """R4: the price of `unclean.leader.election.enable`; followers end where it ends."""
    rig = led_by(1)
    rig.produce("a")
    rig.run(600)
    rig.sim.inject(Freeze("b3", 1000))
    rig.elect(1, isr=(1, 2), to=(1, 2))
    rig.run(5)
    answer = rig.produce("b")
    rig.run(600)

    assert 1 == produced(answer).base_offset

    rig.elect(3, isr=(3,))
    rig.run(1500)

    assert [["a"]] * 3 == [rig.values(broker) for broker in rig.replicas]
    assert [(2, 1)] == [(fact.was_end, fact.end) for fact in rig.facts_of(LogTruncated, 1)]


def test_a_new_leader_does_not_let_the_end_go_back() -> None:
    """KIP-207: until its watermark has reached the start of its epoch it does not know what was committed."""
    rig = led_by(1)
    rig.produce("a")
    rig.run(20)

    assert 1 == rig.log(1).high_watermark
    assert 0 == rig.log(2).high_watermark

    rig.sim.inject(Kill("b1"))
    rig.sim.inject(Freeze("b3", 50))
    rig.elect(2, isr=(2, 3))
    early = rig.latest(2)
    rig.run(20)

    assert "OFFSET_NOT_AVAILABLE" == early.error

    rig.run(200)
    late = rig.latest(2)
    rig.run(20)

    assert 1 == late.partition.offset


def test_a_leader_begins_its_epoch_at_the_end_of_its_log() -> None:
    rig = led_by(1)
    rig.produce("a", "b")
    rig.run(600)
    rig.elect(2)
    rig.run(20)
    rig.produce("c")
    rig.run(600)

    assert [0, 2] == [fact.end for fact in rig.facts_of(BecameLeader)]
    assert [((0, 0), (1, 2))] * 3 == [tuple(rig.log(broker).leader_epochs) for broker in rig.replicas]


def test_a_leader_that_has_written_nothing_yet_knows_where_the_epochs_before_it_ended() -> None:
    """KIP-101: its own epoch begins with its office and not with its first record."""
    rig = led_by(1, 2, settings=TopicSettings(min_insync_replicas=2))
    rig.produce("a", "b")
    rig.run(20)
    rig.elect(2, isr=(2,), to=(2,))
    rig.run(5)
    rig.produce("x", acks=1)
    rig.run(5)
    rig.elect(1, isr=(1,))  # unclean
    rig.run(50)

    assert ["a", "b"] == rig.values(1) == rig.values(2)
    assert [(3, 2)] == [(fact.was_end, fact.end) for fact in rig.facts_of(LogTruncated, 2)]


def test_a_follower_ahead_of_an_empty_leader_empties_its_log_and_goes_on() -> None:
    rig = led_by(1, 2)
    rig.produce("a", "b")
    rig.run(600)
    rig.sim.inject(LoseDisk("b1"))
    rig.elect(-1)
    rig.run(5)
    rig.sim.inject(Restart("b1"))
    rig.run(5)
    rig.elect(1, isr=(1,))  # unclean: nothing is left of it
    rig.run(100)
    rig.produce("c")
    rig.run(1500)

    assert ["c"] == rig.values(1) == rig.values(2)


def test_a_follower_below_the_leaders_log_start_begins_there() -> None:
    rig = led_by(1)
    rig.produce("a", "b")
    rig.run(20)
    rig.elect(1, isr=(1, 2), to=(1, 2))
    rig.sim.inject(Kill("b3"))
    rig.run(5)
    for value in "cdef":
        rig.produce(value)
        rig.run(10)
    rig.delete_before(4)
    rig.run(600)
    rig.sim.inject(Restart("b3"))
    rig.run(1)
    rig.tell(to=(3,))
    rig.run(100)

    assert ["e", "f"] == rig.values(3)
    assert (4, 6) == (rig.log(3).log_start_offset, rig.log(3).log_end_offset)
    assert (1, 2, 3) == rig.state.isr


def test_a_broker_that_lost_power_comes_back_with_a_prefix_and_is_filled_up() -> None:
    """R6: acks=all does not mean synced; replication, not the disk, is what keeps the record (M18)."""
    rig = led_by(1)
    answers = []
    for n in range(5):
        answers.append(rig.produce(f"v{n}"))
        rig.run(10)
    rig.sim.inject(PowerLoss("b1"))
    rig.run(1)
    rig.elect(2, isr=(2, 3))
    rig.run(20)
    rig.sim.inject(Restart("b1"))
    rig.run(1)
    rig.tell(to=(1,))
    rig.run(2000)

    assert all(produced(answer).error_code.name == "NONE" for answer in answers)
    assert [[f"v{n}" for n in range(5)]] * 3 == [rig.values(broker) for broker in rig.replicas]
    assert (1, 2, 3) == tuple(sorted(rig.state.isr))


@pytest.mark.parametrize("seed", range(20))
def test_an_acknowledged_record_survives_any_order_of_clean_failovers(seed: int) -> None:
    """R4, R6, P4: with min ISR 2 and no unclean election."""
    rig = led_by(1, seed=seed, replica_lag_time_max_ms=1000)
    rng = rig.sim.nodes["c"].random
    answers = []
    for round_ in range(8):
        answers += [(f"{round_}.{n}", rig.produce(f"{round_}.{n}", timeout_ms=300)) for n in range(rng.randint(1, 4))]
        rig.run(rng.randint(1, 40))
        victim = rig.leader
        rig.sim.inject(Kill(f"b{victim}") if rng.random() < 0.7 else PowerLoss(f"b{victim}"))
        survivors = tuple(broker for broker in rig.state.isr if broker != victim)
        rig.run(rng.randint(0, 5))
        rig.elect(rng.choice(survivors), isr=survivors)
        rig.run(rng.randint(1, 40))
        rig.sim.inject(Restart(f"b{victim}"))
        rig.run(1)
        rig.tell(to=(victim,))
        rig.run(2500)
        assert (1, 2, 3) == tuple(sorted(rig.state.isr))

    logs = [rig.values(broker) for broker in rig.replicas]
    acknowledged = [value for value, answer in answers if answer.value is not None and answer.error == "NONE"]
    assert acknowledged
    assert logs[0] == logs[1] == logs[2]
    assert set(acknowledged) <= set(logs[0])
    for broker in rig.replicas:
        rig.log(broker).check()
