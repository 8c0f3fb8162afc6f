"""The controller's office: every broker runs for it, one holds it, and ZooKeeper says who.

    look at /controller, and watch it       somebody holds it: wait until it is gone
    it is not there: one multi              create /controller, ephemeral, and count /controller_epoch up, if that has
                                            still the version that was read
    it worked                               this broker is controller, with that epoch; a `Term` begins
    it did not                              another was quicker: look again

Both in one multi, because an epoch that was counted up before the office was won would fence the one who wins it, and
one counted up afterwards would leave a controller that fences nobody. The epoch goes into every request to brokers and
its znode's version into every write: whoever lost the office without noticing is refused by both.

All brokers watch the same znode, and so all wake up when it goes: a herd, harmless with a hundred brokers.

Source: kafka.controller.KafkaController.elect, KafkaZkClient.registerControllerAndIncrementControllerEpoch.
"""

from __future__ import annotations

from typing import Any, Protocol

from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.controller.channels import Channels
from kafkalite.controller.context import Context, Office
from kafkalite.controller.events import Events, ZooKeeper, error_of
from kafkalite.controller.term import Term
from kafkalite.errors import ErrorCode
from kafkalite.facts import ControllerElected, ControllerResigned
from kafkalite.node import Component, Node
from kafkalite.parts import Parts
from kafkalite.protocol.inter_broker import ControlledShutdownRequest, ControlledShutdownResponse
from kafkalite.protocol.zookeeper import (
    CreateFlags,
    CreateRequest,
    EventType,
    ExistsRequest,
    GetDataRequest,
    SetDataRequest,
    ZooKeeperError,
)
from kafkalite.protocol.zookeeper_frames import MultiRequest, Reply
from kafkalite.types import NodeName, TopicPartition

FIRST_REBALANCE_MS = 5000  # after an election, so that brokers which come back together have settled

LISTS = {
    znodes.BROKER_IDS: "look_for_brokers",
    znodes.TOPICS: "look_for_topics",
    znodes.DELETE_TOPICS: "look_for_deletions",
    znodes.ISR_CHANGES: "look_for_isr_changes",
}


class Waiting(Protocol):
    """Somebody who waits for what the controller does: the handlers of CreateTopics and its like."""

    def on_controller_changed(self) -> None: ...


class Controller(Component):
    """A broker's candidacy, and its office while it holds it.

    The broker calls `start()` once its znode is there, `on_session_expired()` when its session is gone, and
    `on_znode_event()` for every event of a watch.
    """

    def __init__(self, node: Node, config: BrokerConfig, zk: ZooKeeper, parts: Parts) -> None:
        super().__init__(node, "controller")
        self._config, self._zk, self._parts = config, zk, parts
        self._events = Events(zk)
        self._channels = Channels(node, config, self._on_answer)
        self._term: Term | None = None
        self.waiting: list[Waiting] = []

    @property
    def is_active(self) -> bool:
        """Is this broker controller, as far as it knows?"""
        return self._term is not None

    @property
    def context(self) -> Context | None:
        """What the controller knows of the cluster; None: this broker is not controller."""
        return None if self._term is None else self._term.context

    def is_known(self, partition: TopicPartition) -> bool:
        """Does it have a leader, and has this broker been told?"""
        return self._term is not None and partition in self._term.known

    def is_deletion_waiting(self, topic: str) -> bool:
        """Is the topic's deletion held up by a dead broker?"""
        return self._term is not None and self._term.deletion.is_waiting(topic)

    # The race -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run for the office: the session is new, and the broker is registered."""
        self._events.put(self._look)

    def _look(self, wanted_epoch: int = -1) -> None:
        """Who holds it? With an epoch: did our attempt to win that one succeed, although its answer was lost?"""
        requests = [ExistsRequest(znodes.CONTROLLER, watch=True), GetDataRequest(znodes.CONTROLLER_EPOCH)]
        self._events.ask_all(requests, self._looked, wanted_epoch)

    def _looked(self, replies: list[Reply], wanted_epoch: int) -> None:
        office, epoch = replies
        is_held = office.error is ZooKeeperError.OK
        is_ours = is_held and office.message.stat.ephemeral_owner == self._zk.session_id
        if self._term is not None:
            if not is_ours:
                self.resign()
        elif epoch.error is ZooKeeperError.NO_NODE:  # the first broker of a new cluster
            first = CreateRequest(znodes.CONTROLLER_EPOCH, znodes.encode_controller_epoch(0))
            self._events.ask_all([first], self._epoch_is_there)
        elif is_held:
            found = Office(znodes.decode_controller_epoch(epoch.message.data), epoch.message.stat.version)
            if is_ours and found.epoch == wanted_epoch:
                self._begin(found)
        else:
            found = Office(znodes.decode_controller_epoch(epoch.message.data), epoch.message.stat.version)
            self._run_for(found)

    def _epoch_is_there(self, replies: list[Reply]) -> None:
        self._look()

    def _run_for(self, before: Office) -> None:
        epoch = before.epoch + 1
        data = znodes.encode_controller(self._config.broker_id, self.node.wall_ms)
        both = MultiRequest(
            (
                CreateRequest(znodes.CONTROLLER, data, flags=CreateFlags.EPHEMERAL),
                SetDataRequest(znodes.CONTROLLER_EPOCH, znodes.encode_controller_epoch(epoch), before.epoch_version),
            )
        )
        self._events.ask_all([both], self._ran, epoch)

    def _ran(self, replies: list[Reply], epoch: int) -> None:
        if error_of(replies[0]) is ZooKeeperError.OK:
            self._begin(Office(epoch, replies[0].message.results[1].stat.version))
        else:
            self._look(epoch)

    # The office -----------------------------------------------------------------------------------------------------

    def _begin(self, office: Office) -> None:
        self.node.note(ControllerElected(self._config.broker_id, office.epoch))
        self._term = Term(self.node, self._config, self._parts, office, self._events, self._channels, self)
        self._term.begin()
        if self._config.auto_leader_rebalance_enable:
            self.set_timer("rebalance", FIRST_REBALANCE_MS)

    def resign(self) -> None:
        """The office is lost: say nothing more, forget everything, and run again."""
        self._leave()
        self._events.put(self._look)

    def on_session_expired(self) -> None:
        """With the session go /controller, if it was ours, and all watches. `start()` comes with the next session."""
        self._leave()

    def _leave(self) -> None:
        self._events.clear()
        term, self._term = self._term, None
        if term is None:
            return
        self._channels.close_all()
        self.cancel_timer("rebalance")
        self.node.note(ControllerResigned(self._config.broker_id, term.context.office.epoch))
        for source in term.moves.waiting:
            self.node.reply(source, ControlledShutdownResponse(ErrorCode.NOT_CONTROLLER))
        self.tell_those_who_wait()

    def tell_those_who_wait(self) -> None:
        """The controller did something, or is none any more: who waits for it looks again."""
        for one in self.waiting:
            one.on_controller_changed()

    # What happens ---------------------------------------------------------------------------------------------------

    def on_znode_event(self, path: str, event: EventType) -> None:
        """A watch fired; the broker tells all of them, also those that are not the controller's."""
        if path == znodes.CONTROLLER:
            self._events.put_first((self._look,))
        elif self._term is None:
            return
        elif path in LISTS:
            self._events.put(getattr(self._term, LISTS[path]))
        elif znodes.is_partition_state(path) and event is EventType.NODE_DATA_CHANGED:
            self._events.put(self._term.reassignments.look_at, znodes.partition_of(path))
        elif path.startswith(znodes.TOPICS) and event is EventType.NODE_DATA_CHANGED:
            self._events.put(self._term.look_at_topic, path.removeprefix(znodes.TOPICS + "/"))

    def ask(self, what: str, *arguments: Any) -> None:
        """Have the controller `alter` where partitions are, or `elect` leaders, when it is its turn; if it is none, no.

        Whoever asks is told of the outcome by the function it gives, or else by `on_controller_changed`.
        """
        if self._term is not None:
            owner = self._term.reassignments if what == "alter" else self._term.moves
            self._events.put(getattr(owner, what), *arguments)

    def on_rebalance(self) -> None:
        """It is time to look whether leaders are where they were placed."""
        if self._term is not None:
            self._events.put(self._term.moves.rebalance)
            self.set_timer("rebalance", self._config.leader_imbalance_check_interval_ms)

    def on_controlled_shutdown_request(self, source: NodeName, request: ControlledShutdownRequest) -> None:
        """ControlledShutdown · key 7 · v0-3: answered when others lead, as far as there are any."""
        if self._term is None:
            self.node.reply(source, ControlledShutdownResponse(ErrorCode.NOT_CONTROLLER))
            return
        self._term.moves.ask(source, request)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        if self._term is not None and peer in self._term.moves.waiting:
            self._term.moves.waiting.remove(peer)

    def _on_answer(self, broker: int, response: Any, request: Any) -> None:
        if self._term is not None:
            self._term.on_answer(broker, response, request)
