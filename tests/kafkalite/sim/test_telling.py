"""Facts and faults as lines: every kind has one, and it reads as a sentence."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import pytest

from kafkalite import facts
from kafkalite.sim import faults
from kafkalite.sim.telling import STORY, gist, told, told_fault

CHAPTER_1 = {"LogOpened", "RecordsAppended", "LogStartAdvanced", "ReaderMoved", "ReaderSought", "RecordsProcessed"}
KINDS = {
    name: kind for name, kind in vars(facts).items() if inspect.isclass(kind) and kind.__module__ == facts.__name__
}

EXAMPLES: dict[str, Any] = {"str": "x", "int": 7, "bool": True, "bytes | None": b"v", "bytes": b"v"}


def example(kind: type) -> Any:
    """An instance with some value in every field."""
    values = {}
    for name, annotation in inspect.get_annotations(kind).items():
        if annotation in EXAMPLES:
            values[name] = EXAMPLES[annotation]
        elif annotation.startswith("tuple[tuple[int"):
            values[name] = ((1, 2), (2, 3))
        elif annotation.startswith("tuple[tuple[str, tuple"):
            values[name] = (("c1", (("orders", 0),)),)
        elif annotation.startswith("tuple[int"):
            values[name] = (1, 2)
        elif annotation.startswith("tuple[bytes"):
            values[name] = (b"a", None)
        elif annotation.startswith("tuple[str"):
            values[name] = ("a", "b")
        else:
            values[name] = ()
    return kind(**values)


@pytest.mark.parametrize("name", sorted(KINDS.keys() - CHAPTER_1))
def test_every_fact_of_a_cluster_has_a_line(name: str) -> None:
    line = told(12.34, "b101", example(KINDS[name]))

    assert line is not None
    assert line.startswith("      12.3 ms  b101   ")
    assert line[22:] == line[22:].strip() != ""


@pytest.mark.parametrize("name", sorted(CHAPTER_1))
def test_facts_of_a_single_log_are_not_told(name: str) -> None:
    assert told(0, "b1", example(KINDS[name])) is None


@pytest.mark.parametrize("kind", get_args(faults.Fault), ids=lambda kind: kind.__name__)
def test_every_fault_has_a_line(kind: type) -> None:
    fields = inspect.get_annotations(kind)

    line = told_fault(
        1500, kind(**{name: 1500 if name.endswith(("ms", "factor", "bytes")) else "b1" for name in fields})
    )

    assert line.startswith("    1500.0 ms  !      ")


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (
            facts.LeaderElected("orders", 0, 102, 3, (102, 103), False, "offline"),
            "elects 102 to lead orders-0 in epoch 3 (offline); in sync: 102, 103",
        ),
        (
            facts.LeaderElected("orders", 0, 102, 3, (102,), True, "offline"),
            "elects 102 to lead orders-0 in epoch 3 (offline, UNCLEAN); in sync: 102",
        ),
        (
            facts.LeaderElected("orders", 0, -1, 3, (101,), False, "offline"),
            "finds no leader for orders-0; epoch 3, last in sync: 101",
        ),
        (
            facts.LeaderElected("orders", 0, 102, 3, (102,), False, "isr"),
            "lets 102 lead orders-0 on, in epoch 3; in sync: 102",
        ),
        (
            facts.RecordSent(1, "orders", 2, b"alice", b"5 apples"),
            "puts record 1 (5 apples with key alice) in orders-2",
        ),
        (facts.RecordSent(1, "orders", 2, None, None), "puts record 1 (null) in orders-2"),
        (facts.RecordsAcknowledged("orders", 0, (4,), 9), "is told that record 4 of orders-0 is at offset 9"),
        (
            facts.RecordsAcknowledged("orders", 0, (4, 5, 6), 9),
            "is told that records 4 to 6 of orders-0 are at offsets 9 to 11",
        ),
        (
            facts.RecordsAcknowledged("orders", 0, (4, 6), -1),
            "counts records 4, 6 of orders-0 as sent: with acks=0 nobody answers",
        ),
        (
            facts.RecordsFailed("orders", 0, (4,), "REQUEST_TIMED_OUT", True),
            "gives up on record 4 of orders-0: REQUEST_TIMED_OUT; in no log, for sure",
        ),
        (
            facts.RecordsFailed("orders", 0, (4,), "REQUEST_TIMED_OUT", False),
            "gives up on record 4 of orders-0: REQUEST_TIMED_OUT; perhaps in the log all the same",
        ),
        (
            facts.RecordsPolled("orders", 0, tuple(range(3, 9)), tuple(b"%d" % n for n in range(6)), 9),
            "reads offsets 3 to 8 of orders-0: 0, 1, 2, 3, 4, ...",
        ),
        (facts.BrokersChanged((101,), (), (102, 103)), "sees brokers 101; 102, 103 gone"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_says_what_is_so(fact: Any, expected: str) -> None:
    assert f"      12.5 ms  b101   {expected}" == told(12.5, "b101", fact)


def test_what_happens_all_the_time_is_no_story() -> None:
    assert facts.LeaderElected in STORY
    assert facts.BatchAppended not in STORY
    assert facts.HighWatermarkAdvanced not in STORY


def test_the_second_attempt_is_worth_telling_the_third_is_not_unless_it_goes_elsewhere() -> None:
    attempts = [facts.BatchSent("orders", 0, (1,), attempt, "b101", 0) for attempt in (1, 2, 3)]

    first, second, third = map(gist, attempts)

    assert first != second == third
    assert third != gist(facts.BatchSent("orders", 0, (1,), 4, "b102", 0))
    assert gist(facts.BrokerRegistered(101, 7)) is None, "most facts are always told"


def test_only_the_other_direction_of_the_same_fault_is_told_briefly() -> None:
    there, back = faults.Cut("b1", "b2", 500), faults.Cut("b2", "b1", 500)

    assert "and the other way round" in told_fault(1, back, there)
    assert "nothing gets from b1 to b2 for 500 ms" in told_fault(1, there, there)
    assert "nothing gets from b2 to b1" in told_fault(1, back, faults.Kill("b1"))
    assert "nothing gets from b2 to b1" in told_fault(1, back)
