"""Many writes that happen together or not at all: what a transactional producer asks, of whom, and in which order.

    init     InitProducerId          an id and a new epoch; whoever had the transactional id before is fenced
    write    AddPartitionsToTxn      before the first record to each partition: it must be known where to end it
    offsets  AddOffsetsToTxn         the same for the group's partition of `__consumer_offsets`
             TxnOffsetCommit         to the group's coordinator, in the name of the member and its generation (KIP-447)
    end      EndTxn                  once every record is acknowledged, or given up

One question is under way at a time, and what comes next follows from the state: `_next`. A question whose answer is
lost is asked again; all of them may be. After an abort of which not all is known (a record was given up that may be in
the log) the producer asks for the next epoch, so that nothing of the old one can come later (KIP-360).

Source: TransactionManager; KIP-98, KIP-447. Left out: transactions that end themselves by an epoch each (KIP-890).
"""

from __future__ import annotations

from typing import Any, Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.coordinator import TRANSACTION, CoordinatorLookup
from kafkalite.clients.discovery import OLD_METADATA, Discovery
from kafkalite.clients.idempotence import Identity
from kafkalite.clients.transaction_requests import GroupMetadata, Offsets, add_partitions, commit_offsets, worst
from kafkalite.clients.transaction_states import FENCED, SPOILING, TRANSITIONS, Happening, State, Verdict, judge
from kafkalite.config import ClientConfig, ProducerConfig
from kafkalite.errors import ErrorCode, KafkaliteError
from kafkalite.facts import (
    ProducerIdentified,
    TransactionBegun,
    TransactionCallRefused,
    TransactionEnded,
    TransactionFailed,
)
from kafkalite.node import Component, Node
from kafkalite.protocol.transactions import (
    AddOffsetsToTxnRequest,
    AddOffsetsToTxnResponse,
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse,
    EndTxnRequest,
    EndTxnResponse,
    InitProducerIdRequest,
    InitProducerIdResponse,
    TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
)
from kafkalite.types import NodeName, TopicPartition

NOBODY = Identity(-1, -1)
OPEN = frozenset({State.IN_TRANSACTION, State.COMMITTING})  # records may be sent for the first time


class Listener(Protocol):
    """The producer."""

    @property
    def is_quiet(self) -> bool:
        """Every record has its outcome."""
        ...

    def drop(self, error: str, /, *, everything: bool) -> None:
        """Give up what was not sent yet, or everything that has no outcome."""
        ...

    def on_transaction_moved(self) -> None:
        """More may be sent, or asked, than before."""
        ...


class Transactions(Component):
    """The transactions of one producer, one after another."""

    def __init__(
        self, node: Node, discovery: Discovery, configs: tuple[ClientConfig, ProducerConfig], listener: Listener
    ) -> None:
        super().__init__(node, "transactions")
        self._client, self._config = configs
        if not (self._config.enable_idempotence and self._config.acks == -1 and self._config.retries > 0):
            raise KafkaliteError(f"a transactional producer needs idempotence, acks=all and retries: {self._config}")
        self._id = self._config.transactional_id or ""
        self._discovery, self._listener = discovery, listener
        self._coordinator = CoordinatorLookup(node, discovery, self._client, self._id, self, TRANSACTION, "txn")
        self._lookups: dict[str, CoordinatorLookup] = {}  # of groups
        self.state = State.UNINITIALIZED
        self.identity = NOBODY
        self.transaction = 0  # how many this producer has begun
        self._new: dict[TopicPartition, None] = {}  # partitions that the coordinator is to be told of
        self._added: dict[TopicPartition, None] = {}
        self._groups: dict[str, None] = {}  # whose partition of __consumer_offsets is added
        self._offsets: list[tuple[GroupMetadata, Offsets]] = []
        self._may_be_open = self._is_open = False  # at the coordinator
        self._is_spoilt = False
        self._asked: Any = None
        self._failures, self._is_resting = 0, False

    # What the program says ------------------------------------------------------------------------------------------

    def init(self) -> None:
        """Get an id and an epoch, and fence whoever had them."""
        if self._is_allowed(Happening.INIT):
            self.pump()

    def begin(self) -> None:
        """From now on, what is written belongs together."""
        if self._is_allowed(Happening.BEGIN):
            self.transaction += 1
            self.node.note(TransactionBegun(self._id, self.transaction))

    def commit(self) -> None:
        """End it; everything in it becomes visible at once."""
        if self._is_allowed(Happening.COMMIT):
            self.pump()

    def abort(self) -> None:
        """End it; nothing in it has ever been."""
        if self._is_allowed(Happening.ABORT):
            self._listener.drop("TRANSACTION_ABORTED", everything=False)
            self._new.clear()
            self._offsets.clear()
            self.pump()

    def send_offsets(self, offsets: Offsets, group: GroupMetadata) -> None:
        """Commit these offsets of a group with the transaction: the next to read, and the epoch of the one before."""
        if self.state is not State.IN_TRANSACTION:
            self.node.note(TransactionCallRefused(self._id, "send_offsets_to_transaction", self.state.value))
        elif offsets:
            self._offsets.append((group, offsets))
            self.pump()

    def use(self, group: str, lookup: CoordinatorLookup) -> None:
        """The program is a member of this group, and knows the coordinator already."""
        self._lookups[group] = lookup

    def _is_allowed(self, happening: Happening) -> bool:
        if (self.state, happening) not in TRANSITIONS:
            self.node.note(TransactionCallRefused(self._id, happening.value, self.state.value))
            return False
        self._happened(happening)
        return True

    def _happened(self, happening: Happening) -> None:
        self.state = TRANSITIONS[self.state, happening]

    # What the sender asks and says ----------------------------------------------------------------------------------

    def settle(self) -> bool:
        """May anything be sent now?"""
        return self.identity != NOBODY and self.state not in {State.INITIALIZING, State.FATAL_ERROR}

    def add(self, partition: TopicPartition) -> None:
        """Something is to be written there."""
        if partition not in self._added and partition not in self._new:
            self._new[partition] = None
            self.pump()

    def may_send(self, partition: TopicPartition) -> bool:
        """Is the partition in the transaction, so that something new may be sent there?"""
        return partition in self._added and self.state in OPEN

    def batch_failed(self, error: ErrorCode) -> None:
        """A batch that was sent was given up. What became of it nobody may know, so a new epoch is needed."""
        if self.state is State.FATAL_ERROR:
            return
        if error == ErrorCode.PRODUCER_FENCED:
            self._fence(error)
        else:
            self._is_spoilt = True
            self.fail(error)

    def fail(self, error: ErrorCode) -> None:
        """What was begun can only be aborted."""
        if (self.state, Happening.FAILED) not in TRANSITIONS:
            return
        is_news = self.state in OPEN
        self._is_spoilt = self._is_spoilt or error in SPOILING
        self._happened(Happening.FAILED)
        if is_news:
            self._new.clear()
            self._offsets.clear()
            self.node.note(TransactionFailed(self._id, self.transaction, error.name, False))
            self._listener.drop("TRANSACTION_ABORTED", everything=False)
            self._listener.on_transaction_moved()

    def _fence(self, error: ErrorCode) -> None:
        self._happened(Happening.FENCED)
        name = ErrorCode.PRODUCER_FENCED.name if error in FENCED else error.name
        self.node.note(TransactionFailed(self._id, self.transaction, name, True))
        self._listener.drop(name, everything=True)
        self._listener.on_transaction_moved()

    @property
    def is_to_be_aborted(self) -> bool:
        """Is a transaction open that its program has not ended?"""
        return self.state in {State.IN_TRANSACTION, State.ABORTABLE_ERROR}

    @property
    def is_at_rest(self) -> bool:
        """Is nothing under way with the coordinators?"""
        return self.state in {State.UNINITIALIZED, State.READY, State.FATAL_ERROR}

    # Questions ------------------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Ask what is to be asked next."""
        if self._asked is not None or self._is_resting:
            return
        request = self._next()
        if request is None:
            return
        peer = self._lookup_for(request).peer()
        if peer is None:
            return  # until it is found
        if isinstance(request, AddPartitionsToTxnRequest | AddOffsetsToTxnRequest):
            self._may_be_open = True
        self._asked = request
        self.node.request(peer, request, timeout_ms=self._client.request_timeout_ms)

    def _next(self) -> Any:
        """The next request; None while there is none."""
        producer_id, epoch = self.identity
        if self.state is State.INITIALIZING:
            return InitProducerIdRequest(self._id, self._config.transaction_timeout_ms, producer_id, epoch)
        if self.state in OPEN and self._new:
            return add_partitions(self._id, self.identity, self._new)
        if self.state in OPEN and self._offsets:
            group, offsets = self._offsets[0]
            if group.group not in self._groups:
                return AddOffsetsToTxnRequest(self._id, producer_id, epoch, group.group)
            return commit_offsets(self._id, self.identity, group, offsets)
        if self.state in {State.COMMITTING, State.ABORTING} and self._listener.is_quiet:
            if self._may_be_open:
                return EndTxnRequest(self._id, producer_id, epoch, self.state is State.COMMITTING)
            self._ended()
        return None

    def _lookup_for(self, request: Any) -> CoordinatorLookup:
        if not isinstance(request, TxnOffsetCommitRequest):
            return self._coordinator
        group = request.group_id
        if group not in self._lookups:
            label = f"group{len(self._lookups)}"
            self._lookups[group] = CoordinatorLookup(self.node, self._discovery, self._client, group, self, label=label)
        return self._lookups[group]

    def on_coordinator_found(self) -> None:
        self.pump()

    def on_retry(self) -> None:
        """The wait is over."""
        self._is_resting = False
        self.pump()

    # Answers --------------------------------------------------------------------------------------------------------

    def on_init_producer_id_response(
        self, source: NodeName, response: InitProducerIdResponse, request: InitProducerIdRequest
    ) -> None:
        """It has its id, or a new epoch behind an abort."""
        if not self._is_done(source, response.error_code, request):
            return
        self.identity = Identity(response.producer_id, response.producer_epoch)
        self._happened(Happening.IDENTIFIED)
        self.node.note(ProducerIdentified(self._id, *self.identity))
        if self._is_spoilt:
            self._is_spoilt = False
            self.node.note(TransactionEnded(self._id, self.transaction, False))
        self._listener.on_transaction_moved()

    def on_add_partitions_to_txn_response(
        self, source: NodeName, response: AddPartitionsToTxnResponse, request: AddPartitionsToTxnRequest
    ) -> None:
        """The partitions are in the transaction, so records may go."""
        results = [one for topic in response.results_by_topic_v3_and_below for one in topic.results_by_partition]
        if self._is_done(source, worst(one.partition_error_code for one in results), request):
            self._is_open = True
            for topic in request.v3_and_below_topics:
                for index in topic.partitions:
                    self._new.pop((topic.name, index), None)
                    self._added[topic.name, index] = None
            self._listener.on_transaction_moved()
            self.pump()

    def on_add_offsets_to_txn_response(
        self, source: NodeName, response: AddOffsetsToTxnResponse, request: AddOffsetsToTxnRequest
    ) -> None:
        """The group's offsets are in it."""
        if self._is_done(source, response.error_code, request):
            self._is_open = True
            self._groups[request.group_id] = None
            self.pump()

    def on_txn_offset_commit_response(
        self, source: NodeName, response: TxnOffsetCommitResponse, request: TxnOffsetCommitRequest
    ) -> None:
        """They will be committed if the transaction is."""
        errors = (one.error_code for topic in response.topics for one in topic.partitions)
        if self._is_done(source, worst(errors), request):
            del self._offsets[:1]
            self.pump()

    def on_end_txn_response(self, source: NodeName, response: EndTxnResponse, request: EndTxnRequest) -> None:
        """It is decided."""
        error = ErrorCode.of(response.error_code)
        if self.state is State.ABORTING and (
            error in SPOILING or (error == ErrorCode.INVALID_TXN_STATE and not self._is_open)
        ):  # the coordinator never heard of this transaction, or has forgotten the producer: there is nothing to abort
            self._is_spoilt = True
            error = ErrorCode.NONE
        if self._is_done(source, error, request):
            self._ended()

    def _ended(self) -> None:
        is_commit = self.state is State.COMMITTING
        for known in (self._new, self._added, self._groups):
            known.clear()
        self._offsets.clear()
        self._is_open = self._may_be_open = False
        if self._is_spoilt:
            self._happened(Happening.SPOILT)
            self.pump()
            return
        self._happened(Happening.ENDED)
        self.node.note(TransactionEnded(self._id, self.transaction, is_commit))
        self._listener.on_transaction_moved()

    # What goes wrong ------------------------------------------------------------------------------------------------

    def _is_done(self, source: NodeName, error_code: int, request: Any) -> bool:
        self._discovery.heard(source)
        self._asked = None
        if self.state is State.FATAL_ERROR:
            return False
        error = ErrorCode.of(error_code)
        verdict = judge(error)
        if verdict is Verdict.DONE:
            self._failures = 0
            return True
        if verdict is Verdict.FATAL or (verdict is Verdict.ABORT and self.state is State.INITIALIZING):
            self._fence(error)
        elif verdict is Verdict.ABORT:
            self.fail(error)
            self.pump()
        else:
            if error in OLD_METADATA:
                self._discovery.refresh(error.name)
            if verdict is Verdict.LOOK_UP:
                self._lookup_for(request).lost(source)
            self._rest()
        return False

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        if self._asked is not None and any(self._asked is request for request in requests):
            self._lookup_for(self._asked).lost(peer)
            self._asked = None
            self._rest()

    def _rest(self) -> None:
        self._failures += 1
        self._is_resting = True
        least_ms, most_ms = self._client.retry_backoff_ms, self._client.retry_backoff_max_ms
        self.set_timer("retry", backoff_ms(self._failures, least_ms, most_ms, self.node.random.random()))
