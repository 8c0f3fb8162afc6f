"""A transactional producer asks in the right order, survives lost answers, and knows what spoils what.

Its coordinator here is scripted, and writes real markers into real logs.
"""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.clients.transaction_states import State
from kafkalite.errors import ErrorCode
from kafkalite.facts import (
    ProducerIdentified,
    RecordsFailed,
    TransactionBegun,
    TransactionEnded,
    TransactionFailed,
)
from kafkalite.log.batch import split
from kafkalite.protocol.produce import ProduceRequest
from kafkalite.protocol.transactions import (
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    TxnOffsetCommitRequest,
)
from kafkalite.sim.faults import Kill
from tests.kafkalite.clients.transactional_program import GROUP, Program

# The right order -----------------------------------------------------------------------------------------------------


def test_a_transaction_asks_in_order_and_is_visible_at_its_end() -> None:
    """O5."""
    program = Program().ready().begun(2)
    program.run.until_done()
    assert [] == program.seen(), "nothing is visible before the end"

    program.call("commit_transaction")
    program.until(State.READY)

    asked = program.asked()
    assert ["InitProducerId", "AddPartitionsToTxn", "Produce"] == asked[:3]
    assert "EndTxn" == asked[-1]
    assert 1 == asked.count("AddPartitionsToTxn")
    assert [b"v0", b"v1"] == program.seen()
    assert [ProducerIdentified("t1", 7000, 0)] == program.run.of(ProducerIdentified)
    assert [TransactionBegun("t1", 1)] == program.run.of(TransactionBegun)
    assert [TransactionEnded("t1", 1, True)] == program.run.of(TransactionEnded)


def test_every_batch_says_that_it_is_transactional_and_whose() -> None:
    program = Program().ready().begun(2)
    program.run.until_done()

    (_, request), *_ = program.run.requests(ProduceRequest)
    header, _ = next(split(request.topic_data[0].partition_data[0].records))
    assert "t1" == request.transactional_id
    assert (True, 7000, 0, 0) == (
        header.is_transactional,
        header.producer_id,
        header.producer_epoch,
        header.base_sequence,
    )


def test_a_partition_is_added_once_a_transaction_and_before_anything_is_written_there() -> None:
    """The scripted broker refuses what was not added."""
    program = Program(101, 102, 101).ready()
    for _ in range(2):
        program.begun(9, partition=None)
        program.run.produce(3, partition=2)
        program.call("commit_transaction")
        program.until(State.READY)

    added = [
        (topic.name, index)
        for _, request in program.run.requests(AddPartitionsToTxnRequest)
        for topic in request.v3_and_below_topics
        for index in topic.partitions
    ]
    assert len(added) == 2 * len(set(added))
    assert 24 == len([one for partition in range(3) for one in program.seen(partition)])


def test_a_commit_waits_for_every_record() -> None:
    program = Program(linger_ms=5000).ready().begun(3)
    program.call("commit_transaction")
    program.until(State.READY)
    assert program.run.sim.now_ms < 1000, "a commit does not linger"

    assert ["Produce", "EndTxn"] == program.asked()[-2:]
    assert [b"v0", b"v1", b"v2"] == program.seen()


def test_an_empty_transaction_asks_nobody() -> None:
    program = Program().ready()
    for end in ("commit_transaction", "abort_transaction"):
        program.call("begin_transaction")
        program.call(end)
        program.until(State.READY)
        program.run.sim.run_for(100)

    assert ["InitProducerId"] == program.asked()
    assert [True, False] == [fact.is_commit for fact in program.run.of(TransactionEnded)]


def test_what_is_aborted_is_skipped_by_read_committed_only() -> None:
    program = Program().ready().begun(2)
    program.run.until_done()
    program.call("abort_transaction")
    program.until(State.READY).begun(1)
    program.call("commit_transaction")
    program.until(State.READY)

    assert [b"v2"] == program.seen()
    assert [b"v0", b"v1", b"v2"] == program.seen(level="read_uncommitted")
    assert 0 == program.truth.entries["t1"].epoch, "all was known of it, so the epoch is good for the next one"


def test_what_was_not_sent_yet_is_given_up_by_an_abort() -> None:
    program = Program(linger_ms=5000).ready().begun(3)
    program.run.sim.run_for(500)
    program.call("abort_transaction")
    program.until(State.READY)

    (failed,) = program.run.of(RecordsFailed)
    assert ("TRANSACTION_ABORTED", True, (0, 1, 2)) == (failed.error, failed.is_definite, failed.records)
    assert "Produce" not in program.asked()


# Offsets -------------------------------------------------------------------------------------------------------------


def test_offsets_are_committed_with_the_transaction_in_the_name_of_a_generation() -> None:
    """O5, KIP-447."""
    program = Program(101, 102)
    program.truth.coordinators[0] = 102  # the group's coordinator is another broker
    program.ready().begun(1)
    program.call("send_offsets_to_transaction", (("input", 0, 5), ("input", 1, 7)), *GROUP)
    program.run.sim.run_for(500)
    assert {} == program.truth.committed

    program.call("commit_transaction")
    program.until(State.READY)

    assert {("billing", "input", 0): 5, ("billing", "input", 1): 7} == program.truth.committed
    ((broker, request),) = program.run.requests(TxnOffsetCommitRequest)
    assert "b102" == broker
    assert (3, "c1-abc") == (request.generation_id, request.member_id)
    assert program.asked().index("AddOffsetsToTxn") < program.asked().index("TxnOffsetCommit")


def test_offsets_of_an_aborted_transaction_are_not_committed() -> None:
    program = Program().ready().begun(1)
    program.call("send_offsets_to_transaction", (("input", 0, 5),), *GROUP)
    program.run.sim.run_for(500)
    program.call("abort_transaction")
    program.until(State.READY)

    assert {} == program.truth.committed


@pytest.mark.parametrize("error", [ErrorCode.ILLEGAL_GENERATION, ErrorCode.UNKNOWN_MEMBER_ID])
def test_a_member_that_is_none_any_more_must_abort(error: ErrorCode) -> None:
    program = Program().ready().begun(1)
    program.truth.answers["TxnOffsetCommit"] = [error]
    program.call("send_offsets_to_transaction", (("input", 0, 5),), *GROUP)
    program.until(State.ABORTABLE_ERROR)

    assert [TransactionFailed("t1", 1, error.name, False)] == program.run.of(TransactionFailed)
    program.call("abort_transaction")
    program.until(State.READY)
    assert {} == program.truth.committed


# Answers that are lost, late, or say "not now" -----------------------------------------------------------------------

STEPS = ("InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn")
NOT_NOW = (
    "LOST",
    "LATE",
    ErrorCode.NOT_COORDINATOR,
    ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.CONCURRENT_TRANSACTIONS,
)


@pytest.mark.parametrize("answer", NOT_NOW, ids=str)
@pytest.mark.parametrize("step", STEPS)
def test_whatever_is_not_answered_for_good_is_asked_again(step: str, answer: Any) -> None:
    program = Program(101, 102)
    program.truth.answers[step] = [answer, answer]
    program.ready().begun(2)
    program.call("send_offsets_to_transaction", (("input", 0, 5),), *GROUP)
    program.call("commit_transaction")
    program.until(State.READY, State.FATAL_ERROR, State.ABORTABLE_ERROR)

    assert State.READY == program.state()
    assert 3 == program.asked().count(step)
    assert [b"v0", b"v1"] == sorted(value or b"" for partition in (0, 1) for value in program.seen(partition))
    assert {("billing", "input", 0): 5} == program.truth.committed


def test_the_coordinator_is_looked_for_again_when_it_has_moved() -> None:
    program = Program(101, 102).ready().begun(1)
    program.run.until_done()
    program.truth.coordinators[1] = 102
    program.call("commit_transaction")
    program.until(State.READY)

    assert ["b101", "b102"] == [broker for broker, _ in program.run.requests(EndTxnRequest)]


def test_a_coordinator_that_dies_is_looked_for_elsewhere() -> None:
    program = Program(102, 102)
    program.ready().begun(1)
    program.run.until_done()
    program.truth.coordinators = {0: 102, 1: 102}
    program.truth.brokers = (101, 102)
    program.run.sim.inject(Kill("b101"))
    program.call("commit_transaction")
    program.until(State.READY)

    assert "CompleteCommit" == program.truth.entries["t1"].state


@pytest.mark.parametrize("answer", ["LOST", "LATE"])
def test_an_abort_in_the_middle_of_adding_a_partition_ends_it_either_way(answer: str) -> None:
    program = Program().ready()
    program.truth.answers["AddPartitionsToTxn"] = [answer]
    program.begun(1)
    program.run.sim.run(lambda: "AddPartitionsToTxn" in program.asked())
    program.call("abort_transaction")
    program.until(State.READY)
    program.begun(1)
    program.call("commit_transaction")
    program.until(State.READY)

    assert [b"v1"] == program.seen()
