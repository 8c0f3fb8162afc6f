"""A log with transactions in it, whatever happens to it, against a list of what was written."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import NamedTuple

import pytest

from kafkalite.errors import OffsetOutOfRange
from kafkalite.log.batch import TRANSACTIONAL, split
from kafkalite.log.errors import CoordinatorFenced, InvalidRecord, InvalidTransaction, ProducerFenced
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.producer_snapshot import decode_snapshot, encode_snapshot
from kafkalite.log.settings import LogConfig
from kafkalite.storage.memory import MemoryStorage

from .batches import batch, keyed, numbered

FOLDER = "orders-0"
CONFIG = LogConfig(segment_bytes=400, index_interval_bytes=100)
PRODUCERS = (7, 8, 9)


class Written(NamedTuple):
    """A batch: by whom (-1: nobody's), in a transaction or not; `ends` says how, if it is a marker."""

    base: int
    end: int
    producer: int = -1
    is_transactional: bool = False
    ends: bool | None = None  # True: committed


class Model:
    """The list, and what a slow reading of it says."""

    def __init__(self) -> None:
        self.rows: list[Written] = []

    @property
    def end(self) -> int:
        return self.rows[-1].end if self.rows else 0

    def transactions(self) -> list[tuple[int, int, int | None, bool]]:
        """Producer, first offset, the marker's (None: open), whether it was committed."""
        found: list[tuple[int, int, int | None, bool]] = []
        for at, row in enumerate(self.rows):
            before = [one for one in self.rows[:at] if one.producer == row.producer and one.is_transactional]
            if not row.is_transactional or row.ends is not None or (before and before[-1].ends is None):
                continue
            marker = next(
                (one for one in self.rows[at:] if one.producer == row.producer and one.ends is not None), None
            )
            found.append((row.producer, row.base, marker.base if marker else None, bool(marker and marker.ends)))
        return found

    def last_stable(self, high_watermark: int) -> int:
        return min(
            [high_watermark]
            + [first for _, first, marker, _ in self.transactions() if marker is None or marker >= high_watermark]
        )

    def aborted(self, start: int, end: int) -> list[tuple[int, int]]:
        return [
            (producer, first)
            for producer, first, marker, is_commit in sorted(self.transactions(), key=lambda one: one[2] or 0)
            if marker is not None and not is_commit and marker >= start and first < end
        ]

    def truncate(self, offset: int) -> None:
        self.rows = [row for row in self.rows if row.end <= offset]


class Run:
    """A log and its model, side by side."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.storage = MemoryStorage()
        self.model = Model()
        self.sequences: dict[int, int] = {}
        self.recovery_point = 0
        self.log = self.open()

    def open(self, *, is_clean: bool = False) -> PartitionLog:
        point = self.recovery_point
        return PartitionLog(self.storage, FOLDER, CONFIG, 0, is_clean=is_clean, recovery_point=point)

    def write(self, *, is_transactional: bool) -> None:
        producer, count = self.random.choice(PRODUCERS), self.random.randint(1, 3)
        open_ones = {one for one, _, marker, _ in self.model.transactions() if marker is None}
        is_transactional = is_transactional or producer in open_ones
        base = self.model.end
        attributes = TRANSACTIONAL if is_transactional else 0
        sequence = self.sequences.get(producer, 0)
        self.log.append_as_leader(numbered(producer, 0, sequence, count, attributes), 0, 0)
        self.sequences[producer] = sequence + count
        self.model.rows.append(Written(base, base + count, producer, is_transactional))

    def end_one(self) -> None:
        producer, is_commit = self.random.choice(PRODUCERS), self.random.random() < 0.4
        base = self.model.end
        marker = encode_marker(Marker(is_commit, 0), producer, 0, 0)
        self.log.append_as_leader(marker, 0, 0, is_from_client=False)
        self.model.rows.append(Written(base, base + 1, producer, True, is_commit))

    def step(self) -> None:
        draw = self.random.random()
        if draw < 0.45:
            self.write(is_transactional=draw < 0.35)
        elif draw < 0.5:
            self.log.append_as_leader(batch(b"by nobody"), 0, 0)
            self.model.rows.append(Written(self.model.end, self.model.end + 1))
        elif draw < 0.75:
            self.end_one()
        elif draw < 0.8:
            self.log.roll(0)
        elif draw < 0.86:
            self.truncate(self.random.randint(self.log.high_watermark, self.model.end))
        elif draw < 0.92:
            self.log.flushed(self.log.unflushed())
            self.recovery_point = self.log.recovery_point
            self.storage.sync()
        elif draw < 0.96:
            self.log.close()
            self.storage.sync()
            self.recovery_point = self.log.log_end_offset
            self.reopen(is_clean=True)
        else:
            self.reopen()
        self.log.high_watermark = self.random.randint(self.log.high_watermark, self.log.log_end_offset)

    def truncate(self, offset: int) -> None:
        self.log.truncate_to(offset)
        self.model.truncate(self.log.log_end_offset)
        self.recovery_point = min(self.recovery_point, self.log.recovery_point)
        self._count_again()

    def reopen(self, *, is_clean: bool = False) -> None:
        watermark = self.log.high_watermark
        self.log = self.open(is_clean=is_clean)
        self.log.high_watermark = min(watermark, self.log.log_end_offset)

    def _count_again(self) -> None:
        self.sequences = {
            one: sum(row.end - row.base for row in self.model.rows if row.producer == one and row.ends is None)
            for one in PRODUCERS
        }

    def check(self, *, knows_ended: bool = True) -> None:
        log, model = self.log, self.model
        assert model.end == log.log_end_offset
        open_ones = {(one, first) for one, first, marker, _ in model.transactions() if marker is None}
        assert open_ones == {
            (one, known.txn_first_offset) for one, known in log.producers if known.txn_first_offset is not None
        }
        if knows_ended:
            assert model.last_stable(log.high_watermark) == log.last_stable_offset
        for start in range(0, model.end, 2):
            for max_bytes in (1, 300):
                data = log.read(start, max_bytes, end_offset=log.last_stable_offset)
                end = max((header.next_offset for header, _ in split(data)), default=start)
                expected = model.aborted(start, end) if data else []
                found = log.aborted_in(start, data) if data else []
                assert expected == [(one.producer_id, one.first_offset) for one in found]


@pytest.mark.parametrize("seed", range(30))
def test_the_stable_offset_and_the_aborted_ones_are_what_a_slow_reading_says(seed: int) -> None:
    """Whatever is written, rolled, cut off or opened again, in order or after a crash of the process."""
    run = Run(seed)
    was_reopened = False
    for _ in range(60):
        log = run.log
        run.step()
        was_reopened = was_reopened or run.log is not log
        # Where a marker stood when the log was closed is known from the log alone, not from the snapshot.
        run.check(knows_ended=not was_reopened or run.log.high_watermark == run.log.log_end_offset)


@pytest.mark.parametrize("seed", range(6))
def test_after_a_cut_at_any_byte_of_the_last_write_the_log_knows_its_transactions(seed: int) -> None:
    """Also when the last write was a marker, whose entry may be there without it, or not there with it."""
    run = Run(seed)
    for _ in range(25):
        run.step()
    run.end_one()
    log_file = f"{FOLDER}/{run.log.segments[-1].base_offset:020d}.log"
    index_file = log_file.replace(".log", ".txnindex")
    sizes = run.storage.size(log_file), run.storage.size(index_file)
    size_before = sizes[0] - len(encode_marker(Marker(True, 0), 7, 0, 0))
    last, recovery_point = run.model.rows[-1], min(run.recovery_point, run.model.rows[-1].base)

    for cut in range(size_before, sizes[0] + 1):
        for index_size in {max(0, sizes[1] - 34), max(0, sizes[1] - 11), sizes[1]}:
            twin = deepcopy(run)
            twin.recovery_point = recovery_point
            twin.storage.truncate(log_file, cut)
            if twin.storage.size(index_file):
                twin.storage.truncate(index_file, index_size)
            twin.model.rows = run.model.rows if cut == sizes[0] else run.model.rows[:-1]
            twin.log = twin.open()
            twin.log.high_watermark = twin.log.log_end_offset
            twin.check()

    assert last.ends is not None


def test_after_a_power_loss_what_is_left_of_the_log_says_who_is_open() -> None:
    """Files lose their tails each on its own; the log file is the truth."""
    for seed in range(40):
        run = Run(seed)
        for _ in range(40):
            run.step()
        run.storage.power_loss(Random(seed))
        run.log = run.open()
        run.model.truncate(run.log.log_end_offset)
        run.log.high_watermark = run.log.log_end_offset

        run.check()


def test_the_snapshot_keeps_what_is_open_and_who_ended_the_last_one() -> None:
    log = PartitionLog(MemoryStorage(), FOLDER, CONFIG, 0)
    log.append_as_leader(numbered(7, 0, 0, 1, TRANSACTIONAL), 0, 0)
    log.append_as_leader(numbered(8, 0, 0, 2, TRANSACTIONAL), 0, 0)
    log.append_as_leader(encode_marker(Marker(True, 5), 8, 0, 0), 0, 0, is_from_client=False)

    again = decode_snapshot(encode_snapshot(log.producers))

    assert [(0, -1), (None, 5)] == [(one.txn_first_offset, one.coordinator_epoch) for _, one in again]


def test_a_coordinators_batches_have_no_sequence_and_are_nobodys_duplicates() -> None:
    """Offsets in a transaction: the same producer writes them again and again, between batches that are counted."""
    log = PartitionLog(MemoryStorage(), FOLDER, CONFIG, 0)
    offsets = keyed((b"k", b"v"), producer_id=7, producer_epoch=0, attributes=TRANSACTIONAL)

    ends = [log.append_as_leader(offsets, 0, 0, is_from_client=False).last_offset for _ in range(8)]
    first = log.append_as_leader(numbered(7, 0, 0, 1, TRANSACTIONAL), 0, 0)

    assert [*range(8)] == ends
    assert (8, False) == (first.base_offset, first.is_duplicate)
    known = log.producers.get(7)
    assert known is not None
    assert (1, 0) == (len(known.batches), known.txn_first_offset)


def test_an_older_coordinator_and_an_older_producer_write_no_markers() -> None:
    log = PartitionLog(MemoryStorage(), FOLDER, CONFIG, 0)
    log.append_as_leader(encode_marker(Marker(True, 5), 7, 3, 0), 0, 0, is_from_client=False)

    with pytest.raises(CoordinatorFenced):
        log.append_as_leader(encode_marker(Marker(False, 4), 7, 3, 0), 0, 0, is_from_client=False)
    with pytest.raises(ProducerFenced):
        log.append_as_leader(encode_marker(Marker(False, 6), 7, 2, 0), 0, 0, is_from_client=False)
    offsets = keyed((b"k", b"v"), producer_id=7, producer_epoch=2, attributes=TRANSACTIONAL)
    with pytest.raises(ProducerFenced):
        log.append_as_leader(offsets, 0, 0, is_from_client=False)

    assert 1 == log.log_end_offset
    assert 1 == log.append_as_leader(encode_marker(Marker(True, 5), 7, 3, 0), 0, 0, is_from_client=False).base_offset


def test_in_an_open_transaction_every_batch_is_in_it() -> None:
    log = PartitionLog(MemoryStorage(), FOLDER, CONFIG, 0)
    log.append_as_leader(numbered(7, 0, 0, 1, TRANSACTIONAL), 0, 0)

    with pytest.raises(InvalidTransaction):
        log.append_as_leader(numbered(7, 0, 1), 0, 0)
    with pytest.raises(InvalidRecord):  # and a producer counts
        log.append_as_leader(numbered(7, 0, -1, 1, TRANSACTIONAL), 0, 0)


def test_a_transaction_that_deletion_has_overtaken_holds_nobody_back_below_the_logs_start() -> None:
    log = PartitionLog(MemoryStorage(), FOLDER, CONFIG, 0)
    log.append_as_leader(numbered(7, 0, 0, 4, TRANSACTIONAL), 0, 0)
    log.high_watermark = 4

    log.delete_before(3)

    assert 3 == log.last_stable_offset
    with pytest.raises(OffsetOutOfRange):
        log.read(0, 1)


@pytest.mark.parametrize("is_crash", [False, True])
def test_an_abort_that_was_cut_off_is_forgotten_also_where_a_snapshot_ends(is_crash: bool) -> None:
    """A snapshot says all there is to say of what is before it, so nothing is read again there."""
    storage = MemoryStorage()
    log = PartitionLog(storage, FOLDER, CONFIG, 0)
    log.append_as_leader(numbered(7, 0, 0, 1, TRANSACTIONAL), 0, 0)
    log.close()
    size = storage.size(f"{FOLDER}/00000000000000000000.log")
    log.append_as_leader(encode_marker(Marker(False, 0), 7, 0, 0), 0, 0, is_from_client=False)
    assert 1 == len(log.segments[0].aborted)

    if is_crash:
        storage.truncate(f"{FOLDER}/00000000000000000000.log", size)
        log = PartitionLog(storage, FOLDER, CONFIG, 0, recovery_point=1)
    else:
        log.truncate_to(1)

    assert (1, 0) == (log.log_end_offset, len(log.segments[0].aborted))
    log.append_as_leader(encode_marker(Marker(True, 0), 7, 0, 0), 0, 0, is_from_client=False)
    log.high_watermark = 2
    assert [] == log.aborted_in(0, log.read(0, 1000)), "it was committed in the end"


def test_a_follower_knows_the_same_from_the_leaders_bytes() -> None:
    run = Run(5)
    for _ in range(40):
        run.step()
    follower = PartitionLog(MemoryStorage(), FOLDER, CONFIG, 0)
    end = run.log.log_end_offset
    while follower.log_end_offset < end:
        follower.append_as_follower(run.log.read(follower.log_end_offset, 300), 0)

    entries = [[one for segment in log.segments for one in segment.aborted.entries()] for log in (run.log, follower)]

    assert [] != entries[0] == entries[1]
