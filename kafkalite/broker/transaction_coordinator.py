"""The transaction coordinator: the transactional ids whose partition of `__transaction_state` is led here.

    a request -> may this producer speak? -> is it its turn? (the table) -> write the change -> replicated -> answer
                                                                          -> Prepare...: markers, then Complete...

One change of an id is under way at a time; who comes meanwhile is told CONCURRENT_TRANSACTIONS and tries again. What
is known changes only once the log is replicated: a coordinator that comes after knows at least as much.

Source: Kafka's TransactionCoordinator, TransactionStateManager. Left out: transactions of KIP-890, with an epoch each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite.broker.appending import STORE_ERRORS
from kafkalite.broker.marker_sender import Decision, MarkerSender
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.producer_ids import NO_ID, ProducerIds
from kafkalite.broker.transactions_topic import TransactionsTopic
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import TransactionFenced, TransactionsLoaded, TransactionsUnloaded, TransactionTurned
from kafkalite.node import Component, Node
from kafkalite.parts import Parts
from kafkalite.transactions.fold import TransactionFold
from kafkalite.transactions.records import transaction_key, transaction_value
from kafkalite.transactions.states import Call, State
from kafkalite.transactions.transaction import (
    NO_PRODUCER_ID,
    Transaction,
    completed,
    decided,
    initialized,
    with_partitions,
)
from kafkalite.types import TopicPartition

RETRY_MS = 100
Then = Callable[..., None]
PREPARED = {State.PREPARE_COMMIT: True, State.PREPARE_ABORT: False}  # -> is it a commit?


class TransactionCoordinator(Component):
    """The transactional ids of this broker. Invariant: `_pending` are those with a change that is being written."""

    def __init__(
        self,
        node: Node,
        config: BrokerConfig,
        topic: TransactionsTopic,
        producer_ids: ProducerIds,
        metadata: MetadataCache,
        parts: Parts,
    ) -> None:
        super().__init__(node, "transactions")
        self._config, self._parts, self._producer_ids = config, parts, producer_ids
        self.topic = topic
        self._markers = MarkerSender(node, config, metadata, self._complete)
        self._pending: dict[str, Transaction] = {}
        self._is_looking_after = False
        topic.listener = self

    def known(self, name: str) -> Transaction | None:
        """What the log says of an id."""
        fold = self.topic.loaded.get(self.topic.index_of(name))
        return fold.transactions.get(name) if fold else None

    # Loading --------------------------------------------------------------------------------------------------------

    def on_loaded(self, index: int, fold: TransactionFold) -> None:
        """A partition is read to its end: what is decided there is brought to its end here."""
        self.node.note(TransactionsLoaded(index, tuple(sorted(fold.transactions)), fold.position))
        for name, one in sorted(fold.transactions.items()):
            if one.state in PREPARED:
                self._send_markers(name, one)
        if not self._is_looking_after:
            self._is_looking_after = True
            config = self._config
            self.set_timer("timeouts", config.transaction_abort_timed_out_transaction_cleanup_interval_ms)
            self.set_timer("expiry", config.transaction_remove_expired_transaction_cleanup_interval_ms)

    def on_unloaded(self, index: int) -> None:
        """Another broker leads the partition, and sends the markers. What was being written has been refused by now."""
        for name in [name for name in self._markers.decisions if self.topic.index_of(name) == index]:
            self._markers.forget(name)
        self.node.note(TransactionsUnloaded(index))

    # What producers ask ---------------------------------------------------------------------------------------------

    def init(self, name: str, expected: tuple[int, int], timeout_ms: int, then: Then, *arguments: Any) -> None:
        """A producer begins. `then(error, transaction, *arguments)`: it has that id and epoch now."""
        self._init(NO_ID, name, expected, timeout_ms, then, arguments, False)

    def _init(
        self,
        new_id: int,
        name: str,
        expected: tuple[int, int],
        timeout_ms: int,
        then: Then,
        arguments: tuple[Any, ...],
        has_asked: bool = True,
    ) -> None:
        known = self.known(name) or Transaction()
        following = initialized(known, new_id, expected, timeout_ms, self.node.wall_ms)
        error = self.topic.refusal(name)
        if error is ErrorCode.NONE and name in self._pending:
            error = ErrorCode.CONCURRENT_TRANSACTIONS
        if error is ErrorCode.NONE and following is None:
            error = ErrorCode.PRODUCER_FENCED
        if error is not ErrorCode.NONE or following is None:
            then(error, known, *arguments)
            return
        _, error = self._step(known, Call.INIT)
        if known.state is State.ONGOING:
            self._fence(name, known, "init", then, ErrorCode.CONCURRENT_TRANSACTIONS, known, *arguments)
        elif error is not ErrorCode.NONE:
            then(error, known, *arguments)
        elif following.producer_id == NO_ID and has_asked:
            then(ErrorCode.COORDINATOR_NOT_AVAILABLE, known, *arguments)
        elif following.producer_id == NO_ID:
            self._producer_ids.take(self._init, name, expected, timeout_ms, then, arguments)
        else:
            self._write(name, following, then, following, *arguments)

    def add(
        self, name: str, producer: tuple[int, int], partitions: frozenset[TopicPartition], then: Then, *arguments: Any
    ) -> None:
        """A producer is about to write there. `then(error, *arguments)`."""
        known, _, error = self._asked(name, producer, Call.ADD)
        if error is not ErrorCode.NONE or (known.state is State.ONGOING and partitions <= known.partitions):
            then(error, *arguments)
        else:
            self._write(name, with_partitions(known, partitions, self.node.wall_ms), then, *arguments)

    def end(self, name: str, producer: tuple[int, int], is_commit: bool, then: Then, *arguments: Any) -> None:
        """A producer commits or aborts. `then(error, *arguments)` once it is decided; markers follow."""
        known, state, error = self._asked(name, producer, Call.COMMIT if is_commit else Call.ABORT)
        if error is not ErrorCode.NONE or state is known.state:  # the latter: asked again, of what is done
            then(error, *arguments)
        else:
            self._write(name, decided(known, state, self.node.wall_ms), then, *arguments)

    def _asked(self, name: str, producer: tuple[int, int], call: Call) -> tuple[Transaction, State, ErrorCode]:
        """What is known, what would be, and what speaks against it."""
        known = self.known(name) or Transaction()
        error = self.topic.refusal(name)
        if error is ErrorCode.NONE and known.producer_id == NO_PRODUCER_ID:
            error = ErrorCode.INVALID_PRODUCER_ID_MAPPING
        if error is ErrorCode.NONE:
            error = ErrorCode[self._parts.fenced(known.producer_id, known.epoch, *producer)]
        if error is ErrorCode.NONE and name in self._pending:
            error = ErrorCode.CONCURRENT_TRANSACTIONS
        if error is not ErrorCode.NONE:
            return known, known.state, error
        return known, *self._step(known, call)

    def _step(self, known: Transaction, call: Call) -> tuple[State, ErrorCode]:
        state, answer = self._parts.transaction_state(known.state.value, call.value)
        return State(state), ErrorCode[answer]

    # Changes --------------------------------------------------------------------------------------------------------

    def _write(self, name: str, following: Transaction, then: Then, *arguments: Any) -> None:
        self._pending[name] = following
        record = transaction_key(name), transaction_value(following)
        self.topic.append(self.topic.index_of(name), [record], self._written, name, following, then, arguments)

    def _written(
        self, error: ErrorCode, name: str, following: Transaction, then: Then, arguments: tuple[Any, ...]
    ) -> None:
        if self._pending.get(name) is following:
            del self._pending[name]
        fold = self.topic.loaded.get(self.topic.index_of(name))
        if error is ErrorCode.NONE and fold is not None:
            fold.transactions[name] = following  # with what is not in the log
            self._turned(name, following)
            if following.state in PREPARED:
                self._send_markers(name, following)
        then(STORE_ERRORS.get(error, error), *arguments)

    def _turned(self, name: str, one: Transaction) -> None:
        partitions = tuple(sorted(one.partitions))
        self.node.note(TransactionTurned(name, one.producer_id, one.epoch, one.state.value, partitions))

    def _fence(self, name: str, known: Transaction, reason: str, then: Then, *arguments: Any) -> None:
        """Abort what is under way and take the epoch from whoever began it; then `then(*arguments)`, come what may."""
        state, _ = self._step(known, Call.FENCE)
        following = decided(known, state, self.node.wall_ms, bumps_epoch=True)
        self.node.note(TransactionFenced(name, following.producer_id, following.epoch, reason))
        self._write(name, following, self._was_fenced, then, arguments)

    def _was_fenced(self, error: ErrorCode, then: Then, arguments: tuple[Any, ...]) -> None:
        """Whoever waits for it asks again, and learns then whether it could be written."""
        then(*arguments)

    def _send_markers(self, name: str, one: Transaction) -> None:
        epoch = self.topic.epoch_of(self.topic.index_of(name))
        self._markers.send(Decision(name, one.producer_id, one.epoch, PREPARED[one.state], epoch), one.partitions)

    def _complete(self, name: str) -> None:
        """Every partition has its marker."""
        known = self.known(name)
        if known is None or known.state not in PREPARED or name in self._pending:
            return
        state, _ = self._step(known, Call.WRITTEN)
        self._write(name, completed(known, state, self.node.wall_ms), self._completed, name)

    def _completed(self, error: ErrorCode, name: str) -> None:
        if error is not ErrorCode.NONE:  # if another coordinates it now, it is not known here then
            self.set_timer(f"complete:{name}", RETRY_MS)

    def on_complete(self, name: str) -> None:
        """The log did not take it; once more."""
        if name not in self._markers.decisions:
            self._complete(name)

    # Time -----------------------------------------------------------------------------------------------------------

    def _all(self) -> list[tuple[str, Transaction]]:
        return [one for _, fold in sorted(self.topic.loaded.items()) for one in sorted(fold.transactions.items())]

    def on_timeouts(self) -> None:
        """Abort the transactions that have been open for longer than their producers said they would."""
        for name, one in self._all():
            is_late = one.state is State.ONGOING and self.node.wall_ms > one.start_ms + one.timeout_ms
            if is_late and name not in self._pending:
                self._fence(name, one, "timeout", self._looked_after, ErrorCode.NONE)
        self.set_timer("timeouts", self._config.transaction_abort_timed_out_transaction_cleanup_interval_ms)

    def on_expiry(self) -> None:
        """Forget the transactional ids that nobody has used for so long."""
        for name, one in self._all():
            is_old = self.node.wall_ms - one.update_ms >= self._config.transactional_id_expiration_ms
            state, answer = self._step(one, Call.EXPIRE)
            if is_old and answer is ErrorCode.NONE and name not in self._pending:
                self._expire(name, one, state)
        self.set_timer("expiry", self._config.transaction_remove_expired_transaction_cleanup_interval_ms)

    def _expire(self, name: str, one: Transaction, state: State) -> None:
        self._pending[name] = one
        self.topic.append(self.topic.index_of(name), [(transaction_key(name), None)], self._expired, name, one, state)

    def _expired(self, error: ErrorCode, name: str, one: Transaction, state: State) -> None:
        if self._pending.get(name) is one:
            del self._pending[name]
        if error is ErrorCode.NONE:
            self.node.note(TransactionTurned(name, one.producer_id, one.epoch, state.value, ()))

    def _looked_after(self, error: ErrorCode) -> None:
        """If it could not be written, the next look finds it again."""
