"""Requests about topics that wait: first for ZooKeeper to write what they want, then for the controller to do it.

    created, grown     every partition has a leader, and this broker knows it: it can tell clients
    deleted            the znodes are gone; or the rest waits for a broker that is dead: it is sure to happen
    its time is up     REQUEST_TIMED_OUT: it will be done all the same

A topic of a request is *writing*, then *expected*, then done; a request is answered when all of its topics are done.
Source: kafka.server.DelayedCreatePartitions, DelayedDeleteTopics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kafkalite.broker.topic_rules import Refusal
from kafkalite.controller.controller import Controller
from kafkalite.controller.events import error_of, is_deposed
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.types import NodeName

NOT_HERE = (ErrorCode.NOT_CONTROLLER, "this broker is not the controller")
TOO_LATE = (ErrorCode.REQUEST_TIMED_OUT, "it is not done yet, and will be")


@dataclass(slots=True)
class Parked:
    """A request that is not answered yet. Invariant: a topic is in at most one of `writing` and `expected`."""

    source: NodeName
    answer: Callable[[tuple[Any, ...]], Any]  # results -> response
    timeout_ms: int
    results: dict[str, Any] = field(default_factory=dict)  # by topic; without an error where nothing went wrong so far
    writing: dict[str, None] = field(default_factory=dict)
    expected: dict[str, range | None] = field(default_factory=dict)  # partitions to be led; None: the topic to be gone

    def refuse(self, topic: str, refusal: Refusal) -> None:
        """The topic's outcome is this."""
        self.results[topic] = type(self.results[topic])(name=topic, error_code=refusal[0], error_message=refusal[1])
        self.writing.pop(topic, None)
        self.expected.pop(topic, None)


class ParkedTopics(Component):
    """The parked requests, by number: what comes back later for one that is answered finds nothing, and is ignored."""

    def __init__(self, node: Node, controller: Controller) -> None:
        super().__init__(node, "topics")
        self.controller = controller
        self._parked: dict[int, Parked] = {}
        self._count = 0
        controller.waiting.append(self)

    def park(self, parked: Parked, topics: Iterable[str]) -> int:
        """Wait until these topics are done, if any; the number to name in what follows."""
        self._count += 1
        self._parked[self._count] = parked
        parked.writing.update(dict.fromkeys(topics))
        if parked.timeout_ms > 0:
            self.set_timer(f"expired:{self._count}", parked.timeout_ms)
        self._answer_if_done(self._count)
        return self._count

    def expect(self, number: int, topic: str, partitions: range | None) -> None:
        """It is written; now the controller has to do it."""
        parked = self._parked.get(number)
        if parked is None:
            return
        parked.writing.pop(topic, None)
        if not self.controller.is_active or parked.timeout_ms <= 0:
            parked.refuse(topic, TOO_LATE)
        elif not self._is_true(topic, partitions):
            parked.expected[topic] = partitions
        self._answer_if_done(number)

    def finish(self, number: int, topic: str) -> None:
        """There is nothing to wait for."""
        if number in self._parked:
            self._parked[number].writing.pop(topic, None)
            self._answer_if_done(number)

    def refuse(self, number: int, topic: str, refusal: Refusal) -> None:
        """The topic's outcome is this."""
        if number in self._parked:
            self._parked[number].refuse(topic, refusal)
            self._answer_if_done(number)

    def is_done(self, reply: Reply, number: int, topic: str) -> bool:
        """Did ZooKeeper do it, fenced or not? If not, that is the topic's outcome."""
        error = error_of(reply)
        if error is not ZooKeeperError.OK:
            unsure = (ErrorCode.REQUEST_TIMED_OUT, f"ZooKeeper answered {error.name}: it may have been done")
            self.refuse(number, topic, NOT_HERE if is_deposed(reply) else unsure)
        return error is ZooKeeperError.OK

    def under_way(self) -> set[str]:
        """Topics that somebody waits for."""
        return {topic for parked in self._parked.values() for topic in (*parked.writing, *parked.expected)}

    def on_controller_changed(self) -> None:
        """The controller has done something, or is none any more: what has come true?"""
        for number, parked in [*self._parked.items()]:
            for topic, partitions in [*parked.expected.items()]:
                if not self.controller.is_active:
                    parked.refuse(topic, TOO_LATE)
                elif self._is_true(topic, partitions):
                    del parked.expected[topic]
            self._answer_if_done(number)

    def on_expired(self, number: str) -> None:
        """A request has waited for as long as it wanted to."""
        parked = self._parked.get(int(number))
        if parked is not None:
            for topic in [*parked.writing, *parked.expected]:
                parked.refuse(topic, TOO_LATE)
            self._answer_if_done(int(number))

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        for number in [number for number, parked in self._parked.items() if parked.source == peer]:
            self._forget(number)

    def _is_true(self, topic: str, partitions: range | None) -> bool:
        if partitions is None:
            context = self.controller.context
            is_gone = context is not None and topic not in context.topics
            return is_gone or self.controller.is_deletion_waiting(topic)
        return all(self.controller.is_known((topic, index)) for index in partitions)

    def _answer_if_done(self, number: int) -> None:
        parked = self._parked[number]
        if not parked.writing and not parked.expected:
            self._forget(number)
            self.node.reply(parked.source, parked.answer(tuple(parked.results.values())))

    def _forget(self, number: int) -> None:
        del self._parked[number]
        self.cancel_timer(f"expired:{number}")
