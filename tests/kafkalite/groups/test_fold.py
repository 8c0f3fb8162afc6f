"""A coordinator's state is a fold of its log: in chunks, after compaction, with transactions, always the same."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.groups.fold import Fold
from kafkalite.groups.offsets import Offsets
from kafkalite.groups.records import group_key, group_value, offset_key, offset_value
from kafkalite.log.batch import TRANSACTIONAL, encode_batch
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.log.settings import LogConfig
from kafkalite.storage.memory import MemoryStorage
from kafkalite.types import CommittedOffset, GroupImage, MemberImage

A0, A1 = ("A", 0), ("A", 1)


def log_of(**settings: int) -> PartitionLog:
    config = LogConfig(delete=False, compact=True, **settings)  # type: ignore[arg-type]  # numbers, all of those used
    return PartitionLog(MemoryStorage(), "__consumer_offsets-0", config, now_ms=0)


def append(log: PartitionLog, *records: tuple[bytes, bytes | None], producer_id: int = -1) -> None:
    listed = [Record(key, value, 0, offset=offset) for offset, (key, value) in enumerate(records)]
    if producer_id < 0:
        batch = encode_batch(listed)
    else:
        known = log.producers.get(producer_id)
        sequence = known.batches[-1].last_sequence + 1 if known is not None and known.batches else 0
        ids = {"producer_id": producer_id, "producer_epoch": 0, "base_sequence": sequence}
        batch = encode_batch(listed, attributes=TRANSACTIONAL, **ids)
    log.append_as_leader(batch, 0, 0, is_from_client=False)


def mark(log: PartitionLog, producer_id: int, *, is_commit: bool) -> None:
    log.append_as_leader(encode_marker(Marker(is_commit, 0), producer_id, 0, 0), 0, 0, is_from_client=False)


def commit(offset: int, partition: tuple[str, int] = A0, group: str = "g") -> tuple[bytes, bytes | None]:
    return offset_key(group, partition), offset_value(CommittedOffset(offset, commit_ms=0))


def folded(log: PartitionLog, max_bytes: int = 1 << 20) -> Fold:
    fold = Fold(Offsets())
    while not fold.load_some(log, max_bytes):
        pass
    return fold


def said(fold: Fold) -> tuple[object, ...]:
    """All a fold knows of offsets and groups, in a form that can be compared."""
    offsets = fold.offsets
    return (
        {(group, one): offsets.fetch(group, one) for group in offsets.groups() for one in offsets.partitions(group)},
        fold.groups,
    )


def test_the_last_record_of_a_key_counts_and_a_null_forgets() -> None:
    """O1: the topic is compacted, the last bookmark of a key is the one."""
    log = log_of()
    append(log, commit(5), commit(3, A1))
    append(log, commit(7), (offset_key("g", A1), None))

    fold = folded(log)

    found = fold.offsets.fetch("g", A0)
    assert found is not None
    assert 7 == found.offset
    assert [A0] == fold.offsets.partitions("g")


def test_a_group_is_found_as_it_was_last_written() -> None:
    """O2, C7: whoever coordinates next knows its members."""
    image = GroupImage("consumer", 4, "range", "m1", (MemberImage("m1", assignment=b"all"),))
    log = log_of()
    append(log, (group_key("g"), group_value(GroupImage("consumer", 3), 5)))
    append(log, (group_key("g"), group_value(image, 9)), (group_key("h"), group_value(image, 9)))
    append(log, (group_key("h"), None))

    assert {"g": (image, 9)} == folded(log).groups


def test_a_long_log_is_read_in_chunks_that_end_where_it_ends() -> None:
    """O2: a broker that loads still serves others in between."""
    log = log_of(segment_bytes=2000)
    for number in range(100):
        append(log, commit(number, ("A", number % 7)))
    fold, chunks = Fold(Offsets()), 1
    while not fold.load_some(log, 1000):
        chunks += 1

    assert said(folded(log)) == said(fold)
    assert chunks >= 10
    assert log.log_end_offset == fold.position


def test_offsets_in_a_transaction_count_once_its_marker_is_read() -> None:
    """O5."""
    log = log_of()
    append(log, commit(5), commit(5, A1))
    append(log, commit(6), producer_id=7)
    append(log, commit(9, A1), producer_id=8)
    open_still = folded(log)
    mark(log, 7, is_commit=True)
    mark(log, 8, is_commit=False)

    assert (5, False) == (at(open_still, A0), open_still.pending.is_stable("g", A0))
    fold = folded(log)
    assert (6, 5) == (at(fold, A0), at(fold, A1))
    assert fold.pending.is_stable("g", A0)


def at(fold: Fold, partition: tuple[str, int]) -> int:
    found = fold.offsets.fetch("g", partition)
    assert found is not None
    return found.offset


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 120), st.integers(200, 3000))
def test_compaction_and_chunks_change_nothing(seed: int, count: int, chunk_bytes: int) -> None:
    """O1: compaction forgets what has been replaced, and nothing else."""
    draw, log = Random(seed), log_of(segment_bytes=800, delete_retention_ms=0)
    for number in range(count):
        group, partition = f"g{draw.randrange(2)}", ("A", draw.randrange(3))
        choice = draw.random()
        if choice < 0.6:
            append(log, commit(number, partition, group))
        elif choice < 0.7:
            append(log, (offset_key(group, partition), None))
        elif choice < 0.8:
            append(log, (group_key(group), group_value(GroupImage("consumer", number), number)))
        else:
            producer_id = draw.randrange(7, 9)
            append(log, commit(number, partition, group), producer_id=producer_id)
            mark(log, producer_id, is_commit=draw.random() < 0.5)
    before = said(folded(log))
    log.high_watermark = log.log_end_offset
    for now_ms in (1, 2, 3):
        log.compact(now_ms)

    assert before == said(folded(log, chunk_bytes))


def test_what_compaction_gives_back_is_what_was_replaced() -> None:
    """Guards the test above: there is something to compact."""
    log = log_of(segment_bytes=800)
    for number in range(100):
        append(log, commit(number))
    log.high_watermark = log.log_end_offset

    assert log.compact(1) > log.size_bytes
