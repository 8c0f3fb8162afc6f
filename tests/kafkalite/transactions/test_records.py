"""What stands in `__transaction_state`, byte for byte; and what is read back from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.errors import ProtocolError
from kafkalite.log.batch import encode_batch
from kafkalite.log.errors import CorruptBatch
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.log.settings import LogConfig
from kafkalite.storage.memory import MemoryStorage
from kafkalite.transactions.fold import TransactionFold
from kafkalite.transactions.records import TransactionRecord, decode_record, transaction_key, transaction_value
from kafkalite.transactions.states import State
from kafkalite.transactions.transaction import Transaction

ONGOING = Transaction(
    7, 4, 60_000, State.ONGOING, frozenset({("A", 2), ("A", 0), ("B", 1)}), start_ms=256, update_ms=257
)
# Written by hand from Kafka's TransactionLogValue.json, version 0.
ONGOING_BYTES = bytes.fromhex(
    "0000"  # version
    "0000000000000007"  # ProducerId
    "0004"  # ProducerEpoch
    "0000ea60"  # TransactionTimeoutMs
    "01"  # TransactionStatus: Ongoing
    "00000002"  # TransactionPartitions
    "0001 41  00000002  00000000 00000002"  # A: 0, 2
    "0001 42  00000001  00000001"  # B: 1
    "0000000000000101"  # TransactionLastUpdateTimestampMs
    "0000000000000100"  # TransactionStartTimestampMs
)
EMPTY = Transaction(7, 0, 1000, update_ms=1)
EMPTY_BYTES = bytes.fromhex(
    "0000 0000000000000007 0000 000003e8 00 ffffffff 0000000000000001 ffffffffffffffff"  # no partitions: null
)


def test_a_key_and_values_are_kafkas_bytes() -> None:
    assert bytes.fromhex("0000 0005 6f72646572") == transaction_key("order")
    assert ONGOING_BYTES == transaction_value(ONGOING)
    assert EMPTY_BYTES == transaction_value(EMPTY)


@pytest.mark.parametrize(
    ("state", "number"), [(state, number) for number, state in enumerate(State)], ids=[one.value for one in State]
)
def test_the_numbers_of_the_states_are_kafkas(state: State, number: int) -> None:
    names = ("Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead")

    assert names[number] == state.value
    assert number == transaction_value(Transaction(state=state))[16]


_partitions = st.frozensets(st.tuples(st.text("ab-._", min_size=1, max_size=4), st.integers(0, 99)), max_size=5)
_times = st.integers(-1, 2**40)


@given(
    name=st.text(max_size=9),
    producer=st.tuples(st.integers(0, 2**60), st.integers(0, 32_767), st.integers(1, 900_000)),
    state=st.sampled_from([one for one in State if one is not State.EMPTY]),
    partitions=_partitions,
    start_ms=_times,
    update_ms=_times,
)
def test_what_is_written_is_read_back(
    name: str,
    producer: tuple[int, int, int],
    state: State,
    partitions: frozenset[tuple[str, int]],
    start_ms: int,
    update_ms: int,
) -> None:
    one = Transaction(*producer, state, partitions, start_ms, update_ms)

    assert TransactionRecord(name, one) == decode_record(transaction_key(name), transaction_value(one))


def test_a_null_value_forgets_and_keys_of_other_kinds_are_passed_over() -> None:
    assert TransactionRecord("t", None) == decode_record(transaction_key("t"), None)
    assert None is decode_record(b"\x00\x05whatever", b"")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (None, None, "key: a version of two bytes stands first; 0 came"),
        (transaction_key("t"), b"\0", "value: a version of two bytes stands first; 1 came"),
        (transaction_key("t"), b"\0\x09", "value: version 9; expected 0"),
        (transaction_key("t"), ONGOING_BYTES[:16] + b"\x63" + ONGOING_BYTES[17:], "status 99; expected 0 to 6"),
        (transaction_key("t"), ONGOING_BYTES[:-1], "TransactionLogValue v0"),
    ],
)
def test_what_cannot_be_read_says_why(key: bytes | None, value: bytes | None, said: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_record(key, value)

    assert said in str(caught.value)


def log_of(*records: tuple[str, Transaction | None], attributes: int = 0) -> PartitionLog:
    log = PartitionLog(MemoryStorage(), "__transaction_state-0", LogConfig(), now_ms=0)
    for name, one in records:
        value = None if one is None else transaction_value(one)
        batch = encode_batch([Record(transaction_key(name), value)], attributes=attributes)
        log.append_as_leader(batch, 0, 0, is_from_client=False)
    return log


def test_a_coordinator_knows_what_the_last_record_of_each_id_says() -> None:
    log = log_of(("t", EMPTY), ("u", EMPTY), ("t", ONGOING), ("u", None))
    fold = TransactionFold()

    steps = 1
    while not fold.load_some(log, max_bytes=1):  # a batch at a time
        steps += 1

    assert (4, 4, {"t": ONGOING}) == (steps, fold.position, fold.transactions)


def test_records_in_a_codec_that_is_not_here_are_not_passed_over() -> None:
    with pytest.raises(CorruptBatch):
        TransactionFold().load_some(log_of(("t", EMPTY), attributes=3), max_bytes=1000)
