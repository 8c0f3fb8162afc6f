"""The producer's numbers, and what becomes of a batch: the decisions alone, without brokers."""

from __future__ import annotations

import pytest

from kafkalite.clients.batch import Batch, Pending
from kafkalite.clients.idempotence import EPOCH_MAX, Identity, Lane, Standing, Verdict, judge
from kafkalite.errors import ErrorCode


def _batch(count: int) -> Batch:
    return Batch(("orders", 0), [Pending(number, None, b"v", 0, 0.0, 22) for number in range(count)])


def test_sequences_wrap_to_0_behind_two_to_the_31() -> None:
    lane, identity = Lane(), Identity(7, 0)
    lane.begin_anew(identity)
    lane.next_sequence, lane.last_acknowledged = 2**31 - 2, 2**31 - 3
    numbered = []
    for count in (3, 2):
        batch = _batch(count)
        lane.number(batch, identity)
        lane.outstanding.append(batch)
        numbered.append((batch.base_sequence, batch.last_sequence))
        assert lane.is_next(batch.base_sequence)
        lane.acknowledged(batch)
        lane.outstanding.remove(batch)

    assert [(2**31 - 2, 0), (1, 2)] == numbered


def test_renumbering_keeps_the_order_and_encodes_anew() -> None:
    lane = Lane()
    lane.begin_anew(Identity(7, 0))
    batches = [_batch(count) for count in (2, 3, 1)]
    for batch in batches:
        lane.number(batch, Identity(7, 0))
        lane.outstanding.append(batch)
    old = [batch.encoded() for batch in batches]
    lane.outstanding.pop(0)
    lane.begin_anew(Identity(7, 1))

    assert [(0, 3), (3, 1)] == [(batch.base_sequence, len(batch.records)) for batch in lane.outstanding]
    assert 4 == lane.next_sequence
    assert not {*old} & {batch.encoded() for batch in lane.outstanding}


def test_a_batch_is_encoded_once() -> None:
    batch = _batch(3)

    assert batch.encoded() is batch.encoded()


def test_epochs_end_and_then_another_id_is_needed() -> None:
    assert Identity(7, 5).bumped() == Identity(7, 6)
    assert Identity(7, EPOCH_MAX).bumped() is None


STANDING = Standing(is_numbered=True, is_oldest=True, is_next=True, is_renumbered=False, has_hole=False, may_retry=True)


@pytest.mark.parametrize(
    ("error", "changes", "expected"),
    [
        (ErrorCode.NONE, {}, Verdict.DONE),
        (ErrorCode.DUPLICATE_SEQUENCE_NUMBER, {}, Verdict.DONE),
        (ErrorCode.NETWORK_EXCEPTION, {}, Verdict.RETRY),
        (ErrorCode.NETWORK_EXCEPTION, {"may_retry": False}, Verdict.FAIL),
        (ErrorCode.MESSAGE_TOO_LARGE, {}, Verdict.FAIL),
        (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, {"is_oldest": False, "is_next": False}, Verdict.RETRY),
        (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, {"is_oldest": False, "has_hole": True}, Verdict.RETRY),
        (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, {}, Verdict.RENUMBER),
        (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, {"is_renumbered": True}, Verdict.RETRY),
        (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, {"is_next": False}, Verdict.RETRY),
        (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, {"is_next": False, "has_hole": True}, Verdict.RENUMBER),
        (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, {"is_numbered": False}, Verdict.FAIL),
        (ErrorCode.UNKNOWN_PRODUCER_ID, {}, Verdict.RENUMBER),
    ],
)
def test_what_becomes_of_a_batch(error: ErrorCode, changes: dict[str, bool], expected: Verdict) -> None:
    assert expected is judge(error, STANDING._replace(**changes))
