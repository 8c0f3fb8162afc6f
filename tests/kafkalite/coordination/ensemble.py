"""An ensemble in the simulator, with clients that write down what they saw. Small times, so that runs are short."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from kafkalite.config import ZooKeeperConfig
from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.coordination.server import ZooKeeperServer
from kafkalite.facts import ChangeCommitted, ServerElected, ServerStoppedServing
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import EventType, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.reference import REFERENCE
from kafkalite.sim import faults as f
from kafkalite.sim.faults import Cut, Fault
from kafkalite.sim.simulator import Simulator
from kafkalite.storage.memory import MemoryStorage
from kafkalite.types import NodeName

TICK_MS = 50
SESSION_MS = 400
FAILOVER_MS = 40 * TICK_MS  # found dead, elected, synchronised, and clients are back


def names(servers: int) -> tuple[NodeName, ...]:
    """z1, z2, ..."""
    return tuple(f"z{number}" for number in range(1, servers + 1))


def config(name: NodeName, servers: int, **settings: Any) -> ZooKeeperConfig:
    """One server's settings."""
    small = ZooKeeperConfig(name, names(servers), tick_ms=TICK_MS, min_session_timeout_ms=2 * TICK_MS)
    return replace(small, **settings)


@dataclass(frozen=True, slots=True)
class Answered:
    """A client's fact: what it asked, when, in which session, and what it was told."""

    asked_ms: float
    session_id: int
    request: Any
    reply: Reply


@dataclass(frozen=True, slots=True)
class Told:
    """A client's fact: an event of its session or of a znode."""

    what: str
    path: str = ""


class Client(Node):
    """Asks what it is called to ask, and announces every reply and event."""

    def __init__(self, name: NodeName, servers: tuple[NodeName, ...], session_ms: int = SESSION_MS) -> None:
        super().__init__(name)
        self.zk = ZooKeeperClient(self, servers, session_ms, self)

    def on_start(self) -> None:
        self.zk.start()

    def on_session_established(self) -> None:
        self.note(Told("established"))

    def on_session_expired(self) -> None:
        self.note(Told("expired"))

    def on_znode_event(self, path: str, event: EventType) -> None:
        self.note(Told(event.name, path))

    def ask(self, request: Any) -> None:
        self.zk.ask(request, self.answered, self.now_ms)

    def ask_surely(self, request: Any) -> None:
        self.zk.ask_surely(request, self.answered, self.now_ms)

    def close(self) -> None:
        self.zk.close()

    def answered(self, reply: Reply, request: Any, asked_ms: float) -> None:
        self.note(Answered(asked_ms, self.zk.session_id, request, reply))


def one_client_a_server(servers: int) -> list[Client]:
    """c1 knows only z1, c2 only z2, ..."""
    return [Client(f"c{name[1:]}", (name,)) for name in names(servers)]


class Ensemble:
    """Servers, clients and what all of them announced: `facts` are (now_ms, node, fact)."""

    def __init__(
        self,
        servers: int,
        clients: Iterable[Node] | int = 1,
        seed: int = 1,
        *,
        faults: Iterable[tuple[float, Fault]] = (),
        parts: Parts = REFERENCE,
        wire: Callable[[Any], Any] | None = None,
        record: bool = False,
        **settings: Any,
    ) -> None:
        self.names = names(servers)
        self._parts, self._settings = parts, settings
        made = [Client(f"c{n}", self.names) for n in range(1, clients + 1)] if isinstance(clients, int) else [*clients]
        nodes: list[Node] = [self.build(name, MemoryStorage()) for name in self.names]
        self.sim = Simulator([*nodes, *made], seed, rebuild=self.build, faults=faults, record=record, wire=wire)
        self.facts: list[tuple[float, NodeName, Any]] = []
        self.sim.observers.append(self._hear)

    def __deepcopy__(self, memo: dict[int, Any]) -> Ensemble:
        return self  # a copy of the simulator is built by the same, and listened to by nobody

    def build(self, name: NodeName, storage: MemoryStorage) -> Node:
        return ZooKeeperServer(name, config(name, len(self.names), **self._settings), self._parts, storage)

    def _hear(self, now_ms: float, node: NodeName, fact: Any) -> None:
        self.facts.append((now_ms, node, fact))

    # What happened --------------------------------------------------------------------------------------------------

    def of(self, kind: type, node: NodeName | None = None) -> list[Any]:
        """The facts of a kind, of one node or of all."""
        return [fact for _, who, fact in self.facts if type(fact) is kind and node in {None, who}]

    def replies(self, client: NodeName = "c1") -> list[Reply]:
        """What a client was told, in order."""
        return [fact.reply for fact in self.of(Answered, client)]

    def events(self, client: NodeName = "c1") -> list[tuple[str, str]]:
        """What a client was told of znodes and of its session."""
        return [(fact.what, fact.path) for fact in self.of(Told, client)]

    def digests(self) -> dict[int, set[int]]:
        """All digests that servers announced for each zxid; a set with two of them is two histories."""
        found: dict[int, set[int]] = {}
        for fact in self.of(ChangeCommitted):
            found.setdefault(fact.zxid, set()).add(fact.digest)
        return found

    @property
    def leader(self) -> NodeName:
        """Who leads now: the latest elected that has not stopped."""
        leading: dict[NodeName, int] = {}
        for _, node, fact in self.facts:
            if type(fact) is ServerElected:
                leading[node] = fact.epoch
            elif type(fact) is ServerStoppedServing:
                leading.pop(node, None)
        return max((name for name in leading if name not in self.sim.down), key=lambda name: leading[name], default="")

    @property
    def followers(self) -> list[NodeName]:
        """Everybody else."""
        leader = self.leader
        return [name for name in self.names if name != leader]

    def server(self, name: NodeName) -> Any:
        """A server, for what it does not announce."""
        return self.sim.nodes[name]

    # What is done ---------------------------------------------------------------------------------------------------

    def ask(self, request: Any, client: NodeName = "c1", *, surely: bool = False) -> Reply:
        """Ask, wait for the reply, return it."""
        count = len(self.replies(client))
        self.sim.call(client, "ask_surely" if surely else "ask", request)
        self.sim.run(until=lambda: len(self.replies(client)) > count, steps_max=100_000)
        return self.replies(client)[-1]

    def create(self, path: str, data: bytes = b"", flags: int = 0, client: NodeName = "c1") -> Reply:
        return self.ask(zk.CreateRequest(path, data, flags=flags), client)

    def elect(self) -> NodeName:
        """Run until somebody leads and every client has a session."""
        clients = [name for name in self.sim.nodes if name not in self.names]
        self.sim.run(
            until=lambda: bool(self.leader) and all(("established", "") in self.events(name) for name in clients),
            steps_max=100_000,
        )
        return self.leader

    def cut_off(self, these: Iterable[NodeName], for_ms: float) -> None:
        """Let nothing pass between these servers and the other ones, nor between them and clients."""
        inside = list(these)
        for other in self.sim.nodes:
            for name in inside if other not in inside else ():
                self.sim.inject(Cut(name, other, for_ms))
                self.sim.inject(Cut(other, name, for_ms))

    def isolate(self, these: Iterable[NodeName], for_ms: float) -> None:
        """Cut these servers off from the other ones; clients reach all of them."""
        inside = list(these)
        for other in self.names:
            for name in inside if other not in inside else ():
                self.sim.inject(Cut(name, other, for_ms))
                self.sim.inject(Cut(other, name, for_ms))


def values(ensemble: Ensemble) -> list[set[str]]:
    """The znodes of every server."""
    return [set(ensemble.server(name).history.tree.znodes) - {"/"} for name in ensemble.names]


def write_until_done(ensemble: Ensemble, path: str, client: str = "c1") -> ZooKeeperError:
    """Create it, however often the connection is lost meanwhile."""
    return ensemble.ask(zk.CreateRequest(path), client, surely=True).error


def client_of(server: str) -> str:
    """The client that knows only this server."""
    return f"c{server[1:]}"


class Worker(Node):
    """Writes, reads what it wrote, counts with others by compare-and-set, and keeps watching the count."""

    def __init__(self, name: NodeName, servers: tuple[NodeName, ...], until_ms: float) -> None:
        super().__init__(name)
        self.zk = ZooKeeperClient(self, servers, SESSION_MS, self)
        self.until_ms = until_ms
        self.written = 0  # the number of the last znode it tried to make
        self.made: list[int] = []  # those that were acknowledged
        self.perhaps: list[int] = []  # those of which it does not know
        self.counted: list[int] = []  # versions of /count from which it surely counted on
        self.count_attempts = 0
        self.seen_count = -1  # the latest it read
        self.sessions = 0
        self.complaints: list[str] = []

    def on_start(self) -> None:
        self.zk.start()
        self.zk.ask_surely(zk.CreateRequest("/count", b"0"), self.work)
        self.zk.ask_surely(zk.GetDataRequest("/count", watch=True), self.watched)

    def on_session_established(self) -> None:
        self.sessions += 1
        self.zk.ask(zk.CreateRequest(f"/alive-{self.name}-{self.sessions}", flags=1), self.ignored)
        if self.sessions > 1:
            self.zk.ask_surely(zk.GetDataRequest("/count", watch=True), self.watched)

    def on_session_expired(self) -> None:
        self.note(Told("expired"))

    def on_znode_event(self, path: str, event: EventType) -> None:
        self.zk.ask_surely(zk.GetDataRequest("/count", watch=True), self.watched)

    def watched(self, reply: Reply, request: Any) -> None:
        if reply.error is ZooKeeperError.OK:
            self.saw(reply)

    def saw(self, reply: Reply) -> None:
        if reply.message.stat.version < self.seen_count:
            self.complaints.append(f"the count went back from {self.seen_count} to {reply.message.stat.version}")
        self.seen_count = reply.message.stat.version

    def ignored(self, reply: Reply, request: Any) -> None:
        pass

    def work(self, reply: Reply, request: Any) -> None:
        self.set_timer("write", 10 + 20 * self.random.random())

    def on_write(self) -> None:
        if self.now_ms < self.until_ms:
            self.written += 1
            self.zk.ask(zk.CreateRequest(f"/{self.name}-{self.written}"), self.wrote, self.written)

    def wrote(self, reply: Reply, request: Any, number: int) -> None:
        if reply.error is ZooKeeperError.OK:
            self.made.append(number)
        elif reply.error is ZooKeeperError.CONNECTION_LOSS:
            self.perhaps.append(number)
        elif reply.error is not ZooKeeperError.SESSION_EXPIRED:
            self.complaints.append(f"{reply.error.name} for a znode that nobody else makes")
        self.zk.ask(zk.ExistsRequest(request.path), self.read_own, reply.error)

    def read_own(self, reply: Reply, request: Any, written: ZooKeeperError) -> None:
        if written is ZooKeeperError.OK and reply.error is ZooKeeperError.NO_NODE:
            self.complaints.append(f"{request.path} was made and could not be read")
        self.zk.ask(zk.GetDataRequest("/count"), self.count)

    def count(self, reply: Reply, request: Any) -> None:
        if reply.error is ZooKeeperError.OK:
            self.saw(reply)
            version = reply.message.stat.version
            self.count_attempts += 1
            self.zk.ask(zk.SetDataRequest("/count", b"%d" % (version + 1), version), self.counted_on, version)
        else:
            self.work(reply, request)

    def counted_on(self, reply: Reply, request: Any, version: int) -> None:
        if reply.error is ZooKeeperError.OK:
            self.counted.append(version)
        self.work(reply, request)


def disasters(servers: tuple[NodeName, ...], seed: int, until_ms: float, count: int) -> list[tuple[float, Fault]]:
    """Random faults from a seed; after `until_ms` everything is whole again."""
    rng = Random(f"disasters/{seed}")
    schedule: list[tuple[float, Fault]] = []
    for _ in range(count):
        at_ms = rng.uniform(50, until_ms)
        one, other = rng.sample([*servers, "c1"], 2)
        if one == "c1":
            one, other = other, one
        for_ms = min(rng.choice((30, 150, 600)) * rng.random() * 2, until_ms - at_ms)
        kind = rng.choice(("kill", "power", "cut", "one way", "freeze", "break", "slow disk", "full disk", "clock"))
        if kind in {"kill", "power"}:
            schedule.append((at_ms, f.Kill(one) if kind == "kill" else f.PowerLoss(one)))
            schedule.append((at_ms + for_ms, f.Restart(one)))
        elif kind in {"cut", "one way"}:
            schedule.append((at_ms, f.Cut(one, other, for_ms)))
            if kind == "cut":
                schedule.append((at_ms, f.Cut(other, one, for_ms)))
        elif kind == "freeze":
            schedule.append((at_ms, f.Freeze(one, for_ms)))
        elif kind == "break":
            schedule.append((at_ms, f.BreakConnection(one, other)))
        elif kind == "slow disk":
            schedule += [(at_ms, f.SlowDisk(one, 40)), (at_ms + for_ms, f.SlowDisk(one, 1))]
        elif kind == "full disk":
            schedule.append((at_ms, f.FillDisk(one, rng.randrange(300), for_ms)))
        else:
            schedule.append((at_ms, f.SkewClock(one, rng.uniform(-1e6, 1e6))))
    return schedule + [(until_ms, f.Restart(name)) for name in servers]
