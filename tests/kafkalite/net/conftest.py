"""A small real cluster for tests: on free ports, in a thread with a loop of its own, gone at the end.

Nothing in it is given up after a short silence, because a test's machine may stand still for seconds: sessions are
long, and so is the time that a ZooKeeper server may be behind. Where a broker drops dead, its session is ended for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kafkalite.config import BrokerConfig, ZooKeeperConfig
from kafkalite.facts import ControllerObeyed
from kafkalite.net.broker_node import serve_broker
from kafkalite.net.nodes import Served
from kafkalite.net.zookeeper_node import ENSEMBLE_PORT, serve_zookeeper
from kafkalite.protocol.metadata import MetadataRequest
from kafkalite.reference import REFERENCE
from tests.kafkalite.net.ports import HOST, free_ports
from tests.kafkalite.net.sessions import end_session
from tests.oracle.session import Session, session

SECONDS = 60.0  # a test that would wait for ever fails after these
TICK_MS = 300  # servers elect within some of these
SILENT_TICKS = 100  # and may be silent for so many


@dataclass
class RealCluster:
    """Where it is, and the facts that its nodes announced."""

    loop: asyncio.AbstractEventLoop
    folder: Path
    brokers: tuple[BrokerConfig, ...]
    zookeepers: tuple[ZooKeeperConfig, ...]
    served: dict[str, Served] = field(default_factory=dict)
    facts: list[tuple[str, Any]] = field(default_factory=list)
    ready: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    news: threading.Condition = field(default_factory=threading.Condition)  # facts come from the loop's thread

    @property
    def bootstrap(self) -> str:
        """Every broker, as clients are told."""
        return ",".join(f"{HOST}:{config.port}" for config in self.brokers)

    @property
    def ensemble(self) -> str:
        """Every ZooKeeper server, as clients are told."""
        return ",".join(config.name for config in self.zookeepers)

    def observe(self, node: str, fact: Any) -> None:
        """Keep a fact."""
        with self.news:
            self.facts.append((node, fact))
            self.news.notify_all()
        if isinstance(fact, ControllerObeyed):
            self.ready.release()

    async def begin(self) -> None:
        """Start all nodes."""
        for server in self.zookeepers:
            self.served[server.name] = await serve_zookeeper(
                server, REFERENCE, self.folder / f"z{server.name[-5:]}", self.observe
            )
        for config in self.brokers:
            await self.begin_broker(config)

    def wait_for_brokers(self, count: int) -> None:
        """Wait until so many more have heard of the controller: before that they can tell clients of nobody."""
        for _ in range(count):
            assert self.ready.acquire(timeout=SECONDS), f"a broker did not hear of the controller in {SECONDS:g} s"

    def wait_for_fact(self, fact: Any) -> None:
        """Wait until some node has announced this."""
        with self.news:
            is_known = self.news.wait_for(lambda: any(fact == one for _, one in self.facts), SECONDS)
        assert is_known, f"nobody announced {fact} in {SECONDS:g} s"

    def wait_for_topic(self, name: str) -> None:
        """Wait until every broker has heard of a topic, and of who leads it: one that has not says there is none."""
        for config in self.brokers:
            with session(f"{HOST}:{config.port}", "wait") as one:
                one.wait_for(name)

    def wait_until_agreed(self) -> None:
        """Wait until all brokers tell of the same topics."""
        with ExitStack() as closing:
            sessions = [closing.enter_context(session(f"{HOST}:{one.port}", "wait")) for one in self.brokers]
            sessions[0].until(lambda: len({*map(_topics, sessions)}) == 1, "all brokers tell of the same topics")

    async def begin_broker(self, config: BrokerConfig) -> None:
        """Start one broker on what is in its folder."""
        folder = self.folder / f"b{config.broker_id}"
        self.served[f"b{config.broker_id}"] = await serve_broker(config, REFERENCE, folder, self.observe)

    def restart(self, config: BrokerConfig) -> None:
        """Let a broker drop dead, and begin again once that is noticed."""
        name = f"b{config.broker_id}"
        session_id = self.served[name].driver.node.zk.session_id  # type: ignore[attr-defined]  # it is a Broker
        self.drop(name)
        end_session(self.ensemble, session_id)
        self.run(self.begin_broker(config))
        self.wait_for_brokers(1)

    def drop(self, name: str) -> None:
        """Let a node drop dead."""

        async def drop() -> None:
            self.served[name].stop()

        self.run(drop())

    async def end(self) -> None:
        """Stop all nodes."""
        for one in self.served.values():
            one.stop()
        for _ in range(3):  # a transport closes one turn of the loop after it is told to
            await asyncio.sleep(0)

    def run(self, coroutine: Any) -> None:
        """Run something on the cluster's loop, and wait for it."""
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS)


def _topics(one: Session) -> frozenset[str]:
    return frozenset(topic.name for topic in one.quietly(MetadataRequest(None, False)).topics)


def real_cluster(folder: Path, brokers: int, zookeepers: int, **settings: Any) -> Iterator[RealCluster]:
    """A cluster while the generator lives; `settings` are its brokers'."""
    servers = tuple(f"{HOST}:{port}" for port in free_ports(zookeepers, apart=1 + ENSEMBLE_PORT))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    cluster = RealCluster(
        loop,
        folder,
        tuple(
            BrokerConfig(101 + index, servers, host=HOST, port=port, group_initial_rebalance_delay_ms=0, **settings)
            for index, port in enumerate(free_ports(brokers))
        ),
        tuple(
            ZooKeeperConfig(name, servers, tick_ms=TICK_MS, init_limit=SILENT_TICKS, sync_limit=SILENT_TICKS)
            for name in servers
        ),
    )
    try:
        cluster.run(cluster.begin())
        cluster.wait_for_brokers(brokers)
        yield cluster
        cluster.run(cluster.end())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def one_broker(tmp_path: Path) -> Iterator[RealCluster]:
    """One broker, one ZooKeeper server."""
    yield from real_cluster(tmp_path, 1, 1)


@pytest.fixture
def three_brokers(tmp_path: Path) -> Iterator[RealCluster]:
    """Three brokers, three ZooKeeper servers."""
    yield from real_cluster(tmp_path, 3, 3)
