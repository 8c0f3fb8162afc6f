"""A picture that stands still."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from xml.etree import ElementTree as ET

from course.diagrams.figure import Figure, svg
from course.diagrams.frames import Picture

PICTURE = Picture(40, 30, ("<path class='c' d='M0 0h9'/>",))


def test_an_svg_carries_its_title_its_colours_and_its_size() -> None:
    root = ET.fromstring(svg(PICTURE, "a <small> picture"))

    assert "0 0 40 30" == root.get("viewBox")
    assert "a <small> picture" == root[0].text
    assert "--kl-record:" in (root[1].text or "")


def test_a_figure_in_a_notebook_is_an_image_with_a_sentence_for_those_who_cannot_see_it() -> None:
    bundle = Figure(PICTURE, "a picture")._repr_mimebundle_()

    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', bundle["text/html"])
    assert found is not None
    assert svg(PICTURE, "a picture") == base64.b64decode(found[1]).decode()
    assert 'alt="a picture"' in bundle["text/html"]
    assert "a picture" == bundle["text/plain"]


def test_a_figure_is_saved_as_svg(tmp_path: Path) -> None:
    Figure(PICTURE, "a picture").save(tmp_path / "picture.svg")

    assert svg(PICTURE, "a picture") == (tmp_path / "picture.svg").read_text(encoding="utf-8")
