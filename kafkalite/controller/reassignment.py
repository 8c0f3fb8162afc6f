"""Replicas move to other brokers while the partition is written and read: copies first, goodbyes last (KIP-455).

    asked       the topic's znode gets the new brokers beside the old ones: who is added, who is to go
    A  begin    a new epoch, so that all listen: the new replicas copy, and may join the ISR
    B  arrive   once all that are to stay are in sync: one of them leads, the others leave the ISR, in one write
       stop     those that are to go delete their files
       done     the topic's znode has the new brokers alone

A dead broker among those that are to stay holds it up: it waits, and has lost nothing. It can be cancelled at any time,
or sent elsewhere. All of it stands in ZooKeeper, so the next controller goes on where this one was; to do a step twice
harms nothing.

Left out: throttles; waiting for a reassignment before a topic is deleted (here it ends with its topic); files on a
broker that was dead when it was to delete them.
Source: kafka.controller.KafkaController.onPartitionReassignment, updateCurrentReassignment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kafkalite.controller import znodes
from kafkalite.controller.context import Context
from kafkalite.controller.events import Events, error_of, fenced, is_deposed
from kafkalite.controller.partitions import PartitionStateMachine
from kafkalite.controller.replica_assignment import ReplicaAssignment, is_arrived
from kafkalite.errors import ErrorCode
from kafkalite.facts import ReplicasReassigned
from kafkalite.node import Node
from kafkalite.protocol.zookeeper import GetDataRequest, SetDataRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.types import TopicPartition

Refusal = tuple[ErrorCode, str]
Wanted = dict[TopicPartition, tuple[int, ...] | None]  # where each is to be; None: where it was
Then = Callable[..., None]  # then(refusals by partition, *arguments)


class Reassignments:
    """Steps of the controller's events. What is under way stands in `context.moving`."""

    def __init__(
        self,
        node: Node,
        events: Events,
        context: Context,
        partitions: PartitionStateMachine,
        resign: Callable[[], None],
    ) -> None:
        self._node, self._events = node, events
        self._context, self._partitions, self._resign = context, partitions, resign
        self._to_stop: dict[TopicPartition, dict[int, None]] = {}  # brokers that hold it no more, and were not told

    # Asked ----------------------------------------------------------------------------------------------------------

    def alter(self, wanted: Wanted, then: Then, *arguments: Any) -> None:
        """Begin, or cancel; `then` is called when that is written, with what was refused and why."""
        topics = list(dict.fromkeys(topic for topic, _ in wanted))
        requests = [GetDataRequest(znodes.topic_path(topic)) for topic in topics]
        self._events.ask_all(requests, self._topics_were_read, topics, wanted, then, arguments)

    def _topics_were_read(
        self, replies: list[Reply], topics: list[str], wanted: Wanted, then: Then, arguments: tuple[Any, ...]
    ) -> None:
        """Topics are read afresh: partitions may just have been added, which the controller has not heard of."""
        refusals: dict[TopicPartition, Refusal] = {}
        changes: dict[TopicPartition, ReplicaAssignment] = {}
        requests: list[Any] = []
        for topic, reply in zip(topics, replies, strict=True):
            found = self._read(topic, reply)
            mine = {one: target for one, target in wanted.items() if one[0] == topic}
            for partition, target in mine.items():
                decided = self._decide(partition, found.get(partition[1]), target)
                if isinstance(decided, ReplicaAssignment):
                    changes[partition] = found[partition[1]] = decided
                else:
                    refusals[partition] = decided
            if any(one in changes for one in mine):
                requests.append(self._write(topic, found, reply.message.stat.version))
        self._events.ask_all(requests, self._asked_for, wanted, changes, refusals, then, arguments)

    def _read(self, topic: str, reply: Reply) -> dict[int, ReplicaAssignment]:
        if reply.error is not ZooKeeperError.OK or topic in self._context.deleting:
            return {}
        return assignments_in(topic, reply.message.data)

    def _write(self, topic: str, assignments: dict[int, ReplicaAssignment], version: int) -> Any:
        data = znodes.encode_topic(
            {index: list(one.replicas) for index, one in assignments.items()},
            {index: (one.adding, one.removing) for index, one in assignments.items() if one.is_moving},
        )
        return fenced(self._context.office, SetDataRequest(znodes.topic_path(topic), data, version))

    def _decide(
        self, partition: TopicPartition, found: ReplicaAssignment | None, target: tuple[int, ...] | None
    ) -> ReplicaAssignment | Refusal:
        state = self._context.leadership.get(partition)
        if target is None and (found is None or not found.is_moving):
            return ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, "it is not on its way anywhere"
        begun = found or ReplicaAssignment(())
        now = begun.stopped() if target is None else begun.to(target)
        why = "" if target is None else _why_not(target, frozenset(now.adding) - self._context.live)
        if not why and (found is None or partition not in self._context.states):
            return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "there is no such partition"
        if not why and state is not None and not set(state.isr) & set(now.replicas):
            why = f"nobody of {list(now.replicas)} is in sync; {list(state.isr)} are, and would be taken away"
        return (ErrorCode.INVALID_REPLICA_ASSIGNMENT, why) if why else now

    def _asked_for(
        self,
        replies: list[Reply],
        wanted: Wanted,
        changes: dict[TopicPartition, ReplicaAssignment],
        refusals: dict[TopicPartition, Refusal],
        then: Then,
        arguments: tuple[Any, ...],
    ) -> None:
        if any(is_deposed(reply) for reply in replies):
            self._resign()
            return
        if any(error_of(reply) is not ZooKeeperError.OK for reply in replies):
            # Somebody has added partitions; or it is our own write, whose answer was lost. Look again.
            self._events.put_first((self.alter, wanted, then, *arguments))
            return
        for partition, one in changes.items():
            self._take(partition, one)
        self._begin(list(changes))
        then(refusals, *arguments)

    def _take(self, partition: TopicPartition, one: ReplicaAssignment) -> None:
        """From now on these hold it; who does no longer is to stop, as soon as it is not in sync any more."""
        context = self._context
        left = [broker for broker in context.brokers_of(partition) if broker not in one.replicas]
        self._to_stop.setdefault(partition, {}).update(dict.fromkeys(left))
        context.place(partition, one)
        self._node.note(ReplicasReassigned(*partition, one.replicas, one.adding, one.removing))

    # Under way ------------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """A new controller goes on with what it has found."""
        self._begin([one for one in self._context.moving if one[0] not in self._context.deleting])

    def look_at(self, partition: TopicPartition) -> None:
        """Its state has changed: perhaps the last one has caught up."""
        if partition in self._context.moving and partition[0] not in self._context.deleting:
            self._end([partition], [partition], is_begun=False)

    def _begin(self, partitions: list[TopicPartition]) -> None:
        self._end([one for one in partitions if one in self._context.moving], partitions, is_begun=True)

    def _end(self, moving: list[TopicPartition], partitions: list[TopicPartition], *, is_begun: bool) -> None:
        epochs = {one: self._epoch_of(one) for one in moving}
        self._events.put_first((self._partitions.end_moving, moving), (self._settle, partitions, epochs, is_begun))

    def _epoch_of(self, partition: TopicPartition) -> int:
        known = self._context.leadership.get(partition)
        return -1 if known is None else known.leader_epoch

    def _settle(self, partitions: list[TopicPartition], epochs: dict[TopicPartition, int], is_begun: bool) -> None:
        """Some have arrived, or were there from the beginning; the others begin, and are watched.

        `epochs` are those before it was tried: who arrives does so in a new one.
        """
        moving = self._context.moving
        done = [one for one in epochs if self._epoch_of(one) > epochs[one] and self._has_arrived(one)]
        for partition in done:
            one = moving[partition]
            self._take(partition, one.arrived())
            self._partitions.batch.lead_or_follow(one.target, [partition])
        others = [one for one in partitions if one not in done] if is_begun else []
        self._events.put_first(
            (self._partitions.start_moving, others),
            (self._stop,),
            (self._partitions.tell,),
            (self._watch, [one for one in partitions if one in moving], is_begun),
            (self._read_again, done),
        )

    def _has_arrived(self, partition: TopicPartition) -> bool:
        one, state = self._context.moving.get(partition), self._context.leadership.get(partition)
        return one is not None and state is not None and is_arrived(one, state)

    def _stop(self) -> None:
        """Tell those that hold it no more; whoever still leads or is in sync, for want of others, not yet."""
        for partition, brokers in self._to_stop.items():
            state = self._context.leadership.get(partition)
            for broker in list(brokers):
                if state is not None and broker not in {state.leader, *state.isr}:
                    del brokers[broker]
                    self._partitions.batch.stop(broker, partition, delete=True)
        self._to_stop = {partition: brokers for partition, brokers in self._to_stop.items() if brokers}

    def _watch(self, partitions: list[TopicPartition], is_begun: bool) -> None:
        requests = [GetDataRequest(znodes.partition_state_path(*one), watch=True) for one in partitions]
        self._events.ask_all(requests, self._watched, partitions, is_begun)

    def _watched(self, replies: list[Reply], partitions: list[TopicPartition], is_begun: bool) -> None:
        """A watch only tells the future: what has changed since it was decided must be looked at.

        So must who caught up between the look and the beginning, which has found all in sync and had not asked.
        """
        for partition, reply in zip(partitions, replies, strict=True):
            if reply.error is ZooKeeperError.OK:
                path = znodes.partition_state_path(*partition)
                state = znodes.decode_partition_state(path, reply.message.data, reply.message.stat)
                moving = self._context.moving.get(partition)
                is_complete = is_begun and moving is not None and set(moving.target) <= set(state.isr)
                if is_complete or state != self._context.leadership.get(partition):
                    self._events.put(self.look_at, partition)

    # Done -----------------------------------------------------------------------------------------------------------

    def _read_again(self, done: list[TopicPartition]) -> None:
        topics = list(dict.fromkeys(topic for topic, _ in done))
        requests = [GetDataRequest(znodes.topic_path(topic)) for topic in topics]
        self._events.ask_all(requests, self._finish, topics, done)

    def _finish(self, replies: list[Reply], topics: list[str], done: list[TopicPartition]) -> None:
        """Write the new brokers alone, of those that are not on their way elsewhere meanwhile."""
        requests = []
        for topic, reply in zip(topics, replies, strict=True):
            found = self._read(topic, reply)
            ended = [index for name, index in done if name == topic and index in found and found[index].is_moving]
            if ended:
                found |= {index: self._context.assignment_of((topic, index)) for index in ended}
                requests.append(self._write(topic, found, reply.message.stat.version))
        self._events.ask_all(requests, self._finished, done)

    def _finished(self, replies: list[Reply], done: list[TopicPartition]) -> None:
        if any(is_deposed(reply) for reply in replies):
            self._resign()
        elif any(error_of(reply) is ZooKeeperError.BAD_VERSION for reply in replies):
            self._events.put_first((self._read_again, done))


def assignments_in(topic: str, data: bytes | None) -> dict[int, ReplicaAssignment]:
    """What a topic's znode says of each partition; raises ProtocolError."""
    moves = znodes.decode_topic_moves(topic, data)
    return {
        index: ReplicaAssignment(tuple(brokers), *moves.get(index, ((), ())))
        for index, brokers in znodes.decode_topic(topic, data).items()
    }


def _why_not(target: tuple[int, ...], dead: Iterable[int]) -> str:
    if not target:
        return "expected at least one broker"
    if len(set(target)) < len(target) or min(target) < 0:
        return f"expected different brokers, with ids from 0 on; got {list(target)}"
    missing = sorted(dead)
    return f"{missing} are to be added and are not alive" if missing else ""
