"""Checkpoints are Kafka's text files: replaced as a whole, read back as they were, refused if they were changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.log.checkpoints import (
    HIGH_WATERMARK,
    RECOVERY_POINT,
    CorruptCheckpoint,
    mark_clean_shutdown,
    read_checkpoint,
    take_clean_shutdown,
    write_checkpoint,
)
from kafkalite.storage.memory import MemoryStorage

_topic = st.text("abc._-", min_size=1, max_size=6)


@settings(deadline=None, derandomize=True)
@given(offsets=st.dictionaries(st.tuples(_topic, st.integers(0, 99)), st.integers(0, 2**60), max_size=5))
def test_offsets_survive_the_way_to_the_file_and_back(offsets: dict[tuple[str, int], int]) -> None:
    storage = MemoryStorage()
    write_checkpoint(storage, HIGH_WATERMARK, {("left over", 1): 2})
    write_checkpoint(storage, HIGH_WATERMARK, offsets)

    assert offsets == read_checkpoint(storage, HIGH_WATERMARK)
    assert {} == read_checkpoint(storage, RECOVERY_POINT)


def test_the_file_is_kafkas() -> None:
    storage = MemoryStorage()
    write_checkpoint(storage, RECOVERY_POINT, {("orders", 1): 7, ("orders", 0): 12})

    assert b"0\n2\norders 0 12\norders 1 7\n" == storage.read("recovery-point-offset-checkpoint", 0, 99)


@pytest.mark.parametrize(
    "text", [b"1\n0\n", b"0\n2\norders 0 12\n", b"0\n1\norders 0\n", b"0\n1\norders 0 x\n", b"0", b"\xff\xff\n"]
)
def test_a_file_that_was_changed_is_refused_by_name(text: bytes) -> None:
    storage = MemoryStorage()
    storage.replace(RECOVERY_POINT, text)

    with pytest.raises(CorruptCheckpoint, match=RECOVERY_POINT):
        read_checkpoint(storage, RECOVERY_POINT)


def test_a_clean_stop_is_believed_once() -> None:
    storage = MemoryStorage()
    mark_clean_shutdown(storage)

    assert [True, False] == [take_clean_shutdown(storage), take_clean_shutdown(storage)]
