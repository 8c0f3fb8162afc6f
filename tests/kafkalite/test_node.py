"""The frame: events reach handlers by name, effects come out in order, replies meet their requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kafkalite.node import (
    CancelTimer,
    Flush,
    Flushed,
    Node,
    Note,
    PeerLost,
    Received,
    Send,
    SetTimer,
    Started,
    TimerFired,
)


@dataclass(frozen=True)
class AskRequest:
    number: int


@dataclass(frozen=True)
class AskResponse:
    text: str


class Asker(Node):
    """Asks twice at the start, and notes what comes of it."""

    def on_start(self) -> None:
        self.request("oracle", AskRequest(1))
        self.request("oracle", AskRequest(2))
        self.set_timer("give_up", 50)

    def on_ask_response(self, source: str, response: AskResponse, request: AskRequest) -> None:
        self.note((request.number, response.text))

    def on_ask_request(self, source: str, request: AskRequest) -> None:
        self.reply(source, AskResponse(f"you asked {request.number}"))
        self.cancel_timer("give_up")
        self.flush(self.flushed, 7)

    def on_give_up(self) -> None:
        self.note(f"gave up at {self.now_ms:g} ms")

    def flushed(self, token: int) -> None:
        self.note(("flushed", token))

    def on_peer_lost(self, peer: str, requests: tuple[Any, ...]) -> None:
        self.note((peer, requests))


def test_effects_come_out_in_the_order_the_handler_said_them() -> None:
    assert [
        Send("oracle", AskRequest(1), "request"),
        Send("oracle", AskRequest(2), "request"),
        SetTimer("give_up", 50),
    ] == Asker("a").handle(Started(), 0)


def test_effects_are_handed_over_once() -> None:
    asker = Asker("a")
    asker.handle(Started(), 0)

    assert [Note("gave up at 50 ms")] == asker.handle(TimerFired("give_up"), 50)


def test_each_response_meets_the_request_it_answers() -> None:
    asker = Asker("a")
    asker.handle(Started(), 0)

    assert [Note((1, "yes"))] == asker.handle(Received("oracle", AskResponse("yes")), 3)
    assert [Note((2, "no"))] == asker.handle(Received("oracle", AskResponse("no")), 4)


def test_while_a_handler_runs_the_node_knows_the_version_that_it_is_asked_in() -> None:
    """A message without a header, as in the simulator, is of the newest."""
    asker = Asker("a")
    found = []
    for version in (3, 4, None):
        asker.handle(Received("b", AskRequest(9), version, "reader"), 1)
        found.append((asker.is_asked_since(4), asker.asked_by))

    assert [(False, "reader"), (True, "reader"), (True, "reader")] == found


def test_a_lost_peer_takes_the_unanswered_requests_with_it() -> None:
    """They may have happened."""
    asker = Asker("a")
    asker.handle(Started(), 0)
    asker.handle(Received("oracle", AskResponse("yes")), 3)

    assert [Note(("oracle", (AskRequest(2),)))] == asker.handle(PeerLost("oracle"), 4)
    assert [Note(("oracle", ()))] == asker.handle(PeerLost("oracle"), 5)


def test_a_request_reaches_its_handler_with_its_source() -> None:
    asker = Asker("a")

    effects = asker.handle(Received("b", AskRequest(9)), 1)

    assert [Send("b", AskResponse("you asked 9"), "reply"), CancelTimer("give_up"), Flush(1)] == effects
    assert [Note(("flushed", 7))] == asker.handle(Flushed(1), 2)
