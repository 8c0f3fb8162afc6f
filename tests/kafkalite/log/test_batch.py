"""Record batches are byte for byte those of two independent encoders, and nothing broken passes as one."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.log.batch import (
    CONTROL,
    LOG_APPEND_TIME,
    TRANSACTIONAL,
    BatchHeader,
    decode_batch,
    encode_batch,
    patched,
    read_header,
    split,
    validate,
    with_log_append_time,
)
from kafkalite.log.compression import records_of
from kafkalite.log.crc import crc32c, crc32c_by_table, use
from kafkalite.log.errors import CorruptBatch, InvalidRecord
from kafkalite.log.markers import Marker, decode_marker, encode_marker
from kafkalite.log.record import Record, decode_record, encode_record
from kafkalite.log.varint import decode_varint, encode_varint

from .batches import batch, gzipped, resealed
from .oracles import DefaultRecordBatch, DefaultRecordBatchBuilder, read_batch, write_batch

_bytes = st.none() | st.binary(max_size=300)
_records = st.builds(
    Record,
    key=_bytes,
    value=_bytes,
    timestamp_ms=st.integers(0, 2**41),
    headers=st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=3).map(tuple),
)


def _placed(records: list[Record]) -> list[Record]:
    return [Record(r.key, r.value, r.timestamp_ms, r.headers, at) for at, r in enumerate(records)]


# Other encoders -----------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, derandomize=True)
@given(records=st.lists(_records, min_size=1, max_size=5).map(_placed), producer=st.booleans(), txn=st.booleans())
def test_batches_are_byte_identical_to_kafka_pythons(records: list[Record], producer: bool, txn: bool) -> None:
    ids = (4001, 3, 17) if producer else (-1, -1, -1)
    builder = DefaultRecordBatchBuilder(2, 0, producer and txn, *ids, 1 << 20)
    for one in records:
        builder.append(one.offset, one.timestamp_ms, one.key, one.value, list(one.headers))

    ours = encode_batch(
        records,
        leader_epoch=0,  # what kafka-python writes there
        attributes=TRANSACTIONAL if producer and txn else 0,
        producer_id=ids[0],
        producer_epoch=ids[1],
        base_sequence=ids[2],
    )

    assert bytes(builder.build()) == ours
    assert ids == (validate(ours, as_produced=True).producer_id, *read_header(ours)[10:12])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(records=st.lists(_records, min_size=1, max_size=5).map(_placed), base=st.integers(0, 2**40))
def test_kafka_python_reads_what_a_log_keeps(records: list[Record], base: int) -> None:
    kept = b"".join(patched(encode_batch(records), base, 9))
    theirs = DefaultRecordBatch(kept)

    assert theirs.validate_crc()
    assert [(r.key, r.value, r.timestamp_ms, base + r.offset, list(r.headers)) for r in records] == [
        (r.key, r.value, r.timestamp, r.offset, r.headers) for r in theirs
    ]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(records=st.lists(_records, min_size=1, max_size=5).map(_placed))
def test_batches_are_byte_identical_to_kios(records: list[Record]) -> None:
    """In whole seconds, because kio keeps times as datetimes and rounds some milliseconds."""
    records = [replace(record, timestamp_ms=record.timestamp_ms // 1000 * 1000) for record in records]
    ours = encode_batch(records, base_offset=0, leader_epoch=4)
    theirs, size = read_batch(ours, 0)
    again = io.BytesIO()
    write_batch(again, theirs)

    assert (ours, len(ours)) == (again.getvalue(), size)


def test_gzip_is_opened_and_another_codec_stays_closed() -> None:
    one = batch(b"a" * 100, b"b", timestamp_ms=5)
    packed = gzipped(one)
    unknown = resealed(read_header(one)._replace(attributes=4), b"zstd, as far as one can tell")

    assert 2 == validate(packed, as_produced=True).record_count == validate(unknown, as_produced=True).record_count
    assert (records_of(one), None) == (records_of(packed), records_of(unknown))
    assert [b"a" * 100, b"b"] == [r.value for r in DefaultRecordBatch(packed)]


# One record ---------------------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(record=_records)
def test_a_record_survives_the_way_to_bytes_and_back(record: Record) -> None:
    encoded = encode_record(record)

    assert (record, len(encoded)) == decode_record(encoded)


def test_null_is_not_empty() -> None:
    null, empty = encode_record(Record(None, None)), encode_record(Record(b"", b""))

    assert null != empty
    assert (None, b"") == (decode_record(null)[0].key, decode_record(empty)[0].key)


def test_lengths_count_bytes_and_not_characters() -> None:
    record = Record("트럭".encode(), "🚚".encode(), headers=(("길", "이".encode()),))

    assert record == decode_record(encode_record(record))[0]


@settings(deadline=None, derandomize=True)
@given(value=st.integers(-(2**63), 2**63 - 1))
def test_a_varint_survives_the_way_to_bytes_and_back(value: int) -> None:
    encoded = encode_varint(value)

    assert (value, len(encoded)) == decode_varint(encoded, 0)
    assert len(encoded) <= 10


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 11])
def test_a_varint_that_does_not_end_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="does not end"):
        decode_varint(data, 0)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.binary(max_size=80))
def test_any_bytes_are_a_record_or_a_value_error(data: bytes) -> None:
    try:
        record, end = decode_record(data)
    except ValueError:
        return
    assert end <= len(data)
    assert isinstance(record, Record)


# One batch ----------------------------------------------------------------------------------------------------------


def test_a_flipped_bit_behind_the_crc_is_always_seen() -> None:
    good = batch(b"value", b"other")
    for at in range(16, len(good)):
        for bit in range(8):
            bad = bytearray(good)
            bad[at] ^= 1 << bit
            with pytest.raises(CorruptBatch):
                validate(bad)


def test_a_batch_that_is_cut_off_or_followed_by_more_is_refused() -> None:
    good = batch(b"value")
    for bad in [*(good[:cut] for cut in range(len(good))), good + b"\0"]:
        with pytest.raises(CorruptBatch):
            validate(bad)


@pytest.mark.parametrize(("count", "last_delta"), [(1, 1), (2, 0), (0, 0), (-1, 0)])
def test_a_produced_batch_has_a_record_for_each_offset(count: int, last_delta: int) -> None:
    forged = resealed(read_header(batch(b"v"))._replace(record_count=count, last_offset_delta=last_delta), b"")

    with pytest.raises((CorruptBatch, InvalidRecord), match="records for"):
        validate(forged, as_produced=True)


def test_what_only_compaction_makes_is_whole_and_still_not_what_a_producer_sends() -> None:
    thinned = resealed(read_header(batch(b"v"))._replace(record_count=0, last_offset_delta=4), b"")

    with pytest.raises(InvalidRecord):
        validate(thinned, as_produced=True)


def test_a_compacted_batch_may_have_fewer_records_than_offsets() -> None:
    thinned = resealed(read_header(batch(b"v"))._replace(record_count=0, last_offset_delta=4), b"")

    assert (0, 4) == (validate(thinned).record_count, validate(thinned).last_offset)


def test_base_offset_and_leader_epoch_are_patched_outside_the_crc() -> None:
    one = batch(b"v", b"w")
    moved = b"".join(patched(one, 1 << 40, 7))

    assert one[16:] == moved[16:]
    assert ((1 << 40), 7, (1 << 40) + 2) == (
        validate(moved).base_offset,
        validate(moved).leader_epoch,
        validate(moved).next_offset,
    )


def test_log_append_time_is_one_time_for_all_records_and_a_new_crc() -> None:
    stamped = with_log_append_time(batch(b"v", b"w", timestamp_ms=5), now_ms=99)

    assert validate(stamped).attributes & LOG_APPEND_TIME
    assert [99, 99] == [record.timestamp_ms for record in decode_batch(stamped)]


def test_a_row_of_batches_is_split_and_a_cut_off_last_one_is_left() -> None:
    one, other = batch(b"a"), batch(b"b", b"c")

    for cut in range(len(other)):
        assert [one] == [bytes(found) for _header, found in split(one + other[:cut])]
    assert [1, 2] == [header.record_count for header, _found in split(one + other)]


def test_an_impossible_length_among_batches_is_refused() -> None:
    with pytest.raises(CorruptBatch, match="cannot be below"):
        list(split(bytes(100)))


def test_records_that_are_not_those_the_header_counts_are_refused() -> None:
    one = batch(b"value")
    header = read_header(one)

    for body in [b"", b"\x02", one[61:] + b"x", one[61:-1]]:
        with pytest.raises(CorruptBatch):
            list(decode_batch(resealed(header, body)))


@pytest.mark.parametrize("is_commit", [True, False])
def test_a_marker_says_how_a_transaction_ended(is_commit: bool) -> None:
    marker = encode_marker(Marker(is_commit, 12), producer_id=4, producer_epoch=1, timestamp_ms=3)
    header: BatchHeader = validate(marker, as_produced=True)

    assert (True, True, TRANSACTIONAL | CONTROL) == (header.is_control, header.is_transactional, header.attributes)
    assert Marker(is_commit, 12) == decode_marker(marker)
    assert DefaultRecordBatch(marker).is_control_batch


# CRC ----------------------------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(data=st.binary(max_size=200), start=st.integers(0, 5))
def test_the_crc_is_that_of_a_bit_by_bit_division(data: bytes, start: int) -> None:
    crc = 0xFFFFFFFF
    for byte in data[start:]:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)

    assert crc ^ 0xFFFFFFFF == crc32c_by_table(memoryview(data)[start:])


def test_an_accelerated_crc_can_be_plugged_in_and_a_wrong_one_is_refused() -> None:
    asked: list[bytes] = []

    def accelerated(data: bytes | bytearray | memoryview) -> int:
        asked.append(bytes(data))
        return crc32c_by_table(data)

    try:
        use(accelerated)
        assert crc32c_by_table(b"abc") == crc32c(b"abc")
        with pytest.raises(ValueError, match="is not CRC32C"):
            use(len)
        assert asked[-1:] == [b"abc"]
    finally:
        use(crc32c_by_table)


def test_times_lie_far_apart_within_one_batch() -> None:
    late = 4_102_444_800_000  # the year 2100
    records = [Record(None, b"a", late, (), 0), Record(None, b"b", 0, (), 1)]

    assert records == list(decode_batch(encode_batch(records)))
    assert late == read_header(encode_batch(records)).max_timestamp_ms
