"""Who waits for a client on TCP waits no longer than there is something to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from kafkalite.net.client import AdminClient, ClientFailed, RecordStream, RequestFailed
from kafkalite.node import Node

from .conftest import SECONDS, RealCluster
from .ports import HOST, free_ports


def nobody() -> list[str]:
    """An address at which nothing listens."""
    return [f"{HOST}:{free_ports(1)[0]}"]


def break_handler(node: Node, name: str) -> None:
    """Let one of its handlers raise."""

    def raising(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    setattr(node, name, raising)


def create_topic(cluster: RealCluster) -> None:
    async def create() -> None:
        async with AdminClient([cluster.bootstrap], SECONDS) as admin:
            await admin.ask("create_topic", "orders", 1, 1)

    asyncio.run(create())


def test_what_a_question_raises_is_raised_where_it_was_asked() -> None:
    async def ask() -> None:
        async with AdminClient(nobody()) as admin:
            await asyncio.wait_for(admin.ask("no_such_question"), SECONDS)

    with pytest.raises(ClientFailed, match="has no attribute 'no_such_question'") as failed:
        asyncio.run(ask())
    assert isinstance(failed.value.__cause__, AttributeError)


def test_what_cannot_be_put_into_bytes_is_raised_where_it_was_asked(one_broker: RealCluster) -> None:
    async def ask() -> None:
        async with AdminClient([one_broker.bootstrap]) as admin:
            await admin.ask("describe_cluster")
            await asyncio.wait_for(admin.ask("describe_topic", 5), SECONDS)

    with pytest.raises(ClientFailed):
        asyncio.run(ask())


def test_an_answer_whose_handler_raises_ends_every_question_that_waits(one_broker: RealCluster) -> None:
    async def ask() -> Sequence[Any]:
        async with AdminClient([one_broker.bootstrap]) as admin:
            break_handler(admin.node, "on_metadata_response")
            questions = (asyncio.wait_for(admin.ask("list_topics"), SECONDS) for _ in range(2))
            return await asyncio.gather(*questions, return_exceptions=True)

    found = asyncio.run(ask())

    assert [ClientFailed, ClientFailed] == [type(one) for one in found]
    assert "ZeroDivisionError: a bug" in str(found[0])


def test_a_client_that_failed_once_can_be_asked_again(one_broker: RealCluster) -> None:
    async def ask() -> Any:
        async with AdminClient([one_broker.bootstrap]) as admin:
            with pytest.raises(ClientFailed):
                await asyncio.wait_for(admin.ask("no_such_question"), SECONDS)
            with pytest.raises(RequestFailed, match="UNKNOWN_TOPIC_OR_PARTITION"):
                await admin.ask("describe_topic", "nowhere")
            return await admin.ask("describe_cluster")

    assert [101] == list(asyncio.run(ask()))


def test_a_failure_that_nobody_waits_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def call() -> None:
        async with AdminClient(nobody()) as admin:
            admin.call("no_such_question")

    asyncio.run(call())

    assert "the client itself failed" in caplog.text
    assert "no_such_question" in caplog.text


def test_a_reader_is_told_what_a_handler_raised(one_broker: RealCluster) -> None:
    create_topic(one_broker)

    async def read() -> None:
        async with RecordStream([one_broker.bootstrap]) as stream:
            break_handler(stream.node, "on_fetch_response")
            records = stream.read({("orders", 0): 0})
            await asyncio.wait_for(anext(aiter(records)), SECONDS)

    with pytest.raises(ClientFailed, match="ZeroDivisionError: a bug") as failed:
        asyncio.run(read())
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_who_still_waits_when_the_client_is_closed_is_told() -> None:
    async def ask() -> Any:
        async with AdminClient(nobody()) as admin, RecordStream(nobody()) as stream:
            waiting = (
                asyncio.ensure_future(admin.ask("list_topics")),
                asyncio.ensure_future(anext(aiter(stream.read({("orders", 0): 0})))),
            )
            await asyncio.sleep(0)
        return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), SECONDS)

    found = asyncio.run(ask())

    assert [ClientFailed, ClientFailed] == [type(one) for one in found]
    assert "closed" in str(found[0])


def test_a_closed_client_is_not_asked_in_vain() -> None:
    async def ask() -> None:
        async with AdminClient(nobody()) as admin:
            pass
        await asyncio.wait_for(admin.ask("list_topics"), SECONDS)

    with pytest.raises(AssertionError, match="expected `async with` around this"):
        asyncio.run(ask())
