"""From a request to its answer: whom to ask is found out, what got lost is asked again, and every request ends.

    the controller     NOT_CONTROLLER: look again who that is
    a leader           whatever says that somebody else leads, or that nobody does yet: look again
    a coordinator      is asked for first; NOT_COORDINATOR: look again
    any broker, or a certain one

Source: KafkaAdminClient.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from kafkalite.clients.admin_answers import Outcome, outcome_of
from kafkalite.clients.admin_coordinators import Coordinators
from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.discovery import OLD_METADATA, Discovery
from kafkalite.config import ClientConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import RequestAnswered
from kafkalite.node import Node
from kafkalite.types import NodeName, TopicPartition

CONTROLLER, ANYONE = "controller", "anyone"
NOT_READY = frozenset(
    {ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS}
)


@dataclass(frozen=True, slots=True)
class CoordinatorOf:
    """Whoever coordinates the group."""

    group: str


Whom = str | int | TopicPartition | CoordinatorOf  # CONTROLLER or ANYONE; a broker's id; a partition: its leader


class Task:
    """A request on its way to an answer."""

    __slots__ = ("api", "attempts", "is_done", "is_in_flight", "is_resting", "message", "number", "whom")

    def __init__(self, number: int, whom: Whom, message: Any) -> None:
        self.number, self.whom, self.message = number, whom, message
        self.api = type(message).__name__.removesuffix("Request")
        self.attempts = 0
        self.is_in_flight = self.is_resting = self.is_done = False

    def may_help(self, error: ErrorCode) -> bool:
        """Is it worth asking again? A controller's refusal is the answer, unless it is none."""
        if isinstance(self.whom, CoordinatorOf):
            return error in NOT_READY
        return error.retriable if isinstance(self.whom, tuple) else error == ErrorCode.NOT_CONTROLLER


class AskingNode(Node):
    """A client whose requests are answered one by one: RequestAnswered has the number that a request was given."""

    def __init__(self, name: NodeName, client: ClientConfig) -> None:
        super().__init__(name)
        self._config = client
        self.discovery = Discovery(self, client, self)
        self.coordinators = Coordinators(self, self.discovery, client, self)
        self._tasks: dict[int, Task] = {}
        self._in_flight: dict[NodeName, deque[Task]] = {}

    def on_start(self) -> None:
        self.discovery.start()

    def close(self) -> None:
        """Ask nothing any more."""
        for task in list(self._tasks.values()):
            self._end(task, Outcome(ErrorCode.REQUEST_TIMED_OUT, "the client was closed"))
        self.coordinators.stop()
        self.discovery.stop()

    def begin(self, number: int, whom: Whom, message: Any) -> None:
        """Ask; a RequestAnswered with that number will come."""
        task = self._tasks[number] = Task(number, whom, message)
        self.set_timer(f"deadline:{number}", self._config.default_api_timeout_ms)
        if isinstance(whom, tuple):
            self.discovery.want((whom[0],))
        self._try(task)

    def _try(self, task: Task) -> None:
        """Send a request, if it is known where to; if not, that will be asked."""
        peer = self._peer_for(task.whom)
        if peer is None:
            return
        task.is_in_flight, task.attempts = True, task.attempts + 1
        self._in_flight.setdefault(peer, deque()).append(task)
        # The broker answers by itself after `request_timeout_ms`: leave its answer time to arrive.
        self.request(peer, task.message, timeout_ms=self._config.request_timeout_ms * 1.1)

    def _peer_for(self, whom: Whom) -> NodeName | None:
        if isinstance(whom, tuple):
            return self.discovery.leader_of(*whom)
        if isinstance(whom, CoordinatorOf):
            return self.coordinators.peer(whom.group)
        view = self.discovery.view
        if whom == ANYONE:
            return self.discovery.any_broker()
        peer = view.brokers.get(view.controller_id if whom == CONTROLLER else int(whom))
        if peer is None:
            self.discovery.refresh("no controller" if whom == CONTROLLER else "unknown broker")
        return peer if peer is not None and self.discovery.is_reachable(peer) else None

    def on_routes_changed(self) -> None:
        """Try what could not be sent."""
        self.coordinators.pump()
        for task in list(self._tasks.values()):
            if not task.is_in_flight and not task.is_resting:
                self._try(task)

    def answered(self, source: NodeName, response: Any, request: Any) -> None:
        """What every handler of a response is."""
        self.discovery.heard(source)
        task = self._in_flight[source].popleft()
        task.is_in_flight = False
        outcome = outcome_of(response)
        if task.may_help(outcome.error):
            if isinstance(task.whom, CoordinatorOf) and outcome.error != ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
                self.coordinators.lost(task.whom.group)
            self._rest(task, outcome.error)
        else:
            self._end(task, outcome)

    def is_asked_here(self, source: NodeName, request: Any) -> bool:
        """Is the peer's next answer to a task? Discovery asks some of the same things."""
        tasks = self._in_flight.get(source)
        return bool(tasks) and tasks is not None and tasks[0].message is request

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        """What was under way there may have happened; ask again."""
        super().on_peer_lost(peer, requests)
        for task in self._in_flight.pop(peer, ()):
            task.is_in_flight = False
            self._rest(task, ErrorCode.NETWORK_EXCEPTION)

    def _rest(self, task: Task, error: ErrorCode) -> None:
        if task.is_done:
            return
        if error in OLD_METADATA:
            self.discovery.refresh(error.name)
        task.is_resting = True
        least_ms, most_ms = self._config.retry_backoff_ms, self._config.retry_backoff_max_ms
        self.set_timer(f"retry:{task.number}", backoff_ms(task.attempts, least_ms, most_ms, self.random.random()))

    def on_retry(self, number: str) -> None:
        """The wait is over."""
        task = self._tasks.get(int(number))
        if task is not None:
            task.is_resting = False
            self._try(task)

    def on_deadline(self, number: str) -> None:
        """No answer in `default_api_timeout_ms`: it may have happened."""
        self._end(self._tasks[int(number)], Outcome(ErrorCode.REQUEST_TIMED_OUT, ""))

    def _end(self, task: Task, outcome: Outcome) -> None:
        if task.is_done:
            return
        task.is_done = True
        del self._tasks[task.number]
        if isinstance(task.whom, tuple):
            self.discovery.forget(task.whom[0])
        self.cancel_timer(f"deadline:{task.number}")
        self.cancel_timer(f"retry:{task.number}")
        self.note(RequestAnswered(task.number, task.api, outcome.error.name, outcome.answer, outcome.found))
