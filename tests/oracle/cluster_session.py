"""A client of raw requests that knows each of three brokers, and can stop them and start them again.

Like `session`, which writes down what is answered by one broker. Here it is written down who answered. Which broker is
the controller, or coordinates a group, is a matter of chance, in Apache Kafka as in ours: a program finds out and does
not write it down. Everything else has its place: topics are placed by hand.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from kafkalite.errors import ErrorCode
from kafkalite.protocol.metadata import MetadataRequest, MetadataRequestTopic
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.protocol.topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from tests.oracle.session import NAMED, UNORDERED, Session, batch

A, B, C = ALL = (101, 102, 103)
IN_NO_ORDER = "isr_nodes"  # Kafka has who came back last at the end, we have them by number; nobody reads it so
ALL_IN_SYNC = -1  # acks
PATIENCE_S = 60.0  # Apache's brokers begin slowly, and a dead one is missed after its session


class Brokers(Protocol):
    """Three brokers that can be stopped; those that run are in `addresses`."""

    addresses: dict[int, str]

    def stop(self, broker: int) -> None:
        """In order: it lets others lead before."""
        ...

    def kill(self, broker: int) -> None:
        """As `kill -9`."""
        ...

    def start(self, broker: int) -> None:
        """Again, on what is on its disk."""
        ...


class ClusterSession(Session):
    """What a program for three brokers is given."""

    named: Mapping[str, str] = NAMED | {"controller_id": "controller"}
    unordered: Mapping[str, str] = UNORDERED | {
        "MetadataResponseBroker": "node_id",
        "DescribeClusterBroker": "broker_id",
        "MetadataResponsePartition": "partition_index",
    }
    patience_s = PATIENCE_S

    def __init__(self, brokers: Brokers, program: str) -> None:
        self.brokers = brokers
        super().__init__(brokers.addresses[A], program)

    def _plain(self, value: Any, field: str = "") -> Any:
        plain = super()._plain(value, field)
        return sorted(plain) if field == IN_NO_ORDER else plain

    # Whom to ask ----------------------------------------------------------------------------------------------------

    def at(self, broker: int) -> None:
        """Ask this broker from now on."""
        if self.bootstrap != self.brokers.addresses[broker]:
            self.bootstrap = self.brokers.addresses[broker]
            self._connections[0].close()
            self._connections[0] = self.connection()
            self._connections.pop()

    def ask_of(self, broker: int, request: Any, version: int | None = None, name: str = "") -> Any:
        """Ask a broker and write its answer down, as that of `name`."""
        self.at(broker)
        connection = self._connections[0]
        connection.send(request, version)
        return self.receive(connection, f"{type(request).__name__} of {name or broker}")

    def ask_each(self, request: Any, version: int | None = None) -> None:
        """Ask every broker that runs."""
        for broker in sorted(self.brokers.addresses):
            self.ask_of(broker, request, version)

    def quietly_of(self, broker: int, request: Any, version: int | None = None) -> Any:
        """Ask a broker until it no longer says "not yet"."""
        self.at(broker)
        return self.quietly(request, version)

    def controller(self) -> int:
        """The controller, found as clients do: any broker says."""
        found = -1
        end = time.monotonic() + PATIENCE_S
        while found not in self.brokers.addresses:
            assert time.monotonic() < end, f"{found} is the controller, and does not run"
            found = self.quietly_of(min(self.brokers.addresses), MetadataRequest((), False)).controller_id
        return found

    def ask_controller(self, request: Any, version: int | None = None) -> Any:
        """Ask the controller, and write its answer down."""
        return self.ask_of(self.controller(), request, version, "the controller")

    def others_than(self, broker: int) -> list[int]:
        """Those that run."""
        return [one for one in sorted(self.brokers.addresses) if one != broker]

    # What is there --------------------------------------------------------------------------------------------------

    def placed(self, *brokers: tuple[int, ...], **settings: str) -> str:
        """A new topic, each of whose partitions is where it is told to be and led by the first; all know of it."""
        self._topics += 1
        name = self.name(f"topic-{self._topics}")
        by_hand = tuple(CreatableReplicaAssignment(index, each) for index, each in enumerate(brokers))
        wanted = {"retention_ms": "-1"} | settings
        configs = tuple(CreatableTopicConfig(key.replace("_", "."), value) for key, value in wanted.items())
        self.quietly_of(
            self.controller(), CreateTopicsRequest((CreatableTopic(name, -1, -1, by_hand, configs),), 10_000)
        )
        for index, each in enumerate(brokers):
            self.wait_until(name, index, leader=each[0], isr=each)
        return name

    def partition(self, broker: int, topic: str, index: int = 0) -> Any:
        """What a broker says of a partition; None if it knows of none."""
        asked = MetadataRequest((MetadataRequestTopic(topic),), allow_auto_topic_creation=False)
        self.at(broker)
        self._connections[0].send(asked)
        partitions = self._connections[0].receive().topics[0].partitions
        return next((one for one in partitions if one.partition_index == index), None)

    def wait_until(
        self,
        topic: str,
        index: int = 0,
        *,
        leader: int | None = None,
        isr: tuple[int, ...] | None = None,
        epoch: int | None = None,
    ) -> None:
        """Until every broker that runs says that this one leads, in this epoch, and that these are in sync.

        Nobody (-1) leads also for a broker that has heard that the leader is gone and not yet what becomes of that:
        the epoch tells the two apart.
        """

        def is_so() -> bool:
            for broker in self.brokers.addresses:
                found = self.partition(broker, topic, index)
                if found is None or (leader is not None and found.leader_id != leader):
                    return False
                if epoch is not None and found.leader_epoch != epoch:
                    return False
                if isr is not None and sorted(found.isr_nodes) != sorted(isr):
                    return False
            return True

        self.until(is_so, f"{topic}-{index}: led by {leader}, {isr} in sync")

    # Who runs -------------------------------------------------------------------------------------------------------

    def stop(self, broker: int) -> None:
        """Stop a broker in order."""
        self._leave(broker)
        self.brokers.stop(broker)

    def kill(self, broker: int) -> None:
        """Let a broker drop dead."""
        self._leave(broker)
        self.brokers.kill(broker)

    def _leave(self, broker: int) -> None:
        self.at(self.others_than(broker)[0])

    def start(self, broker: int) -> None:
        """Start it again; all others know that it is back."""
        self.brokers.start(broker)
        self.until(self._is_complete, f"{sorted(self.brokers.addresses)} know of each other")

    def _is_complete(self) -> bool:
        running = sorted(self.brokers.addresses)
        return all(
            running == sorted(one.node_id for one in self.quietly_of(broker, MetadataRequest((), False)).brokers)
            for broker in running
        )

    def make_whole(self) -> None:
        """Everybody runs and is in sync with everybody, as the next program expects it.

        Brokers tell of who is in sync some seconds late, so each leads a partition here that needs all three.
        """
        down = [broker for broker in ALL if broker not in self.brokers.addresses]
        for broker in down:
            self.start(broker)
        if down:
            topic = self.placed(ALL, (B, C, A), (C, A, B), min_insync_replicas="3")
            for index in range(len(ALL)):
                self.until(lambda: self.is_acknowledged(topic, index), f"all are in sync of {topic}-{index}")  # noqa: B023

    def is_acknowledged(self, topic: str, index: int = 0, data: bytes | None = None) -> bool:
        """Whether as many are in sync as there must be: then this batch is written, else it is not."""
        leader = self.partition(min(self.brokers.addresses), topic, index).leader_id
        sent = TopicProduceData(topic, (PartitionProduceData(index, data or batch(b"v")),))
        [answer] = self.quietly_of(leader, ProduceRequest(None, ALL_IN_SYNC, 10_000, (sent,))).responses
        return bool(answer.partition_responses[0].error_code is ErrorCode.NONE)


@contextmanager
def cluster_session(brokers: Brokers, program: str) -> Iterator[ClusterSession]:
    """A session while the `with` lasts; then the cluster is whole again."""
    one = ClusterSession(brokers, program)
    try:
        yield one
        one.make_whole()
    finally:
        one.close()
