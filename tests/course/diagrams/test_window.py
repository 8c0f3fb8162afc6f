"""Which offsets are shown, and where."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from course.diagrams.window import LEFT, PITCH, RIGHT, SLOTS, Panel, window

offsets = st.integers(-5, 500)


def test_a_short_log_is_shown_whole_from_its_first_offset() -> None:
    assert (Panel(0, 0, 7),) == window(7, (0, 7)).panels


def test_a_long_log_whose_readers_keep_up_is_shown_by_its_tail() -> None:
    shown = window(40, (38, 40))

    assert (Panel(0, 30, 40),) == shown.panels
    assert 30 == shown.hidden_before


def test_a_reader_far_behind_gets_a_panel_of_its_own_and_the_break_counts_what_it_hides() -> None:
    shown = window(60, (20, 60))

    assert [(18, 23), (57, 60)] == [(panel.first, panel.last) for panel in shown.panels]
    assert shown.gap is not None
    assert (23, 57) == (shown.gap.first, shown.gap.last)


def test_one_more_record_mostly_moves_nothing() -> None:
    moved = sum(window(end, (end,)).panels[0].origin != window(end + 1, (end,)).panels[0].origin for end in range(60))

    assert 17 == moved  # one step in three, once the lane is full


@given(offsets, st.lists(offsets, max_size=4))
def test_every_offset_has_a_place_in_the_picture_and_places_keep_their_order(end: int, positions: list[int]) -> None:
    shown = window(end, tuple(positions))

    lefts = [shown.left(offset) for offset in range(-6, max(end, 0) + 30)]

    assert sorted(lefts) == lefts
    assert LEFT - PITCH <= lefts[0]
    assert lefts[-1] <= RIGHT - PITCH


@given(offsets, st.lists(offsets, max_size=4))
def test_the_slot_of_the_next_record_and_the_reader_furthest_behind_are_always_shown(
    end: int, positions: list[int]
) -> None:
    shown = window(end, tuple(positions))
    slots = [panel.slot + offset - panel.first for panel in shown.panels for offset in range(panel.first, panel.last)]

    assert len(set(slots)) == len(slots)
    assert max(end, 0) == shown.panels[-1].last
    assert shown.panels[-1].slot + shown.panels[-1].last - shown.panels[-1].first < SLOTS
    if positions and 0 <= min(positions) < end:
        assert any(panel.first <= min(positions) < panel.last for panel in shown.panels)
