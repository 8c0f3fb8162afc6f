"""The partition state machine at work: read the states, decide, write them back by compare-and-set, tell the brokers.

    read      every state znode afresh: since the controller saw it last, its leader may have changed the ISR
    decide    by the rules in `elections`; a topic's own settings say whether unclean leaders are allowed
    write     multi(check /controller_epoch, set state if it still has that version), all at once
    tell      LeaderAndIsr to the replicas, UpdateMetadata to everybody

A write that finds another version means that the leader was quicker: read again, decide again. A write whose fence
fails means that somebody else is controller: resign. An answer that was lost is asked for again, and then finds the
version changed by itself; reading and deciding again is right in this case, too.

Source: kafka.controller.ZkPartitionStateMachine, ZkReplicaStateMachine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.controller.context import Context
from kafkalite.controller.elections import first_state, is_unclean, preferred_state, state_among, state_without
from kafkalite.controller.events import Events, error_of, fenced, is_deposed
from kafkalite.controller.replica_assignment import state_among_all, state_arrived
from kafkalite.controller.requests import RequestBatch
from kafkalite.controller.states import PartitionState
from kafkalite.controller.znodes import LeaderAndIsr
from kafkalite.facts import LeaderElected
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.protocol.zookeeper import CreateRequest, GetDataRequest, SetDataRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.types import TopicPartition

UNCLEAN = "unclean.leader.election.enable"


class Reason(Enum):
    """Why a partition's state is looked at again; the names under which facts tell it."""

    NEW = "new"
    OFFLINE = "offline"  # who is alive has changed
    PREFERRED = "preferred"
    SHUTDOWN = "shutdown"
    MOVING = "moving"  # to other brokers: all of them are to be told of each other
    MOVED = "moved"  # perhaps those that are to stay are all in sync by now
    UNCLEAN = "unclean"  # an administrator says that anybody may lead


@dataclass(frozen=True, slots=True)
class _Change:
    """One partition's state as it was read, and as it shall be."""

    partition: TopicPartition
    was: LeaderAndIsr | None  # None: there is no state yet
    now: LeaderAndIsr


class PartitionStateMachine:
    """Steps of the controller's events that change who leads; `send(batch)` tells the brokers when they are done."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        parts: Parts,
        events: Events,
        context: Context,
        send: Callable[[RequestBatch], None],
        resign: Callable[[], None],
    ) -> None:
        self._node, self._config, self._parts = node, config, parts
        self._events, self._context = events, context
        self._send, self._resign = send, resign
        self.batch = RequestBatch(context, config.broker_id)  # what is to be said at the end of the event
        self._unsure: dict[TopicPartition, _Change] = {}  # writes that found another version: perhaps their own

    def tell(self) -> None:
        """Say what the event at hand came to: at most one request of each kind to each broker."""
        batch, self.batch = self.batch, RequestBatch(self._context, self._config.broker_id)
        self._send(batch)

    def bring_online(self, partitions: Iterable[TopicPartition]) -> None:
        """See that these have a live leader and no dead one in the ISR, as far as that is possible."""
        wanted = list(partitions)
        states = self._context.states
        new = [one for one in wanted if states.get(one) is PartitionState.NEW]
        others = [one for one in wanted if states.get(one) in {PartitionState.ONLINE, PartitionState.OFFLINE}]
        self._events.put_first((self._create, new, True), (self._read, others, Reason.OFFLINE), (self.tell,))

    def prefer(self, partitions: list[TopicPartition]) -> None:
        """Give these back to their preferred leaders."""
        self._events.put_first((self._read, partitions, Reason.PREFERRED), (self.tell,))

    def hand_over(self, partitions: list[TopicPartition]) -> None:
        """Have others lead, and be in sync, in place of the brokers that are shutting down."""
        self._events.put_first((self._read, partitions, Reason.SHUTDOWN), (self.tell,))

    def start_moving(self, partitions: list[TopicPartition]) -> None:
        """Have the brokers of these, old and new, told of each other in a new epoch."""
        self._events.put_first((self._read, partitions, Reason.MOVING))

    def end_moving(self, partitions: list[TopicPartition]) -> None:
        """Have those lead and follow alone that are to stay, where all of them are in sync."""
        self._events.put_first((self._read, partitions, Reason.MOVED))

    def let_anybody_lead(self, partitions: list[TopicPartition]) -> None:
        """Have any broker that is alive lead where none in sync is."""
        self._events.put_first((self._read, partitions, Reason.UNCLEAN), (self.tell,))

    # New partitions -------------------------------------------------------------------------------------------------

    def _create(self, partitions: list[TopicPartition], with_parents: bool) -> None:
        """Write the first state of each. One without a live replica stays new, until a broker comes."""
        context = self._context
        changes = []
        for partition in partitions:
            state = first_state(context.brokers_of(partition), context.live, context.office.epoch)
            if state is not None:
                changes.append(_Change(partition, None, state))
        topics = sorted({change.partition[0] for change in changes}) if with_parents else []
        requests = [fenced(context.office, CreateRequest(znodes.partitions_path(topic))) for topic in topics]
        for change in changes:
            state_znode = CreateRequest(
                znodes.partition_state_path(*change.partition), znodes.encode_partition_state(change.now)
            )
            parent = [CreateRequest(znodes.partition_path(*change.partition))] if with_parents else []
            requests.append(fenced(context.office, *parent, state_znode))
        self._events.ask_all(requests, self._written, changes, Reason.NEW)

    # Partitions that have a state -----------------------------------------------------------------------------------

    def _read(self, partitions: list[TopicPartition], reason: Reason) -> None:
        requests = [GetDataRequest(znodes.partition_state_path(*partition)) for partition in partitions]
        self._events.ask_all(requests, self._was_read, partitions, reason)

    def _was_read(self, replies: list[Reply], partitions: list[TopicPartition], reason: Reason) -> None:
        context = self._context
        found: dict[TopicPartition, LeaderAndIsr] = {}
        for partition, request_path, reply in zip(partitions, map(_path_of, partitions), replies, strict=True):
            if reply.error is ZooKeeperError.OK and context.brokers_of(partition):
                state = znodes.decode_partition_state(request_path, reply.message.data, reply.message.stat)
                if state.controller_epoch > context.office.epoch:
                    self._resign()
                    return
                found[partition] = state
        lost = [one for one in partitions if one not in found and context.states.get(one) is PartitionState.NEW]
        if lost:  # the parent was made before, and nothing in it
            self._events.put_first((self._create, lost, False))
        topics = sorted({one[0] for one in found if self._has_nobody_in_sync(one, found[one])})
        requests = [GetDataRequest(znodes.topic_config_path(topic)) for topic in topics]
        self._events.ask_all(requests, self._decide, topics, found, reason)

    def _has_nobody_in_sync(self, partition: TopicPartition, state: LeaderAndIsr) -> bool:
        live = self._context.live
        return live.isdisjoint(state.isr) and not live.isdisjoint(self._context.brokers_of(partition))

    def _decide(
        self, replies: list[Reply], topics: list[str], found: dict[TopicPartition, LeaderAndIsr], reason: Reason
    ) -> None:
        unclean = frozenset(
            topic for topic, reply in zip(topics, replies, strict=True) if self._may_be_unclean(topic, reply)
        )
        changes = []
        for partition, was in found.items():
            now = self._decision(partition, was, reason, unclean=partition[0] in unclean)
            if now is was:
                self._catch_up(partition, was, reason)
            else:
                changes.append(_Change(partition, was, replace(now, controller_epoch=self._context.office.epoch)))
        requests = [
            fenced(
                self._context.office,
                SetDataRequest(_path_of(one.partition), znodes.encode_partition_state(one.now), one.now.zk_version),
            )
            for one in changes
        ]
        self._events.ask_all(requests, self._written, changes, reason)

    def _catch_up(self, partition: TopicPartition, found: LeaderAndIsr, reason: Reason) -> None:
        """Nothing is to change. But if what we know is older, somebody has to be told."""
        known = self._context.leadership.get(partition)
        if known is None or known.leader_epoch < found.leader_epoch:  # we wrote it, and the answer was lost
            unsure = self._unsure.pop(partition, None)
            is_ours = unsure is not None and replace(unsure.now, zk_version=found.zk_version) == found
            # Whether it was clean is asked of what stood there before, which may be newer than what was known.
            self._take(_Change(partition, unsure.was if unsure is not None and is_ours else known, found), reason)
        elif known != found:  # the leader changed the ISR
            self._context.learn(partition, found)
            self.batch.update_metadata([partition])

    def _may_be_unclean(self, topic: str, reply: Reply) -> bool:
        texts = znodes.decode_topic_config(topic, reply.message.data) if reply.error is ZooKeeperError.OK else {}
        default = str(self._config.unclean_leader_election_enable)
        return texts.get(UNCLEAN, default).lower() == "true"

    def _decision(self, partition: TopicPartition, was: LeaderAndIsr, reason: Reason, *, unclean: bool) -> LeaderAndIsr:
        brokers, context = self._context.brokers_of(partition), self._context
        if reason is Reason.PREFERRED:
            return preferred_state(brokers, was, context.live)
        if reason is Reason.SHUTDOWN:
            stopping = frozenset(context.shutting_down)
            return state_without(brokers, was, context.live, stopping)
        if reason is Reason.MOVING:
            return state_among_all(context.assignment_of(partition), was, context.live)
        if reason is Reason.MOVED:
            return state_arrived(context.assignment_of(partition), was, context.live)
        # A broker that is about to stop still leads what nobody else can take over.
        alive = context.live | ({was.leader} & context.brokers.keys())
        return state_among(brokers, was, alive, unclean or reason is Reason.UNCLEAN, self._parts.elect_leader)

    # Both -----------------------------------------------------------------------------------------------------------

    def _written(self, replies: list[Reply], changes: list[_Change], reason: Reason) -> None:
        """Take in what was written; what was not, because the state had changed, is looked at again."""
        if any(is_deposed(reply) for reply in replies):
            self._resign()
            return
        again = []
        for change, reply in zip(changes, replies[len(replies) - len(changes) :], strict=True):
            error = error_of(reply)
            if error is ZooKeeperError.OK:
                version = 0 if change.was is None else reply.message.results[-1].stat.version
                now = replace(change.now, zk_version=version)
                self._take(_Change(change.partition, change.was, now), reason)
            elif error in {ZooKeeperError.BAD_VERSION, ZooKeeperError.NODE_EXISTS}:
                again.append(change.partition)
                self._unsure[change.partition] = change
        if again:
            self._events.put_first((self._read, again, Reason.OFFLINE if reason is Reason.NEW else reason))

    def _take(self, change: _Change, reason: Reason) -> None:
        partition, was, now = change.partition, change.was, change.now
        brokers = self._context.brokers_of(partition)
        if not brokers:
            return  # the topic went meanwhile
        self._context.learn(partition, now)
        self._node.note(
            LeaderElected(
                *(*partition, now.leader, now.leader_epoch, now.isr),
                is_unclean=was is not None and is_unclean(was, now),
                reason=Reason.NEW.value if was is None else "isr" if was.leader == now.leader else reason.value,
            )
        )
        stopping = self._context.shutting_down if reason is Reason.SHUTDOWN else set()
        for broker in brokers:
            if broker not in stopping or (was is not None and was.leader == broker):
                self.batch.lead_or_follow([broker], [partition], is_new=was is None)
            if broker in stopping and broker != now.leader:
                self.batch.stop(broker, partition, delete=False)


def _path_of(partition: TopicPartition) -> str:
    return znodes.partition_state_path(*partition)
