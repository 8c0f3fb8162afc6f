"""Facts: what nodes announce. Diagrams, checkers and counterexamples read facts and steps; nobody pokes into state.

A fact is a past participle: it has happened. Its fields are plain data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LogOpened:
    """A log exists; its next value gets the offset `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RecordsAppended:
    """A log took these values; `base_offset` is what it said the first one got."""

    base_offset: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogStartAdvanced:
    """Everything below `start` is gone."""

    start: int


@dataclass(frozen=True, slots=True)
class ReaderMoved:
    """A reader has read up to `position`, its next offset, and saw the log end at `end`."""

    position: int
    end: int
    lag: int


@dataclass(frozen=True, slots=True)
class ReaderSought:
    """A reader was told to go on from `offset`, which its cursor says is `lag` offsets before the end."""

    offset: int
    lag: int


@dataclass(frozen=True, slots=True)
class RecordsProcessed:
    """A reader is done with these values; the first of them stands at `offset`."""

    offset: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartFailed:
    """A part raised an error that is not among its answers; whoever asked was told UNKNOWN_SERVER_ERROR."""

    part: str
    error: str


Fact = Any  # chapters announce facts of their own, too
