"""A planted bug: the system made wrong in one place, and the name under which the checkers must find it.

A checker that finds nothing in a right system has shown little; it must find what is wrong, and say what. Each bug is a
misconception or a slip, as one part replaced or one method. And each has the kind of run in which it shows: a wrong
watermark loses nothing as long as all links are fast, so faults are chosen for the bug, and not only seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim.checkers import Expectations, Violation
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.counterexample import Watcher

Attach = Callable[[Cluster, Expectations], None]
Play = Callable[[int, Parts, Attach], None]  # (seed, parts, attach): make a cluster, attach the checker, run


@dataclass(frozen=True, slots=True)
class Patch:
    """Something of a class, or of a module, that is replaced as long as the bug is planted."""

    owner: Any
    name: str
    wrong: Any


@dataclass(frozen=True, slots=True)
class Bug:
    """One thing that is wrong. Any of the names in `caught_by` calls it what it is.

    `seed` is the first, from 1, in whose run it shows.
    """

    name: str
    wrong: str  # a sentence: what it does
    caught_by: tuple[str, ...]
    play: Play
    seed: int
    parts: Parts = REFERENCE
    patches: tuple[Patch, ...] = ()

    @contextmanager
    def planted(self) -> Iterator[Parts]:
        """The parts to run with; what is patched is wrong until the end of the block."""
        before = [(patch, getattr(patch.owner, patch.name)) for patch in self.patches]
        for patch in self.patches:
            setattr(patch.owner, patch.name, patch.wrong)
        try:
            yield self.parts
        finally:
            for patch, right in before:
                setattr(patch.owner, patch.name, right)


def hunt(bug: Bug, seed: int) -> list[Violation]:
    """What the checkers find in the run of this seed with the bug planted; the run ends where it is first named.

    A run that a bug keeps from coming to its end is judged by what was seen until then.
    """
    watcher = Watcher(bug.caught_by)
    with bug.planted() as parts:
        return watcher.watch(lambda: bug.play(seed, parts, watcher.attach))


def control(bug: Bug, seed: int) -> list[Violation]:
    """What the checkers find in the same run without the bug: nothing."""
    watcher = Watcher(())
    return watcher.watch(lambda: bug.play(seed, REFERENCE, watcher.attach))


def seeds_to_find(bug: Bug, seeds: range) -> int | None:
    """How many of these seeds it takes until the bug is called by its name; None: they are not enough."""
    for count, seed in enumerate(seeds, start=1):
        if any(violation.name in bug.caught_by for violation in hunt(bug, seed)):
            return count
    return None
