"""The group coordinator: the groups whose partition of `__consumer_offsets` is led here, their clocks and their log.

    a request  ->  an event, with a ticket  ->  Group.on  ->  effects  ->  answers, by their tickets
                                                                       ->  StoreGroup, appended and replicated

What a group is and does is `groups.group`; here it meets the node: connections, timers, the log, facts. A group whose
part raises is answered with UNKNOWN_SERVER_ERROR, and a fact says so.

Source: Kafka's GroupCoordinator, GroupMetadataManager.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kafkalite.broker.appending import STORE_ERRORS
from kafkalite.broker.offsets_topic import OffsetsTopic
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.facts import (
    CoordinatorLoaded,
    CoordinatorUnloaded,
    GroupDeleted,
    GroupEmptied,
    GroupRebalancing,
    GroupStabilized,
    MemberExpired,
    MemberFenced,
    MemberJoined,
    MemberLeft,
    OffsetsCommitted,
    OffsetsExpired,
    OffsetsPending,
    PartFailed,
)
from kafkalite.groups.fold import Fold
from kafkalite.groups.offsets import expired
from kafkalite.groups.records import group_key, group_value, offset_key, offset_value
from kafkalite.groups.states import State
from kafkalite.node import Component, Node
from kafkalite.parts import GroupPart, Parts
from kafkalite.protocol.consumer_protocol import decode_assignment, decode_subscription
from kafkalite.types import (
    Answer,
    AnswerJoin,
    AnswerSync,
    CommitAsked,
    CommittedOffset,
    GroupImage,
    GroupLoaded,
    GroupSettings,
    GroupStored,
    GroupTurned,
    GroupUnloaded,
    MemberGone,
    NodeName,
    StoreGroup,
    TimePassed,
    TopicPartition,
)

EARLY_MS = 0.001  # a timer that fires by a rounding error too early is on time
NEVER_MS = float("inf")
NO_GROUP = GroupImage("", 0)


@dataclass(slots=True)
class Held:
    """A group that is coordinated here."""

    name: str
    index: int  # of its partition of `__consumer_offsets`
    group: GroupPart
    since_ms: int  # wall clock: when it came into its state
    state: str = State.EMPTY.value
    timer_ms: float = NEVER_MS
    events: deque[Any] = field(default_factory=deque)  # those that wait for the one in the works
    is_busy: bool = False


class GroupCoordinator(Component):
    """The groups of this broker, by name."""

    def __init__(self, node: Node, config: BrokerConfig, topic: OffsetsTopic, parts: Parts) -> None:
        super().__init__(node, "groups")
        self._config, self._parts = config, parts
        self.topic = topic
        self.groups: dict[str, Held] = {}
        self._tickets = 0
        self._open: dict[int, tuple[NodeName, Callable[..., None], tuple[Any, ...]]] = {}
        self._is_looking_after = False
        topic.listener = self

    # Groups come and go ---------------------------------------------------------------------------------------------

    def find(self, name: str) -> Held | None:
        """The group, if it is known here."""
        return self.groups.get(name)

    def found(self, name: str) -> Held:
        """The group, made if it is not known."""
        held = self.groups.get(name)
        if held is None:
            settings = GroupSettings(self._config.group_initial_rebalance_delay_ms, self._config.group_max_size)
            held = Held(name, self.topic.index_of(name), self._parts.group(settings), self.node.wall_ms)
            self.groups[name] = held
        return held

    def on_loaded(self, index: int, fold: Fold) -> None:
        """A partition is read to its end: its groups are coordinated here from now on."""
        names = sorted({*fold.groups, *fold.offsets.groups()})
        self.node.note(CoordinatorLoaded(index, tuple(names), fold.position))
        for name in names:
            held = self.found(name)
            image, since_ms = fold.groups.get(name, (NO_GROUP, -1))
            held.since_ms = since_ms
            if image is not NO_GROUP:
                held.state = State.STABLE.value if image.members else State.EMPTY.value
                self.tell(held, GroupLoaded(image))
        if not self._is_looking_after:
            self._is_looking_after = True
            self.set_timer("expiry", self._config.offsets_retention_check_interval_ms)

    def on_unloaded(self, index: int) -> None:
        """Another broker leads the partition: whoever waits here is told so."""
        names = sorted(name for name, held in self.groups.items() if held.index == index)
        for name in names:
            held = self.groups.pop(name)
            self.tell(held, GroupUnloaded())
        self.node.note(CoordinatorUnloaded(index, tuple(names)))

    # Events ---------------------------------------------------------------------------------------------------------

    def ticket(self, source: NodeName, then: Callable[..., None], *arguments: Any) -> int:
        """A number for a question; its answer reaches `then(answer, *arguments)`, unless the asker is gone by then."""
        self._tickets += 1
        self._open[self._tickets] = source, then, arguments
        return self._tickets

    def tell(self, held: Held, event: Any) -> None:
        """Let the group know; do what it answers. What comes of that while it is being done, waits its turn."""
        held.events.append(event)
        if held.is_busy:
            return
        held.is_busy = True
        while held.events:
            one = held.events.popleft()
            for effect in self._on(held, one):
                self._do(held, effect)
        held.is_busy = False
        self._set_timer(held)

    def _on(self, held: Held, event: Any) -> list[Any]:
        try:
            return held.group.on(event, self.node.now_ms + EARLY_MS)
        except Exception as error:  # noqa: BLE001 - a part may raise anything; the broker must live
            self.node.note(PartFailed("group", f"{type(error).__name__}: {error}"))
            ticket = getattr(event, "ticket", None)
            return [] if ticket is None else [Answer(ticket, ErrorCode.UNKNOWN_SERVER_ERROR.name)]

    def _do(self, held: Held, effect: Any) -> None:
        if isinstance(effect, Answer | AnswerJoin | AnswerSync):
            self._answer(held, effect)
        elif isinstance(effect, StoreGroup):
            self._store(held, effect)
        elif isinstance(effect, GroupTurned):
            self._turned(held, effect)
        elif isinstance(effect, MemberGone):
            self._gone(held, effect)

    def _answer(self, held: Held, answer: Answer | AnswerJoin | AnswerSync) -> None:
        _, then, arguments = self._open.pop(answer.ticket, (None, None, ()))
        if isinstance(answer, AnswerJoin) and answer.error == "NONE":
            is_leader = answer.leader == answer.member
            self.node.note(MemberJoined(held.name, answer.member, answer.generation, is_leader))
        if then is not None:
            then(answer, *arguments)

    def settle(self, outcome: Any, ticket: int) -> None:
        """Let an answer that is none of a group's reach whoever holds the ticket."""
        _, then, arguments = self._open.pop(ticket, (None, None, ()))
        if then is not None:
            then(outcome, *arguments)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """Nobody is there to be answered; the group does not notice, until the session ends."""
        for ticket in [ticket for ticket, (source, _, _) in self._open.items() if source == peer]:
            del self._open[ticket]

    # Facts ----------------------------------------------------------------------------------------------------------

    def _turned(self, held: Held, turned: GroupTurned) -> None:
        held.state, held.since_ms = turned.state, self.node.wall_ms
        if turned.state == State.PREPARING_REBALANCE.value:
            self.node.note(GroupRebalancing(held.name, turned.generation, turned.reason))
        elif turned.state == State.STABLE.value:
            members = held.group.image().members
            assignment = tuple((one.member, _partitions(one.assignment)) for one in members)
            self.node.note(GroupStabilized(held.name, turned.generation, assignment))
        elif turned.state == State.EMPTY.value:
            self.node.note(GroupEmptied(held.name, turned.generation))

    def _gone(self, held: Held, gone: MemberGone) -> None:
        if gone.reason == "left":
            self.node.note(MemberLeft(held.name, gone.member))
        elif gone.reason == "fenced":
            self.node.note(MemberFenced(held.name, gone.member, gone.instance or ""))
        else:
            self.node.note(MemberExpired(held.name, gone.member, gone.reason))

    # The log --------------------------------------------------------------------------------------------------------

    def _store(self, held: Held, effect: StoreGroup) -> None:
        record = group_key(held.name), group_value(effect.image, self.node.wall_ms)
        self.topic.append(held.index, [record], self._stored, held, effect)

    def _stored(self, error: ErrorCode, held: Held, effect: StoreGroup) -> None:
        if self.groups.get(held.name) is not held:
            return  # unloaded meanwhile; it has told everybody
        said = ErrorCode.REBALANCE_IN_PROGRESS if error is ErrorCode.REQUEST_TIMED_OUT else STORE_ERRORS.get(error)
        self.tell(held, GroupStored(effect.number, (said or error).name))

    def commit(
        self,
        held: Held,
        asked: CommitAsked,
        offsets: dict[TopicPartition, CommittedOffset],
        then: Callable[..., None],
        *arguments: Any,
    ) -> None:
        """Write these offsets; call `then(error, *arguments)` once they are replicated."""
        records = [(offset_key(held.name, partition), offset_value(one)) for partition, one in offsets.items()]
        told = tuple((*partition, one.offset) for partition, one in offsets.items())
        fact = OffsetsCommitted(held.name, asked.generation, asked.member, told)
        self.topic.append(held.index, records, self._committed, fact, then, arguments)

    def _committed(self, error: ErrorCode, fact: Any, then: Callable[..., None], arguments: Any) -> None:
        if error is ErrorCode.NONE:
            self.node.note(fact)
        too_large = ErrorCode.INVALID_COMMIT_OFFSET_SIZE if error is ErrorCode.MESSAGE_TOO_LARGE else error
        then(STORE_ERRORS.get(error, too_large), *arguments)

    def commit_in_transaction(
        self,
        held: Held,
        producer: tuple[int, int],
        offsets: dict[TopicPartition, CommittedOffset],
        then: Callable[..., None],
        *arguments: Any,
    ) -> None:
        """Write offsets that count once the transaction of this producer (id, epoch) commits."""
        records = [(offset_key(held.name, partition), offset_value(one)) for partition, one in offsets.items()]
        told = tuple((*partition, one.offset) for partition, one in offsets.items())
        fact = OffsetsPending(held.name, producer[0], told)
        self.topic.append(held.index, records, self._committed, fact, then, arguments, producer=producer)

    def end_transaction(self, index: int, producer_id: int, *, is_commit: bool) -> None:
        """A marker stands in that partition of the log, and all in sync have it."""
        fold = self.topic.loaded.get(index)
        found = fold.end_transaction(producer_id, is_commit=is_commit) if fold is not None else []
        for group in dict.fromkeys(group for group, _, _ in found):
            self.found(group)
            told = tuple((*partition, one.offset) for name, partition, one in found if name == group)
            self.node.note(OffsetsCommitted(group, -1, "", told))

    def offsets_of(self, held: Held) -> Fold | None:
        """What is committed, with everything else of its partition; None once that is led elsewhere."""
        return self.topic.loaded.get(held.index)

    def delete(self, held: Held) -> None:
        """Forget a group and its offsets."""
        fold = self.topic.loaded[held.index]
        partitions = fold.offsets.partitions(held.name)
        self._forget(held, fold, partitions)
        self.topic.append(held.index, [(group_key(held.name), None)], self._forgotten)
        self._drop(held)

    def delete_offsets(self, held: Held, partitions: list[TopicPartition]) -> None:
        """Forget how far the group is in these."""
        fold = self.topic.loaded[held.index]
        known = fold.offsets.partitions(held.name)
        self._forget(held, fold, [one for one in partitions if one in known])

    def subscribed(self, held: Held) -> frozenset[str] | None:
        """The topics that members read; None if that cannot be known, as the group is not one of consumers."""
        return _topics_of(held.group.image())

    def _drop(self, held: Held) -> None:
        del self.groups[held.name]
        self.node.note(GroupDeleted(held.name))

    def _forget(self, held: Held, fold: Fold, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            fold.offsets.forget(held.name, partition)
        if partitions:
            self.node.note(OffsetsExpired(held.name, tuple(partitions)))
            records = [(offset_key(held.name, partition), None) for partition in partitions]
            self.topic.append(held.index, records, self._forgotten)

    def _forgotten(self, error: ErrorCode) -> None:
        """If it did not reach the log, what was forgotten comes back with the next coordinator, and is forgotten."""

    # Time -----------------------------------------------------------------------------------------------------------

    def _set_timer(self, held: Held) -> None:
        due_ms = held.group.due_ms()
        if due_ms < held.timer_ms and self.groups.get(held.name) is held:
            held.timer_ms = due_ms
            self.set_timer(f"due:{held.name}", max(0.0, due_ms - self.node.now_ms))

    def on_due(self, name: str) -> None:
        """A group wanted to hear that time has passed."""
        held = self.groups.get(name)
        if held is not None:
            held.timer_ms = NEVER_MS
            self.tell(held, TimePassed())

    def on_expiry(self) -> None:
        """Look which offsets nobody uses any more."""
        for held in list(self.groups.values()):
            fold = self.topic.loaded.get(held.index)
            if fold is not None:
                self._expire(held, fold)
        self.set_timer("expiry", self._config.offsets_retention_check_interval_ms)

    def _expire(self, held: Held, fold: Fold) -> None:
        found = {one: fold.offsets.fetch(held.name, one) for one in fold.offsets.partitions(held.name)}
        stable = {one: at for one, at in found.items() if at is not None and fold.pending.is_stable(held.name, one)}
        image = held.group.image()
        gone = expired(
            stable,
            self.node.wall_ms,
            self._config.offsets_retention_minutes * 60_000,
            state=State(held.state),
            since_ms=held.since_ms,
            subscribed=_topics_of(image),
            is_simple=not image.protocol_type,
        )
        self._forget(held, fold, gone)
        is_over = held.state == State.EMPTY.value and not fold.pending.of_group(held.name)
        if is_over and not fold.offsets.partitions(held.name):
            if image.generation > 0:
                self.topic.append(held.index, [(group_key(held.name), None)], self._forgotten)
            self._drop(held)


def _partitions(assignment: bytes) -> tuple[TopicPartition, ...]:
    try:
        return tuple(decode_assignment(assignment))
    except ProtocolError:  # of another protocol type than "consumer": not ours to open
        return ()


def _topics_of(image: GroupImage) -> frozenset[str] | None:
    """What the members are subscribed to; None if that cannot be known."""
    if image.protocol_type != "consumer":
        return None
    try:
        return frozenset(topic for one in image.members for topic in decode_subscription(one.subscription).topics)
    except ProtocolError:
        return None
