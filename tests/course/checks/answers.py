"""Answers as a learner's notebook would hold them, made from source, for tests of the checks."""

from __future__ import annotations

import linecache
from dataclasses import replace
from typing import Any

from kafkalite import types
from kafkalite.errors import OffsetOutOfRange

SETUP: dict[str, Any] = {
    "OffsetOutOfRange": OffsetOutOfRange,
    "replace": replace,
    **{name: getattr(types, name) for name in ("Hand", "Left", "Published", "Ready", "Subscribed", "Topic")},
}


def answer(source: str, name: str) -> Any:
    """What `name` is after running the source as a cell of a notebook."""
    filename = f"<cell {abs(hash(source))}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = {"__name__": "__main__", **SETUP}
    exec(compile(source, filename, "exec", flags=annotations.compiler_flag), namespace)
    return namespace[name]


CURSOR = """
class Cursor:
    def __init__(self, position=0):
        self.position = position
    def poll(self, start, end, max_records):
        first = self.position if start <= self.position <= end else start
        self.position = min(end, first + max_records)
        {poll}
        return first, self.position
    def seek(self, offset):
        {seek}
        self.position = offset
    def lag(self, end):
        {lag}
        return max(0, end - self.position)
"""


def cursor(*, poll: str = "pass", seek: str = "pass", lag: str = "pass", before: str = "") -> Any:
    """A right cursor with a line more in one of its methods."""
    return answer(before + CURSOR.format(poll=poll, seek=seek, lag=lag), "Cursor")
