"""One event at a time: what an event asks is answered before the next begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.controller.context import Office
from kafkalite.controller.events import Events, error_of, fenced, is_deposed
from kafkalite.protocol.zookeeper import CheckVersionRequest, DeleteRequest, ExistsRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import ErrorResponse, MultiResponse, Reply


class Asked:
    """A ZooKeeper that answers when it is told to."""

    session_id = 7

    def __init__(self) -> None:
        self.waiting: list[tuple[Any, Callable[..., None], tuple[Any, ...]]] = []

    def ask_surely(self, request: Any, then: Callable[..., None], *arguments: Any) -> None:
        self.waiting.append((request, then, arguments))

    def answer(self, at: int = 0, error: ZooKeeperError = ZooKeeperError.OK) -> None:
        request, then, arguments = self.waiting.pop(at)
        then(Reply(0, 0, error, request), request, *arguments)


class Diary:
    """Steps that write down that they were taken."""

    def __init__(self) -> None:
        self.zk = Asked()
        self.events = Events(self.zk)
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)

    def ask(self, *paths: str) -> None:
        self.events.ask_all([ExistsRequest(path) for path in paths], self.answered)

    def answered(self, replies: list[Reply]) -> None:
        self.lines.append(" ".join(reply.message.path for reply in replies))

    def put_two_first(self) -> None:
        self.events.put_first((self.write, "first"), (self.write, "second"))


def test_an_event_waits_for_the_one_before_it_to_be_answered() -> None:
    diary = Diary()

    diary.events.put(diary.ask, "/a", "/b")
    diary.events.put(diary.write, "next")
    assert [] == diary.lines
    diary.zk.answer(at=1)
    assert [] == diary.lines
    diary.zk.answer()

    assert ["/a /b", "next"] == diary.lines, "the answers in the order of the questions"


def test_the_rest_of_an_event_comes_before_other_events() -> None:
    diary = Diary()

    diary.events.put(diary.ask, "/a")
    diary.events.put(diary.write, "other")
    diary.events.put_first((diary.put_two_first,))
    diary.zk.answer()

    assert ["/a", "first", "second", "other"] == diary.lines


def test_an_event_that_waits_already_is_not_put_twice() -> None:
    diary = Diary()
    diary.events.put(diary.ask, "/a")

    for _ in range(3):
        diary.events.put(diary.write, "once")
    diary.zk.answer()

    assert ["/a", "once"] == diary.lines


def test_what_was_asked_before_the_queue_was_cleared_is_nobody_s_answer() -> None:
    diary = Diary()
    diary.events.put(diary.ask, "/old")
    diary.events.clear()
    diary.events.put(diary.ask, "/new")

    diary.zk.answer()
    assert [] == diary.lines
    diary.zk.answer()

    assert ["/new"] == diary.lines


def test_with_an_expired_session_nothing_goes_on() -> None:
    diary = Diary()
    diary.events.put(diary.ask, "/a")
    diary.events.put(diary.write, "next")

    diary.zk.answer(error=ZooKeeperError.SESSION_EXPIRED)

    assert [] == diary.lines


def test_a_multi_says_by_its_results_what_failed() -> None:
    office = Office(epoch=3, epoch_version=4)
    request = fenced(office, DeleteRequest("/a"))
    assert CheckVersionRequest("/controller_epoch", 4) == request.operations[0]

    def failed(*errors: int) -> Reply:
        return Reply(0, 0, ZooKeeperError.OK, MultiResponse(tuple(map(ErrorResponse, errors))))

    deposed = failed(ZooKeeperError.BAD_VERSION, ZooKeeperError.RUNTIME_INCONSISTENCY)
    refused = failed(ZooKeeperError.OK, ZooKeeperError.BAD_VERSION)
    lost = Reply(0, 0, ZooKeeperError.CONNECTION_LOSS, None)

    assert [True, False, False] == [is_deposed(reply) for reply in (deposed, refused, lost)]
    assert [ZooKeeperError.BAD_VERSION, ZooKeeperError.BAD_VERSION, ZooKeeperError.CONNECTION_LOSS] == [
        error_of(reply) for reply in (deposed, refused, lost)
    ]
