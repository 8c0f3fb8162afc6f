"""What spoils a transaction, what spoils its producer, and what is refused at the door."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.clients.transaction_states import TRANSITIONS, Happening, State
from kafkalite.errors import ErrorCode, KafkaliteError
from kafkalite.facts import (
    RecordsFailed,
    TransactionCallRefused,
    TransactionEnded,
    TransactionFailed,
)
from kafkalite.log.batch import split
from kafkalite.log.compression import records_of
from kafkalite.node import Called, Note
from tests.kafkalite.clients.fake_cluster import producer
from tests.kafkalite.clients.fake_transactions import TransactionalTruth
from tests.kafkalite.clients.transactional_program import GROUP, Program

# Errors: abortable and fatal -----------------------------------------------------------------------------------------


def test_a_record_that_fails_spoils_the_transaction_and_the_epoch() -> None:
    """KIP-360: nothing of the old epoch can come later."""
    program = Program().ready()
    program.truth.script["orders", 0] = [ErrorCode.MESSAGE_TOO_LARGE]
    program.begun(1)
    program.until(State.ABORTABLE_ERROR)
    program.run.produce(1)
    program.call("commit_transaction")
    program.run.sim.run_for(100)
    assert State.ABORTABLE_ERROR == program.state(), "it cannot be committed any more"
    assert [TransactionCallRefused("t1", "commit_transaction", "abortable error")] == program.run.of(
        TransactionCallRefused
    )
    assert "INVALID_TXN_STATE" == program.run.of(RecordsFailed)[-1].error

    program.call("abort_transaction")
    program.until(State.READY)
    assert 1 == program.truth.entries["t1"].epoch
    program.begun(1)
    program.call("commit_transaction")
    program.until(State.READY)

    assert [b"v2"] == program.seen()
    assert [False, True] == [fact.is_commit for fact in program.run.of(TransactionEnded)]


def test_a_gap_in_the_numbers_is_not_repaired_within_a_transaction() -> None:
    program = Program().ready().begun(1)
    program.run.until_done()
    program.truth.script["orders", 0] = [ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER]
    program.run.produce(1)
    program.until(State.ABORTABLE_ERROR)

    assert ["OUT_OF_ORDER_SEQUENCE_NUMBER"] == [fact.error for fact in program.run.of(TransactionFailed)]


def test_a_transaction_of_which_the_coordinator_never_heard_can_be_aborted() -> None:
    program = Program(delivery_timeout_ms=2000).ready()
    program.truth.answers["AddPartitionsToTxn"] = [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS] * 50
    program.begun(1)
    program.until(State.ABORTABLE_ERROR)
    program.truth.answers.clear()
    program.call("abort_transaction")
    program.until(State.READY)

    assert ["REQUEST_TIMED_OUT"] == [fact.error for fact in program.run.of(TransactionFailed)]
    assert "EndTxn" in program.asked(), "it may have heard of it"


@pytest.mark.parametrize("step", ["AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn"])
@pytest.mark.parametrize("error", [ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH])
def test_a_fenced_producer_is_done_for_good(step: str, error: ErrorCode) -> None:
    program = Program().ready()
    program.truth.answers[step] = [error]
    program.begun(1)
    program.call("send_offsets_to_transaction", (("input", 0, 5),), *GROUP)
    program.call("commit_transaction")
    program.until(State.FATAL_ERROR)
    count = len(program.truth.asked)
    for call in ("abort_transaction", "begin_transaction", "init_transactions"):
        program.call(call)
    program.run.produce(1)
    program.run.sim.run_for(2000)

    assert State.FATAL_ERROR == program.state()
    assert [TransactionFailed("t1", 1, "PRODUCER_FENCED", True)] == program.run.of(TransactionFailed)
    assert count == len(program.truth.asked), "it asks nobody any more"
    assert program.run.records == len(program.run.outcomes()), "every record has an outcome"


def test_a_zombie_is_fenced_and_what_it_left_open_is_aborted() -> None:
    """O5, M44: the second producer of a transactional id fences the first."""
    program = Program().ready().begun(2)
    program.run.until_done()
    program.run.sim.add(producer(program.truth, "p2", **program.settings))
    program.ready("p2")
    program.begun(1, node="p2")
    program.call("commit_transaction", node="p2")
    program.until(State.READY, node="p2")

    program.call("commit_transaction")
    program.until(State.FATAL_ERROR)

    assert [b"v2"] == program.seen()
    assert ["PRODUCER_FENCED"] == [fact.error for fact in program.run.of(TransactionFailed, "p1")]


def test_a_zombie_whose_epoch_a_leader_refuses_must_abort_and_learns_then_that_it_is_fenced() -> None:
    program = Program().ready().begun(1)
    program.run.until_done()
    program.run.sim.add(producer(program.truth, "p2", **program.settings))
    program.ready("p2")
    program.begun(1, node="p2")
    program.run.sim.run(lambda: 1 in program.run.outcomes("p2"))

    program.run.produce(1)
    program.until(State.ABORTABLE_ERROR)
    program.call("abort_transaction")
    program.until(State.FATAL_ERROR)

    assert ["INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"] == [
        fact.error for fact in program.run.of(TransactionFailed, "p1")
    ]


def test_a_coordinator_that_has_forgotten_the_producer_has_nothing_to_abort() -> None:
    program = Program().ready().begun(1)
    program.run.until_done()
    program.truth.answers["EndTxn"] = [ErrorCode.INVALID_PRODUCER_ID_MAPPING]
    program.call("abort_transaction")
    program.until(State.READY)

    assert 1 == program.truth.entries["t1"].epoch


# The table, and the door ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_a_call_that_the_table_does_not_have_is_refused_and_changes_nothing(state: State) -> None:
    for call in (Happening.INIT, Happening.BEGIN, Happening.COMMIT, Happening.ABORT):
        if (state, call) in TRANSITIONS:
            continue
        client: Any = producer(TransactionalTruth(), transactional_id="t1")
        client.transactions.state = state

        effects = client.handle(Called(call.value), now_ms=0)

        assert Note(TransactionCallRefused("t1", call.value, state.value)) == effects[0]
        assert state == client.transactions.state


def test_every_state_can_be_reached_and_only_a_fatal_error_is_the_end() -> None:
    reached = {State.UNINITIALIZED, *TRANSITIONS.values()}
    left = {state for (state, _), to in TRANSITIONS.items() if to not in {state, State.FATAL_ERROR}}

    assert set(State) == reached
    assert {State.FATAL_ERROR} == reached - left


def test_records_outside_a_transaction_are_refused() -> None:
    program = Program()
    program.run.produce(1)
    program.ready()
    program.run.produce(1)
    program.run.sim.run_for(100)

    assert ["INVALID_TXN_STATE"] * 2 == [fact.error for fact in program.run.of(RecordsFailed)]


def test_offsets_outside_a_transaction_are_refused() -> None:
    program = Program().ready()
    program.call("send_offsets_to_transaction", (("input", 0, 5),), *GROUP)
    program.run.sim.run_for(100)

    assert [TransactionCallRefused("t1", "send_offsets_to_transaction", "ready")] == program.run.of(
        TransactionCallRefused
    )


@pytest.mark.parametrize("settings", [{"acks": 1}, {"enable_idempotence": False}, {"retries": 0}], ids=str)
def test_a_transactional_producer_without_idempotence_cannot_be_made(settings: Any) -> None:
    with pytest.raises(KafkaliteError, match="needs idempotence, acks=all and retries"):
        Program(**settings)


def test_a_producer_without_a_transactional_id_has_no_transactions() -> None:
    program = Program(transactional_id=None)
    program.call("begin_transaction")

    with pytest.raises(KafkaliteError, match="p1 has no transactional_id"):
        program.run.sim.run_for(1)


def test_closing_aborts_what_is_open_and_then_rests() -> None:
    program = Program().ready().begun(2)
    program.run.until_done()
    program.call("close")
    program.run.sim.run_for(500)
    program.run.sim.run(steps_max=1000)  # nothing is left to happen

    assert "CompleteAbort" == program.truth.entries["t1"].state
    assert [b"v0", b"v1"] == [
        one.value
        for _, batch in split(program.truth.partitions["orders", 0].log.read(0, 1 << 20))
        for one in records_of(batch) or ()
        if one.value and one.value.startswith(b"v")
    ]
