"""Clients over TCP: the same nodes as in the simulator, on a loop, and their answers awaited.

    async with AdminClient(["127.0.0.1:9092"]) as admin:
        topics = await admin.ask("list_topics")

    async with RecordStream(["127.0.0.1:9092"]) as stream:
        async for record in stream.read({("orders", 0): 5}, until={("orders", 0): 10}):
            print(record.offset, record.value)

Everything is said in the newest version of the protocol that we know, so this is for our own brokers; for those of
Apache Kafka take a client that asks first. Left out: producers and members of groups.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar

from kafkalite.clients.admin import Admin
from kafkalite.clients.consumer import Consumer
from kafkalite.config import ClientConfig, ConsumerConfig
from kafkalite.errors import KafkaliteError
from kafkalite.facts import PollFailed, RequestAnswered
from kafkalite.log.record import Record
from kafkalite.net.driver import NodeDriver, Peer
from kafkalite.net.kafka_peers import KafkaClientPeer
from kafkalite.net.nodes import host_and_port
from kafkalite.net.stream import open_connection
from kafkalite.node import Called, Effect, Event, Node
from kafkalite.reference import REFERENCE
from kafkalite.types import NodeName, TopicPartition

log = logging.getLogger("kafkalite")

PATIENCE_S = 10.0  # how long a question may take in all


class ClusterUnreachable(KafkaliteError):
    """No broker has answered."""


class RequestFailed(KafkaliteError):
    """The cluster answered with an error, whose name is in `error`."""

    def __init__(self, api: str, error: str, answer: str) -> None:
        super().__init__(api, error, answer)
        self.api, self.error, self.answer = api, error, answer

    def __str__(self) -> str:
        return f"{self.api}: {self.error}{f' ({self.answer})' if self.answer else ''}"


class ClientFailed(KafkaliteError):
    """No answer will come, for a reason of the client's own; what was raised in it, if anything, is the cause."""


class _ClientDriver(NodeDriver):
    """Tells of what is raised while its node works: somebody waits for the answer that now does not come."""

    def __init__(self, client: ClientOnTcp[Any], failed: Callable[[Exception], None]) -> None:
        super().__init__(client.node, _connect, client.observe)
        self._failed = failed

    def _handled(self, event: Event) -> list[Effect]:
        try:
            return self.node.handle(event, self.now_ms)
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            self._failed(error)
            return self._given_up(event)

    def _perform(self, effects: list[Effect]) -> None:
        try:
            super()._perform(effects)
        except Exception as error:  # noqa: BLE001 - a request that has no bytes, say; raised as above
            self._failed(error)


N = TypeVar("N", bound=Node)


class ClientOnTcp(Generic[N]):
    """A client node on the running loop, from `async with` to its end."""

    def __init__(self, node: N, bootstrap: Sequence[str]) -> None:
        self.node, self.bootstrap = node, bootstrap
        self._driver: NodeDriver | None = None

    async def __aenter__(self) -> Self:
        self._driver = _ClientDriver(self, self._failed)
        self._driver.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._driver is not None:
            self._driver.stop()
        self._driver = None
        self.end_waiting(ClientFailed("the client was closed before it had an answer"))

    def call(self, method: str, *arguments: Any) -> None:
        """Ask something of the node."""
        assert self._driver is not None, "expected `async with` around this"
        self._driver.handle(Called(method, arguments))

    def _failed(self, error: Exception) -> None:
        failure = ClientFailed(f"the client itself failed, not the cluster: {type(error).__name__}: {error}")
        failure.__cause__ = error
        if not self.end_waiting(failure):
            log.error("%s", failure, exc_info=error)

    def observe(self, node: NodeName, fact: Any) -> None:
        """The node announces something."""

    def end_waiting(self, failure: ClientFailed) -> bool:
        """Raise this where somebody waits for the node; whether anybody does."""
        raise NotImplementedError

    def unreachable(self, patience_s: float) -> ClusterUnreachable:
        """What to say when nobody has answered."""
        return ClusterUnreachable(
            f"no broker has answered at {','.join(self.bootstrap)} in {patience_s:g} s. Is it running there? "
            "`python -m kafkalite serve` starts one and prints where"
        )


def _connect(driver: NodeDriver, name: NodeName) -> Peer:
    peer = KafkaClientPeer(driver, name)
    open_connection(driver.loop, peer.stream, *host_and_port(name))
    return peer


# Administrators -------------------------------------------------------------------------------------------------------


class AdminClient(ClientOnTcp[Admin]):
    """An administrator; `ask` takes the methods of `kafkalite.clients.admin.Admin`."""

    def __init__(self, bootstrap: Sequence[str], patience_s: float = PATIENCE_S) -> None:
        config = ClientConfig(tuple(bootstrap), default_api_timeout_ms=int(patience_s * 1000))
        super().__init__(Admin("admin", config), bootstrap)
        self._patience_s = patience_s
        self._asked: dict[int, asyncio.Future[RequestAnswered]] = {}

    async def ask(self, method: str, *arguments: Any) -> Any:
        """What was found, as data; what was answered, as a line, where there is none.

        Raises RequestFailed, ClusterUnreachable if no broker has ever answered, ClientFailed.
        """
        number = len(self._asked) + 1
        answered = self._asked[number] = asyncio.get_running_loop().create_future()
        self.call(method, number, *arguments)
        answer = await answered
        if answer.error == "REQUEST_TIMED_OUT" and not self.node.discovery.view.brokers:
            raise self.unreachable(self._patience_s)
        if answer.error != "NONE":
            raise RequestFailed(answer.api, answer.error, answer.answer)
        return answer.answer if answer.found is None else answer.found

    def observe(self, node: NodeName, fact: Any) -> None:
        if isinstance(fact, RequestAnswered) and not self._asked[fact.request].done():
            self._asked[fact.request].set_result(fact)

    def end_waiting(self, failure: ClientFailed) -> bool:
        waiting = [one for one in self._asked.values() if not one.done()]
        for one in waiting:
            one.set_exception(failure)
        return bool(waiting)


# Readers --------------------------------------------------------------------------------------------------------------


class RecordRead(NamedTuple):
    """A record, and where it stands."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


class _Handed(NamedTuple):
    """The program of a reader was handed these; or it has fetched, and has nothing more to hand over."""

    records: tuple[RecordRead, ...]
    positions: dict[TopicPartition, int]  # of some partitions: everything below was handed over


class _Reader(Consumer):
    """A consumer that hands over whole records, and tells when it has fetched, though it be nothing."""

    def hand_over(self, partition: TopicPartition, records: list[Record], position: int) -> None:
        read = (RecordRead(*partition, one.offset, one.timestamp_ms, one.key, one.value) for one in records)
        self.note(_Handed(tuple(read), {partition: position}))

    def on_fetched(self) -> None:
        super().on_fetched()
        positions = self.fetcher.positions
        self.note(_Handed((), {one: at.offset if at.buffer else at.fetched_to for one, at in positions.items()}))


class RecordStream(ClientOnTcp[_Reader]):
    """A reader of partitions, without a group: it leaves no bookmark."""

    def __init__(self, bootstrap: Sequence[str], patience_s: float = PATIENCE_S) -> None:
        client, consumer = ClientConfig(tuple(bootstrap)), ConsumerConfig(auto_offset_reset="none")
        super().__init__(_Reader("reader", client, consumer, REFERENCE), bootstrap)
        self._patience_s = patience_s
        self._news: asyncio.Queue[_Handed | PollFailed | ClientFailed] = asyncio.Queue()

    async def read(
        self, start: Mapping[TopicPartition, int], until: Mapping[TopicPartition, int] | None = None
    ) -> AsyncIterator[RecordRead]:
        """The records from `start` on, each partition's in order; up to `until`, or for ever.

        Raises RequestFailed where a position cannot be read from, ClusterUnreachable if nothing comes for too long
        although there must be something, ClientFailed.
        """
        wanted = {one: start[one] for one in start if until is None or start[one] < until[one]}
        self.call("assign", tuple((*partition, offset) for partition, offset in wanted.items()))
        while wanted:
            try:
                news = await asyncio.wait_for(self._news.get(), None if until is None else self._patience_s)
            except TimeoutError:
                raise self.unreachable(self._patience_s) from None
            if isinstance(news, ClientFailed):
                raise news
            if isinstance(news, PollFailed):
                raise RequestFailed(f"reading {news.topic}-{news.partition}", news.error, "")
            for record in news.records:
                if until is None or record.offset < until[record.topic, record.partition]:
                    yield record
            if until is not None:
                wanted = {one: at for one, at in wanted.items() if news.positions.get(one, at) < until[one]}

    def observe(self, node: NodeName, fact: Any) -> None:
        if isinstance(fact, _Handed | PollFailed):
            self._news.put_nowait(fact)

    def end_waiting(self, failure: ClientFailed) -> bool:
        self._news.put_nowait(failure)  # for whoever reads, now or next
        return True
