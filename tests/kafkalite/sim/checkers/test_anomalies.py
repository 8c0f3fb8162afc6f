"""Each anomaly has a history that shows it, and neighbours in which nothing was promised or nothing is wrong."""

from __future__ import annotations

import pytest

from kafkalite.config import ProducerConfig
from kafkalite.facts import LeaderElected, LogStartMoved, PositionReset, RecordsFailed
from kafkalite.sim.checkers import Expectations, TopicPromise, value_of

from .histories import (
    ORDERS,
    READ_ALL,
    UNCLEAN,
    Told,
    acknowledged,
    append,
    committed,
    everywhere,
    leads,
    names,
    polled,
    sent,
    served,
    wait,
    watermark,
)

PLAIN = Expectations(producer=ProducerConfig(enable_idempotence=False))
ONE_IN_FLIGHT = Expectations(producer=ProducerConfig(enable_idempotence=False, max_in_flight_requests_per_connection=1))
COMPACTED = TopicPromise(is_compacted=True)
ACKS_1 = Expectations(producer=ProducerConfig(acks=1), reads_everything=True)


def failed(record: int, *, is_definite: bool) -> Told:
    return "p1", RecordsFailed(*ORDERS, (record,), "REQUEST_TIMED_OUT", is_definite)


def reset(position: int, consumer: str = "c1") -> Told:
    return consumer, PositionReset(*ORDERS, position, "seek")


BROKEN: dict[str, tuple[list[list[Told]], Expectations | None]] = {
    "lost-write": (
        [[*served(1, 2, 3), polled((0, 1), (2, 3))], [*served(1, 2), polled((0, 1)), polled(position=2)]],
        None,
    ),
    "unseen": ([[*served(1, 2), polled((0, 1))], served(1)], READ_ALL),
    "duplicate": ([[*committed(2), sent(1), acknowledged(1, 0), polled((0, 1), (1, 1))]], None),
    "failed-but-read": ([[*committed(1), sent(1), failed(1, is_definite=True), polled((0, 1))]], None),
    "nonmonotonic-send": (
        [
            [*committed(2), sent(1), sent(2), acknowledged(2, 0), acknowledged(1, 1)],
            [*committed(2), sent(1), sent(2), acknowledged(1, 1), acknowledged(2, 0), polled((0, 2), (1, 1))],
        ],
        ONE_IN_FLIGHT,
    ),
    "nonmonotonic-poll": ([[*served(1, 2), polled((0, 1), (1, 2)), polled((1, 2))]], None),
    "int-nonmonotonic-poll": ([[*served(1, 2), polled((0, 1), (1, 2), (1, 2))]], None),
    "poll-skip": (
        [[*served(1, 2, 3), polled((0, 1), (1, 2), (2, 3), consumer="c2"), polled((0, 1)), polled((2, 3))]],
        None,
    ),
    "int-poll-skip": (
        [[*served(1, 2, 3), polled((0, 1), (2, 3)), polled((0, 1), (1, 2), (2, 3), consumer="c2")]],
        None,
    ),
    "phantom": (
        [
            [*committed(1), polled((0, b"who knows"))],
            [*committed(1), sent(1, partition=1), polled((0, 1))],
        ],
        None,
    ),
    "inconsistent-offsets": (
        [
            [*committed(2), sent(1), sent(2), polled((0, 1)), polled((0, 2), consumer="c2")],
            [*committed(2), sent(1), acknowledged(1, 0), polled((1, 1))],  # said to be at 0, and is at 1
        ],
        PLAIN,
    ),
    "inconsistent-offsets/compacted": (  # with idempotence there is no second copy that may be meant
        [[*committed(2), sent(1), acknowledged(1, 1), polled((0, 1))]],
        Expectations(topic=COMPACTED),
    ),
    "unavailable": (
        [[*committed(1), wait(100), sent(1)], [wait(100), sent(1), failed(1, is_definite=True)]],
        Expectations(available_from_ms=100),
    ),
}

CASES = [
    pytest.param(name.partition("/")[0], told, expectations, id=f"{name}-{index}")
    for name, (histories, expectations) in BROKEN.items()
    for index, told in enumerate(histories)
]


@pytest.mark.parametrize(("name", "told", "expectations"), CASES)
def test_an_anomaly_is_called_by_its_name_alone(name: str, told: list[Told], expectations: Expectations | None) -> None:
    assert [name] == names(told, expectations)


def test_an_acknowledged_record_whose_offset_holds_another_is_lost_and_the_offset_has_two_values() -> None:
    told = [*committed(1), sent(1), sent(2), acknowledged(1, 0), polled((0, 2))]

    assert ["inconsistent-offsets", "lost-write"] == names(told)


FINE: dict[str, tuple[list[Told], Expectations | None]] = {
    "all is read": ([*served(1, 2, 3), polled((0, 1), (1, 2)), polled((2, 3))], READ_ALL),
    "read before the producer hears of it": ([*committed(1), sent(1), polled((0, 1)), acknowledged(1, 0)], READ_ALL),
    "not read to the end, and nobody said it would be": ([*served(1, 2), polled((0, 1))], None),
    "a reader that began later": ([*served(1, 2), polled((1, 2))], None),
    "a reader that sought forward": ([*served(1, 2, 3), polled((0, 1)), reset(2), polled((2, 3))], None),
    "a reader that sought back": ([*served(1, 2), polled((0, 1), (1, 2)), reset(0), polled((0, 1))], None),
    "a gap that holds nothing": ([*committed(4), sent(1), sent(2), polled((0, 1), (3, 2), position=4)], None),
    "lost with acks=1": (
        [*committed(1), sent(1), sent(2), acknowledged(1, 0), acknowledged(2, 0), polled((0, 2))],
        ACKS_1,
    ),
    "an acknowledgement without an offset": ([*committed(1), sent(1), acknowledged(1, -1)], READ_ALL),
    "twice, without idempotence": ([*committed(2), sent(1), acknowledged(1, 1), polled((0, 1), (1, 1))], PLAIN),
    "the other way round, with five in flight": (
        [*committed(2), sent(1), sent(2), acknowledged(2, 0), acknowledged(1, 1)],
        PLAIN,
    ),
    "a retry of one behind another, one in flight": (
        [*committed(3), sent(1), sent(2), polled((0, 1), (1, 2), (2, 1)), acknowledged(1, 0), acknowledged(2, 1)],
        ONE_IN_FLIGHT,
    ),
    "failed, perhaps, and read": ([*committed(1), sent(1), failed(1, is_definite=False), polled((0, 1))], None),
    "failed for sure and not read": ([*committed(1), sent(1), failed(1, is_definite=True)], READ_ALL),
    "gone with the start of the log": ([*served(1, 2), ("b1", LogStartMoved(*ORDERS, 2)), reset(2)], READ_ALL),
    "replaced by a later record of its key": (
        [*served(1, 2), polled((1, 2)), polled((1, 2), consumer="c2"), reset(0), polled(position=1)],
        Expectations(topic=COMPACTED, reads_everything=True),
    ),
    "written twice without idempotence, and the acknowledged one was replaced by a later record of its key": (
        [*committed(3), sent(1), sent(2), polled((0, 1)), acknowledged(1, 1), acknowledged(2, 2), polled((2, 2))],
        Expectations(topic=COMPACTED, producer=ProducerConfig(acks=-1, enable_idempotence=False)),
    ),
    "a record of somebody who announces nothing": (
        [*committed(1), polled((0, b"xxxx"))],
        Expectations(foreign_prefix=b"xx"),
    ),
    "numbers that do not rise": ([*served(2, 1), polled((0, 2), (1, 1))], None),
    "a tombstone": ([*committed(2), polled((0, None), (1, None))], None),
    "lost in an unclean election": (
        [
            *committed(1),
            sent(1),
            acknowledged(1, 0),
            polled((0, 1)),
            ("b9", LeaderElected(*ORDERS, 3, 1, (3,), True, "offline")),
            leads(3, 1, 0, (3,)),
        ],
        UNCLEAN,
    ),
    "another value where one was lost in an unclean election": (
        [
            *committed(1, isr=(1, 2)),
            sent(1),
            sent(2),
            acknowledged(1, 0),
            polled((0, 1)),
            ("b9", LeaderElected(*ORDERS, 3, 1, (3,), True, "offline")),
            leads(3, 1, 0, (3,)),
            append(3, 0, 1, leads=3),
            watermark(3, 0, 1, 1),
            polled((0, 2), consumer="c2"),
            acknowledged(2, 0),
        ],
        UNCLEAN,
    ),
    "sent before all faults were over": ([sent(1), wait(200)], Expectations(available_from_ms=100)),
    "sent when all faults were over": ([wait(100), *served(1)], Expectations(available_from_ms=100)),
}


@pytest.mark.parametrize("what", FINE)
def test_what_is_as_promised_is_no_anomaly(what: str) -> None:
    told, expectations = FINE[what]

    assert [] == names(told, expectations)


def test_the_same_value_sent_twice_says_nothing_about_either_record() -> None:
    told = [*committed(2), *[("p1", sent(1)[1]), ("p2", sent(1)[1])], polled((0, 1), (1, 1))]

    assert [] == names(told, READ_ALL)


def test_a_value_leads_back_to_its_record_whatever_its_size() -> None:
    assert {1} == {
        len({value_of("p1", 1, size), value_of("p1", 11, size)} & {value_of("p1", 11, size)}) for size in (0, 9, 40)
    }
    assert 40 == len(value_of("p1", 1, 40))


def test_more_records_on_more_partitions_are_kept_apart() -> None:
    told = [*served(1), sent(2, partition=1), *everywhere(1), polled((0, 1))]

    assert [] == names(told, READ_ALL)
