"""Pipes against log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from course.diagrams.pipes import pipes
from course.diagrams.views import PipesView


def view(sources: int, sinks: int) -> PipesView:
    return PipesView(tuple(f"s{i}" for i in range(sources)), tuple(f"t{i}" for i in range(sinks)), "orders")


def test_the_picture_is_what_was_kept(golden: Callable[[str, str], None]) -> None:
    golden("pipes.svg", "\n".join(pipes(view(3, 2)).elements) + "\n")


@pytest.mark.parametrize(("sources", "sinks"), [(1, 1), (4, 3), (2, 9), (12, 1)])
def test_each_to_each_takes_their_product_and_a_topic_their_sum(sources: int, sinks: int) -> None:
    drawn = pipes(view(sources, sinks)).elements

    assert any(f"{sources} × {sinks} = {sources * sinks} pipes" in element for element in drawn)
    assert any(f"{sources} + {sinks} = {sources + sinks} pipes" in element for element in drawn)
    assert sources * sinks + sources + sinks == sum(element.startswith("<g class='kw'>") for element in drawn)


def test_nothing_stands_outside_the_picture_however_many_there_are() -> None:
    picture = pipes(view(20, 3))

    assert picture.height > 20 * 40
