"""A producer made of raw requests, for tests of transactions: it finds its coordinator, and asks again when told to."""

from __future__ import annotations

from typing import Any

from kafkalite.errors import ErrorCode
from kafkalite.log.batch import TRANSACTIONAL, encode_batch, split
from kafkalite.log.compression import records_of
from kafkalite.log.record import Record
from kafkalite.node import Node
from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic, PartitionData
from kafkalite.protocol.group_membership import FindCoordinatorRequest
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.protocol.transactions import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
    EndTxnRequest,
    InitProducerIdRequest,
)
from kafkalite.sim.cluster import Cluster
from kafkalite.types import NodeName, TopicPartition, address

LOST = "the connection was lost"
TIMEOUT_MS = 2000
PATIENCE_MS = 60_000  # longer than any failover
TRANSACTIONAL_ID = 1
NO_ANSWER = frozenset(
    (
        ErrorCode.CONCURRENT_TRANSACTIONS,
        ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
        ErrorCode.COORDINATOR_NOT_AVAILABLE,
        ErrorCode.NOT_COORDINATOR,
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        ErrorCode.NOT_ENOUGH_REPLICAS,
        ErrorCode.REQUEST_TIMED_OUT,
    )
)


def cluster_of(brokers: int = 3, seed: int = 1, **settings: Any) -> Cluster:
    """A cluster with topics A and B of three partitions, and few partitions for its coordinators."""
    replicas = min(brokers, 3)
    defaults = {
        "offsets_topic_num_partitions": 3,
        "offsets_topic_replication_factor": replicas,
        "transaction_state_log_num_partitions": 3,
        "transaction_state_log_replication_factor": replicas,
        "transaction_state_log_min_isr": min(replicas, 2),
    }
    cluster = Cluster(brokers=brokers, zookeepers=1, seed=seed, broker={**defaults, **settings})
    return cluster.topic("A", partitions=3, replicas=replicas).topic("B", partitions=3, replicas=replicas)


class Asker(Node):
    """Asks brokers, several at once if need be; `answers` has what came by the number of the question, or LOST."""

    def __init__(self, name: NodeName) -> None:
        super().__init__(name)
        self.answers: dict[int, Any] = {}
        self._open: list[tuple[int, NodeName, Any]] = []

    def ask(self, number: int, peer: NodeName, request: Any) -> None:
        self._open.append((number, peer, request))
        self.request(peer, request, timeout_ms=TIMEOUT_MS)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_") and name.endswith("_response"):
            return self._answered
        raise AttributeError(name)

    def _answered(self, source: NodeName, response: Any, request: Any) -> None:
        found = next(one for one in self._open if one[1] == source and one[2] is request)
        self._open.remove(found)
        self.answers[found[0]] = response

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        for one in [one for one in self._open if one[1] == peer]:
            self._open.remove(one)
            self.answers[one[0]] = LOST


class Questions:
    """Straight-line code to ask brokers of a cluster."""

    def __init__(self, cluster: Cluster, name: NodeName) -> None:
        self.cluster, self.node, self._count = cluster, Asker(name), 0
        cluster.sim.add(self.node)

    def send(self, peer: NodeName, request: Any) -> int:
        """Ask, and do not wait; the number of the question."""
        self._count += 1
        self.cluster.sim.call(self.node.name, "ask", self._count, peer, request)
        return self._count

    def answer(self, number: int) -> Any:
        """Wait for the answer to that question."""
        self.cluster.run_until(lambda: number in self.node.answers, "an answer")
        return self.node.answers[number]

    def ask(self, peer: NodeName, request: Any) -> Any:
        """Ask, and wait for the answer."""
        return self.answer(self.send(peer, request))


class Transactor:
    """One transactional id; every method is one request, and returns what came, with its error in it."""

    def __init__(self, cluster: Cluster, name: str = "t", node: NodeName = "p1", timeout_ms: int = 60_000) -> None:
        self.cluster, self.name, self.timeout_ms = cluster, name, timeout_ms
        self.member = Questions(cluster, node)
        self.producer_id = self.epoch = -1
        self.sequences: dict[TopicPartition, int] = {}

    def coordinator(self, key: str | None = None, kind: int = TRANSACTIONAL_ID) -> NodeName:
        """Who coordinates this id, or that group; asked until somebody does."""
        while True:
            found = self.member.ask(self._any(), FindCoordinatorRequest(self.name if key is None else key, kind))
            if found != LOST and not found.error_code:
                return address(found.host, found.port)
            self.cluster.run_for(100)

    def _any(self) -> NodeName:
        return next(name for name in self.cluster.brokers if name not in self.cluster.sim.down)

    def surely(self, request: Any) -> Any:
        """Ask the coordinator until it says more than "later"."""
        deadline_ms = self.cluster.sim.now_ms + PATIENCE_MS
        while True:
            answer = self.member.ask(self.coordinator(), request)
            if answer != LOST and error_of(answer) not in NO_ANSWER:
                return answer
            assert self.cluster.sim.now_ms < deadline_ms, f"the last answer to {request} was {answer}"
            self.cluster.run_for(50)

    def init(self, **fields: Any) -> ErrorCode:
        """Begin."""
        request = InitProducerIdRequest(self.name, self.timeout_ms, **fields)
        answer = self.surely(request)
        if not answer.error_code:
            self.producer_id, self.epoch = answer.producer_id, answer.producer_epoch
            self.sequences = {}
        return error_of(answer)

    def add_request(self, *partitions: TopicPartition) -> AddPartitionsToTxnRequest:
        topics = tuple(AddPartitionsToTxnTopic(topic, (index,)) for topic, index in partitions)
        return AddPartitionsToTxnRequest(self.name, self.producer_id, self.epoch, topics)

    def add(self, *partitions: TopicPartition) -> ErrorCode:
        return error_of(self.surely(self.add_request(*partitions)))

    def add_offsets(self, group: str) -> ErrorCode:
        return error_of(self.surely(AddOffsetsToTxnRequest(self.name, self.producer_id, self.epoch, group)))

    def end_request(self, *, is_commit: bool) -> EndTxnRequest:
        return EndTxnRequest(self.name, self.producer_id, self.epoch, is_commit)

    def commit(self) -> ErrorCode:
        return error_of(self.surely(self.end_request(is_commit=True)))

    def abort(self) -> ErrorCode:
        return error_of(self.surely(self.end_request(is_commit=False)))

    def write(self, partition: TopicPartition, *values: bytes, attributes: int = TRANSACTIONAL) -> ErrorCode:
        """Produce one batch with acks=all, until its leader takes or refuses it."""
        sequence = self.sequences.get(partition, 0)
        now_ms = self.cluster.sim.nodes[self.leader(partition)].wall_ms
        records = [Record(None, value, now_ms, (), at) for at, value in enumerate(values)]
        batch = encode_batch(
            records,
            attributes=attributes,
            producer_id=self.producer_id,
            producer_epoch=self.epoch,
            base_sequence=sequence,
        )
        data = TopicProduceData(partition[0], (PartitionProduceData(partition[1], batch),))
        request = ProduceRequest(self.name, -1, 5000, (data,))
        while True:
            answer = self.member.ask(self.leader(partition), request)
            error = ErrorCode.NOT_LEADER_OR_FOLLOWER if answer == LOST else _produced(answer)
            if error not in NO_ANSWER:
                break
            self.cluster.run_for(100)
        if not error:
            self.sequences[partition] = sequence + len(values)
        return error

    def leader(self, partition: TopicPartition) -> NodeName:
        return self.cluster.leader(*partition)

    def fetch(self, partition: TopicPartition, offset: int = 0, isolation_level: int = 1) -> PartitionData:
        """What a consumer is told of a partition."""
        asked = FetchTopic(partition[0], (FetchPartition(partition[1], -1, offset, -1, 1 << 20),))
        request = FetchRequest(isolation_level=isolation_level, topics=(asked,))
        while True:
            answer = self.member.ask(self.leader(partition), request)
            found: PartitionData | None = None if answer == LOST else answer.responses[0].partitions[0]
            if found is not None and found.error_code not in NO_ANSWER:
                return found
            self.cluster.run_for(100)

    def values(self, partition: TopicPartition, isolation_level: int = 1) -> list[bytes | None]:
        """What a consumer makes of it: without markers, and without the records of aborted transactions."""
        answer = self.fetch(partition, 0, isolation_level)
        aborted = sorted(answer.aborted_transactions or (), key=lambda one: one.first_offset)
        skipped: set[int] = set()
        found: list[bytes | None] = []
        for header, batch in split(answer.records or b""):
            while aborted and aborted[0].first_offset <= header.base_offset:
                skipped.add(aborted.pop(0).producer_id)
            if header.is_control:
                skipped.discard(header.producer_id)
            elif not (header.is_transactional and header.producer_id in skipped):
                found += [record.value for record in records_of(batch) or ()]
        return found


def _produced(answer: Any) -> ErrorCode:
    error: ErrorCode = answer.responses[0].partition_responses[0].error_code
    return error


def error_of(answer: Any) -> ErrorCode:
    """The error of an answer, wherever it stands."""
    if hasattr(answer, "results_by_topic_v3_and_below"):
        return ErrorCode.of(answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code)
    if hasattr(answer, "topics"):
        return ErrorCode.of(answer.topics[0].partitions[0].error_code)
    return ErrorCode.of(answer.error_code)
