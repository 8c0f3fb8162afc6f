"""What a learner's code prints: passed on to the box's stderr, counted, and ended where it is too much.

The count is the notebook's (`course.checks.quiet`): what goes through Python's streams, from where it was last set to
nothing. What goes around them is counted by the box.
"""

from __future__ import annotations

import io
import os


class TooMuchPrinted(BaseException):
    """No `except Exception` of the learner may swallow it."""


class Counted(io.TextIOBase):
    """A text stream onto a descriptor, with a limit. Raises TooMuchPrinted past it."""

    encoding = "utf-8"

    def __init__(self, fd: int, limit_bytes: int) -> None:
        self._fd, self.limit_bytes = fd, limit_bytes
        self.size = 0

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def write(self, text: str) -> int:
        data = text.encode("utf-8", "replace")
        self.size += len(data)
        if self.size > self.limit_bytes:
            raise TooMuchPrinted
        while data:
            data = data[os.write(self._fd, data) :]
        return len(text)
