"""What is wrong with a chapter, so that no notebook can be made of it."""

from __future__ import annotations


class BuildError(Exception):
    """A chapter cannot be built. `where` is a file and line, or a part of the chapter; `what` says what to do, too."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.where, self.what = where, what

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
