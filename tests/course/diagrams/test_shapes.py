"""Fragments, and the text in them."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from course.diagrams.shapes import clean, label, number, shorten, text_px, wrap


@given(st.text())
def test_any_text_becomes_a_well_formed_fragment_with_the_cleaned_text_in_it(text: str) -> None:
    element = ET.fromstring(label(1, 2, text))

    assert clean(text) == (element.text or "")


def test_text_that_is_unsafe_to_show_is_replaced_and_stays_on_its_line(hostile: dict[str, Any]) -> None:
    assert "a b c d e" == clean(hostile["separators"])
    assert "�" == clean(hostile["surrogate"])
    assert "�abc" == clean(hostile["backwards"])
    assert "��[31m��" == clean(hostile["control"])


def test_letters_of_any_language_stay() -> None:
    assert "주문 1 — naïve ✓" == clean("주문 1 — naïve ✓")


@given(st.text(max_size=60), st.floats(20, 300))
def test_a_shortened_text_fits(text: str, px: float) -> None:
    assert text_px(shorten(text, px)) <= px


@given(st.text(alphabet="abcdefgh ", max_size=20))
def test_a_text_that_fits_is_left_alone(text: str) -> None:
    assert clean(text) == shorten(text, text_px(text))


def test_a_text_as_long_as_a_book_is_shortened_without_reading_it_all() -> None:
    """A learner may print a gigabyte."""

    class Book(str):
        __slots__ = ()

        def __iter__(self) -> Any:
            raise AssertionError("read to the end")

    assert shorten(Book("x" * 1_000_000), 50).endswith("…")


def test_wide_letters_take_the_room_they_need() -> None:
    assert text_px("aa") < text_px("주문")


def test_a_long_text_is_wrapped_between_words() -> None:
    assert ["one two", "three", "fourfourfou…"] == wrap("one two three fourfourfourfourfour", 100)


def test_coordinates_have_one_decimal_at_most() -> None:
    assert ["1", "1.5", "-0.3", "100"] == [number(value) for value in (1.0, 1.5, -0.26, 100)]
