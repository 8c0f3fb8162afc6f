"""Processes of a served cluster are killed in turn while clients write and read; nothing acknowledged may be harmed.

Each round kills (-9) whoever leads a partition, is the controller, coordinates the group or leads the ZooKeeper
servers; waits until every partition is written to and read again; and starts the process anew on its files. The next
round begins when all replicas are in sync again: with two replicas of three in sync, one more crash is what RF 3 and
min ISR 2 are for, and two at once are not.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from kafkalite.net.client import AdminClient, RequestFailed
from kafkalite.net.plan import ServePlan
from kafkalite.net.serve import ServedCluster
from kafkalite.protocol.group_membership import FindCoordinatorRequest
from kafkalite.protocol.metadata import MetadataRequest, MetadataRequestTopic
from tests.oracle.session import Closed, Connection

from .crash_load import GROUP, PARTITIONS, PATIENCE_S, TOPIC, Load, Verdict, everything, judged, load
from .ports import free_ports

BROKERS = ZOOKEEPERS = 3
PORTS = 110
LOOK_AGAIN_S = 0.05


class Round(NamedTuple):
    """One process killed; times are ms after that, of the last partition to go on."""

    kind: str
    victim: str
    first_ack_ms: float
    first_read_ms: float
    whole_ms: float  # until all replicas were in sync again
    acknowledged: int  # in all


class Crashes:
    """A cluster under load, and who is who in it."""

    def __init__(self, cluster: ServedCluster, clients: Load) -> None:
        self.cluster, self.clients = cluster, clients
        self.kinds: dict[str, Callable[[], str]] = {
            "leader": self._leader,
            "controller": self._controller,
            "coordinator": self._coordinator,
            "ZooKeeper leader": self._zookeeper_leader,
        }
        self._count = 0

    def play(self, kind: str) -> Round:
        """Kill, wait until everything goes on, start again, wait until everything is whole."""
        book = self.clients.book
        victim = self.kinds[kind]()
        self._count += 1
        process = self.cluster.processes[victim]
        killed_s = book.mark()
        process.kill()
        book.wait_until(book.is_under_way, "all partitions to go on")
        acked_s, read_s = max(book.first_ack_s.values()), max(book.first_read_s.values())
        process.start()
        process.wait_until_ready()
        self.wait_until_whole()
        whole_s = time.monotonic()
        first_ack_ms, first_read_ms, whole_ms = ((one - killed_s) * 1000 for one in (acked_s, read_s, whole_s))
        return Round(kind, victim, first_ack_ms, first_read_ms, whole_ms, len(book.acknowledged))

    def wait_until_whole(self) -> None:
        """Until every replica of every partition is in sync."""
        end_s = time.monotonic() + PATIENCE_S
        while True:
            partitions = self._metadata().topics[0].partitions
            if len(partitions) == PARTITIONS and all(len(one.isr_nodes) == BROKERS for one in partitions):
                return
            assert time.monotonic() < end_s, f"not in sync after {PATIENCE_S:g} s: {partitions}"
            time.sleep(LOOK_AGAIN_S)

    # Who is who ------------------------------------------------------------------------------------------------------

    def _leader(self) -> str:
        partitions = {one.partition_index: one.leader_id for one in self._metadata().topics[0].partitions}
        return f"broker-{partitions[self._count % PARTITIONS]}"

    def _controller(self) -> str:
        return f"broker-{self._metadata().controller_id}"

    def _coordinator(self) -> str:
        found = self._asked(FindCoordinatorRequest(GROUP, 0), 3, lambda answer: answer.node_id >= 0)
        return f"broker-{found.node_id}"

    def _metadata(self) -> Any:
        def is_told(answer: Any) -> bool:
            return answer.controller_id >= 0 and all(one.leader_id >= 0 for one in answer.topics[0].partitions)

        return self._asked(MetadataRequest((MetadataRequestTopic(TOPIC),), False), None, is_told)

    def _asked(self, request: Any, version: int | None, is_told: Callable[[Any], bool]) -> Any:
        """What a majority would say is not asked for: any broker's answer will do, once it says something."""
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            for bootstrap in self.cluster.bootstrap.split(","):
                try:
                    connection = Connection(bootstrap)
                    connection.send(request, version)
                    answer = connection.receive()
                    connection.close()
                except (OSError, Closed):
                    continue
                if is_told(answer):
                    return answer
            time.sleep(LOOK_AGAIN_S)
        raise AssertionError(f"nobody answers {request}")

    def _zookeeper_leader(self) -> str:
        """Whoever was elected last: each server tells its log, and epochs only rise."""
        epochs = {
            name: max(map(int, re.findall(r"ServerElected\(epoch=(\d+)\)", process.log_path.read_text())), default=-1)
            for name, process in self.cluster.processes.items()
            if process.process.kind == "zookeeper"
        }
        return max(epochs, key=epochs.__getitem__)


@contextmanager
def crashes(folder: Path, session_timeout_ms: int) -> Iterator[Crashes]:
    """A cluster under load while the `with` lasts."""
    plan = ServePlan(BROKERS, ZOOKEEPERS, port=free_ports(PORTS)[0], session_timeout_ms=session_timeout_ms)
    cluster = ServedCluster(plan, folder)
    cluster.start()
    try:
        asyncio.run(_topic(cluster.bootstrap))
        with load(cluster.bootstrap) as clients:
            clients.book.mark()
            clients.book.wait_until(clients.book.is_under_way, "the first records of all partitions")
            one = Crashes(cluster, clients)
            one.wait_until_whole()
            yield one
    finally:
        cluster.stop()


async def _topic(bootstrap: str) -> None:
    async with AdminClient(bootstrap.split(","), PATIENCE_S) as admin:
        while True:
            try:
                await admin.ask("create_topic", TOPIC, PARTITIONS, BROKERS, (("min.insync.replicas", "2"),))
            except RequestFailed as failure:  # the controller has not heard of all brokers yet
                if failure.error != "INVALID_REPLICATION_FACTOR":
                    raise
            else:
                return


def verdict(one: Crashes) -> Verdict:
    """End the load and read everything: the cluster is still there, whole."""
    one.clients.stop_producers()
    book = one.clients.book
    book.wait_until(book.is_all_seen, "the group to read what was acknowledged")
    one.clients.stop_members()
    return judged(book, everything(one.cluster.bootstrap))
