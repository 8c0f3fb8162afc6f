"""Invariants of the coordination service: one leader an epoch, one order of changes, and no change is ever lost."""

from __future__ import annotations

from kafkalite.facts import ChangeCommitted, ServerElected
from kafkalite.sim.checkers.violation import Announced, Invariant, Report
from kafkalite.sim.checkers.world import World
from kafkalite.types import NodeName


class TwoServerLeaders(Invariant):
    """An epoch of the coordination service has one leader."""

    name = "two-zookeeper-leaders"

    def __init__(self, world: World, report: Report) -> None:
        super().__init__(world, report)
        self._elected: dict[int, Announced] = {}

    def on_server_elected(self, at: Announced) -> None:
        fact: ServerElected = at.fact
        before = self._elected.setdefault(fact.epoch, at)
        if before.node != at.node:
            self.violated(f"{before.node} and {at.node} both lead in epoch {fact.epoch}", at, before)


class TreesDiverge(Invariant):
    """Servers that have applied the same change have the same tree."""

    name = "zookeeper-divergence"

    def __init__(self, world: World, report: Report) -> None:
        super().__init__(world, report)
        self._first: dict[int, Announced] = {}  # zxid -> who applied it first

    def on_change_committed(self, at: Announced) -> None:
        fact: ChangeCommitted = at.fact
        before = self._first.setdefault(fact.zxid, at)
        if before.fact.digest != fact.digest:
            self.violated(f"{before.node} and {at.node} have different trees at zxid {fact.zxid:#x}", at, before)


class ChangeLost(Invariant):
    """A change that any server has applied comes before every later change on every server."""

    name = "zookeeper-lost-change"

    def __init__(self, world: World, report: Report) -> None:
        super().__init__(world, report)
        self._newest: Announced | None = None
        self._of_server: dict[NodeName, int] = {}

    def on_change_committed(self, at: Announced) -> None:
        fact: ChangeCommitted = at.fact
        newest = self._newest
        last = self._of_server.get(at.node, 0)
        if newest is None or fact.zxid > newest.fact.zxid:
            # The first to apply a change must have applied the one before; a restarted server repeats what it has.
            if newest is not None and last < newest.fact.zxid:
                self.violated(
                    f"{at.node} applied {fact.zxid:#x} after {last:#x}; {newest.node} had applied"
                    f" {newest.fact.zxid:#x} in between",
                    at,
                    newest,
                )
            self._newest = at
        self._of_server[at.node] = fact.zxid
