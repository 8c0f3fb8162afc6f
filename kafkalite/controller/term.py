"""One term in office: what a controller does from its election to its end. It is made anew, so nothing is stale.

It begins by reading everything, and sets its watches in the same requests. Reading first and watching later would lose
what changes between the two: a broker that dies there would be alive in this controller's view for ever.

    brokers, topics, deletions     lists, with watches
    brokers' and topics' znodes    with watches on the topics', for partitions that are added
    the partitions' states         so that it can tell every broker everything, and then elect where leaders are missing

After that, each watch brings an event, and the event reads again what is watched: a watch fires once, and says that
something is new but not what.

Source: kafka.controller.KafkaController.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.controller.channels import Channels
from kafkalite.controller.context import Context, Office
from kafkalite.controller.deletion import TopicDeletion
from kafkalite.controller.events import Events, fenced, is_deposed
from kafkalite.controller.moving import LeaderMoves
from kafkalite.controller.partitions import PartitionStateMachine
from kafkalite.controller.reassignment import Reassignments, assignments_in
from kafkalite.controller.requests import RequestBatch
from kafkalite.controller.znodes import LiveBroker
from kafkalite.errors import ErrorCode
from kafkalite.facts import BrokersChanged
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.protocol.inter_broker import StopReplicaRequest, UpdateMetadataRequest
from kafkalite.protocol.zookeeper import DeleteRequest, GetChildrenRequest, GetDataRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.types import TopicPartition


class Owner(Protocol):
    """Whose term it is."""

    def resign(self) -> None:
        """The office is lost."""

    def tell_those_who_wait(self) -> None:
        """Something became true that somebody may wait for."""


class Term:
    """The controller's work. Its public methods are steps of the controller's events."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        parts: Parts,
        office: Office,
        events: Events,
        channels: Channels,
        owner: Owner,
    ) -> None:
        self._node, self._config, self._events, self._channels, self._owner = node, config, events, channels, owner
        self.context = context = Context(office)
        self.partitions = PartitionStateMachine(node, config, parts, events, context, self._send, owner.resign)
        self.moves = LeaderMoves(node, config, events, context, self.partitions)
        self.reassignments = Reassignments(node, events, context, self.partitions, owner.resign)
        self.deletion = TopicDeletion(node, config.broker_id, events, context, self._send, owner.resign)
        self.known: set[TopicPartition] = set()  # with a leader, and our own broker knows it: clients can be told

    # The beginning --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Read who and what is there, and watch it."""
        lists = (znodes.BROKER_IDS, znodes.TOPICS, znodes.DELETE_TOPICS)
        self._events.ask_all([GetChildrenRequest(path, watch=True) for path in lists], self._listed)

    def _listed(self, replies: list[Reply]) -> None:
        brokers, topics, deletions = map(_children, replies)
        requests = [GetDataRequest(znodes.broker_path(int(broker))) for broker in brokers]
        requests += [GetDataRequest(znodes.topic_path(topic), watch=True) for topic in topics]
        self._events.ask_all(requests, self._was_read, [int(broker) for broker in brokers], topics, deletions)

    def _was_read(self, replies: list[Reply], brokers: list[int], topics: list[str], deletions: list[str]) -> None:
        """Who is gone since it was listed, is gone: its watch has fired."""
        context = self._context_of(brokers, replies)
        for topic, reply in zip(topics, replies[len(brokers) :], strict=True):
            self._add(topic, reply)
        context.deleting.update(dict.fromkeys(deletions))
        partitions = [partition for partition, _ in context.partitions()]
        requests = [GetDataRequest(znodes.partition_state_path(*partition)) for partition in partitions]
        self._events.ask_all(requests, self._states_were_read, partitions, deletions)

    def _context_of(self, brokers: list[int], replies: list[Reply]) -> Context:
        self.context.brokers = _brokers(brokers, replies)
        live = tuple(sorted(self.context.brokers))
        self._node.note(BrokersChanged(live, live, ()))
        return self.context

    def _states_were_read(self, replies: list[Reply], partitions: list[TopicPartition], deletions: list[str]) -> None:
        """Tell every broker everything; then elect, where the leader died while there was no controller."""
        context = self.context
        for partition, reply in zip(partitions, replies, strict=True):
            if reply.error is ZooKeeperError.OK:
                path = znodes.partition_state_path(*partition)
                state = znodes.decode_partition_state(path, reply.message.data, reply.message.stat)
                if state.controller_epoch > context.office.epoch:
                    self._owner.resign()
                    return
                context.learn(partition, state)
        bounced = self._take_out_bounced()
        for broker in sorted(context.brokers.values(), key=_id_of):
            self._channels.open(broker)
        self._introduce(context.brokers)
        came = [(self._brokers_came, bounced)] if bounced else []
        self._events.put_first(
            (self._bring_online,),
            *came,
            (self.deletion.begin, deletions),
            (self.reassignments.resume,),
            (self.look_for_isr_changes,),
        )

    def _take_out_bounced(self) -> list[LiveBroker]:
        """Brokers that died and came back with no controller to see it: for us, too, first the one, then the other.

        Such a one registered after a state was written that has it in the ISR. Its log may be shorter than it was then;
        to lead on in the same epoch, it would write other records at the offsets that its followers have already.
        Kafka of this time has this gap; KIP-966 closes it.
        """
        brokers = self.context.brokers
        seen = {(one, state.zxid) for state in self.context.leadership.values() for one in (state.leader, *state.isr)}
        bounced = sorted({one for one, zxid in seen if one in brokers and brokers[one].epoch > zxid})
        return [brokers.pop(broker) for broker in bounced]

    def _bring_online(self) -> None:
        """Look at every partition that does not have a live leader and a live ISR."""
        context = self.context
        wanted = dict.fromkeys(context.without_leader())
        for partition, state in context.leadership.items():
            if partition[0] not in context.deleting and not context.live.issuperset({*state.isr, state.leader}):
                wanted[partition] = None
        self.partitions.bring_online(wanted)

    # Brokers come and go --------------------------------------------------------------------------------------------

    def look_for_brokers(self) -> None:
        """The list of live brokers changed."""
        self._events.ask_all([GetChildrenRequest(znodes.BROKER_IDS, watch=True)], self._brokers_listed)

    def _brokers_listed(self, replies: list[Reply]) -> None:
        brokers = [int(broker) for broker in _children(replies[0])]
        requests = [GetDataRequest(znodes.broker_path(broker)) for broker in brokers]
        self._events.ask_all(requests, self._brokers_were_read, brokers)

    def _brokers_were_read(self, replies: list[Reply], brokers: list[int]) -> None:
        """A broker with another epoch has died and come back: first the one, then the other."""
        found, known = _brokers(brokers, replies), self.context.brokers
        died = sorted(broker for broker, as_known in known.items() if found.get(broker) != as_known)
        came = [found[broker] for broker in sorted(found) if known.get(broker) != found[broker]]
        if not died and not came:
            return
        self._node.note(BrokersChanged(tuple(sorted(found)), tuple(broker.id for broker in came), tuple(died)))
        steps: list[tuple[Any, ...]] = []
        if died:
            steps.append((self._brokers_died, died))
        if came:
            steps.append((self._brokers_came, came))
        self._events.put_first(*steps)

    def _brokers_died(self, died: list[int]) -> None:
        """Elect in their place, take them out of every ISR, and tell the others."""
        for broker in died:
            del self.context.brokers[broker]
            self.context.shutting_down.discard(broker)
            self._channels.close(broker)
        self.deletion.brokers_died(died)
        held = self.context.partitions_on(died)
        self.partitions.batch.update_metadata(held)
        self.partitions.bring_online(held)

    def _brokers_came(self, came: list[LiveBroker]) -> None:
        """Tell them everything, and see whether somebody can lead now what nobody led."""
        for broker in came:
            self.context.brokers[broker.id] = broker
            self._channels.open(broker)
        ids = [broker.id for broker in came]
        self._introduce(ids)
        self._events.put_first(
            (self.partitions.bring_online, self.context.without_leader()), (self.deletion.brokers_came, ids)
        )

    def _introduce(self, brokers: Iterable[int]) -> None:
        """Newcomers learn their roles and the whole cluster; all others learn of the newcomers.

        So the first UpdateMetadata that a broker gets in a term, or in a life of its own, is whole: what it believed of
        topics that are not in it, it may forget. To a new controller, all brokers are newcomers.
        """
        newcomers, batch = frozenset(brokers), self.partitions.batch
        batch.update_metadata((), newcomers)
        for partition in self.context.partitions_on(newcomers):
            told = [broker for broker in self.context.brokers_of(partition) if broker in newcomers]
            batch.lead_or_follow(told, [partition])

    # Topics come, grow and go ---------------------------------------------------------------------------------------

    def look_for_topics(self) -> None:
        """The list of topics changed."""
        self._events.ask_all([GetChildrenRequest(znodes.TOPICS, watch=True)], self._topics_listed)

    def _topics_listed(self, replies: list[Reply]) -> None:
        listed = _children(replies[0])
        for gone in sorted(self.context.topics.keys() - set(listed)):
            self.context.forget_topic(gone)
        self._read_topics([topic for topic in listed if topic not in self.context.topics])

    def look_at_topic(self, topic: str) -> None:
        """A topic's znode changed: it has more partitions."""
        if topic in self.context.topics:
            self._read_topics([topic])

    def _read_topics(self, topics: list[str]) -> None:
        requests = [GetDataRequest(znodes.topic_path(topic), watch=True) for topic in topics]
        self._events.ask_all(requests, self._topics_were_read, topics)

    def _topics_were_read(self, replies: list[Reply], topics: list[str]) -> None:
        new = [one for topic, reply in zip(topics, replies, strict=True) for one in self._add(topic, reply)]
        self.partitions.bring_online(one for one in new if one[0] not in self.context.deleting)

    def _add(self, topic: str, reply: Reply) -> list[TopicPartition]:
        """Take in what the topic's znode says; return the partitions that were not known."""
        if reply.error is not ZooKeeperError.OK:
            return []
        known = self.context.topics.get(topic, {})
        found = assignments_in(topic, reply.message.data)
        new = {(topic, index): one for index, one in found.items() if index not in known}
        for partition, one in new.items():
            self.context.add(partition, list(one.replicas))
            self.context.place(partition, one)
        return list(new)

    def look_for_deletions(self) -> None:
        """There are other topics to delete."""
        self._events.ask_all([GetChildrenRequest(znodes.DELETE_TOPICS, watch=True)], self._deletions_listed)

    def _deletions_listed(self, replies: list[Reply]) -> None:
        self.deletion.begin([topic for topic in _children(replies[0]) if topic not in self.context.deleting])
        self._owner.tell_those_who_wait()

    # The ISR changes ------------------------------------------------------------------------------------------------

    def look_for_isr_changes(self) -> None:
        """Leaders have changed ISRs: clients are to be told."""
        self._events.ask_all([GetChildrenRequest(znodes.ISR_CHANGES, watch=True)], self._isr_changes_listed)

    def _isr_changes_listed(self, replies: list[Reply]) -> None:
        paths = [f"{znodes.ISR_CHANGES}/{name}" for name in _children(replies[0])]
        self._events.ask_all([GetDataRequest(path) for path in paths], self._isr_changes_were_read, paths)

    def _isr_changes_were_read(self, replies: list[Reply], paths: list[str]) -> None:
        """Look at those partitions again, and forget the news."""
        changed: dict[TopicPartition, None] = {}
        for path, reply in zip(paths, replies, strict=True):
            if reply.error is ZooKeeperError.OK:
                changed.update(dict.fromkeys(znodes.decode_isr_change(path, reply.message.data)))
        self._events.put_first(
            (self.partitions.bring_online, [one for one in changed if one[0] not in self.context.deleting]),
            (self._forget_isr_changes, paths),
        )

    def _forget_isr_changes(self, paths: list[str]) -> None:
        requests = [fenced(self.context.office, DeleteRequest(path)) for path in paths]
        self._events.ask_all(requests, self._isr_changes_forgotten)

    def _isr_changes_forgotten(self, replies: list[Reply]) -> None:
        if any(is_deposed(reply) for reply in replies):
            self._owner.resign()

    # What brokers answer --------------------------------------------------------------------------------------------

    def on_answer(self, broker: int, response: Any, request: Any) -> None:
        """A broker has heard us. STALE_BROKER_EPOCH needs nothing: the list of brokers will show its new life."""
        if response.error_code is ErrorCode.STALE_CONTROLLER_EPOCH:
            self._owner.resign()
        elif isinstance(request, StopReplicaRequest):
            self.deletion.on_answer(broker, response, request)
            self._owner.tell_those_who_wait()
        elif isinstance(request, UpdateMetadataRequest) and broker == self._config.broker_id:
            self._learned(request)
            self._owner.tell_those_who_wait()

    def _learned(self, request: UpdateMetadataRequest) -> None:
        for topic in request.topic_states:
            for state in topic.partition_states:
                if state.leader >= 0:
                    self.known.add((topic.topic_name, state.partition_index))
                else:
                    self.known.discard((topic.topic_name, state.partition_index))

    def _send(self, batch: RequestBatch) -> None:
        for broker, request in batch.requests():
            self._channels.send(broker, request)


def _children(reply: Reply) -> list[str]:
    return sorted(reply.message.children or ()) if reply.error is ZooKeeperError.OK else []


def _brokers(ids: list[int], replies: list[Reply]) -> dict[int, LiveBroker]:
    """Those of them whose znode was there; there may be more replies than brokers."""
    return {
        broker: znodes.decode_broker(broker, reply.message.data, reply.message.stat)
        for broker, reply in zip(ids, replies, strict=False)
        if reply.error is ZooKeeperError.OK
    }


def _id_of(broker: LiveBroker) -> int:
    return broker.id
