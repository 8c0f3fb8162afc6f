"""The ISR over time: who leaves it and when, who comes back, and what becomes of a change that went wrong."""

from __future__ import annotations

import pytest

from kafkalite.facts import IsrChanged, IsrChangeRefused, IsrExpandProposed, IsrShrinkProposed
from kafkalite.replication.ports import TopicSettings
from kafkalite.sim.faults import BreakConnection, Cut, Freeze, SlowLink

from .rig import Rig, produced

LAG_MAX_MS = 1000


def led_by_1(**config: object) -> Rig:
    rig = Rig(3, replica_lag_time_max_ms=LAG_MAX_MS, **config)  # type: ignore[arg-type]
    rig.elect(1)
    rig.run(20)
    return rig


def isr(rig: Rig) -> tuple[int, ...]:
    return rig.state.isr


@pytest.mark.parametrize("stopped_at_ms", range(0, 500, 45))
def test_a_follower_that_stops_is_expelled_after_1_to_1_5_times_the_lag_allowed(stopped_at_ms: int) -> None:
    """R3: `replica.lag.time.max.ms`, looked at every half of it."""
    rig = led_by_1()
    rig.run(stopped_at_ms)
    rig.produce("a")
    rig.run(15)
    stopped_ms = rig.sim.now_ms
    rig.sim.inject(Freeze("b3", 10_000))
    rig.produce("b", acks=1)
    rig.run(2 * LAG_MAX_MS)
    expelled = rig.times_of(IsrShrinkProposed)

    assert 1 == len(expelled)
    (expelled_ms,) = expelled
    # Its last fetch, at the leader's end, came at most one wait of a long poll (500 ms) before it stopped.
    assert LAG_MAX_MS - 500 <= expelled_ms - stopped_ms <= 1.5 * LAG_MAX_MS
    caught_up_ms = rig.partition(1).progress[3].caught_up_ms
    assert LAG_MAX_MS < expelled_ms - caught_up_ms <= 1.5 * LAG_MAX_MS
    assert (1, 2) == isr(rig)


def test_then_the_watermark_goes_on_without_it() -> None:
    """R3, P4: acks=all waits for the in-sync, not for the slow."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 10_000))
    answer = rig.produce("a", timeout_ms=5000)
    rig.run(2 * LAG_MAX_MS)

    (changed_ms,) = rig.times_of(IsrChanged)

    assert 0 == produced(answer).base_offset
    assert 1.0 <= answer.at_ms - changed_ms <= 1.5  # one way through the network: released in the same step
    assert 1 == rig.log(1).high_watermark


def test_a_follower_that_has_everything_is_not_expelled_for_its_silence() -> None:
    """R3: nothing would be lost with the leader."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 10_000))
    rig.run(3 * LAG_MAX_MS)

    assert [] == rig.facts_of(IsrShrinkProposed)


def test_a_burst_expels_nobody() -> None:
    """R3: lag is time, not records."""
    rig = led_by_1(replica_fetch_max_bytes=100)
    rig.sim.inject(SlowLink("b1", "b3", 8))
    for n in range(40):
        rig.produce(*(f"{n}.{m}" for m in range(20)), acks=1)
        rig.run(1)
    rig.run(3 * LAG_MAX_MS)

    assert [] == rig.facts_of(IsrShrinkProposed)
    assert 800 == rig.log(1).high_watermark


def test_a_follower_comes_back_once_it_has_what_is_committed() -> None:
    """R3."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 2500))
    rig.produce("a")
    rig.run(2400)

    assert (1, 2) == isr(rig)

    rig.run(300)

    assert (1, 2, 3) == isr(rig)
    assert [(3,)] == [fact.joining for fact in rig.facts_of(IsrExpandProposed)]
    assert 1 == rig.log(3).log_end_offset


def test_a_new_isr_counts_from_the_moment_it_is_proposed_and_the_old_one_until_it_is_known() -> None:
    """The maximal ISR (KIP-497): ZooKeeper may have made the change, and the next leader come from it."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 2500))
    rig.produce("a")
    rig.run(2400)
    rig.znodes.is_silent = True  # it writes, and its answer never comes
    rig.run(200)

    assert (1, 2, 3) == isr(rig)
    assert frozenset({1, 2}) == rig.partition(1).isr
    assert frozenset({1, 2, 3}) == rig.partition(1).maximal_isr

    rig.sim.inject(Freeze("b3", 5000))
    rig.produce("b", acks=1)
    rig.run(500)

    assert (1, 2) == (rig.log(1).high_watermark, rig.log(1).log_end_offset)


def test_who_is_caught_up_and_about_to_join_holds_the_watermark_back() -> None:
    """Or it would be behind again with every batch, and never join a busy partition (KAFKA-4005)."""
    rig = led_by_1()
    for broker in (2, 3):
        rig.sim.inject(Freeze(f"b{broker}", 2000))
    rig.produce("a", acks=1)
    rig.run(1900)

    assert (1,) == isr(rig)

    rig.znodes.is_silent = True
    rig.run(200)  # one of them is proposed, and that is never answered; the other must wait with its turn
    outside = next(broker for broker in (2, 3) if broker not in rig.partition(1).maximal_isr)
    rig.sim.inject(Freeze(f"b{outside}", 5000))
    rig.produce("b", acks=1)
    rig.run(500)

    assert (1, 2) == (rig.log(1).high_watermark, rig.log(1).log_end_offset)


def test_a_change_whose_outcome_is_unknown_is_found_out_and_not_guessed() -> None:
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 10_000))
    rig.produce("a", acks=1)
    rig.run(1200)
    rig.znodes.is_silent = True
    rig.run(400)
    rig.produce("b", acks=1)
    rig.run(20)

    assert frozenset({1, 2, 3}) == rig.partition(1).isr
    assert (1, 2) == isr(rig)
    assert 0 == rig.log(1).high_watermark  # whoever is to leave counts until it is known to have left

    rig.znodes.is_silent = False
    rig.sim.inject(BreakConnection("b1", "z1"))
    rig.run(500)

    assert frozenset({1, 2}) == rig.partition(1).isr
    assert rig.state.zk_version == rig.partition(1).zk_version
    assert 2 == rig.log(1).high_watermark


def test_a_change_that_never_arrived_is_asked_for_again() -> None:
    rig = led_by_1()
    rig.sim.inject(Cut("b1", "z1", 3000))
    rig.sim.inject(Freeze("b3", 10_000))
    rig.produce("a", acks=1)
    rig.run(1700)
    rig.sim.inject(BreakConnection("b1", "z1"))
    rig.run(3000)

    assert (1, 2) == isr(rig)
    assert frozenset({1, 2}) == rig.partition(1).isr
    assert 1 == len(rig.facts_of(IsrShrinkProposed))


def test_a_leader_that_was_deposed_cannot_change_the_isr_and_commits_nothing() -> None:
    """R4: a zombie learns from the version of the znode that somebody else wrote."""
    rig = led_by_1()
    rig.elect(2, isr=(2, 3), to=(2, 3))
    zombie = rig.produce("lost", to=1, timeout_ms=2500)
    rig.run(2000)

    assert 1 == len(rig.facts_of(IsrChangeRefused, 1))
    assert (2, (2, 3)) == (rig.state.leader, rig.state.isr)
    assert 0 == rig.log(1).high_watermark

    rig.tell(to=(1,))
    rig.run(500)

    assert "NOT_LEADER_OR_FOLLOWER" == zombie.error
    assert [] == rig.values(1)


def test_a_leader_whose_own_change_came_through_twice_takes_what_is_there() -> None:
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 10_000))
    path = next(iter(rig.znodes.states))
    data, version = rig.znodes.states[path]
    rig.znodes.states[path] = data, version + 1  # the same state, written once more
    rig.produce("a", acks=1)
    rig.run(2 * LAG_MAX_MS + 700)

    assert 1 == len(rig.facts_of(IsrChangeRefused))
    assert (1, 2) == isr(rig)
    assert 1 == rig.log(1).high_watermark


def test_changing_min_isr_moves_the_watermark_in_the_same_step() -> None:
    rig = led_by_1(settings=TopicSettings(min_insync_replicas=3))
    rig.sim.inject(Freeze("b3", 10_000))
    answer = rig.produce("a", timeout_ms=9000)
    rig.run(2 * LAG_MAX_MS)

    assert (1, 2) == isr(rig)
    assert 0 == rig.log(1).high_watermark

    rig.knows.settings = TopicSettings(min_insync_replicas=2)
    rig.sim.call("b1", "change_settings")
    rig.run(2)

    assert 1 == rig.log(1).high_watermark
    assert 0 == produced(answer).base_offset


def test_the_controller_is_told_of_changed_isrs_once_for_all_that_change_together() -> None:
    """D2: it tells all brokers, and they their clients."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 2000))
    rig.produce("a", acks=1)
    rig.run(1900)

    assert (1, 2) == isr(rig)
    assert [] == rig.znodes.notes

    rig.run(3000)  # b3 is back meanwhile

    assert (1, 2, 3) == isr(rig)
    assert [b'{"version":1,"partitions":[{"topic":"t","partition":0}]}'] == rig.znodes.notes


def test_a_broker_that_stops_asks_zookeeper_for_nothing_any_more() -> None:
    """Its session is about to be closed."""
    rig = led_by_1()
    rig.sim.inject(Freeze("b3", 20_000))
    rig.produce("a", acks=1)
    rig.run(1900)
    rig.sim.call("b1", "shut_down")
    rig.run(10_000)

    assert (1, 2) == isr(rig)
    assert [] == rig.znodes.notes
