"""Every program by its name: functions that are given a session, in the order in which they stand."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle.session import Session

Program = Callable[[Session], None]
PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    """Make a function a program; its name, with dashes, is the program's."""
    name = function.__name__.replace("_", "-")
    known = PROGRAMS.setdefault(name, function).__code__  # pytest may import a module twice
    assert known.co_filename == function.__code__.co_filename, f"two programs are called {name}"
    return function
