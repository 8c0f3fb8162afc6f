"""Elections made of znodes, run by candidates that die: never two leaders, always one again, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.coordination.recipes import LEAD, WATCH, Step, race, stand_in_line
from kafkalite.facts import WatchFired
from kafkalite.node import Node
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import EventType, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.sim.faults import BreakConnection, Fault, PowerLoss

from .ensemble import SESSION_MS, Ensemble, names

EPHEMERAL, EPHEMERAL_SEQUENTIAL = 1, 3


@dataclass(frozen=True)
class Leads:
    """A candidate leads: in this session."""

    session_id: int


class Candidate(Node):
    """Reads, decides, does what was decided, reads again."""

    def __init__(self, name: str, servers: tuple[str, ...]) -> None:
        super().__init__(name)
        self.zk = ZooKeeperClient(self, servers, SESSION_MS, self)

    def on_start(self) -> None:
        self.zk.start()

    def on_session_established(self) -> None:
        self.look()

    def on_session_expired(self) -> None:
        pass

    def on_znode_event(self, path: str, event: EventType) -> None:
        self.look()

    def look(self) -> None:
        raise NotImplementedError

    def do(self, step: Step, flags: int) -> None:
        if step.action == LEAD:
            self.note(Leads(self.zk.session_id))
        elif step.action == WATCH:
            self.zk.ask_surely(zk.ExistsRequest(step.path, watch=True), self.watching)
        else:
            self.zk.ask(zk.CreateRequest(step.path, flags=flags), self.created)

    def created(self, reply: Reply, request: Any) -> None:
        """Whatever came of it, also if nobody knows: what is there tells."""
        if reply.error is not ZooKeeperError.SESSION_EXPIRED:
            self.look()

    def watching(self, reply: Reply, request: Any) -> None:
        """Gone before it could be watched?"""
        if reply.error is ZooKeeperError.NO_NODE:
            self.look()


class Racer(Candidate):
    def look(self) -> None:
        self.zk.ask_surely(zk.ExistsRequest("/controller"), self.seen)

    def seen(self, reply: Reply, request: Any) -> None:
        owner = reply.message.stat.ephemeral_owner if reply.message else 0
        self.do(race("/controller", owner, self.zk.session_id), EPHEMERAL)


class InLine(Candidate):
    def look(self) -> None:
        self.zk.ask_surely(zk.GetChildrenRequest("/"), self.seen)

    def seen(self, reply: Reply, request: Any) -> None:
        children = reply.message.children if reply.message else ()
        step = stand_in_line("", children, f"{self.name}-{self.zk.session_id}-")
        self.do(step, EPHEMERAL_SEQUENTIAL)


def run(kind: type[Candidate], seed: int, faults: tuple[tuple[float, Fault], ...]) -> Ensemble:
    ensemble = Ensemble(3, [kind(f"c{n}", names(3)) for n in range(1, 6)], seed, faults=faults)
    ensemble.sim.run_for(1000)
    return ensemble


def leaders(ensemble: Ensemble) -> list[str]:
    """Who led, one after the other; saying so again does not count."""
    found = [name for _, name, fact in ensemble.facts if type(fact) is Leads]
    return [name for place, name in enumerate(found) if place == 0 or found[place - 1] != name]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", [Racer, InLine])
def test_candidates_elect_one_and_when_it_dies_another(kind: type[Candidate], seed: int) -> None:
    """Z1, Z2. The rest of the cluster learns of a death when the session expires."""
    ensemble = run(kind, seed, ())
    [first] = leaders(ensemble)

    ensemble.sim.inject(PowerLoss(first))
    ensemble.sim.run_for(2 * SESSION_MS)

    assert 2 == len(leaders(ensemble))
    assert first == leaders(ensemble)[0]


@pytest.mark.parametrize(("kind", "told"), [(Racer, 4), (InLine, 1)])
def test_a_race_wakes_the_whole_herd_and_a_line_wakes_one(kind: type[Candidate], told: int) -> None:
    """Z3."""
    ensemble = run(kind, 1, ())
    before = len(ensemble.of(WatchFired))

    ensemble.sim.inject(PowerLoss(leaders(ensemble)[0]))
    ensemble.sim.run_for(2 * SESSION_MS)

    deleted = [fact for fact in ensemble.of(WatchFired)[before:] if fact.event == "NODE_DELETED"]
    assert told == len(deleted)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", [Racer, InLine])
def test_a_candidate_that_does_not_know_whether_it_created_finds_out(kind: type[Candidate], seed: int) -> None:
    """Breaks while they create: nobody stands in the line twice, nobody waits for itself."""
    faults = tuple(
        (float(at), BreakConnection(f"c{n}", f"z{z}"))
        for at in (40, 60, 80, 100)
        for n in (1, 2, 3, 4, 5)
        for z in (1, 2, 3)
    )

    ensemble = run(kind, seed, faults)

    assert 1 == len(leaders(ensemble))
    znodes = [path for path in ensemble.server("z1").history.tree.znodes if path != "/"]
    assert (5 if kind is InLine else 1) == len(znodes)


def test_a_candidate_far_from_the_front_watches_the_one_before_it_only() -> None:
    line = ["d-0000000009", "a-0000000002", "c-0000000007"]

    assert Step(WATCH, "/line/c-0000000007") == stand_in_line("/line", line, "d-")
    assert Step(WATCH, "/line/a-0000000002") == stand_in_line("/line", line, "c-")
    assert Step(LEAD) == stand_in_line("/line", line, "a-")
