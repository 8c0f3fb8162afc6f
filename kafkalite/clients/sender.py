"""From batches to acknowledgements: what is sent when, what is sent again, and what is given up.

    a batch is due      full, or lingered; or sent before, and to be sent again
    it may go           its leader is known and reachable, with fewer than `max_in_flight_requests` in the works there
    it is answered      done; or retried after a wait; or failed. `idempotence.judge` says which
    it is not answered  the connection broke: it may be in the log. Retried, in its old place
    it is too old       `delivery_timeout_ms` after it was made: failed, wherever it is

One request takes one batch of each partition. With idempotence, order is kept: see `idempotence`. Without, a batch that
was refused is sent again after a later one that was taken: with more than one in flight, retries reorder.

A failure is *definite* if every attempt was answered, and every answer says that nothing was appended. Anything else
"may have happened". With acks=0 a batch is acknowledged as it is sent: nobody will answer.

Left out: splitting a batch that the broker finds too large (KIP-126); compression.
Source: Sender, RecordAccumulator.drain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.batch import Batch, Pending
from kafkalite.clients.discovery import OLD_METADATA, Discovery
from kafkalite.clients.idempotence import IN_FLIGHT_MAX, Lane, Verdict, judge
from kafkalite.clients.producer_id import ProducerId
from kafkalite.clients.transactions import Transactions
from kafkalite.config import ClientConfig, ProducerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import BatchSent, RecordsAcknowledged, RecordsFailed
from kafkalite.log.batch import TRANSACTIONAL
from kafkalite.node import Component, Node
from kafkalite.parts import AccumulatorPart
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData
from kafkalite.types import NodeName, TopicPartition, channel, node_of


class Listener(Protocol):
    """Who is told when batches are done, so that there is room again."""

    def on_batches_done(self) -> None: ...


class Sender(Component):
    """Sends what an accumulator gathers. `used_bytes` is the memory of everything that is not done."""

    def __init__(
        self,
        node: Node,
        discovery: Discovery,
        configs: tuple[ClientConfig, ProducerConfig],
        accumulator: AccumulatorPart,
        listener: Listener,
        transactions: Transactions | None = None,
        *,
        connection: str = "",
    ) -> None:
        """`connection` names one of its own with each broker, for a node that has more to ask than this."""
        super().__init__(node, "sender")
        self.used_bytes = 0
        self.failures = 0  # batches given up so far
        self._client, self._config = configs
        self._discovery, self._accumulator, self._listener = discovery, accumulator, listener
        self._pending: dict[int, tuple[TopicPartition, Pending]] = {}  # what the accumulator holds, oldest first
        self._lanes: dict[TopicPartition, Lane] = {}
        self._retrying: dict[TopicPartition, None] = {}  # lanes with batches to be sent again
        self._in_flight: dict[NodeName, deque[list[Batch]]] = {}  # peer -> the batches of each request
        self._transactions, self._connection = transactions, connection
        self._producer_id: ProducerId | Transactions | None = transactions
        if transactions is None and is_idempotent(self._config):
            self._producer_id = ProducerId(node, discovery, self._client, self._lanes, self)
        self._wakes_at_ms = float("inf")
        self._is_expiry_set = False

    @property
    def is_idle(self) -> bool:
        """Everything is acknowledged or given up."""
        return not self._pending and not any(lane.outstanding for lane in self._lanes.values())

    def add(self, partition: TopicPartition, pending: Pending) -> None:
        """Let a record wait for the others of its batch."""
        now_ms = self.node.now_ms
        if self._transactions is not None:
            self._transactions.add(partition)
        self._pending[pending.record] = (partition, pending)
        self.used_bytes += pending.size_bytes
        is_full = self._accumulator.append(partition, pending.record, pending.size_bytes, now_ms)
        self._wake_at(now_ms if is_full else now_ms + self._config.linger_ms)
        if not self._is_expiry_set:
            self._is_expiry_set = True
            self.set_timer("expire", self._config.delivery_timeout_ms)

    def flush(self) -> None:
        """Send what is there, full or not."""
        self._accumulator.flush()
        self.pump()

    # Sending --------------------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Send everything that may go now."""
        if self._producer_id is None or self._producer_id.settle():
            while self._send_round():
                pass
        self._wake_later()

    def on_wake(self) -> None:
        """A batch has lingered, or may be tried again."""
        self._wakes_at_ms = float("inf")
        self.pump()

    def _send_round(self) -> bool:
        """Send one batch of each partition that may send, in one request a broker; was there any?"""
        requests: dict[NodeName, list[Batch]] = {}
        sizes: dict[NodeName, int] = {}
        for partition in self._due():
            peer = self._discovery.leader_of(*partition)
            if peer is not None and self._connection:
                peer = channel(peer, self._connection)
            if peer is None or not self._discovery.is_reachable(peer):
                continue
            if self.node.waits_for(peer) >= self._config.max_in_flight_requests_per_connection:
                continue
            if peer in sizes and sizes[peer] + self._config.batch_size > self._config.max_request_size:
                continue
            batch = self._next_batch(partition)
            if batch is not None:
                requests.setdefault(peer, []).append(batch)
                sizes[peer] = sizes.get(peer, 0) + len(batch.encoded())
        for peer, batches in requests.items():
            self._send(peer, batches)
        return bool(requests)

    def _due(self) -> Iterator[TopicPartition]:
        yield from list(self._retrying)
        yield from (one for one in self._accumulator.ready(self.node.now_ms) if one not in self._retrying)

    def _next_batch(self, partition: TopicPartition) -> Batch | None:
        """The batch that this partition sends next, if it may send one now."""
        lane = self._lanes.get(partition)
        if lane is None:
            lane = self._lanes[partition] = Lane()
        if partition in self._retrying:
            return self._next_retry(partition, lane)
        if not self._may_send_new(partition, lane):
            return None
        batch = self._take(partition)
        if self._producer_id is not None:
            lane.number(batch, self._producer_id.identity)
        lane.outstanding.append(batch)
        return batch

    def _take(self, partition: TopicPartition) -> Batch:
        pending = [self._pending.pop(record)[1] for record in self._accumulator.take(partition)]
        return Batch(partition, pending, TRANSACTIONAL if self._transactions is not None else 0)

    def _may_send_new(self, partition: TopicPartition, lane: Lane) -> bool:
        in_flight_max = self._config.max_in_flight_requests_per_connection
        if self._producer_id is None:
            return in_flight_max > 1 or not lane.outstanding
        if self._transactions is not None and not self._transactions.may_send(partition):
            return False
        lane.follow(self._producer_id.identity)
        # A leader that has never heard of a producer takes whatever comes first, as the records it knew may be gone by
        # age. So the first batch goes alone: were it refused for a moment, those behind it would be taken before it.
        # Kafka does not wait here.
        in_flight_max = min(in_flight_max, IN_FLIGHT_MAX) if lane.is_known else 1
        return not lane.has_hole and len(lane.outstanding) < in_flight_max

    def _next_retry(self, partition: TopicPartition, lane: Lane) -> Batch | None:
        """The batch to be sent again: with idempotence only the oldest of all, and alone."""
        batch = lane.first_waiting
        if batch is None:
            del self._retrying[partition]
            return None
        if batch.retry_at_ms > self.node.now_ms or (self._producer_id is not None and batch is not lane.outstanding[0]):
            return None
        return batch

    def _send(self, peer: NodeName, batches: list[Batch]) -> None:
        topics: dict[str, list[PartitionProduceData]] = {}
        for batch in batches:
            topic, index = batch.partition
            batch.attempts += 1
            batch.is_in_flight, batch.is_renumbered = True, False
            topics.setdefault(topic, []).append(PartitionProduceData(index, batch.encoded()))
            self.node.note(BatchSent(topic, index, batch.records, batch.attempts, node_of(peer), batch.base_sequence))
            if self._lanes[batch.partition].first_waiting is None:
                self._retrying.pop(batch.partition, None)
        data = tuple(TopicProduceData(topic, tuple(partitions)) for topic, partitions in topics.items())
        timeout_ms = self._config.request_timeout_ms
        request = ProduceRequest(self._config.transactional_id, self._config.acks, timeout_ms, data)
        if self._config.acks == 0:
            self.node.send(peer, request)
            for batch in batches:
                self._done(batch, -1)
            self._listener.on_batches_done()
        else:
            self.node.request(peer, request, timeout_ms=timeout_ms)
            self._in_flight.setdefault(peer, deque()).append(batches)

    # Answers --------------------------------------------------------------------------------------------------------

    def on_produce_response(self, source: NodeName, response: ProduceResponse, request: ProduceRequest) -> None:
        """Take the outcome of each batch."""
        self._discovery.heard(source)
        answers = {(topic.name, one.index): one for topic in response.responses for one in topic.partition_responses}
        for batch in self._in_flight[source].popleft():
            answer = answers.get(batch.partition)
            if answer is None:  # a broker that forgets a partition has told us nothing about it
                self._answered(batch, ErrorCode.UNKNOWN_SERVER_ERROR, -1)
            else:
                self._answered(batch, ErrorCode.of(answer.error_code), answer.base_offset)
        self._after_answers()

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        """Nobody knows what became of what was under way there."""
        for batches in self._in_flight.pop(peer, ()):
            for batch in batches:
                self._answered(batch, ErrorCode.NETWORK_EXCEPTION, -1)
        self._after_answers()

    def _after_answers(self) -> None:
        self.pump()
        self._listener.on_batches_done()

    def _answered(self, batch: Batch, error: ErrorCode, base_offset: int) -> None:
        if batch.is_done:  # given up meanwhile
            return
        batch.is_in_flight = False
        lane = self._lanes[batch.partition]
        if error in OLD_METADATA:
            self._discovery.refresh(error.name)
        if not error.definite:
            batch.may_be_appended = True
        match judge(error, lane.standing(batch, may_retry=batch.attempts <= self._config.retries)):
            case Verdict.DONE:
                if self._producer_id is not None:
                    lane.acknowledged(batch)
                self._done(batch, base_offset if error == ErrorCode.NONE else -1)
            case Verdict.FAIL:
                self._fail(batch, error)
            case Verdict.RENUMBER if self._transactions is not None:  # what is missing is missing in the transaction
                self._fail(batch, error)
            case verdict:
                if verdict is Verdict.RENUMBER and isinstance(self._producer_id, ProducerId):
                    self._producer_id.begin_anew(batch.partition)
                batch.retry_at_ms = self.node.now_ms + self._backoff_ms(batch.attempts)
                self._retrying[batch.partition] = None

    def _done(self, batch: Batch, base_offset: int) -> None:
        self._forget(batch)
        self.node.note(RecordsAcknowledged(*batch.partition, batch.records, base_offset))

    def _fail(self, batch: Batch, error: ErrorCode) -> None:
        """Give a batch up. What comes after it in its partition must not be taken for what comes next."""
        is_definite = not batch.may_be_appended and not batch.is_in_flight
        lane = self._lanes[batch.partition]
        is_oldest = batch is lane.outstanding[0]
        self.failures += 1
        self._forget(batch)
        if isinstance(self._producer_id, ProducerId) and is_definite and is_oldest:
            self._producer_id.begin_anew(batch.partition)
        elif self._producer_id is not None:
            lane.has_hole = True
            if isinstance(self._producer_id, ProducerId):
                self._producer_id.leave_hole(batch.partition)
        self.node.note(RecordsFailed(*batch.partition, batch.records, error.name, is_definite))
        if self._transactions is not None:
            self._transactions.batch_failed(error)

    def _forget(self, batch: Batch) -> None:
        batch.is_done = True
        self.used_bytes -= batch.size_bytes
        self._lanes[batch.partition].outstanding.remove(batch)

    # Time -----------------------------------------------------------------------------------------------------------

    def on_expire(self) -> None:
        """Give up what is older than `delivery_timeout_ms`."""
        self._is_expiry_set = False
        now_ms, timeout_ms = self.node.now_ms, self._config.delivery_timeout_ms
        for lane in self._lanes.values():
            for batch in [one for one in lane.outstanding if one.created_ms + timeout_ms <= now_ms]:
                self._fail(batch, ErrorCode.REQUEST_TIMED_OUT)
        while self._pending and (oldest := next(iter(self._pending.values())))[1].created_ms + timeout_ms <= now_ms:
            self._fail_unsent(oldest[0], ErrorCode.REQUEST_TIMED_OUT.name)
            if self._transactions is not None:
                self._transactions.fail(ErrorCode.REQUEST_TIMED_OUT)
        made_ms = [batch.created_ms for lane in self._lanes.values() for batch in lane.outstanding]
        made_ms += [pending.created_ms for _, pending in list(self._pending.values())[:1]]
        if made_ms:
            self._is_expiry_set = True
            self.set_timer("expire", min(made_ms) + timeout_ms - now_ms)
        self._after_answers()

    def _fail_unsent(self, partition: TopicPartition, error: str) -> None:
        batch = self._take(partition)
        self.failures += 1
        self.used_bytes -= batch.size_bytes
        self.node.note(RecordsFailed(*partition, batch.records, error, True))

    def drop(self, error: str, *, everything: bool) -> None:
        """Give up what was not sent yet, or everything that has no outcome."""
        while self._pending:
            self._fail_unsent(next(iter(self._pending.values()))[0], error)
        for lane in self._lanes.values() if everything else ():
            for batch in list(lane.outstanding):
                is_definite = not batch.may_be_appended and not batch.is_in_flight
                self._forget(batch)
                self.node.note(RecordsFailed(*batch.partition, batch.records, error, is_definite))

    def _backoff_ms(self, failures: int) -> float:
        least_ms, most_ms = self._client.retry_backoff_ms, self._client.retry_backoff_max_ms
        return backoff_ms(failures, least_ms, most_ms, self.node.random.random())

    def _wake_later(self) -> None:
        """Come back when the next batch will have lingered, or may be tried again."""
        now_ms = self.node.now_ms
        waiting = [self._lanes[partition].first_waiting for partition in self._retrying]
        dues_ms = [batch.retry_at_ms for batch in waiting if batch is not None and batch.retry_at_ms > now_ms]
        lingered_ms = self._accumulator.next_ready_ms(now_ms)
        if lingered_ms is not None:
            dues_ms.append(lingered_ms)
        if dues_ms:
            self._wake_at(min(dues_ms))

    def _wake_at(self, at_ms: float) -> None:
        if at_ms < self._wakes_at_ms:
            self._wakes_at_ms = at_ms
            self.set_timer("wake", at_ms - self.node.now_ms)


def is_idempotent(config: ProducerConfig) -> bool:
    """Kafka refuses settings under which idempotence cannot hold where it was asked for, and else leaves it out."""
    return config.enable_idempotence and config.acks == -1 and config.retries > 0
