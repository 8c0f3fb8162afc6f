"""The picture of a log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from course.diagrams.figure import svg
from course.diagrams.frames import Picture
from course.diagrams.log_lane import log_lane
from course.diagrams.views import CursorView, FlightKind, FlightView, LogLaneView, WriterView

SHORT = LogLaneView(
    topic="orders",
    start=0,
    end=4,
    values=("order 1", "order 2", "paid 1", "d"),
    cursors=(CursorView("dashboard", 4, lag=0, state="waiting"), CursorView("notification", 1, (1, 3), 3, "fetching")),
    writers=(WriterView("web", "sending e"), WriterView("mobile")),
    flights=(
        FlightView("web", "broker", "append [e]", FlightKind.PRODUCE),
        FlightView("notification", "broker", "fetch from 1", FlightKind.FETCH),
        FlightView("broker", "dashboard", "nothing new", FlightKind.REPLY),
        FlightView("broker", "mobile", "NOT_LEADER", FlightKind.ERROR),
    ),
    note="Each reader has its own position.",
)
LONG = LogLaneView(
    topic="orders",
    start=20,
    end=60,
    values={offset: f"e{offset}" for offset in range(20, 60)},
    cursors=(CursorView("fast", 60, lag=0), CursorView("asleep", 17, lag=43), CursorView("between", 40, lag=20)),
)


def texts(picture: Picture) -> list[str]:
    """All the words of a picture, in drawing order."""
    root = ET.fromstring(f"<svg>{''.join(picture.elements)}</svg>")
    return [element.text or "" for element in root.iter("text")]


@pytest.mark.parametrize(("name", "view"), [("log_lane_short.svg", SHORT), ("log_lane_long.svg", LONG)])
def test_a_picture_is_what_was_kept(name: str, view: LogLaneView, golden: Callable[[str, str], None]) -> None:
    golden(name, "\n".join(log_lane(view).elements) + "\n")


def test_the_same_view_gives_the_same_picture() -> None:
    assert log_lane(SHORT) == log_lane(replace(SHORT))


def test_the_next_offset_is_written_in_a_slot_of_its_own() -> None:
    words = texts(log_lane(replace(SHORT, flights=(), cursors=(), writers=(), note=None)))

    assert ["orders", "[0, 4)", "order", "1", "0", "order", "2", "1", "paid", "1", "2", "d", "3", "next", "4"] == words[
        :15
    ]
    assert ["start", "end"] == words[15:]


def test_an_empty_log_says_that_it_starts_where_it_ends() -> None:
    words = texts(log_lane(LogLaneView("orders", 0, 0)))

    assert ["orders", "[0, 0)", "next", "0", "start = end"] == words


def test_deleted_offsets_are_ghosts_without_a_value() -> None:
    picture = log_lane(LogLaneView("orders", 2, 4, {0: "a", 1: "b", 2: "c", 3: "d"}))

    assert not {"a", "b"} & set(texts(picture))
    assert 2 == "".join(picture.elements).count("class='g'")


def test_values_may_be_given_in_order_from_the_start() -> None:
    given_in_order = LogLaneView("orders", 2, 4, ("c", "d"))

    assert log_lane(LogLaneView("orders", 2, 4, {2: "c", 3: "d"})) == log_lane(given_in_order)


def test_every_reader_is_named_by_a_letter_a_name_and_its_lag() -> None:
    words = texts(log_lane(LONG))

    assert {"A", "B", "C", "fast", "asleep", "between", "lag 0", "lag 43", "lag 20"} <= set(words)


def test_a_reader_points_at_the_middle_of_the_next_offset_it_will_read() -> None:
    def pointer(position: int) -> str:
        picture = log_lane(LogLaneView("orders", 0, 5, {}, (CursorView("r", position),)))
        return next(element for element in picture.elements if "l10 9v17" in element)

    xs = [float(pointer(position).split("M")[1].split()[0]) for position in (0, 1, 5)]

    assert [47, 188] == [xs[1] - xs[0], xs[2] - xs[1]]


def test_what_does_not_change_keeps_its_text_while_a_long_log_scrolls() -> None:
    def tail(end: int) -> Picture:
        values = {offset: f"e{offset}" for offset in range(end)}
        return log_lane(LogLaneView("orders", 0, end, values, (CursorView("fast", end),)))

    before, after = tail(40), tail(43)
    kept = [element for element in before.elements if "class='c'" in element and element in after.elements]
    moved = [element for element in before.elements if "translate" in element and element not in after.elements]

    assert (7, 1) == (len(kept), len(moved))


def test_a_message_is_drawn_for_its_client_whichever_end_it_is_at() -> None:
    words = texts(log_lane(SHORT))

    assert {"append [e]", "fetch from 1", "nothing new", "NOT_LEADER"} <= set(words)


def test_a_message_between_strangers_is_not_drawn() -> None:
    view = replace(SHORT, flights=(FlightView("broker", "zookeeper", "ping", FlightKind.FETCH),))

    assert log_lane(replace(SHORT, flights=())) == log_lane(view)


def test_messages_of_one_client_do_not_cover_each_other() -> None:
    flights = tuple(FlightView("dashboard", "broker", f"fetch {i}", FlightKind.FETCH) for i in range(4))
    opened = [
        element.split("translate(")[1].split(" ")[0]
        for element in log_lane(replace(SHORT, flights=flights)).elements
        if element.startswith("<g class='k0' transform")
    ]

    assert 4 == len(set(opened))


@pytest.mark.parametrize(
    "view",
    [
        LogLaneView("t", 5, 2, {}, (CursorView("a", -4, (-4, 9), -3), CursorView("b", 900, (900, 903)))),
        LogLaneView("t", 0, -1, {}, (CursorView("a", 3, (3, 1)),)),
        LogLaneView("t", -3, 4, ("a",), (CursorView("a", 0, lag=10**9),)),
        LogLaneView("t", 10**9, 10**9 + 3, {}, (CursorView("a", 0),)),
    ],
)
def test_numbers_that_make_no_sense_are_drawn_within_the_picture(view: LogLaneView) -> None:
    """They are a learner's mistake, and the picture is there to show it."""
    picture = log_lane(view)

    root = ET.fromstring(svg(picture, "odd"))
    places = [float(box.get("x", "0")) for box in root.iter("{http://www.w3.org/2000/svg}rect")]

    assert min(places) >= 0
    assert max(places) <= picture.width


def test_hostile_texts_stay_texts(hostile: dict[str, Any]) -> None:
    for text in hostile.values():
        view = LogLaneView(
            text,
            0,
            1,
            (text,),
            (CursorView(text, 0, (0, 1), 1, text),),
            (WriterView("w", text),),
            (FlightView("w", "broker", text, FlightKind.PRODUCE),),
            text,
        )

        root = ET.fromstring(svg(log_lane(view), text))

        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        attributes = {name for element in root.iter() for name in element.attrib}
        assert names <= {"svg", "title", "style", "rect", "path", "g", "text", "circle"}
        assert not {name for name in attributes if name.startswith("on") or name in {"id", "style", "href"}}
