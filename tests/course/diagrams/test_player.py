"""The player as text: what is in it, what can never be in it, and how large it is."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from course.diagrams.frames import Frame, Picture
from course.diagrams.player import CONTENT_SECURITY_POLICY, PLAYER_SCRIPT, Player, player

FRAMES = (
    Frame(Picture(20, 10, ("<path d='M0 0h1'/>", "<path d='M1 0h1'/>")), "web sends a.", "step 0 · 0.0 ms · web"),
    Frame(Picture(20, 12, ("<path d='M0 0h1'/>", "<path d='M2 0h1'/>")), "broker has a.", "step 1 · 1.5 ms · broker"),
    Frame(Picture(20, 10, ("<path d='M2 0h1'/>",)), "a is lost.", "step 2 · 2.0 ms · broker", "rule broken here"),
)


class Tags(HTMLParser):
    """Collects what a browser would make of the HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append((tag, dict(attrs)))


def data_of(made: Player) -> dict[str, Any]:
    found = re.search(r'class="kl-data">(.*?)</script>', made.html, re.DOTALL)
    assert found is not None
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def frames_of(made: Player) -> list[list[str]]:
    """The fragments of every frame, read as the script reads them."""
    data = data_of(made)
    return [
        [
            data["fragments"][index]
            for run in line.split()
            for index in range(int(run.split("-")[0], 36), int(run.split("-")[-1], 36) + 1)
        ]
        for line in data["frames"]
    ]


def test_the_html_is_what_was_kept(golden: Callable[[str, str], None], readable: Callable[[str], str]) -> None:
    golden("player.html", readable(player(FRAMES, start=2, label="a small run").html) + "\n")


def test_the_same_frames_give_the_same_output() -> None:
    assert player(FRAMES, label="run") == player(FRAMES, label="run")


def test_every_frame_comes_back_as_it_was_drawn(long_run: list[Frame]) -> None:
    assert [list(frame.picture.elements) for frame in long_run] == frames_of(player(long_run, label="run"))


def test_a_fragment_that_frames_share_is_stored_once() -> None:
    fragments = data_of(player(FRAMES, label="run"))["fragments"]

    assert ["<path d='M0 0h1'/>", "<path d='M1 0h1'/>", "<path d='M2 0h1'/>"] == fragments


def test_the_stage_is_as_large_as_the_largest_frame() -> None:
    data = data_of(player(FRAMES, label="run"))

    assert (20, 12) == (data["width"], data["height"])


def test_300_steps_take_300_kb_at_most(long_run: list[Frame]) -> None:
    made = player(long_run, start=180, label="a long run")

    assert 300 == len(long_run)
    assert 300_000 >= len(made.html.encode()) + len(made.text.encode())


def test_the_text_has_a_line_for_each_step_and_says_what_is_flagged() -> None:
    assert [
        "a small run",
        "   1  step 0 · 0.0 ms · web: web sends a.",
        "   2  step 1 · 1.5 ms · broker: broker has a.",
        "   3  step 2 · 2.0 ms · broker: a is lost.  [rule broken here]",
    ] == player(FRAMES, label="a small run").text.split("\n")


def test_without_the_script_there_are_a_picture_and_all_steps_in_words_and_no_dead_controls() -> None:
    tags = Tags(player(FRAMES, start=1, label="run").html).opened
    names = [tag for tag, _ in tags]

    assert "run: broker has a." == next(attributes["alt"] for tag, attributes in tags if tag == "img")
    assert (1, 3) == (names.count("ol"), names.count("li"))
    assert not {"button", "input"} & set(names)


def test_nothing_is_fetched_and_nothing_has_an_id(long_run: list[Frame]) -> None:
    """Several players share a page, and a page may be read without a network."""
    html = player(long_run, label="run").html

    assert not re.findall(r"\b(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z]", html)
    assert not [attributes for _, attributes in Tags(html).opened if "id" in attributes]
    assert not re.search(r" id='", html)


@pytest.mark.parametrize("name", ["tag", "script", "comment", "quotes", "separators", "control", "surrogate", "style"])
def test_hostile_texts_add_no_element_and_no_attribute(name: str, hostile: dict[str, Any]) -> None:
    text = hostile[name]
    picture = Picture(9, 9, (f"<title>{'x'}</title>",))
    plain = player([Frame(picture, "caption", "title", "mark")] * 2, label="label")
    attacked = player([Frame(picture, text, text, text)] * 2, label=text)

    def shape(made: Player) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(attributes)) for tag, attributes in Tags(made.html).opened]

    assert shape(plain) == shape(attacked)
    attacked.html.encode()  # a notebook is saved as UTF-8


def test_a_fragment_cannot_end_the_data(hostile: dict[str, Any]) -> None:
    """Pictures escape their texts; the data are safe even if one did not."""
    fragments = tuple(text for name, text in hostile.items() if name != "surrogate")
    made = player([Frame(Picture(9, 9, fragments), "caption", "title")], label="label")

    assert [list(fragments)] == frames_of(made)
    data = made.html.split('class="kl-data">')[1].split("</script>")[0]
    assert not re.search(r"<!|</|<s|[\u2028\u2029]", data, re.IGNORECASE)


def test_the_script_is_one_text_for_all_players_and_the_policy_allows_it_by_its_hash() -> None:
    scripts = {
        made.html.split("<script>")[1].split("</script>")[0]
        for made in (player(FRAMES, label="a"), player(FRAMES[:1], label="b"))
    }

    assert {PLAYER_SCRIPT} == scripts
    digest = base64.b64encode(hashlib.sha256(PLAYER_SCRIPT.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY


def test_jupyter_is_given_html_and_text() -> None:
    made = player(FRAMES, label="run")

    assert {"text/html": made.html, "text/plain": made.text} == made._repr_mimebundle_()


def test_a_saved_page_is_whole(tmp_path: Path) -> None:
    made = player(FRAMES, label="run")

    made.save(tmp_path / "run.html")

    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert made.html in page
    assert CONTENT_SECURITY_POLICY in page


def test_no_frames_are_refused_with_a_question() -> None:
    with pytest.raises(ValueError, match="'run' got no frames; expected at least one"):
        player([], label="run")


@pytest.mark.parametrize("start", [-1, 3])
def test_a_start_outside_the_frames_is_refused(start: int) -> None:
    with pytest.raises(ValueError, match=f"cannot start at frame {start}; expected 0 to 2"):
        player(FRAMES, start=start, label="run")
