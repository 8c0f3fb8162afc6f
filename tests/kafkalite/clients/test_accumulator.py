"""Batches leave when they are full or have lingered, in order, and lose nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kafkalite.clients.accumulator import Accumulator

P0, P1 = ("orders", 0), ("orders", 1)


def test_a_batch_lingers_until_its_time_has_come() -> None:
    waiting = Accumulator(100, 5)
    waiting.append(P0, 1, 10, 20.0)
    waiting.append(P0, 2, 10, 24.9)

    assert [] == waiting.ready(24.9)
    assert 25 == waiting.next_ready_ms(24.9)
    assert waiting.next_ready_ms(25.0) is None
    assert [P0] == waiting.ready(25.0)
    assert [1, 2] == waiting.take(P0)


def test_a_full_batch_does_not_linger() -> None:
    waiting = Accumulator(100, 5)

    assert [False, True] == [waiting.append(P0, 1, 60, 20.0), waiting.append(P0, 2, 40, 20.0)]
    assert [P0] == waiting.ready(20.0)
    assert [1, 2] == waiting.take(P0)


def test_a_record_that_does_not_fit_closes_the_batch_before_it() -> None:
    waiting = Accumulator(100, 5)
    waiting.append(P0, 1, 60, 20.0)
    waiting.append(P0, 2, 50, 20.0)

    assert [P0] == waiting.ready(20.0)
    assert [1] == waiting.take(P0)
    assert [] == waiting.ready(20.0)
    assert [2] == waiting.take(P0)
    assert [] == waiting.take(P0)


def test_a_record_larger_than_a_batch_has_one_of_its_own() -> None:
    waiting = Accumulator(100, 5)
    for record, size_bytes in enumerate([10, 500, 10]):
        waiting.append(P0, record, size_bytes, 20.0)

    assert [[0], [1], [2]] == [waiting.take(P0) for _ in range(3)]


def test_partitions_that_wait_longest_come_first() -> None:
    waiting = Accumulator(100, 5)
    waiting.append(P1, 1, 10, 20.0)
    waiting.append(P0, 2, 10, 21.0)

    assert [P1, P0] == waiting.ready(30.0)


def test_without_linger_a_batch_that_cannot_go_yet_takes_what_comes() -> None:
    """Under load batches grow by themselves."""
    waiting = Accumulator(100, 0)
    waiting.append(P0, 1, 10, 20.0)
    waiting.append(P0, 2, 10, 30.0)

    assert [1, 2] == waiting.take(P0)


def test_flushing_closes_what_is_here_and_not_what_comes() -> None:
    waiting = Accumulator(100, 50)
    waiting.append(P0, 1, 10, 20.0)
    waiting.flush()
    waiting.append(P0, 2, 10, 20.0)

    assert [P0] == waiting.ready(20.0)
    assert [1] == waiting.take(P0)
    assert [] == waiting.ready(20.0)


@given(
    records=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 130)), max_size=60),
    linger_ms=st.sampled_from([0, 3]),
    takes=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_every_record_leaves_once_in_order_and_no_batch_is_too_large(
    records: list[tuple[int, int]], linger_ms: int, takes: list[bool]
) -> None:
    waiting, taken = Accumulator(100, linger_ms), list[list[int]]()
    for now_ms, ((index, size_bytes), is_taking) in enumerate(zip(records, takes, strict=False)):
        waiting.append(("t", index), now_ms, size_bytes, float(now_ms))
        if is_taking:
            taken += [waiting.take(partition) for partition in waiting.ready(float(now_ms))]
    waiting.flush()
    while ready := waiting.ready(1e9):
        taken += [waiting.take(partition) for partition in ready]
    sizes = [[records[record][1] for record in batch] for batch in taken]

    for index in range(3):
        mine = [record for batch in taken for record in batch if records[record][0] == index]
        assert [record for record, (where, _) in enumerate(records) if where == index] == mine
    assert all(sum(batch) <= 100 or len(batch) == 1 for batch in sizes)
