"""What the tests of the pictures share: kept pictures, a long run, hostile texts."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from course.diagrams.frames import Frame
from course.diagrams.log_lane import log_lane
from course.diagrams.views import ARRIVES, LEAVES, CursorView, FlightKind, FlightView, LogLaneView, WriterView

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with the one kept under this name; with REWRITE_GOLDEN=1 in the environment, keep it instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("REWRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        assert kept == text, f"{name} is not what was kept; look at both, then REWRITE_GOLDEN=1 pytest {__file__}"

    return compare


@pytest.fixture(scope="session")
def long_run() -> list[Frame]:
    """300 steps of two producers and three readers, with messages in flight at almost every step."""
    return list(_run(steps=300, chance=random.Random(1)))


def _run(steps: int, chance: random.Random) -> Iterator[Frame]:
    ends, positions, flying = 0, {"dashboard": 0, "notification": 0, "audit": 0}, dict[str, tuple[str, int, int]]()
    start = 0
    for step in range(steps):
        client = chance.choice(["web", "mobile", *positions])
        kind, _, offset = flying.pop(client, ("", 0, 0))
        caption = f"{client} thinks about what to do next."
        if kind == "produce":
            flying[client] = ("ack", step + 3, ends)
            ends += 1
            caption = f"broker appended 1 record of {client} at offset {ends - 1}."
        elif kind == "fetch":
            flying[client] = ("records", step + 3, offset)
            caption = f"broker answered the fetch of {client} from offset {offset}."
        elif kind == "records":
            positions[client] = max(positions[client], min(offset + 2, ends))
            caption = f"{client} read up to offset {positions[client]} and will go on there."
        elif not kind:
            wanted = positions.get(client)
            flying[client] = ("produce", step + 3, 0) if wanted is None else ("fetch", step + 3, wanted)
            caption = f"{client} sends a request to the broker."
        if step % 100 == 99:
            start = max(start, ends - 20)
        views = tuple(_flight(*item, step) for item in flying.items())
        cursors = tuple(
            CursorView(name, at, (at, at + 2) if flying.get(name, ("",))[0] == "fetch" else None, ends - at, "polling")
            for name, at in positions.items()
        )
        values = {i: f"order {i}" for i in range(start, ends)}
        writers = (WriterView("web", f"sent {ends}"), WriterView("mobile"))
        view = LogLaneView("orders", start, ends, values, cursors, writers, views)
        mark = "rule broken: a reader lost a record" if step == 180 else None
        yield Frame(log_lane(view), caption, f"step {step} · {step * 4.3:.1f} ms · broker", mark)


def _flight(client: str, message: tuple[str, int, int], step: int) -> FlightView:
    kind, due, offset = message
    progress = ARRIVES if due <= step + 1 else LEAVES
    if kind in ("produce", "fetch"):
        return FlightView(client, "broker", f"{kind} {offset}", FlightKind(kind), progress)
    return FlightView("broker", client, f"{kind} from {offset}", FlightKind.REPLY, progress)


def without_constants(html: str) -> str:
    """A player's HTML without what is the same in all, and without the image, so that a kept one can be read."""
    html = re.sub(r"<style>.*?</style>", "<style>…</style>", html, flags=re.DOTALL)
    html = re.sub(r"<script>.*?</script>", "<script>…</script>", html, flags=re.DOTALL)
    return re.sub(r"base64,[^\"]*", "base64,…", html).replace('","', '",\n"')


@pytest.fixture
def readable() -> Callable[[str], str]:
    """See `without_constants`."""
    return without_constants


@pytest.fixture
def hostile() -> dict[str, Any]:
    """Texts that a learner's code might print."""
    return {
        "tag": "<img src=x onerror=\"document.title='broken in'\">",
        "script": "</script><script>document.title='broken in'</script>",
        "comment": "<!--<script>",
        "quotes": "' onload='document.title=1' \" & &lt;",
        "separators": "a\u2028b\u2029c\nd\re",
        "control": "\x00\x1b[31m\x7f\ufffe",
        "surrogate": "\ud800",
        "backwards": "\u202eabc",
        "style": "</style><style>*{display:none}",
        "math": "$x$ \\(y\\)",
    }
