"""The producer: a program hands it records; it knows by itself which partition and broker each goes to.

    produce() -> partition -> accumulator -> sender -> the partition's leader
                 partitioner  accumulator    sender, idempotence

A record of a topic nobody has asked about yet waits for metadata, and one for which there is no memory waits for room:
Kafka's `send()` blocks there, for at most `max_block_ms`. Records of one topic wait in line.

With a transactional id, all this happens inside transactions: see `transactions`.

Left out: compression, interceptors.
Source: KafkaProducer.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from kafkalite.clients.batch import Pending, size_of
from kafkalite.clients.discovery import Discovery
from kafkalite.clients.partitioner import RoundRobin
from kafkalite.clients.sender import Sender
from kafkalite.clients.transaction_requests import GroupMetadata
from kafkalite.clients.transaction_states import State
from kafkalite.clients.transactions import Transactions
from kafkalite.config import ClientConfig, ProducerConfig
from kafkalite.errors import ErrorCode, KafkaliteError
from kafkalite.facts import RecordSent, RecordsFailed
from kafkalite.log.batch import HEADER_SIZE
from kafkalite.node import Node
from kafkalite.parts import Parts, StickyPartitionerPart
from kafkalite.types import NodeName


class Handed(NamedTuple):
    """A record as the program handed it over; where `partition` is not None, it has chosen itself."""

    record: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    partition: int | None
    since_ms: float


class Producer(Node):
    """A producer. The world calls `produce`, `flush_batches` and `close`, and reads the facts.

    With a transactional id it calls `init_transactions` first, and produces between `begin_transaction` and
    `commit_transaction` or `abort_transaction`.
    """

    def __init__(self, name: NodeName, client: ClientConfig, config: ProducerConfig, parts: Parts) -> None:
        super().__init__(name)
        self._config, self._parts = config, parts
        self.discovery = Discovery(self, client, self, creates_topics=True)
        room_bytes = max(1, config.batch_size - HEADER_SIZE)
        accumulator = parts.accumulator(room_bytes, config.linger_ms)
        self.transactions: Transactions | None = None
        if config.transactional_id is not None:
            self.transactions = Transactions(self, self.discovery, (client, config), self)
        self.sender = Sender(self, self.discovery, (client, config), accumulator, self, self.transactions)
        self._room_bytes = room_bytes
        self._keyless: dict[str, StickyPartitionerPart] = {}  # one for each topic
        self._blocked: dict[str, deque[Handed]] = {}  # by topic, in line
        self._is_closing = False

    def on_start(self) -> None:
        self.discovery.start()

    # What the world asks --------------------------------------------------------------------------------------------

    def produce(
        self,
        record: int,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int | None = None,
        partition: int | None = None,
    ) -> None:
        """Send a record. `record` is the program's number for it: facts call it by that."""
        created_ms = self.wall_ms if timestamp_ms is None else timestamp_ms
        handed = Handed(record, key, value, created_ms, partition, self.now_ms)
        if self._is_closing:
            self._refuse(topic, handed, "PRODUCER_CLOSED")
        elif self.transactions is not None and self.transactions.state is not State.IN_TRANSACTION:
            self._refuse(topic, handed, ErrorCode.INVALID_TXN_STATE.name)
        elif size_of(key, value) > self._config.max_request_size:
            self._refuse(topic, handed, ErrorCode.MESSAGE_TOO_LARGE.name)
        elif topic in self._blocked or not self._accept(topic, handed):
            self._block(topic, handed)

    def flush_batches(self) -> None:
        """Send what has gathered without waiting for more."""
        self.sender.flush()

    def close(self) -> None:
        """Take no more records, send those that are here, and when all is done rest for good."""
        self._is_closing = True
        if self.transactions is not None and self.transactions.is_to_be_aborted:
            self.transactions.abort()
        self.sender.flush()
        self._rest_if_done()

    # Transactions ---------------------------------------------------------------------------------------------------

    def init_transactions(self) -> None:
        """Fence whoever had the transactional id before, and end what it left open."""
        self._in_transactions().init()

    def begin_transaction(self) -> None:
        """What is produced from now on belongs together."""
        self._in_transactions().begin()

    def send_offsets_to_transaction(self, offsets: tuple[tuple[str, int, int], ...], *group: Any) -> None:
        """Commit offsets, as (topic, partition, next to read), with it; `group` are the fields of GroupMetadata."""
        found = {(topic, partition): (offset, -1) for topic, partition, offset in offsets}
        self._in_transactions().send_offsets(found, GroupMetadata(*group))

    def commit_transaction(self) -> None:
        """Send what is left, and when everything is acknowledged, end the transaction."""
        self._in_transactions().commit()
        self.sender.flush()

    def abort_transaction(self) -> None:
        """Give up what was not sent, and end the transaction as if it had never been."""
        self._in_transactions().abort()

    def _in_transactions(self) -> Transactions:
        if self.transactions is None:
            raise KafkaliteError(f"producer {self.name} has no transactional_id, so it has no transactions")
        return self.transactions

    @property
    def is_quiet(self) -> bool:
        """Every record has its outcome."""
        return not self._blocked and self.sender.is_idle

    def drop(self, error: str, *, everything: bool) -> None:
        """Give up what was not sent yet, or everything that has no outcome."""
        for topic, line in list(self._blocked.items()):
            for handed in line:
                self._refuse(topic, handed, error)
            self._unblocked(topic)
        self.sender.drop(error, everything=everything)

    def on_transaction_moved(self) -> None:
        """More may be sent than before."""
        self.sender.pump()
        self._rest_if_done()

    # From a record to its partition ---------------------------------------------------------------------------------

    def _accept(self, topic: str, handed: Handed) -> bool:
        """Choose the record's partition, if there are metadata and memory for that."""
        size_bytes = size_of(handed.key, handed.value)
        partitions = self.discovery.view.partitions(topic)
        if partitions is None or self.sender.used_bytes + size_bytes > self._config.buffer_memory:
            return False
        partition = handed.partition
        if partition is None:
            key = None if self._config.partitioner_ignore_keys else handed.key
            partition = self._parts.partition_for(key, partitions)
        elif partition >= partitions:  # it may have been added just now
            self.discovery.refresh("unknown partition")
            return False
        if partition is None:
            available = self.discovery.view.available(topic)
            partition = self._partitioner(topic).partition(available, size_bytes, self.random.random())
        self.note(RecordSent(handed.record, topic, partition, handed.key, handed.value))
        pending = Pending(handed.record, handed.key, handed.value, handed.timestamp_ms, self.now_ms, size_bytes)
        self.sender.add((topic, partition), pending)
        return True

    def _partitioner(self, topic: str) -> StickyPartitionerPart:
        found = self._keyless.get(topic)
        if found is None:
            is_robin = self._config.partitioner == "round_robin"
            found = RoundRobin(self._room_bytes) if is_robin else self._parts.sticky_partitioner(self._room_bytes)
            self._keyless[topic] = found
        return found

    # Records that cannot be taken yet -------------------------------------------------------------------------------

    def _block(self, topic: str, handed: Handed) -> None:
        if not self._blocked:
            self.set_timer("blocked", self._config.max_block_ms)
        self._blocked.setdefault(topic, deque()).append(handed)
        self.discovery.want((topic,))

    def on_routes_changed(self) -> None:
        """Metadata came, or a broker may be tried again."""
        self._unblock()
        self.sender.pump()

    def on_batches_done(self) -> None:
        """There may be room again."""
        self._unblock()
        if self.transactions is not None:
            self.transactions.pump()
        self._rest_if_done()

    def _unblock(self) -> None:
        for topic, line in list(self._blocked.items()):
            error = self.discovery.view.errors.get(topic)
            if error is not None and not error.retriable:
                for handed in line:
                    self._refuse(topic, handed, error.name)
                line.clear()
            while line and self._accept(topic, line[0]):
                line.popleft()
            if not line:
                self._unblocked(topic)
        if self.transactions is not None and self.transactions.state is State.COMMITTING:
            self.sender.flush()  # a commit does not linger

    def _unblocked(self, topic: str) -> None:
        del self._blocked[topic]
        if self.discovery.view.partitions(topic) is None:
            self.discovery.forget(topic)

    def on_blocked(self) -> None:
        """Give up what has been blocked for `max_block_ms`."""
        most_ms = self._config.max_block_ms
        for topic, line in list(self._blocked.items()):
            while line and line[0].since_ms + most_ms <= self.now_ms:
                self._refuse(topic, line.popleft(), ErrorCode.REQUEST_TIMED_OUT.name)
            if not line:
                self._unblocked(topic)
        if self._blocked:
            longest_ms = min(line[0].since_ms for line in self._blocked.values())
            self.set_timer("blocked", longest_ms + most_ms - self.now_ms)
        self._rest_if_done()

    def _refuse(self, topic: str, handed: Handed, error: str) -> None:
        """The record never got as far as a partition, so it is surely in none."""
        partition = -1 if handed.partition is None else handed.partition
        self.note(RecordsFailed(topic, partition, (handed.record,), error, True))

    def _rest_if_done(self) -> None:
        is_at_rest = self.transactions is None or self.transactions.is_at_rest
        if self._is_closing and self.is_quiet and is_at_rest:
            self.discovery.stop()
            self.cancel_timer("blocked")
