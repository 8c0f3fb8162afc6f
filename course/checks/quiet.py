"""Keeps what an answer prints away from the notebook while it is checked, and keeps the beginning to show.

nbgrader scores 0 whatever writes to stderr before a check's value, a learner's honest `warnings.warn` included. So
`sys.stdout`, `sys.stderr` and file descriptor 2 are turned aside. The limit on output holds for what goes through
Python's streams; in the box it holds for everything.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from contextlib import suppress
from typing import Self

from course.checks import limits
from course.checks.port import AnswerLost, Outcome


class _Capped(io.TextIOBase):
    """Takes text up to the limit, then ends the answer."""

    def __init__(self) -> None:
        self.text = io.StringIO()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.size += len(text.encode("utf-8", "replace"))
        if self.size > limits.OUTPUT_BYTES:
            raise AnswerLost(Outcome.OUTPUT_LIMIT, f"printed more than {limits.OUTPUT_BYTES >> 20} MB")
        return self.text.write(text)


class Quiet:
    """A context manager; `text` is what was printed inside it."""

    def __init__(self) -> None:
        self._sink = _Capped()

    @property
    def text(self) -> str:
        """What was printed through Python's streams."""
        return self._sink.text.getvalue()

    def __enter__(self) -> Self:
        self._streams = sys.stdout, sys.stderr
        for stream in self._streams:
            stream.flush()
        self._stderr_fd = os.dup(2)
        with tempfile.TemporaryFile() as aside:
            os.dup2(aside.fileno(), 2)
        sys.stdout = sys.stderr = self._sink
        for stream in self._streams:
            with suppress(AttributeError):  # `from sys import stderr` in a cell has kept the stream itself
                stream.write = self._sink.write  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout, sys.stderr = self._streams
        for stream in self._streams:
            with suppress(AttributeError):
                del stream.write
        os.dup2(self._stderr_fd, 2)
        os.close(self._stderr_fd)
