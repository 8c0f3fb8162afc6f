"""Compaction in a log with transactions: whoever wants what is committed ends up with the same table."""

from __future__ import annotations

from random import Random

import pytest

from kafkalite.log.batch import TRANSACTIONAL, split
from kafkalite.log.compression import records_of
from kafkalite.log.markers import Marker, encode_marker
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.settings import LogConfig
from kafkalite.storage.memory import MemoryStorage

from .batches import keyed

FOLDER = "table-0"
CONFIG = LogConfig(segment_bytes=500, index_interval_bytes=100, compact=True, delete=False, delete_retention_ms=1000)
PRODUCERS = (7, 8, 9)

Table = dict[bytes | None, bytes | None]


def committed(log: PartitionLog, start: int, max_bytes: int) -> list[tuple[int, bytes | None, bytes | None]]:
    """What a read_committed consumer makes of it, as clients do: by the lists and the markers alone."""
    found: list[tuple[int, bytes | None, bytes | None]] = []
    position = start
    while data := log.read(position, max_bytes, end_offset=log.last_stable_offset):
        ahead = sorted((one.first_offset, one.producer_id) for one in log.aborted_in(position, data))
        skipped: set[int] = set()
        for header, one in split(data):
            while ahead and ahead[0][0] <= header.last_offset:
                skipped.add(ahead.pop(0)[1])
            if header.is_control:
                skipped.discard(header.producer_id)
            elif not (header.is_transactional and header.producer_id in skipped):
                found += [(r.offset, r.key, r.value) for r in records_of(one) or () if r.offset >= position]
            position = max(position, header.next_offset)
    return found


def table(rows: list[tuple[int, bytes | None, bytes | None]]) -> Table:
    latest = {key: value for _, key, value in rows}
    return {key: value for key, value in latest.items() if value is not None}


class Writers:
    """Three producers that write keys, in transactions and outside them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.log = PartitionLog(MemoryStorage(), FOLDER, CONFIG, 0)
        self.sequences = dict.fromkeys(PRODUCERS, 0)
        self.open: set[int] = set()

    def step(self, number: int) -> None:
        producer = self.random.choice(PRODUCERS)
        if producer in self.open and self.random.random() < 0.4:
            marker = encode_marker(Marker(self.random.random() < 0.5, 0), producer, 0, 0)
            self.log.append_as_leader(marker, 0, 0, is_from_client=False)
            self.open.discard(producer)
            return
        is_transactional = producer in self.open or self.random.random() < 0.7
        pairs = [
            (b"k%d" % self.random.randrange(5), None if self.random.random() < 0.2 else b"v%d" % number)
            for _ in range(self.random.randint(1, 3))
        ]
        one = keyed(
            *pairs,
            producer_id=producer,
            producer_epoch=0,
            base_sequence=self.sequences[producer],
            attributes=TRANSACTIONAL if is_transactional else 0,
        )
        self.log.append_as_leader(one, 0, 0)
        self.sequences[producer] += len(pairs)
        if is_transactional:
            self.open.add(producer)


@pytest.mark.parametrize("seed", range(40))
def test_after_compaction_a_read_committed_reader_ends_up_with_the_same_table(seed: int) -> None:
    """From wherever it begins, also behind what it read before; with tombstones and markers that go in their time."""
    writers = Writers(seed)
    log = writers.log
    now_ms = 0
    for number in range(80):
        writers.step(number)
        log.high_watermark = log.log_end_offset
        if writers.random.random() < 0.2:
            log.roll(now_ms)
        if writers.random.random() < 0.25:
            before = committed(log, 0, 400)
            now_ms += writers.random.choice([1, 1500])
            open_before = {one for one, known in log.producers if known.txn_first_offset is not None}

            log.compact(now_ms)

            after = committed(log, 0, writers.random.choice([1, 200, 10_000]))
            assert table(before) == table(after)
            assert {*after} <= {*before}, "nothing aborted came to light"
            assert writers.open == open_before
            start = writers.random.randint(0, log.log_end_offset)
            seen = [row for row in after if row[0] >= start]
            assert seen == committed(log, start, 400)
    again = PartitionLog(log._storage, FOLDER, CONFIG, 0, recovery_point=0)
    again.high_watermark = again.log_end_offset

    assert writers.open == {one for one, known in again.producers if known.txn_first_offset is not None}
    assert committed(log, 0, 400) == committed(again, 0, 400), "nor after a crash that trusts no index"
