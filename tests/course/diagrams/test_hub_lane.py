"""The picture of a topic between sources and sinks."""

from __future__ import annotations

from collections.abc import Callable

from course.diagrams.hub_lane import hub_lane
from course.diagrams.views import FlightKind, FlightView, HubLaneView, SinkState, SinkView, WriterView

VIEW = HubLaneView(
    topic="orders",
    start=0,
    end=6,
    values=tuple("abcdef"),
    sinks=(
        SinkView("search", 6),
        SinkView("mail", 4, SinkState.BUSY, (2, 4), 80),
        SinkView("billing", 1, SinkState.FROZEN, (1, 2)),
        SinkView("legacy", 3, SinkState.GONE),
    ),
    sources=(WriterView("shop"), WriterView("app")),
    flights=(FlightView("hub", "mail", "[e, f]", FlightKind.FETCH),),
)


def test_the_picture_is_what_was_kept(golden: Callable[[str, str], None]) -> None:
    golden("hub_lane.svg", "\n".join(hub_lane(VIEW).elements) + "\n")


def test_every_state_of_a_sink_is_written() -> None:
    drawn = "".join(hub_lane(VIEW).elements)

    for words in ("idle", "busy to 80 ms", "frozen", "gone"):
        assert f">{words}<" in drawn


def test_a_sink_that_is_gone_has_no_pointer_and_no_lag() -> None:
    drawn = "".join(hub_lane(VIEW).elements)

    assert 3 == drawn.count(">lag ")
    assert 1 == drawn.count(">D<")  # the letter before its name, and nowhere on the lane


def test_what_the_hub_hands_over_goes_down_to_the_sink() -> None:
    down = "M9-4h10l-5 9z"

    assert any(down in element for element in hub_lane(VIEW).elements)
