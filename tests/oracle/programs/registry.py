"""Every program by its name: functions that are given a session, in the order in which they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tests.oracle.cluster_session import ClusterSession
from tests.oracle.session import Session

Program = Callable[[Session], None]
ProgramOfThree = Callable[[ClusterSession], None]
PROGRAMS: dict[str, Program] = {}
OF_THREE: dict[str, ProgramOfThree] = {}  # for clusters of three brokers

F = TypeVar("F", Program, ProgramOfThree)


def program(function: Program) -> Program:
    """Make a function a program; its name, with dashes, is the program's."""
    return _known(PROGRAMS, function)


def program_of_three(function: ProgramOfThree) -> ProgramOfThree:
    """Make a function a program for three brokers."""
    return _known(OF_THREE, function)


def _known(programs: dict[str, F], function: F) -> F:
    name = function.__name__.replace("_", "-")
    known = programs.setdefault(name, function).__code__  # pytest may import a module twice
    assert known.co_filename == function.__code__.co_filename, f"two programs are called {name}"
    return function
