"""A process after the other is killed under load: nothing acknowledged is lost, doubled or out of order.

Four kills, one of each kind; how soon the cluster goes on is a matter of the machine, and judged by `make crash`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .crash_load import Book, Verdict, judged
from .crashes import crashes, verdict


@pytest.mark.slow
def test_leader_controller_coordinator_and_zookeeper_leader_may_be_killed_under_load(tmp_path: Path) -> None:
    """R4, R6, P4, D1, Z5, Z8: three brokers, three ZooKeeper servers, two idempotent producers, a group of three."""
    with crashes(tmp_path, session_timeout_ms=6000) as one:
        kinds = list(one.kinds)
        rounds = [one.play(kind) for kind in kinds]
        found = verdict(one)

    assert kinds == [now.kind for now in rounds]
    assert found.is_clean(), found
    assert found.records >= rounds[-1].acknowledged > 0


def book_of(*values: bytes) -> Book:
    """A book of these, acknowledged in partition 0 one after the other and seen by the group."""
    book = Book()
    for offset, value in enumerate(values):
        book.acknowledged[value] = (0, offset)
        book.seen[value] += 1
    return book


def test_a_verdict_is_clean_when_all_is_where_its_acknowledgement_says() -> None:
    found = judged(book_of(b"0 1 0", b"0 1 2"), {0: [(0, b"0 1 0"), (1, b"0 1 2"), (2, b"0 1 4")]})

    assert Verdict(2, [], [], [], [], []) == found
    assert found.is_clean()


@pytest.mark.parametrize(
    ("what", "records"),
    [
        ("lost", [(0, b"0 1 0")]),
        ("lost", [(0, b"0 1 0"), (1, b"1 1 0")]),
        ("doubled", [(0, b"0 1 0"), (1, b"0 1 2"), (2, b"0 1 2")]),
        ("out_of_order", [(0, b"0 1 0"), (1, b"0 1 2"), (2, b"0 1 1")]),
    ],
)
def test_a_verdict_names_what_was_harmed(what: str, records: list[tuple[int, bytes]]) -> None:
    found = judged(book_of(b"0 1 0", b"0 1 2"), {0: records})

    assert not found.is_clean()
    assert [what] == [name for name in ("lost", "doubled", "out_of_order", "unseen") if getattr(found, name)]


def test_a_verdict_names_what_the_group_has_not_seen_and_what_troubled_a_client() -> None:
    book = book_of(b"0 1 0")
    book.seen.clear()
    book.trouble("gave up")

    found = judged(book, {0: [(0, b"0 1 0")]})

    assert (b"0 1 0",) == tuple(found.unseen)
    assert "1 acknowledged: 0 lost, 0 doubled, 0 out_of_order, 1 unseen, 1 troubles" == str(found)
