"""One broker's controller between a ZooKeeper without a network and brokers that obey: all of it in the test's hands.

    rig = Rig([101, 102, 103]).elect()         broker 101 becomes controller
    rig.add_topic("orders", {0: [101, 102]})   a znode, as a CreateTopics request would write it
    rig.run()                                  until nothing is left to do
    rig.told(102, LeaderAndIsrRequest)         what broker 102 was sent

The znodes are a real tree with real watches (`kafkalite.coordination`); `before` lets a test step in between a request
and its answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from kafkalite.broker.reassignments import ReassignmentApi
from kafkalite.broker.topics import TopicsApi
from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.controller.controller import Controller
from kafkalite.controller.znodes import LeaderAndIsr, LiveBroker
from kafkalite.coordination.changes import Change, OpenSession
from kafkalite.coordination.tree import Refused, Tree
from kafkalite.coordination.watches import CHILDREN, DATA, Watches
from kafkalite.errors import ErrorCode
from kafkalite.node import (
    REPLY,
    REQUEST,
    Called,
    Disconnect,
    Node,
    Note,
    PeerLost,
    Received,
    Send,
    SetTimer,
    TimerFired,
)
from kafkalite.parts import Parts
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.inter_broker import (
    LeaderAndIsrRequest,
    LeaderAndIsrResponse,
    StopReplicaRequest,
    StopReplicaResponse,
    UpdateMetadataRequest,
    UpdateMetadataResponse,
)
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.protocol.zookeeper_frames import MultiRequest, Reply
from kafkalite.reference import REFERENCE
from kafkalite.types import TopicPartition

ORDERS = ("orders", 0)
T = TypeVar("T")
RESPONSES = {
    LeaderAndIsrRequest: LeaderAndIsrResponse,
    StopReplicaRequest: StopReplicaResponse,
    UpdateMetadataRequest: UpdateMetadataResponse,
}
READS: dict[type, tuple[Callable[[Tree, Any], Any], str]] = {
    zk.ExistsRequest: (Tree.exists, DATA),
    zk.GetDataRequest: (Tree.get_data, DATA),
    zk.GetChildrenRequest: (Tree.get_children, CHILDREN),
}


class ZooKeeper:
    """The service and one session of it. Replies and events come in the order in which they came about."""

    def __init__(self) -> None:
        self.tree, self.watches = Tree(), Watches()
        self.asked: list[Any] = []
        self.outbox: deque[tuple[Any, ...]] = deque()
        self.inbox: deque[tuple[Any, Callable[..., None], tuple[Any, ...]]] = deque()
        self.before: Callable[[Any], None] | None = None
        self.session_id = self.open()

    def open(self) -> int:
        """A session more; its id."""
        self._apply(0, OpenSession(1000))
        return int(self.tree.zxid)

    def ask_surely(self, request: Any, then: Callable[..., None], *arguments: Any) -> None:
        """As the real client."""
        self.inbox.append((request, then, arguments))

    def serve(self) -> None:
        """Answer the oldest request."""
        request, then, arguments = self.inbox.popleft()
        self.asked.append(request)
        if self.before is not None:
            self.before(request)
        reply = self.answer(request)
        self.outbox.append((then, reply, request, *arguments))

    def answer(self, request: Any, session: int | None = None) -> Reply:
        """Do it at once, for whatever session."""
        session = self.session_id if session is None else session
        if type(request) not in READS:
            applied = self._apply(session, request)
            return Reply(0, self.tree.zxid, applied.error, applied.answer)
        if session not in self.tree.sessions:
            return Reply(0, self.tree.zxid, ZooKeeperError.SESSION_EXPIRED, None)
        read, kind = READS[type(request)]
        try:
            error, message = ZooKeeperError.OK, read(self.tree, request)
        except Refused as refused:
            error, message = refused.error, None
        is_there = message is not None or type(request) is zk.ExistsRequest
        if request.watch and session == self.session_id and is_there:
            self.watches.add(kind, request.path, "me")
        return Reply(0, self.tree.zxid, error, message)

    def _apply(self, session: int, request: Any) -> Any:
        applied = self.tree.apply(Change(self.tree.zxid + 1, 0, session, 0, 0, request))
        for path, event in applied.events:
            for _ in self.watches.fire(path, event):
                self.outbox.append((path, event))
        return applied


class Rig:
    """A broker with nothing but its controller and the handlers of topics; the first id is its own."""

    def __init__(self, brokers: list[int], *, parts: Parts = REFERENCE, **settings: Any) -> None:
        self.me = brokers[0]
        self.config = BrokerConfig(self.me, ("z1",), **settings)
        self.zk = ZooKeeper()
        self._operator = self.zk.open()  # a session of somebody else
        self.node = Node(f"b{self.me}")
        self.controller = Controller(self.node, self.config, self.zk, parts)
        self.topics = TopicsApi(self.node, self.config, self.zk, self.controller, parts)
        ReassignmentApi(self.node, self.controller)
        self.node.start_controller = self.controller.start  # type: ignore[attr-defined]
        self.node.expire_session = self.controller.on_session_expired  # type: ignore[attr-defined]
        self.node.deliver = self._deliver  # type: ignore[attr-defined]
        self.facts: list[Any] = []
        self.sent: list[tuple[int, Any]] = []  # to brokers, each once for every time it was sent
        self.replies: list[tuple[str, Any]] = []
        self.timers: dict[str, float] = {}
        self.silent: set[int] = set()  # brokers that do not answer
        self.silent_to: set[type] = set()  # what no broker answers
        self.errors: dict[int, ErrorCode] = {}
        self.unanswered: list[tuple[str, Any]] = []
        self.now_ms = 0.0
        for path in znodes.PERSISTENT_PATHS:
            self.do(zk.CreateRequest(path))
        for broker in brokers:
            self.register(broker)

    # The world around it --------------------------------------------------------------------------------------------

    def do(self, request: Any, session: int | None = None) -> Reply:
        """Somebody changes the tree, or reads it."""
        return self.zk.answer(request, self._operator if session is None else session)

    def register(self, broker: int, rack: str | None = None) -> None:
        """A broker comes, in a session of its own."""
        session = self.zk.open()
        data = znodes.encode_broker(LiveBroker(broker, f"b{broker}", 0, rack), 0)
        self.do(zk.CreateRequest(znodes.broker_path(broker), data, flags=zk.CreateFlags.EPHEMERAL), session)

    def kill(self, broker: int) -> None:
        """A broker's session has expired."""
        owner = self.zk.tree.znodes[znodes.broker_path(broker)].stat.ephemeral_owner
        self.do(zk.CloseSessionRequest(), owner)

    def add_topic(self, topic: str, assignment: dict[int, list[int]], **settings: str) -> None:
        """A topic's znodes appear."""
        self._write(zk.CreateRequest(znodes.topic_config_path(topic), znodes.encode_topic_config(settings)))
        self._write(zk.CreateRequest(znodes.topic_path(topic), znodes.encode_topic(assignment)))

    def change_isr(self, topic: str, partition: int, isr: tuple[int, ...]) -> None:
        """The leader changes the ISR by compare-and-set."""
        self.set_state(topic, partition, replace(self.state(topic, partition), isr=isr))

    def set_state(self, topic: str, partition: int, state: LeaderAndIsr) -> None:
        """Somebody writes the state of a partition."""
        path = znodes.partition_state_path(topic, partition)
        self._write(zk.SetDataRequest(path, znodes.encode_partition_state(state)))

    def state(self, topic: str, partition: int) -> LeaderAndIsr:
        """The state of a partition, in ZooKeeper."""
        path = znodes.partition_state_path(topic, partition)
        found = self.zk.tree.znodes[path]
        return znodes.decode_partition_state(path, found.data, found.stat)

    def exists(self, path: str) -> bool:
        """Is there such a znode?"""
        return path in self.zk.tree.znodes

    def _write(self, request: Any) -> None:
        reply = self.do(request)
        assert reply.error is ZooKeeperError.OK, (request, reply)

    # The broker -----------------------------------------------------------------------------------------------------

    def elect(self) -> Rig:
        """Let it run for controller, and win."""
        self.start().run()
        assert self.controller.is_active
        return self

    def start(self) -> Rig:
        """Let it run for controller."""
        self._handle(Called("start_controller"))
        return self

    def expire(self) -> None:
        """Its session is gone, and its ephemeral znodes with it; the next one begins."""
        self.do(zk.CloseSessionRequest(), self.zk.session_id)
        self.zk.inbox.clear()
        self.zk.outbox.clear()
        self.zk.watches = Watches()
        self.zk.session_id = self.zk.open()
        self._handle(Called("expire_session"))

    def run(self) -> Rig:
        """Until nothing is left to do."""
        for _ in range(1_000_000):
            if self.zk.outbox:
                self.deliver_one()
            elif self.zk.inbox:
                self.zk.serve()
            elif not self._answer_one():
                break
        if self.controller.context is not None:
            self.controller.context.check()
        return self

    def deliver_one(self) -> None:
        """The oldest reply or event arrives."""
        self._handle(Called("deliver", self.zk.outbox.popleft()))

    def receive(self, source: str, request: Any) -> None:
        """A request arrives, and nothing else happens yet."""
        self._handle(Received(source, request))

    def ask(self, source: str, request: Any) -> Any:
        """A client's or broker's request, and the answer to it; None: it is parked."""
        known = len(self.replies)
        self.receive(source, request)
        self.run()
        answers = [message for peer, message in self.replies[known:] if peer == source]
        return answers[0] if answers else None

    def fire(self, timer: str) -> Rig:
        """A timer is due."""
        del self.timers[timer]
        self._handle(TimerFired(timer))
        return self.run()

    def lose(self, peer: str) -> Rig:
        """A connection breaks."""
        self.unanswered = [(to, request) for to, request in self.unanswered if to != peer]
        self._handle(PeerLost(peer))
        return self.run()

    def told(self, broker: int, kind: type[T]) -> list[T]:
        """What it was sent of this kind so far."""
        return [request for to, request in self.sent if to == broker and isinstance(request, kind)]

    def partition_told(self, broker: int, topic: str, partition: int) -> list[Any]:
        """The states of one partition in the LeaderAndIsr requests that a broker was sent."""
        return [
            state
            for request in self.told(broker, LeaderAndIsrRequest)
            for states in request.topic_states
            for state in states.partition_states
            if (states.topic_name, state.partition_index) == (topic, partition)
        ]

    def facts_of(self, kind: type[T]) -> list[T]:
        """The facts of one kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def elections_of(self, partition: TopicPartition) -> list[tuple[int, int, tuple[int, ...], str]]:
        """Leader, epoch, ISR and reason of a partition's elections."""
        return [
            (fact.leader, fact.leader_epoch, fact.isr, fact.reason)
            for fact in self.facts
            if type(fact).__name__ == "LeaderElected" and (fact.topic, fact.partition) == partition
        ]

    def writes(self) -> list[Any]:
        """Everything it asked ZooKeeper to change."""
        return [request for request in self.zk.asked if type(request) not in READS]

    def multis(self) -> list[MultiRequest]:
        """Those of them that are multis."""
        return [request for request in self.zk.asked if isinstance(request, MultiRequest)]

    def forget(self) -> None:
        """What was sent, asked and announced so far is of no interest."""
        self.sent.clear()
        self.facts.clear()
        self.zk.asked.clear()

    def _deliver(self, *news: Any) -> None:
        if callable(news[0]):
            then, *arguments = news
            then(*arguments)
        else:
            self.controller.on_znode_event(*news)

    def _answer_one(self) -> bool:
        for at, (peer, request) in enumerate(self.unanswered):
            broker = int(peer.partition("#")[0][1:])
            if broker not in self.silent and type(request) not in self.silent_to:
                del self.unanswered[at]
                response = RESPONSES[type(request)](error_code=self.errors.get(broker, ErrorCode.NONE))
                self._handle(Received(peer, response))
                return True
        return False

    def _handle(self, event: Any) -> None:
        for effect in self.node.handle(event, self.now_ms):
            if isinstance(effect, Note):
                self.facts.append(effect.fact)
            elif isinstance(effect, SetTimer):
                self.timers[effect.name] = effect.after_ms
            elif isinstance(effect, Disconnect):
                self.unanswered = [(to, request) for to, request in self.unanswered if to != effect.to]
            elif isinstance(effect, Send) and effect.role == REQUEST:
                self.sent.append((int(effect.to.partition("#")[0][1:]), effect.message))
                self.unanswered.append((effect.to, effect.message))
            elif isinstance(effect, Send) and effect.role == REPLY:
                self.replies.append((effect.to, effect.message))


def three(replicas: tuple[int, ...] = (102, 103, 101), **settings: str) -> Rig:
    rig = Rig([101, 102, 103]).elect()
    rig.add_topic("orders", {0: [*replicas]}, **settings)
    rig.run().forget()
    return rig
