"""How followers copy, and what they do when they are told no."""

from __future__ import annotations

from typing import Any

from kafkalite.facts import LogTruncated, RequestRefused
from kafkalite.sim.faults import BreakConnection, Cut, Freeze, Kill, Restart

from .rig import Rig


def led_by_1(brokers: int = 2, **config: Any) -> Rig:
    rig = Rig(brokers, **config)
    rig.elect(1)
    rig.run(20)
    return rig


def test_a_follower_whose_leader_is_gone_asks_now_and_then_and_not_all_the_time() -> None:
    rig = led_by_1()
    rig.sim.inject(Kill("b1"))
    rig.run(20)
    before = rig.sim.deliveries
    rig.run(5000)

    assert 5 <= rig.sim.deliveries - before <= 25


def test_a_connection_that_breaks_is_made_again_and_nothing_is_missed_or_doubled() -> None:
    rig = led_by_1()
    for n in range(10):
        rig.produce(f"v{n}", acks=1)
        rig.run(100)
        rig.sim.inject(BreakConnection("b1", "b2"))
    rig.run(2500)

    assert [f"v{n}" for n in range(10)] == rig.values(1) == rig.values(2)


def test_a_follower_that_is_fenced_waits_for_the_controller() -> None:
    """It does not know that it is out of date, and asking again would not tell it more."""
    rig = led_by_1()
    rig.elect(1, to=(1,))
    rig.run(4000)

    assert ["FENCED_LEADER_EPOCH"] == [fact.error for fact in rig.facts_of(RequestRefused, 1)]

    rig.tell(to=(2,))
    rig.produce("a")
    rig.run(100)

    assert ["a"] == rig.values(2)


def test_a_follower_that_knows_more_than_its_leader_asks_again_later() -> None:
    rig = led_by_1()
    rig.elect(1, to=(2,))
    rig.run(2500)

    errors = [fact.error for fact in rig.facts_of(RequestRefused, 1)]
    assert {"UNKNOWN_LEADER_EPOCH"} == set(errors)
    assert 2 <= len(errors) <= 4

    rig.tell(to=(1,))
    rig.produce("a")
    rig.run(1200)

    assert ["a"] == rig.values(2)


def test_what_is_under_way_when_the_leader_changes_is_not_taken() -> None:
    """An answer of the old leader says nothing about the new one's log."""
    rig = led_by_1(3)
    for broker in (2, 3):
        rig.sim.inject(Cut("b1", f"b{broker}", 30))
    rig.produce("only 1", acks=1)
    rig.run(5)
    rig.elect(2, isr=(2, 3), to=(2, 3))
    rig.run(500)

    assert [["only 1"], [], []] == [rig.values(broker) for broker in rig.replicas]

    rig.tell(to=(1,))
    rig.run(500)

    assert [] == rig.values(1)


def test_a_follower_copies_at_most_so_much_at_once_and_all_in_the_end() -> None:
    rig = led_by_1(2, replica_fetch_max_bytes=100)
    rig.sim.inject(Freeze("b2", 200))
    for n in range(10):
        rig.produce(f"v{n}", acks=1)
        rig.run(10)
    rig.run(300)

    assert 10 == rig.log(2).log_end_offset


def test_a_follower_that_was_away_for_long_catches_up_without_losing_what_it_had() -> None:
    """R3, R4."""
    rig = led_by_1()
    rig.produce("a")
    rig.run(600)
    rig.sim.inject(Kill("b2"))
    rig.elect(1, isr=(1,), to=(1,))
    rig.run(20)
    rig.produce("b")
    rig.run(20)
    rig.sim.inject(Restart("b2"))
    rig.run(1)
    rig.tell(to=(2,))
    rig.run(1500)

    assert ["a", "b"] == rig.values(2)
    assert [] == rig.facts_of(LogTruncated)
    assert (1, 2) == rig.state.isr
