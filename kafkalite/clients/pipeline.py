"""A program that reads records and writes what comes of each: into another topic, or into the world outside.

It is a member of a group and a producer in one. What it does with each batch it is handed are the steps of its order
(see `semantics`), one after another; then it polls again. If it dies, it begins again from what is committed.

    a record cannot be written   at most once goes on without it; at least once writes the batch again
    the commit is refused        another member has the partitions: at most once leaves the batch to that one
    the transaction fails        it is aborted, and the program reads again from what is committed
    the producer is fenced       somebody else does the work; the program ends

Whoever is asked to do something outside is told the record's place in Kafka: an id by which a repetition is known.

Source: the loops of KafkaConsumer's and KafkaProducer's documentation; KIP-98, KIP-447.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kafkalite.clients.batch import Pending, size_of
from kafkalite.clients.group_consumer import GroupConsumer, Handed
from kafkalite.clients.semantics import ORDERS, Step
from kafkalite.clients.sender import Sender
from kafkalite.clients.transaction_requests import GroupMetadata
from kafkalite.clients.transaction_states import State
from kafkalite.clients.transactions import Transactions
from kafkalite.config import ClientConfig, ConsumerConfig, GroupConfig, PipelineConfig, ProducerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import RecordSent
from kafkalite.log.batch import HEADER_SIZE
from kafkalite.log.record import Record
from kafkalite.parts import Parts
from kafkalite.types import NodeName, TopicPartition

AGAIN_MS = 100  # until somebody outside is asked again


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """Do this in the world outside; `key` says what it is done for."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class ApplyResponse:
    """It is done."""

    key: str


class Pipeline(GroupConsumer):
    """The program. The world calls `close`; the rest it does by itself, from its start on."""

    def __init__(
        self,
        name: NodeName,
        client: ClientConfig,
        consumer: ConsumerConfig,
        group: GroupConfig,
        producer: ProducerConfig,
        pipeline: PipelineConfig,
        parts: Parts,
    ) -> None:
        super().__init__(name, client, consumer, replace(group, enable_auto_commit=False), parts)
        self._pipeline, self._parts = pipeline, parts
        self._order = ORDERS[pipeline.semantics]
        self.transactions: Transactions | None = None
        if Step.BEGIN in self._order:
            self.transactions = Transactions(self, self.discovery, (client, producer), self)
            self.transactions.use(group.group_id, self.lookup)
        accumulator = parts.accumulator(max(1, producer.batch_size - HEADER_SIZE), producer.linger_ms)
        self.sender = Sender(
            self,
            self.discovery,
            (client, producer),
            accumulator,
            self,
            self.transactions,
            connection="produce",  # a Fetch may wait long, and nothing behind it on its connection is to wait with it
        )
        self._batch: Handed = []
        self._steps: list[Step] = []  # those that are not done
        self._to_apply: list[ApplyRequest] = []
        self._written = 0  # records, which number them
        self._failed_before = 0
        self._is_subscribed = False

    def on_start(self) -> None:
        super().on_start()
        if self._pipeline.target:
            self.discovery.want((self._pipeline.target,))
        if self.transactions is not None:
            self.transactions.init()  # what an earlier life has left open ends before its offsets are asked for
        self._subscribe()

    def _subscribe(self) -> None:
        """Begin to read, as soon as there is somewhere to write to."""
        has_target = not self._pipeline.target or self.discovery.view.partitions(self._pipeline.target) is not None
        is_ready = self.transactions is None or self.transactions.state is State.READY
        if has_target and is_ready and not self._is_subscribed:
            self._is_subscribed = True
            self.subscribe(self._pipeline.source)

    # One step after another -----------------------------------------------------------------------------------------

    def work_on(self, handed: Handed) -> None:
        self._batch, self._steps = handed, list(self._order)
        self._take_step()

    def _take_step(self) -> None:
        if not self._steps:
            self._batch = []
            self.on_worked()
        elif self._steps[0] is Step.WRITE:
            self._write()
        elif self._steps[0] is Step.COMMIT:
            self.commits.commit(self._consumed(), self._offsets_answered, self._spoke_as, is_sync=True)
        elif self.transactions is not None:
            self._take_step_of_transaction(self.transactions)

    def _take_step_of_transaction(self, transactions: Transactions) -> None:
        if self._steps[0] is Step.BEGIN:
            transactions.begin()
            self._step_done()
        elif self._steps[0] is Step.ADD_OFFSETS:
            member, generation = self._spoke_as
            group = GroupMetadata(self._group.group_id, generation, member, self._group.group_instance_id)
            transactions.send_offsets(self._consumed(), group)
            self._step_done()
        else:
            transactions.commit()

    def _step_done(self) -> None:
        if self._steps:
            self._steps.pop(0)
            self._take_step()

    def _offsets_answered(self, error: ErrorCode, spoke_as: tuple[str, int]) -> None:
        self._committed(error, spoke_as)
        if error != ErrorCode.NONE and self._steps == [Step.COMMIT, Step.WRITE]:
            self._steps = []  # nobody knows whether they are committed, and twice is worse than never
            self._take_step()
        else:
            self._step_done()

    # Writing --------------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        """Write what comes of each record. Here that is the record itself."""
        self._failed_before = self.sender.failures
        if self._pipeline.target:
            for partition, record in self._batch:
                self._send(partition, record)
            self.sender.flush()
        if self._pipeline.outside:
            self._to_apply = list(self._applications())
            self._apply()
        self._written_if_so()

    def _send(self, source: TopicPartition, record: Record) -> None:
        topic = self._pipeline.target
        partitions = self.discovery.view.partitions(topic) or 1
        index = self._parts.partition_for(record.key, partitions)
        partition = source[1] % partitions if index is None else index
        self._written += 1
        self.note(RecordSent(self._written, topic, partition, record.key, record.value))
        size_bytes = size_of(record.key, record.value)
        pending = Pending(self._written, record.key, record.value, self.wall_ms, self.now_ms, size_bytes)
        self.sender.add((topic, partition), pending)

    def _written_if_so(self) -> None:
        """Go on once everything is written. Within a transaction, the commit waits for that."""
        if self._steps[:1] != [Step.WRITE] or self._to_apply:
            return
        if self.transactions is None and not self.sender.is_idle:
            return
        if self.sender.failures > self._failed_before and self._order[0] is Step.WRITE:
            self._write()
        else:
            self._step_done()

    # The world outside ----------------------------------------------------------------------------------------------

    def _applications(self) -> Iterator[ApplyRequest]:
        for (topic, partition), record in self._batch:
            yield ApplyRequest(f"{topic}-{partition}@{record.offset}", record.value)

    def _apply(self) -> None:
        """Ask for one thing after another; what is not answered may have been done."""
        if self._to_apply:
            self.request(self._pipeline.outside, self._to_apply[0], timeout_ms=AGAIN_MS)

    def on_apply_response(self, source: NodeName, response: ApplyResponse, request: ApplyRequest) -> None:
        """Done, once at least."""
        self._next_application()

    def on_apply_again(self) -> None:
        """It was not answered: ask again, unless twice is worse than never."""
        if self._order[0] is Step.COMMIT:
            self._next_application()
        else:
            self._apply()

    def _next_application(self) -> None:
        del self._to_apply[:1]
        self._apply()
        self._written_if_so()

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        super().on_peer_lost(peer, requests)
        if any(isinstance(one, ApplyRequest) for one in requests):
            self.set_timer("apply_again", AGAIN_MS)

    # What is heard --------------------------------------------------------------------------------------------------

    def on_routes_changed(self) -> None:
        super().on_routes_changed()
        self._subscribe()
        self.sender.pump()

    def on_coordinator_found(self) -> None:
        super().on_coordinator_found()
        if self.transactions is not None:
            self.transactions.pump()

    def on_batches_done(self) -> None:
        """The sender has answers."""
        if self.transactions is not None:
            self.transactions.pump()
        self._written_if_so()

    # What transactions ask and say ----------------------------------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Every record has its outcome."""
        return self.sender.is_idle and not self._to_apply

    def drop(self, error: str, *, everything: bool) -> None:
        """Give up what was not sent yet, or everything that has no outcome."""
        self.sender.drop(error, everything=everything)

    def on_transaction_moved(self) -> None:
        """It has begun, ended or failed."""
        assert self.transactions is not None
        self._subscribe()
        self.sender.pump()
        state = self.transactions.state
        if state is State.ABORTABLE_ERROR:
            self._steps, self._to_apply = [], []
            self.transactions.abort()
        elif state is State.FATAL_ERROR:
            self._steps, self._to_apply = [], []
            self._is_busy = False
            self.close()
        elif state is State.READY and self._is_busy:
            if self._steps:  # the last of them: it is committed
                self._step_done()
            else:
                self._read_again()

    def _read_again(self) -> None:
        """The transaction was aborted: go back to what is committed."""
        for partition in self._owned:
            self.fetcher.positions.pop(partition, None)
        if self._owned:
            self.commits.fetch(list(self._owned), self._begin, self._spoke_as)
        self._works_up_to = []
        self._take_step()
