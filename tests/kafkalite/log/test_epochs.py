"""Leader epochs say where two replicas parted, and their file says it after a restart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.log.checkpoints import CorruptCheckpoint
from kafkalite.log.epochs import (
    FILE,
    EpochEnd,
    Epochs,
    EpochStart,
    assigned,
    decode_epochs,
    encode_epochs,
    end_offset_for,
    truncated_from_end,
    truncated_from_start,
)
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.settings import LogConfig
from kafkalite.storage.memory import MemoryStorage

from .batches import batch, numbered

# The epoch of each record, by offset: never falling.
_history = st.lists(st.integers(0, 6), max_size=12).map(sorted)


def _epochs(history: list[int]) -> Epochs:
    epochs: Epochs = ()
    for offset, epoch in enumerate(history):
        epochs = assigned(epochs, epoch, offset)
    return epochs


@settings(deadline=None, derandomize=True)
@given(history=_history, epoch=st.integers(-1, 7))
def test_an_epoch_ends_where_the_first_record_of_a_later_one_stands(history: list[int], epoch: int) -> None:
    expected = EpochEnd(-1, -1)
    if history and 0 <= epoch <= history[-1]:
        known = [one for one in history if one <= epoch]
        end = sum(one <= epoch for one in history)
        expected = EpochEnd(known[-1] if known else epoch, end)

    assert expected == end_offset_for(_epochs(history), epoch, len(history))


@settings(deadline=None, derandomize=True)
@given(history=_history, at=st.integers(0, 12))
def test_truncating_the_epochs_is_truncating_the_history(history: list[int], at: int) -> None:
    epochs = _epochs(history)
    cut = min(at, len(history))

    assert _epochs(history[:cut]) == truncated_from_end(epochs, cut)
    kept = truncated_from_start(epochs, cut)
    for epoch in history[cut:]:
        assert end_offset_for(epochs, epoch, len(history)) == end_offset_for(kept, epoch, len(history))
    assert all(entry.start_offset >= cut for entry in kept)


@settings(deadline=None, derandomize=True)
@given(history=_history)
def test_epochs_survive_the_way_to_their_file_and_back(history: list[int]) -> None:
    assert _epochs(history) == decode_epochs(encode_epochs(_epochs(history)))


def test_a_new_leader_overrules_what_never_left_a_record() -> None:
    """Epoch 4 was announced at the end and wrote nothing; epoch 5 begins at the same offset."""
    epochs = assigned(assigned((EpochStart(3, 0),), 4, 7), 5, 7)

    assert (EpochStart(3, 0), EpochStart(5, 7)) == epochs
    assert epochs == assigned(epochs, 5, 9)


@pytest.mark.parametrize("text", [b"1\n0\n", b"0\n2\n1 0\n", b"0\n1\n1\n", b"0\n1\n1 x\n", b"\xff", b"0"])
def test_a_file_that_was_changed_by_hand_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(CorruptCheckpoint, match=FILE):
        decode_epochs(text)


def _led(storage: MemoryStorage, *epochs: int) -> PartitionLog:
    log = PartitionLog(storage, "o", LogConfig(), now_ms=0)
    for epoch in epochs:
        log.append_as_leader(batch(b"%d" % epoch), leader_epoch=epoch, now_ms=0)
    return log


def test_two_replicas_find_where_they_parted_by_epoch_and_not_by_watermark() -> None:
    """KIP-101 and KIP-279: the follower led epoch 2 and nobody copied it; the leader went on from epoch 1 with 3."""
    leader, follower = _led(MemoryStorage(), 1, 1, 1, 3, 3), _led(MemoryStorage(), 1, 1, 1, 2, 2)

    answer = leader.end_offset_for_epoch(follower.leader_epochs[-1].epoch)
    follower.truncate_to(answer.end_offset)
    follower.append_as_follower(leader.read(follower.log_end_offset, 1 << 20), now_ms=0)

    assert EpochEnd(1, 3) == answer
    assert leader.read(0, 1 << 20) == follower.read(0, 1 << 20)
    assert leader.leader_epochs == follower.leader_epochs


def test_a_log_without_its_epoch_file_learns_the_epochs_from_its_batches() -> None:
    storage = MemoryStorage()
    log = _led(storage, 1, 1, 3, 4)
    log.close()
    expected = log.leader_epochs
    storage.delete(f"o/{FILE}")

    assert [expected, expected] == [
        PartitionLog(storage, "o", LogConfig(), 0, is_clean=is_clean, recovery_point=2).leader_epochs
        for is_clean in (True, False)
    ]


@pytest.mark.parametrize("is_clean", [True, False])
def test_epochs_of_what_was_deleted_are_forgotten_also_by_who_opens_the_log_again(*, is_clean: bool) -> None:
    storage = MemoryStorage()
    log = PartitionLog(storage, "o", LogConfig(segment_bytes=200, retention_bytes=150), now_ms=0)
    for epoch in range(10):
        log.append_as_leader(batch(b"v"), leader_epoch=epoch, now_ms=0)
    log.high_watermark = 10
    log.delete_expired(now_ms=0)

    again = PartitionLog(storage, "o", log.config, now_ms=0, is_clean=is_clean)

    assert again.log_start_offset == again.leader_epochs[0].start_offset > 5
    assert log.leader_epochs == again.leader_epochs


def test_a_leader_announces_its_epoch_before_it_writes() -> None:
    log = _led(MemoryStorage(), 1, 1)
    log.begin_epoch(5)

    assert [EpochEnd(1, 2), EpochEnd(5, 2)] == [log.end_offset_for_epoch(epoch) for epoch in (1, 5)]


def test_a_flush_from_before_a_truncation_does_not_vouch_for_what_was_written_after_it() -> None:
    log = PartitionLog(MemoryStorage(), "o", LogConfig(), now_ms=0)
    for sequence in range(4):
        log.append_as_leader(numbered(7, 0, sequence), leader_epoch=0, now_ms=0)
    mark = log.unflushed()
    log.truncate_to(1)
    for sequence in range(1, 4):
        log.append_as_leader(numbered(7, 0, sequence), leader_epoch=1, now_ms=0)
    log.flushed(mark)

    assert 0 == log.recovery_point
    log.flushed(log.unflushed())
    assert 4 == log.recovery_point
