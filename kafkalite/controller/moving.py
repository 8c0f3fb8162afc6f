"""Leaders are moved though nobody died: back to where they were placed, and away from a broker that is about to stop.

    preferred    now and then: a broker that leads too little of what was placed on it gets it back, so that the load
                 does not stay for ever where failures have put it
    elected      an administrator wants the preferred leaders at once; or, unclean, any, where none in sync is alive
    shutdown     a broker that stops in order asks first: others lead in its place, and it leaves every ISR, so clients
                 wait for a new leader for a moment and not for a session to expire

Source: kafka.controller.KafkaController.checkAndTriggerAutoLeaderRebalance, doControlledShutdown.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from kafkalite.config import BrokerConfig
from kafkalite.controller.context import Context
from kafkalite.controller.events import Events
from kafkalite.controller.partitions import PartitionStateMachine
from kafkalite.controller.znodes import NO_LEADER
from kafkalite.errors import ErrorCode
from kafkalite.node import Node
from kafkalite.protocol.inter_broker import ControlledShutdownRequest, ControlledShutdownResponse, RemainingPartition
from kafkalite.types import NodeName, TopicPartition


class Election(Enum):
    """Which leaders an administrator may want; the value is the error where there are none."""

    PREFERRED = ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE
    UNCLEAN = ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE


class LeaderMoves:
    """Steps of the controller's events. `waiting` are the connections with brokers that asked to stop."""

    def __init__(
        self, node: Node, config: BrokerConfig, events: Events, context: Context, partitions: PartitionStateMachine
    ) -> None:
        self._node, self._config, self._events = node, config, events
        self._context, self._partitions = context, partitions
        self.waiting: list[NodeName] = []

    def rebalance(self) -> None:
        """Give leaderships back to the preferred leaders of brokers that lead too little of what was placed on them."""
        context = self._context
        placed: dict[int, list[TopicPartition]] = {}
        for partition, brokers in context.partitions():
            if partition[0] not in context.deleting and partition not in context.moving:
                placed.setdefault(brokers[0], []).append(partition)
        wanted: list[TopicPartition] = []
        for broker in sorted(placed.keys() & context.live):
            elsewhere = [one for one in placed[broker] if context.leader_of(one) not in {broker, NO_LEADER}]
            if 100 * len(elsewhere) > self._config.leader_imbalance_per_broker_percentage * len(placed[broker]):
                wanted += elsewhere
        self._partitions.prefer(wanted)

    def elect(self, kind: Election, asked: list[TopicPartition] | None, then: Callable[..., None], *more: Any) -> None:
        """An administrator wants leaders; `then` is told the outcome of each that was asked for, or was due."""
        context = self._context
        known = [one for one in context.leadership if one[0] not in context.deleting]
        wanted = known if asked is None else list(dict.fromkeys(asked))
        due = [one for one in wanted if one in known and self._is_due(kind, one)]
        step = self._partitions.prefer if kind is Election.PREFERRED else self._partitions.let_anybody_lead
        outcomes = {
            one: ErrorCode.NONE if one in known else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            for one in (due if asked is None else wanted)
        }
        self._events.put_first((step, due), (self._elected, kind, due, outcomes, then, more))

    def _is_due(self, kind: Election, partition: TopicPartition) -> bool:
        leader = self._context.leader_of(partition)
        return leader != self._context.brokers_of(partition)[0] if kind is Election.PREFERRED else leader == NO_LEADER

    def _elected(
        self,
        kind: Election,
        due: list[TopicPartition],
        outcomes: dict[TopicPartition, ErrorCode],
        then: Callable[..., None],
        more: tuple[Any, ...],
    ) -> None:
        for partition, error in outcomes.items():
            if error is ErrorCode.NONE and partition not in due:
                outcomes[partition] = ErrorCode.ELECTION_NOT_NEEDED
            elif error is ErrorCode.NONE and self._is_due(kind, partition):
                outcomes[partition] = kind.value
        then(outcomes, *more)

    def ask(self, source: NodeName, request: ControlledShutdownRequest) -> None:
        """A broker is about to stop: it is answered when its turn has come, or the office is lost."""
        if source not in self.waiting:
            self.waiting.append(source)
        self._events.put(self._shut_down, source, request)

    def _shut_down(self, source: NodeName, request: ControlledShutdownRequest) -> None:
        """Let others lead and be in sync in its place, as far as there are any."""
        error = self._why_not(request)
        if error is not ErrorCode.NONE:
            self._answer(source, ControlledShutdownResponse(error))
            return
        self._context.shutting_down.add(request.broker_id)
        held = [one for one in self._shared_by(request.broker_id) if one in self._context.leadership]
        self._events.put_first((self._partitions.hand_over, held), (self._handed_over, source, request.broker_id))

    def _handed_over(self, source: NodeName, broker: int) -> None:
        left = [one for one in self._shared_by(broker) if self._context.leader_of(one) == broker]
        remaining = tuple(RemainingPartition(*partition) for partition in left)
        self._answer(source, ControlledShutdownResponse(remaining_partitions=remaining))

    def _why_not(self, request: ControlledShutdownRequest) -> ErrorCode:
        known = self._context.brokers.get(request.broker_id)
        if known is None:
            return ErrorCode.BROKER_NOT_AVAILABLE
        if -1 < request.broker_epoch < known.epoch:
            return ErrorCode.STALE_BROKER_EPOCH
        return ErrorCode.NONE

    def _shared_by(self, broker: int) -> list[TopicPartition]:
        """What it holds and another could lead."""
        return [one for one in self._context.partitions_on([broker]) if len(self._context.brokers_of(one)) > 1]

    def _answer(self, source: NodeName, response: ControlledShutdownResponse) -> None:
        if source in self.waiting:
            self.waiting.remove(source)
            self._node.reply(source, response)
