"""Colours by meaning."""

from __future__ import annotations

import re

import pytest

from course.diagrams.player import PLAYER_STYLE
from course.diagrams.theme import COLOURS, PAIRS, contrast, picture_style


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "paper", "least"), PAIRS)
def test_whatever_is_drawn_stands_out_from_its_ground_as_wcag_aa_asks(
    ink: str, paper: str, least: float, theme: str
) -> None:
    ratio = contrast(getattr(COLOURS[ink], theme), getattr(COLOURS[paper], theme))

    assert least <= ratio, f"{ink} on {paper} has {ratio:.2f} in the {theme} theme"


def test_contrast_is_the_ratio_that_wcag_defines() -> None:
    assert 21 == pytest.approx(contrast("#ffffff", "#000000"))
    assert 4.54 == pytest.approx(contrast("#767676", "#ffffff"), abs=0.01)


def test_every_colour_but_decoration_has_a_contrast_that_is_tested() -> None:
    assert {"hairline"} == COLOURS.keys() - {name for ink, paper, _ in PAIRS for name in (ink, paper)}


def test_styles_name_only_colours_that_the_theme_has() -> None:
    used = set(re.findall(r"var\(--kl-([a-z0-9-]+)\)", PLAYER_STYLE))

    assert set() == used - COLOURS.keys()


def test_the_stylesheet_can_stand_inside_an_svg() -> None:
    """An SVG is XML: there < and & would be markup."""
    assert not set("<&") & set(picture_style())


def test_both_themes_follow_jupyterlab_as_well_as_the_system() -> None:
    style = picture_style()

    for declared in ("prefers-color-scheme:dark", '[data-jp-theme-light="true"]', '[data-jp-theme-light="false"]'):
        assert declared in style
