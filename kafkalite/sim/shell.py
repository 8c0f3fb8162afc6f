"""A program that talks to the coordination service itself, as `zkCli.sh` does: to see what brokers see of it.

    shell = cluster.shell("s1", servers=("z2",))
    shell.create("/greeting", b"hello")
    shell.get("/greeting")

Left out: access control, multi. Kafka's clients have nothing like this: they never talk to ZooKeeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.facts import RequestAnswered
from kafkalite.node import Node
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.sim.facades import RequestFailed
from kafkalite.types import NodeName

if TYPE_CHECKING:
    from kafkalite.sim.cluster import Cluster

SESSION_TIMEOUT_MS = 18_000
EPHEMERAL, PERSISTENT = zk.CreateFlags.EPHEMERAL, zk.CreateFlags.PERSISTENT


@dataclass(frozen=True, slots=True)
class ZnodeChanged:
    """A watch that the shell has set fired, and is gone."""

    path: str
    event: str


class Shell(Node):
    """One session. Its answers are facts: `RequestAnswered`, with data and names of children as text."""

    def __init__(self, name: NodeName, servers: Sequence[NodeName]) -> None:
        super().__init__(name)
        self.zk = ZooKeeperClient(self, servers, SESSION_TIMEOUT_MS, self)

    def on_start(self) -> None:
        self.zk.start()

    def on_session_established(self) -> None:
        """There is a session."""

    def on_session_expired(self) -> None:
        """The session is gone, and its ephemeral znodes with it."""

    def on_znode_event(self, path: str, event: zk.EventType) -> None:
        """A watch fired."""
        self.note(ZnodeChanged(path, event.name))

    def ask(self, number: int, request: Any) -> None:
        """Ask the service; the answer will be a fact with that number."""
        self.zk.ask(request, self._answered, number)

    def _answered(self, reply: Reply, request: Any, number: int) -> None:
        api = f"{type(request).__name__.removesuffix('Request')} {request.path}"
        is_ok = reply.error == zk.ZooKeeperError.OK
        self.note(RequestAnswered(number, api, "NONE" if is_ok else reply.error.name, _text(reply.message)))


def _text(answer: Any) -> str:
    match answer:
        case zk.GetDataResponse(data=data):
            return (data or b"").decode()
        case zk.GetChildrenResponse(children=children):
            return " ".join(sorted(children or ()))
        case zk.CreateResponse(path=path):
            return path or ""
    return ""


class ShellFacade:
    """A shell to type into: every method waits for the answer, and raises RequestFailed if that is an error."""

    def __init__(self, cluster: Cluster, name: NodeName) -> None:
        self.cluster, self.name = cluster, name

    def ask(self, request: Any, timeout_ms: float = 120_000) -> str:
        """Send a request of ZooKeeper's protocol."""
        number = self.cluster.next_number(self.name)
        self.cluster.call(self.name, "ask", number, request)
        answers = self.cluster.view.answers
        self.cluster.run_until(lambda: (self.name, number) in answers, "an answer of ZooKeeper", timeout_ms)
        answer = answers[self.name, number]
        if answer.error != "NONE":
            raise RequestFailed(answer.error, is_definite=answer.error != "CONNECTION_LOSS")
        return answer.answer

    def create(self, path: str, data: bytes = b"", flags: zk.CreateFlags = PERSISTENT) -> str:
        """Make a znode; return its path."""
        return self.ask(zk.CreateRequest(path, data, flags=flags))

    def set(self, path: str, data: bytes) -> None:
        """Change what a znode holds."""
        self.ask(zk.SetDataRequest(path, data))

    def get(self, path: str, *, watch: bool = False) -> str:
        """What the server this session is at believes that the znode holds."""
        return self.ask(zk.GetDataRequest(path, watch))

    def children(self, path: str, *, watch: bool = False) -> list[str]:
        """The names of a znode's children, sorted."""
        return self.ask(zk.GetChildrenRequest(path, watch)).split()

    def sync(self, path: str) -> None:
        """Wait until this session's server has everything that the leader had when it was asked."""
        self.ask(zk.SyncRequest(path))
