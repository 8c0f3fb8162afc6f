"""Each invariant of replicas has histories that break it, and it alone."""

from __future__ import annotations

import pytest

from kafkalite.config import ProducerConfig
from kafkalite.facts import (
    ControllerElected,
    ControllerObeyed,
    LogStartMoved,
)
from kafkalite.sim.checkers import INVARIANTS, POLL_CHECKS, Expectations, TopicPromise
from kafkalite.sim.checkers.violation import Invariant

from .histories import (
    AN_EPOCH_COMPACTED,
    ORDERS,
    UNCLEAN,
    WITHOUT_3,
    Told,
    acknowledged,
    append,
    changed,
    committed,
    elected,
    everywhere,
    expands,
    follows,
    leads,
    loads,
    names,
    polled,
    sent,
    shrinks,
    truncated,
    violations,
    wait,
    watermark,
)

TWO_IN_SYNC = Expectations(topic=TopicPromise(min_insync_replicas=2))
LEADER_ONLY = Expectations(producer=ProducerConfig(acks=1))
COMPACTED = Expectations(topic=TopicPromise(is_compacted=True))
STRICT = Expectations(disks_keep_everything=True)


BROKEN: dict[str, tuple[list[list[Told]], Expectations | None]] = {
    "watermark-retreat": (
        [
            [*committed(2), watermark(1, 2, 1)],
            [*committed(2), *everywhere(2), watermark(1, 1, 3)],  # it had retreated in silence
        ],
        None,
    ),
    "watermark-ahead": (
        [
            [*committed(1), append(1, 1), append(2, 1), watermark(1, 1, 2)],
            [*committed(1), watermark(1, 1, 2)],  # beyond its own log
            [*committed(1), append(1, 1), watermark(2, 0, 2, is_leader=False)],
            [
                *WITHOUT_3,
                append(3, 0),
                append(3, 1),
                expands(1, (1, 2, 3), 3),
                *everywhere(2, on=(1, 2)),
                watermark(1, 2, 3),
            ],  # the one who joins counts from the proposal on
            [*committed(1), shrinks(1, (1, 2), 3), *everywhere(1, on=(1, 2)), watermark(1, 1, 2)],
        ],
        Expectations(replica_lag_time_max_ms=0),
    ),
    "watermark-below-min-isr": ([committed(1, isr=(1,))], TWO_IN_SYNC),
    "uncommitted-read": ([[*committed(1), sent(1), sent(2), *everywhere(1), polled((0, 1), (1, 2))]], None),
    "acknowledged-uncommitted": ([[*committed(1), sent(1), append(1, 1), acknowledged(1, 1)]], None),
    "acknowledged-below-min-isr": (
        [
            [
                *committed(1),
                changed(1, (1, 2, 3), (1,)),
                append(1, 1),
                append(2, 1),
                append(3, 1),
                changed(1, (1,), (1, 2, 3), version=2),
                watermark(1, 1, 2),
                sent(1),
                acknowledged(1, 1),
            ],
        ],
        TWO_IN_SYNC,
    ),
    "truncated-committed": ([[*committed(2), truncated(2, 2, 1)]], None),
    "joined-early": ([[*WITHOUT_3, append(3, 0), expands(1, (1, 2, 3), 3)]], None),
    "shrunk-early": ([[*committed(1), wait(20_000), shrinks(1, (1, 2), 3)]], None),
    "lost-committed": (
        [
            [*WITHOUT_3, leads(3, epoch=1, end=1, isr=(3,))],
            [
                *committed(1),
                changed(1, (1, 2, 3), (1, 3)),
                leads(2, 1, 1, (1, 2)),
                append(1, 1),
                append(3, 1),
                watermark(1, 1, 2),
            ],  # deposed, it exposes what its successor has not
        ],
        Expectations(replica_lag_time_max_ms=0),
    ),
    "divergence": ([[*committed(1), append(1, 1), append(2, 1, crc=77), append(3, 1), watermark(1, 1, 2)]], None),
    "log-order": (
        [
            [*committed(2), append(2, 1)],
            [*committed(2), append(1, 3)],
            [*committed(2), leads(1, 5, 2), append(1, 2, epoch=5), append(1, 3, epoch=4)],
        ],
        None,
    ),
    "grew-while-down": (
        [
            [*committed(2), loads(2, end=3)],
            [*[loads(b) for b in (1, 2, 3)], leads(1), append(2, 0, count=3), loads(2, end=2)],
        ],
        None,
    ),
    "clean-log-lost": ([[*committed(2), append(2, 2), loads(2, end=2, was_clean=True)]], None),
    "two-leaders": (
        [
            [leads(1, epoch=3), leads(2, epoch=3)],
            [elected(1, 3, (1, 2)), elected(2, 3, (1, 2))],
            [elected(1, 3, (1, 2)), leads(2, epoch=3)],
        ],
        None,
    ),
    "epoch-retreat": ([[follows(1, 3, 2), follows(1, 2, 2)], [follows(1, 3, 2), leads(1, epoch=2)]], None),
    "unclean-election": (
        [
            [elected(1, 0, (1, 2)), elected(3, 1, (3,))],
            [elected(1, 0, (1, 2)), elected(3, 1, (3,), is_unclean=True)],
        ],
        None,
    ),
    "isr-outside-replicas": (
        [[leads(1, isr=(1, 4))], [leads(1, isr=(2, 3))], [leads(1), changed(1, (1,), (2,))]],
        None,
    ),
    "isr-by-stranger": (
        [
            [leads(1), follows(1, 1, 2), shrinks(1, (1,), 2)],
            [leads(1), changed(1, (1, 2, 3), (1, 2)), leads(2, 1), changed(2, (1, 2), (2, 3), 1, version=1)],
            [leads(1), leads(2, 1), changed(2, (1, 2), (2, 3), 1, version=4), changed(1, (1, 2), (1,), version=5)],
        ],
        None,
    ),
    "two-controllers": ([[("b1", ControllerElected(1, 4)), ("b2", ControllerElected(2, 4))]], None),
    "stale-controller-obeyed": ([[("b1", ControllerObeyed(4)), ("b1", ControllerObeyed(3))]], None),
}

CASES = [
    pytest.param(name, told, expectations, id=f"{name}-{index}")
    for name, (histories, expectations) in BROKEN.items()
    for index, told in enumerate(histories)
]


@pytest.mark.parametrize(("name", "told", "expectations"), CASES)
def test_what_breaks_an_invariant_is_called_by_its_name_alone(
    name: str, told: list[Told], expectations: Expectations | None
) -> None:
    assert [name] == names(told, expectations)


def test_every_invariant_has_a_sentence_and_a_name_of_its_own() -> None:
    every: list[type[Invariant]] = [*INVARIANTS, *POLL_CHECKS]

    assert len(every) == len({check.name for check in every})
    assert all((check.__doc__ or "").endswith(".") for check in every)


def test_a_disk_that_lost_its_tail_excuses_nothing_where_disks_were_promised_to_keep_it() -> None:
    told = [*committed(2), loads(2, end=1), leads(2, 1, 1, (2, 3))]

    assert ["lost-committed"] == names(told, STRICT)


def test_a_disk_excuses_no_loss_once_all_is_copied_again() -> None:
    again = [*committed(3), loads(3, end=0), append(3, 2, crc=9), follows(3, 1, 1)]
    lost = [truncated(3, 3, 0), leads(3, 2, 0, (3,))]

    assert [] == names([*again[:-2], leads(3, 2, 0, (3,))], COMPACTED)
    assert ["lost-committed"] == names([*again, leads(1, 1, 3), *lost], COMPACTED)


def test_a_log_that_retention_emptied_before_a_replica_came_excuses_nothing_it_had() -> None:
    told = [*committed(4, isr=(1,)), ("b1", LogStartMoved(*ORDERS, 2)), truncated(3, 0, 2), append(3, 2), append(3, 3)]

    assert ["truncated-committed", "lost-committed"] == names([*told, truncated(3, 4, 0), leads(3, 1, 0, (3,))])
    assert ["lost-committed"] == names([*told, loads(3, end=0), leads(3, 1, 0, (3,))], STRICT)


def test_compaction_excuses_going_back_only_over_an_epoch_that_the_leader_does_not_know() -> None:
    told = [*AN_EPOCH_COMPACTED, loads(3, end=3)]

    assert ["truncated-committed"] == names([*told, leads(1, 3, 4), follows(3, 3, 1), truncated(3, 3, 2)], COMPACTED)
    assert ["truncated-committed"] == names([*told, leads(2, 3, 4), follows(3, 3, 2), truncated(3, 3, 1)], COMPACTED)
    assert ["truncated-committed"] == names(
        [*told, loads(1, end=4), leads(1, 3, 4), follows(3, 3, 1), truncated(3, 3, 2)]
    )


def test_an_unclean_election_is_no_excuse_for_what_was_lost_before_it() -> None:
    """The batch of epoch 1 is lost in epoch 3, cleanly; the unclean election was the one of epoch 1."""
    told = [
        *(loads(broker) for broker in (1, 2, 3)),
        elected(1, 0, (1, 2)),
        elected(2, 1, (2,), is_unclean=True),
        leads(2, 1, 0, (2, 3)),
        *everywhere(0, 1, on=(2, 3)),
        watermark(2, 0, 1, 1),
        elected(2, 2, (2, 3)),
        elected(3, 3, (2, 3)),
        truncated(3, 1, 0),
        leads(3, 3, 0, (2, 3)),
    ]

    assert ["truncated-committed", "lost-committed"] == names(told, UNCLEAN)


def test_the_facts_that_show_it_and_those_before_it_come_with_a_violation() -> None:
    told = [*committed(1), append(1, 1), append(2, 1), watermark(1, 1, 2)]

    violation = violations(told)[0]

    assert ("watermark-ahead", "orders-0") == (violation.name, violation.place)
    assert [leads(1), append(3, 0), watermark(1, 1, 2)] == [(at.node, at.fact) for at in violation.facts]
    assert [append(1, 1), append(2, 1)] == [(at.node, at.fact) for at in violation.around[-2:]]


def test_a_violation_that_repeats_is_told_once_and_counted() -> None:
    assert ["uncommitted-read"] == names([sent(1), polled((0, 1)), polled((0, 1), consumer="c2")])
