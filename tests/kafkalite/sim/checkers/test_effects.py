"""What is done outside has histories that show what was lost or doubled, and neighbours in which nothing is wrong."""

from __future__ import annotations

from dataclasses import replace

from kafkalite.facts import EffectApplied, LogStartMoved, TopicDeleted
from kafkalite.sim.checkers import Expectations, TopicPromise, value_of

from .histories import ORDERS, Told, acknowledged, committed, elected, leads, names, polled, sent, served, violations

AT_LEAST_ONCE = Expectations(dispatched={"orders": False}, disks_keep_everything=True)
ONCE = Expectations(dispatched={"orders": True}, disks_keep_everything=True)
TWO_READ = [*served(1, 2), polled((0, 1), (1, 2))]


def done(offset: int, record: int, topic: str = "orders") -> Told:
    """Something was done for a record of p1 that stands there."""
    return "sink", EffectApplied(f"{topic}-0@{offset}", value_of("p1", record))


def test_what_was_done_for_every_record_raises_no_alarm() -> None:
    for expectations in (AT_LEAST_ONCE, ONCE):
        assert [] == names([*TWO_READ, done(0, 1), done(1, 2)], expectations)
        assert [] == names([*served(1, 2), done(1, 2), done(0, 1), polled((0, 1), (1, 2))], expectations)


def test_a_record_for_which_nothing_was_done_is_lost() -> None:
    found = violations([*TWO_READ, done(0, 1)], AT_LEAST_ONCE)

    assert [("lost-effect", "orders-0")] == [(one.name, one.place) for one in found]
    assert "nothing was done for orders-0@1, where c1 read b'p1:2'" == found[0].sentence


def test_what_was_done_of_another_value_was_not_done_for_this_record() -> None:
    assert ["lost-effect"] == names([*TWO_READ, done(0, 1), done(1, 1)], AT_LEAST_ONCE)


def test_what_nobody_has_read_need_not_be_done() -> None:
    assert [] == names([*served(1, 2), polled((0, 1)), done(0, 1)], AT_LEAST_ONCE)


def test_nothing_needs_to_be_done_for_a_topic_of_which_nobody_said_so() -> None:
    assert [] == names(TWO_READ, Expectations(disks_keep_everything=True))
    assert [] == names(TWO_READ, replace(AT_LEAST_ONCE, dispatched={"payments": True}))


def test_nothing_needs_to_be_done_for_what_is_gone() -> None:
    deleted = ("b1", LogStartMoved(*ORDERS, 1))
    topic_deleted = ("b1", TopicDeleted("orders"))

    assert [] == names([*TWO_READ, deleted, done(1, 2)], AT_LEAST_ONCE)
    assert ["lost-effect"] == names([*TWO_READ, deleted, done(0, 1)], AT_LEAST_ONCE)
    assert [] == names([*TWO_READ, topic_deleted], AT_LEAST_ONCE)


def test_what_may_be_lost_with_a_disk_may_stay_undone() -> None:
    assert [] == names(TWO_READ, replace(AT_LEAST_ONCE, disks_keep_everything=False))


def test_what_an_unclean_leader_has_lost_where_that_is_allowed_may_stay_undone() -> None:
    unclean = replace(AT_LEAST_ONCE, topic=TopicPromise(unclean_leader_election_enable=True))
    read = [*committed(1, isr=(1, 2)), sent(1), acknowledged(1, 0), polled((0, 1))]
    lost = [elected(3, 1, (3,), is_unclean=True), leads(3, 1, isr=(3,))]

    assert ["lost-effect"] == names(read, unclean)
    assert [] == names([*read, *lost], unclean)


def test_an_idempotent_sink_does_nothing_twice() -> None:
    found = violations([*TWO_READ, done(0, 1), done(1, 2), done(0, 1)], ONCE)

    assert [("doubled-effect", "orders-0")] == [(one.name, one.place) for one in found]
    assert [EffectApplied("orders-0@0", b"p1:1")] * 2 == [told.fact for told in found[0].facts]


def test_the_same_is_done_twice_whatever_it_is_called_the_second_time() -> None:
    """The key is what counts, and not the value."""
    assert ["doubled-effect"] == names([*TWO_READ, done(0, 1), done(1, 2), done(0, 2)], ONCE)


def test_another_sink_may_do_a_thing_twice() -> None:
    twice = [*TWO_READ, done(0, 1), done(0, 1), done(1, 2)]

    assert [] == names(twice, AT_LEAST_ONCE)
    assert [] == names([done(0, 1, "orders-0"), done(0, 1, "orders-0")], ONCE), "another topic"
