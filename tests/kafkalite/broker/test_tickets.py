"""Answers that take time reach who asked, or nobody."""

from __future__ import annotations

from kafkalite.broker.tickets import Tickets

from .scripted import Stage


def test_an_answer_goes_to_who_asked_and_only_once() -> None:
    stage = Stage()
    tickets = Tickets(stage.node, "tickets")
    first, second = tickets.open("p1"), tickets.open("p2")

    tickets.reply(second, "b")
    tickets.reply(first, "a")
    tickets.reply(first, "a again")

    stage.drain()
    assert [("p2", "b"), ("p1", "a")] == stage.replies


def test_whoever_comes_back_on_a_new_connection_is_not_told_what_was_asked_on_the_old_one() -> None:
    stage = Stage()
    tickets = Tickets(stage.node, "tickets")
    old, others = tickets.open("p1"), tickets.open("p2")
    stage.loses("p1")
    new = tickets.open("p1")

    for ticket, message in [(old, "old"), (others, "others"), (new, "new")]:
        tickets.reply(ticket, message)

    stage.drain()
    assert [("p2", "others"), ("p1", "new")] == stage.replies
