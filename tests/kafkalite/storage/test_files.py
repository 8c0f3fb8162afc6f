"""What files alone promise: what a killed process left, what is synced when, and a disk that refuses."""

from __future__ import annotations

import copy
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kafkalite.storage import DiskFull, StorageError
from kafkalite.storage.files import FileStorage

from .test_storage import LOG, content


def test_a_node_on_files_refuses_a_snapshot(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be snapshotted"):
        copy.deepcopy({"node": FileStorage(tmp_path)})


def test_what_a_killed_process_wrote_to_files_is_there_for_the_next(tmp_path: Path) -> None:
    first = FileStorage(tmp_path)
    first.append(LOG, b"abc")
    first.close()
    (tmp_path / "orders-0" / "leader-epoch-checkpoint.tmp").write_bytes(b"half a repl")

    second = FileStorage(tmp_path)

    assert (b"abc", ["00000000000000000000.log"]) == (content(second), second.names("orders-0"))
    second.close()


def test_a_disk_that_fills_up_in_the_middle_of_an_append_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FileStorage(tmp_path)
    storage.append(LOG, b"kept")

    real = os.pwrite

    def room_for_four_more(descriptor: int, data: bytes, position: int) -> int:
        if position >= 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data)[:2], position)

    monkeypatch.setattr(os, "pwritev", lambda fd, parts, at: room_for_four_more(fd, b"".join(parts), at))
    monkeypatch.setattr(os, "pwrite", room_for_four_more)
    with pytest.raises(DiskFull):
        storage.append(LOG, b"abcdef")

    assert (b"kept", 4) == ((tmp_path / LOG).read_bytes(), storage.size(LOG))
    storage.close()


def test_a_write_that_comes_short_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FileStorage(tmp_path)
    real = os.pwrite
    monkeypatch.setattr(os, "pwritev", lambda fd, parts, at: real(fd, b"".join(parts)[:1], at))
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, bytes(data)[:2], at))

    storage.append(LOG, b"abc", b"def")

    assert b"abcdef" == content(storage)
    storage.close()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is synced from now on, in their order."""
    names: list[str] = []
    real = os.fsync

    def spy(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    return names


def _synced_by(storage: FileStorage, synced: list[str], mark: object = None) -> list[str]:
    synced.clear()
    storage.sync(mark)
    return synced.copy()


def test_files_sync_what_was_written_before_the_mark(tmp_path: Path, synced: list[str]) -> None:
    storage = FileStorage(tmp_path)
    storage.append("orders-0/a", b"x")
    mark = storage.mark()
    storage.append("orders-0/b", b"x")

    assert ["a", "orders-0"] == _synced_by(storage, synced, mark)
    assert ["b", "orders-0"] == _synced_by(storage, synced)
    assert [] == _synced_by(storage, synced)
    storage.close()


def test_a_written_file_costs_no_sync_until_the_next_one_or_until_it_is_settled(
    tmp_path: Path, synced: list[str]
) -> None:
    storage = FileStorage(tmp_path)
    storage.write("orders-0/a", b"x")
    assert ([], 0) == (synced, storage.open_files)

    storage.settle("orders-0/a")
    assert ["orders-0", "a"] == synced
    storage.sync()
    synced.clear()
    storage.settle("orders-0/a")
    storage.settle("orders-1/there-is-no-such-file")
    assert [] == synced
    storage.append("orders-0/b", b"x")
    storage.settle("orders-0/a")
    assert ["orders-0", "a"] == synced
    storage.sync()
    storage.write("orders-0/a", b"y")
    assert ["a", "orders-0"] == _synced_by(storage, synced)
    storage.close()


def test_what_a_killed_process_wrote_is_synced_by_the_next_one_if_it_is_told(tmp_path: Path, synced: list[str]) -> None:
    first = FileStorage(tmp_path)
    first.append("orders-0/a", b"x")
    first.append("orders-0/b", b"x")
    first.close()
    second = FileStorage(tmp_path)
    second.unsynced("orders-0/a")

    assert ["a", "orders-0"] == _synced_by(second, synced)
    second.close()


def test_several_files_of_a_folder_are_deleted_with_one_sync(tmp_path: Path, synced: list[str]) -> None:
    storage = FileStorage(tmp_path)
    for name in "abc":
        storage.append(f"orders-0/{name}", b"x")
    storage.delete("orders-0/c", "orders-0/a", "orders-0/b")

    assert (["orders-0"], []) == (synced, list((tmp_path / "orders-0").iterdir()))
    storage.close()


def test_what_is_discarded_is_gone_and_waits_for_no_sync(tmp_path: Path, synced: list[str]) -> None:
    storage = FileStorage(tmp_path)
    for name in "abc":
        storage.append(f"orders-0/{name}", b"x")
    storage.discard("orders-0/c", "orders-0/a")

    assert ([], ["b"]) == (synced, [path.name for path in (tmp_path / "orders-0").iterdir()])
    assert ["b", "orders-0"] == _synced_by(storage, synced)
    storage.close()


def test_a_large_file_that_is_deleted_is_gone_at_once_and_its_bytes_go_aside(tmp_path: Path) -> None:
    aside: list[Callable[[], None]] = []
    storage = FileStorage(tmp_path, aside.append)
    storage.append("orders-0/small", b"x")
    storage.append(LOG, bytes(1 << 20))
    (held,) = (descriptor for path, descriptor in storage._open.items() if path == LOG)
    storage.delete(LOG, "orders-0/small")

    assert (0, [], 0) == (storage.size(LOG), storage.names("orders-0"), storage.open_files)
    assert 1 << 20 == os.fstat(held).st_size
    storage.append(LOG, b"new")
    (work,) = aside
    work()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(held)
    assert b"new" == content(storage)
    storage.close()


def test_a_file_that_cannot_be_deleted_is_told_and_left_open_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FileStorage(tmp_path)
    storage.append(LOG, b"x")
    (descriptor,) = storage._open.values()

    def refuse(_path: Path) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StorageError, match=f"{LOG}: Permission denied"):
        storage.delete(LOG)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
