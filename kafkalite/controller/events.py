"""The controller's events, one at a time: an event that waits for ZooKeeper is not done, and the next one waits for it.

A controller reads before it decides and decides before it writes. Were another event let in between, it would decide
on what is about to change. Within one event, requests are pipelined: none waits here for the answer to the one before.
The ensemble takes them one by one all the same, so ten thousand new partitions cost ten thousand writes, some 50 s.

    events.put(method, ...)                       when all before it are done
    events.ask_all(requests, method, ...)         goes on with method(replies, ...) when all are answered

Source: kafka.controller.ControllerEventManager, whose thread blocks where this one comes back later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from kafkalite.controller.context import Office
from kafkalite.controller.znodes import CONTROLLER_EPOCH
from kafkalite.protocol.zookeeper import CheckVersionRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import ErrorResponse, MultiRequest, MultiResponse, Reply

Step = Callable[..., None]  # a bound method, never a lambda


class ZooKeeper(Protocol):
    """What the controller needs of a `kafkalite.coordination.client.ZooKeeperClient`."""

    session_id: int

    def ask_surely(self, request: Any, then: Callable[..., None], *arguments: Any) -> None: ...


class Events:
    """A queue of steps. Invariant: while replies are missing, no step begins."""

    def __init__(self, zk: ZooKeeper) -> None:
        self._zk = zk
        self._steps: deque[tuple[Step, tuple[Any, ...]]] = deque()
        self._replies: list[Any] = []
        self._missing = 0
        self._then: tuple[Step, tuple[Any, ...]] | None = None
        self._is_working = False
        self._life = 0  # a reply to what was asked before the queue was cleared is not for us

    def put(self, step: Step, *arguments: Any) -> None:
        """Do this when all before it is done. If the same waits already, once is enough: it has seen nothing yet."""
        if (step, arguments) not in self._steps:
            self._steps.append((step, arguments))
        self._work()

    def put_first(self, *steps: tuple[Any, ...]) -> None:
        """Do these next, in this order, before whatever else waits: the rest of the event at hand."""
        self._steps.extendleft((step, tuple(arguments)) for step, *arguments in reversed(steps))
        self._work()

    def ask_all(self, requests: Sequence[Any], then: Step, *arguments: Any) -> None:
        """Ask ZooKeeper all of these, and go on with `then(replies, *arguments)`, the replies in their order."""
        assert not self._missing, "an event asks its next question when the one before is answered"
        if not requests:
            then([], *arguments)
            return
        self._replies, self._missing, self._then = [None] * len(requests), len(requests), (then, arguments)
        life = self._life
        for at, request in enumerate(requests):
            self._zk.ask_surely(request, self._answered, life, at)

    def clear(self) -> None:
        """Forget all of it: the office is lost, or the session."""
        self._steps.clear()
        self._life += 1
        self._missing, self._then = 0, None

    def _answered(self, reply: Reply, request: Any, life: int, at: int) -> None:
        if life != self._life or reply.error is ZooKeeperError.SESSION_EXPIRED:
            return  # with its session the controller loses its office, and all of this is cleared
        self._replies[at] = reply
        self._missing -= 1
        if self._missing:
            return
        assert self._then is not None
        then, arguments = self._then
        self._steps.appendleft((then, (self._replies, *arguments)))
        self._then = None
        self._work()

    def _work(self) -> None:
        if self._is_working:
            return
        self._is_working = True
        while self._steps and not self._missing:
            step, arguments = self._steps.popleft()
            step(*arguments)
        self._is_working = False


def fenced(office: Office, *operations: Any) -> MultiRequest:
    """All of these, if this is still the newest controller; none of them otherwise."""
    return MultiRequest((CheckVersionRequest(CONTROLLER_EPOCH, office.epoch_version), *operations))


def error_of(reply: Reply) -> ZooKeeperError:
    """Why it was not done; OK: it was.

    A multi that fails has an error for each of its operations: OK for those before the one that failed.
    """
    return _failure(reply)[1]


def is_deposed(reply: Reply) -> bool:
    """Did the fence of a multi stop it? Somebody else is controller."""
    return _failure(reply) in {(0, ZooKeeperError.BAD_VERSION), (0, ZooKeeperError.NO_NODE)}


def _failure(reply: Reply) -> tuple[int, ZooKeeperError]:
    results = reply.message.results if isinstance(reply.message, MultiResponse) else ()
    for at, result in enumerate(results):
        if isinstance(result, ErrorResponse) and result.err not in {0, ZooKeeperError.RUNTIME_INCONSISTENCY}:
            return at, ZooKeeperError(result.err)
    return -1, reply.error
