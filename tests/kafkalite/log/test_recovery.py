"""After a crash the log is exactly its whole batches: cut at every byte of the last write, whatever the tail is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from kafkalite.log.batch import read_header
from kafkalite.log.epochs import FILE as EPOCHS
from kafkalite.log.epochs import EpochStart
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.producer_snapshot import encode_snapshot
from kafkalite.log.producer_state import Producers
from kafkalite.log.recovery import recover
from kafkalite.log.settings import LogConfig
from kafkalite.storage import Storage
from kafkalite.storage.files import FileStorage
from kafkalite.storage.memory import MemoryStorage

from .batches import at_offset, batch, everything, numbered, values

FOLDER = "orders-0"
FIRST = f"{FOLDER}/00000000000000000000.log"
TAILS: dict[str, Callable[[bytes, int], bytes]] = {
    "torn": lambda last, cut: last[:cut],
    "zeros": lambda last, cut: last[:cut] + bytes(len(last) - cut),
    "zeros and more": lambda last, cut: last[:cut] + bytes(4096),
    "garbage": lambda last, cut: last[:cut] + Random(cut).randbytes(len(last) - cut),
    "an older life": lambda last, cut: last[:cut] + at_offset(batch(b"stale"), 0),
}


@pytest.fixture(params=["memory", "files"])
def make_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Storage]]:
    made: list[FileStorage] = []

    def make() -> Storage:
        if request.param == "memory":
            return MemoryStorage()
        made.append(FileStorage(tmp_path / str(len(made))))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("tail", TAILS)
def test_the_valid_length_is_the_whole_batches_at_every_cut_of_the_last_write(tail: str) -> None:
    rows = [at_offset(batch(b"v" * (at % 7), b"w"), 2 * at) for at in range(6)]
    before, last = b"".join(rows[:-1]), rows[-1]
    _length, index = recover(before, 150)

    for cut in range(len(last)):
        data = before + TAILS[tail](last, cut)
        if data.startswith(before + last):
            continue  # the tail happened to be the last batch itself
        assert (len(before), index) == recover(data, 150), f"cut at byte {cut}"
    assert len(before) + len(last) == recover(before + last, 150)[0]


def test_a_flipped_byte_anywhere_ends_the_log_before_its_batch() -> None:
    """Only base offset and leader epoch stand before the CRC, and they must go on where the batch before ended."""
    rows = [at_offset(batch(b"value"), at, leader_epoch=5) for at in range(3)]
    first = len(rows[0])
    data = b"".join(rows)
    unseen = []
    for at in range(first, 2 * first):
        flipped = bytearray(data)
        flipped[at] ^= 0x81
        valid_length, _index = recover(flipped)
        if valid_length != first:
            unseen.append(at - first)

    # A base offset or an epoch that went up is a gap or a new leader, and what follows then goes backwards.
    assert set(unseen) <= set(range(8)) | set(range(12, 16))


def test_recovery_keeps_a_good_log_whole() -> None:
    data = b"".join(at_offset(batch(b"a", b"b"), 2 * at) for at in range(50))

    assert len(data) == recover(data)[0]


def test_no_offset_or_epoch_goes_backwards() -> None:
    one, other = at_offset(batch(b"a", b"b"), 0, 3), at_offset(batch(b"c"), 1, 3)
    old_epoch = at_offset(batch(b"c"), 2, 2)

    assert [len(one), len(one)] == [recover(one + other)[0], recover(one + old_epoch)[0]]


@pytest.mark.parametrize("tail", ["torn", "zeros", "garbage"])
def test_a_log_reopened_after_any_cut_holds_the_batches_before_it_and_goes_on(
    make_storage: Callable[[], Storage], tail: str
) -> None:
    """Log, indexes, producers and epochs are all at the cut, and the next append gets its offset."""
    config = LogConfig(index_interval_bytes=100)
    rows = [at_offset(numbered(7, 0, 2 * at, 2), 2 * at, leader_epoch=at // 2) for at in range(5)]
    before, last = b"".join(rows[:-1]), rows[-1]
    for cut in range(0, len(last), 1 if isinstance(make_storage(), MemoryStorage) else 17):
        found = TAILS[tail](last, cut)
        if found == last:
            continue  # its last byte is a zero, so that is how a whole batch looks
        storage = make_storage()
        storage.append(FIRST, before, found)
        storage.append(FIRST.replace(".log", ".index"), b"\0\0\0\5not an index, whatever it says")
        storage.append(FIRST.replace(".log", ".timeindex"), b"\x7f" * 36)
        storage.replace(f"{FOLDER}/{EPOCHS}", b"0\n2\n0 0\n1 6\n")
        storage.replace(f"{FOLDER}/00000000000000000006.snapshot", encode_snapshot(Producers()))
        log = PartitionLog(storage, FOLDER, config, now_ms=0, recovery_point=4)

        assert (8, len(before)) == (log.log_end_offset, log.size_bytes)
        assert [b"%d" % at for at in range(8)] == [record.value for record in everything(log)]
        assert recover(before, 100) == (len(before), list(log.segments[0].index))
        assert (EpochStart(0, 0), EpochStart(1, 4)) == log.leader_epochs
        assert 8 == log.append_as_leader(numbered(7, 0, 8), leader_epoch=2, now_ms=0).base_offset
        assert log.append_as_leader(numbered(7, 0, 2, 2), leader_epoch=2, now_ms=0).is_duplicate
        log.check()


def test_files_of_a_log_are_lost_independently_and_it_opens_as_a_prefix() -> None:
    """Every pair of files that were not synced is lost or torn, each for itself; nothing synced is missing."""
    config = LogConfig(segment_bytes=250, index_interval_bytes=80)
    source = MemoryStorage()
    log = PartitionLog(source, FOLDER, config, now_ms=0)
    for at in range(4):
        log.append_as_leader(numbered(7, 0, at), leader_epoch=0, now_ms=0)
    source.sync()
    log.flushed(log.unflushed())
    for at in range(4, 12):
        log.append_as_leader(numbered(7, 0, at), leader_epoch=at // 6, now_ms=0)
    files = {name: source.read(f"{FOLDER}/{name}", 0, 1 << 20) for name in source.names(FOLDER)}
    # The segment of the recovery point and what was written since; a snapshot and the epochs are synced at once.
    unsynced = [name for name in files if name.endswith((".log", ".index", ".timeindex")) and int(name[:20]) >= 3]
    synced = {name: _synced(name, data) for name, data in files.items()}
    assert len(unsynced) >= 6

    damages: list[Callable[[bytes, bytes], bytes]] = [
        lambda kept, _all: kept,
        lambda kept, all_: all_[: (len(kept) + len(all_)) // 2],
        lambda kept, all_: kept + bytes(len(all_) - len(kept)),
    ]
    for names in combinations(unsynced, 2):
        for one in damages:
            for other in damages:
                found = files | {
                    names[0]: one(synced[names[0]], files[names[0]]),
                    names[1]: other(synced[names[1]], files[names[1]]),
                }
                _opens_as_a_prefix(found, config)


def _synced(name: str, data: bytes) -> bytes:
    """What of a file was there when the log ended at offset 4."""
    if not name.endswith(".log") or int(name[:20]) > 3:
        return b""
    length = 0
    while length < len(data) and read_header(data, length).last_offset < 4:
        length += read_header(data, length).size
    return data[:length]


def _opens_as_a_prefix(files: dict[str, bytes], config: LogConfig) -> None:
    storage = MemoryStorage()
    for name, data in files.items():
        storage.replace(f"{FOLDER}/{name}", data)
    log = PartitionLog(storage, FOLDER, config, now_ms=0, recovery_point=4)

    log.check()
    end = log.log_end_offset
    assert 4 <= end <= 12
    assert [(at, b"%d" % at) for at in range(end)] == values(everything(log))
    assert end == log.append_as_leader(numbered(7, 0, end), leader_epoch=2, now_ms=0).base_offset
    assert log.append_as_leader(numbered(7, 0, end - 2), leader_epoch=2, now_ms=0).is_duplicate


def test_a_segment_that_lost_its_tail_at_the_end_of_a_batch_takes_the_later_ones_with_it() -> None:
    """No CRC can see it: every batch that is there is whole."""
    config = LogConfig(segment_bytes=200)
    storage = MemoryStorage()
    log = PartitionLog(storage, FOLDER, config, now_ms=0)
    for _ in range(6):
        log.append_as_leader(batch(b"value"), leader_epoch=0, now_ms=0)
    bases = [segment.base_offset for segment in log.segments]
    storage.truncate(FIRST, log.segments[0].position_of(1))

    again = PartitionLog(storage, FOLDER, config, now_ms=0)

    assert len(bases) > 2
    assert (1, ["00000000000000000000.log"]) == (
        again.log_end_offset,
        [name for name in storage.names(FOLDER) if name.endswith(".log")],
    )


def test_after_a_clean_stop_no_batch_is_checked_again() -> None:
    """What a flipped byte shows: it is found when recovering, and not when everything was in order."""
    storage = MemoryStorage()
    log = PartitionLog(storage, FOLDER, LogConfig(), now_ms=0)
    for _ in range(3):
        log.append_as_leader(batch(b"value"), leader_epoch=0, now_ms=0)
    log.close()
    data = bytearray(storage.read(FIRST, 0, 1 << 20))
    data[-1] ^= 1
    storage.replace(FIRST, data)

    assert [3, 2] == [
        PartitionLog(storage, FOLDER, LogConfig(), now_ms=0, is_clean=is_clean).log_end_offset
        for is_clean in (True, False)
    ]


def test_an_index_that_lies_is_not_trusted_after_an_unclean_stop() -> None:
    storage = MemoryStorage()
    config = LogConfig(index_interval_bytes=60)
    log = PartitionLog(storage, FOLDER, config, now_ms=0)
    for _ in range(5):
        log.append_as_leader(batch(b"value"), leader_epoch=0, now_ms=0)
    right = list(log.segments[0].index)
    lying = b"".join(at.to_bytes(4, "big") + (2**20 + at).to_bytes(4, "big") for at in range(1, 5))
    storage.replace(FIRST.replace(".log", ".index"), lying)

    again = PartitionLog(storage, FOLDER, config, now_ms=0)

    assert right == list(again.segments[0].index)
    assert 5 == len(everything(again))


def test_what_a_killed_process_left_unsynced_is_synced_before_the_recovery_point_passes_it(tmp_path: Path) -> None:
    """Else a power loss after the next flush would take what is said to be on the disk."""
    first = FileStorage(tmp_path)
    log = PartitionLog(first, "o", LogConfig(segment_bytes=200), now_ms=0)
    for at in range(10):
        log.append_as_leader(batch(b"v%d" % at), leader_epoch=0, now_ms=0)
    logs = {f"o/{segment.base_offset:020d}.log" for segment in log.segments}
    log.close()
    first.close()
    second = FileStorage(tmp_path)

    PartitionLog(second, "o", log.config, now_ms=0, recovery_point=10)
    snapshots = {f"o/{name}" for name in second.names("o") if name.endswith(".snapshot")}
    assert len(snapshots) > 3
    assert snapshots <= set(second.mark())

    PartitionLog(second, "o", log.config, now_ms=0, recovery_point=0)
    assert len(logs) > 3
    assert logs <= set(second.mark())
    second.close()
