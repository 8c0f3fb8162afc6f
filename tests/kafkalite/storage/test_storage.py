"""Both storages keep the promises of the port; the one in memory also forks cheaply and acts out a power loss."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from kafkalite.storage import DiskFull, Storage, StorageError
from kafkalite.storage.files import FileStorage
from kafkalite.storage.memory import MemoryStorage

LOG = "orders-0/00000000000000000000.log"


@pytest.fixture(params=["memory", "files"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "memory":
        yield MemoryStorage()
    else:
        files = FileStorage(tmp_path / "data")
        yield files
        files.close()


def content(storage: Storage, path: str = LOG) -> bytes:
    return storage.read(path, 0, storage.size(path))


def test_what_is_appended_in_parts_is_read_as_one(storage: Storage) -> None:
    assert [0, 5] == [storage.append(LOG, b"ab", memoryview(b"cde")), storage.append(LOG, bytearray(b"f"))]

    assert (b"abcdef", 6, b"bcd", b"f") == (
        content(storage),
        storage.size(LOG),
        storage.read(LOG, 1, 3),
        storage.read(LOG, 5, 100),
    )


@pytest.mark.parametrize("length", [0, 10, 100_000])
def test_a_slice_is_what_would_be_read(storage: Storage, length: int) -> None:
    storage.append(LOG, os.urandom(200_000))

    found = storage.slice(LOG, 7, length)

    assert (length, storage.read(LOG, 7, length)) == (len(found), bytes(found))


def test_a_large_slice_is_read_when_it_is_looked_at_and_says_what_is_gone_by_then(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.append(LOG, bytes(100_000))
    found = storage.slice(LOG, 0, 100_000)
    storage.truncate(LOG, 99_999)

    with pytest.raises(StorageError, match="99999 are there: it was cut or deleted"):
        bytes(found)


def test_a_file_that_does_not_exist_is_empty(storage: Storage) -> None:
    storage.delete(LOG)
    storage.truncate(LOG, 0)

    assert (b"", 0) == (storage.read(LOG, 0, 9), storage.size(LOG))
    assert ([], []) == (storage.names("orders-0"), storage.folders())


def test_files_are_listed_by_folder(storage: Storage) -> None:
    storage.append("orders-1/b", b"1")
    storage.append("orders-1/a", b"1")
    storage.replace("recovery-point-offset-checkpoint", b"0\n0\n")

    assert (["a", "b"], ["orders-1"], ["recovery-point-offset-checkpoint"]) == (
        storage.names("orders-1"),
        storage.folders(),
        storage.names(),
    )


def test_a_truncated_file_goes_on_from_there(storage: Storage) -> None:
    storage.append(LOG, b"abcdef")
    storage.truncate(LOG, 2)
    storage.truncate(LOG, 99)

    assert 2 == storage.append(LOG, b"X")
    assert b"abX" == content(storage)


def test_a_replaced_file_has_the_new_content_only(storage: Storage) -> None:
    storage.append(LOG, b"old and long")
    storage.replace(LOG, b"new")
    storage.append(LOG, b"er")

    assert b"newer" == content(storage)


def test_a_written_file_has_the_new_content_only(storage: Storage) -> None:
    storage.append(LOG, b"old and long")
    storage.write(LOG, b"new")
    storage.sync()

    assert b"new" == content(storage)


def test_several_files_are_forgotten_at_once_and_those_that_are_not_there_are_no_matter(storage: Storage) -> None:
    for forget in (storage.delete, storage.discard):
        for path in ("a", "orders-0/b", "orders-1/c", "orders-1/d"):
            storage.append(path, b"x")
        forget("orders-0/b", "nowhere/e", "orders-1/c", "a")

        assert ([], ["orders-1"], ["d"]) == (storage.names(), storage.folders(), storage.names("orders-1"))


def test_a_renamed_file_takes_the_place_of_another(storage: Storage) -> None:
    storage.append(LOG, b"old")
    storage.replace(LOG + ".swap", b"new")
    storage.rename(LOG + ".swap", LOG)

    assert (b"new", ["00000000000000000000.log"]) == (content(storage), storage.names("orders-0"))


def test_memory_and_files_agree_on_any_row_of_operations(tmp_path: Path) -> None:
    rng = Random("operations")
    memory, files = MemoryStorage(), FileStorage(tmp_path)
    paths = ["a/1", "a/2", "b/1"]
    for _ in range(400):
        path, kind = rng.choice(paths), rng.randrange(8)
        data, size = rng.randbytes(rng.randrange(20)), rng.randrange(60)
        for one in (memory, files):
            match kind:
                case 0:
                    one.truncate(path, size)
                case 1:
                    one.replace(path, data)
                case 2 if size < 10:
                    one.delete(path, "b/1")
                case 3:
                    one.write(path, data)
                case 4:
                    one.settle(path)
                case 5 if size < 30:
                    one.discard(path)
                case _:
                    one.append(path, data, b"!")
        assert [(p, content(memory, p)) for p in paths] == [(p, content(files, p)) for p in paths]
        assert [memory.names(folder) for folder in "ab"] == [files.names(folder) for folder in "ab"]
        assert sum(memory.size(p) for p in paths) == memory.used_bytes
    files.close()


# Memory -------------------------------------------------------------------------------------------------------------


def test_a_copy_and_its_original_go_their_own_ways() -> None:
    one = MemoryStorage()
    one.append(LOG, b"abc")
    other = copy.deepcopy(one)
    one.append(LOG, b"1")
    other.append(LOG, b"22")
    third = copy.deepcopy(other)
    other.truncate(LOG, 1)
    other.append(LOG, b"3")
    one.delete(LOG)

    assert (b"", b"a3", b"abc22") == (content(one), content(other), content(third))


def test_a_copy_shares_the_bytes_until_one_of_the_two_writes() -> None:
    one = MemoryStorage()
    one.append(LOG, bytes(1000))
    other = copy.deepcopy(one)

    assert one._files[LOG].buffer is other._files[LOG].buffer


def test_a_power_loss_keeps_what_was_synced_and_some_prefix_of_the_rest() -> None:
    """Torn at any byte, or padded with zeros; all of these happen."""
    found = set()
    for seed in range(300):
        storage = MemoryStorage()
        storage.append(LOG, b"synced")
        storage.sync()
        storage.append(LOG, b"abc")
        storage.power_loss(Random(seed))
        found.add(content(storage))

    tails = [b"", b"a", b"ab", b"abc", b"\0", b"\0\0", b"\0\0\0", b"a\0", b"a\0\0", b"ab\0"]
    assert {b"synced" + tail for tail in tails} == found


def test_a_power_loss_treats_each_file_for_itself() -> None:
    found = set()
    for seed in range(200):
        storage = MemoryStorage()
        storage.append("a", b"x")
        storage.append("b", b"x")
        storage.power_loss(Random(seed))
        found.add(tuple(storage.names()))

    assert {(), ("a",), ("b",), ("a", "b")} == found


def test_replace_truncate_rename_and_delete_survive_a_power_loss() -> None:
    for seed in range(50):
        storage = MemoryStorage()
        storage.append("cut", b"abcdef")
        storage.truncate("cut", 4)
        storage.replace("made", b"whole")
        storage.append("gone", b"x")
        storage.sync()
        storage.delete("gone")
        storage.replace("old", b"renamed")
        storage.rename("old", "new")
        storage.power_loss(Random(seed))

        assert (["cut", "made", "new"], b"abcd", b"whole") == (
            storage.names(),
            content(storage, "cut"),
            content(storage, "made"),
        )


def _after_power_losses(prepare: Callable[[MemoryStorage], None], path: str = LOG) -> set[bytes | None]:
    found: set[bytes | None] = set()
    for seed in range(100):
        storage = MemoryStorage()
        prepare(storage)
        storage.power_loss(Random(seed))
        is_there = path.rpartition("/")[2] in storage.names("orders-0")
        found.add(content(storage, path) if is_there else None)
    return found


def test_what_is_written_is_torn_by_a_power_loss_until_it_is_settled_or_synced() -> None:
    def written(storage: MemoryStorage) -> None:
        storage.write(LOG, b"ab")

    def settled(storage: MemoryStorage) -> None:
        written(storage)
        storage.settle(LOG)

    def synced(storage: MemoryStorage) -> None:
        written(storage)
        storage.sync()

    assert {None, b"", b"a", b"ab", b"\0", b"\0\0", b"a\0"} == _after_power_losses(written)
    assert {b"ab"} == _after_power_losses(settled) == _after_power_losses(synced)


def _left_of_three(then: Callable[[MemoryStorage], None]) -> set[tuple[str, ...]]:
    found = set()
    for seed in range(60):
        storage = MemoryStorage()
        for name in "abc":
            storage.append(f"orders-0/{name}", b"synced")
        storage.sync()
        storage.discard("orders-0/b", "orders-0/a", "orders-0/c")
        then(storage)
        assert [] == [name for name in storage.names("orders-0") if name in "abc"]
        storage.power_loss(Random(seed))
        left = tuple(name for name in storage.names("orders-0") if name in "abc")
        assert all(b"synced" == content(storage, f"orders-0/{name}") for name in left)
        assert storage.used_bytes == sum(storage.size(f"orders-0/{name}") for name in storage.names("orders-0"))
        found.add(left)
    return found


def test_of_what_was_discarded_a_power_loss_may_bring_the_last_back() -> None:
    tails = {(), ("c",), ("a", "c"), ("a", "b", "c")}
    of_no_matter: list[Callable[[MemoryStorage], None]] = [
        lambda _storage: None,
        lambda storage: storage.replace("orders-1/elsewhere", b""),
        lambda storage: storage.delete("orders-0/nobody"),
        lambda storage: storage.settle("orders-0/nobody"),
        lambda storage: storage.discard("orders-0/nobody"),
        lambda storage: storage.sync(),
    ]

    assert [tails] * len(of_no_matter) == [_left_of_three(then) for then in of_no_matter]


def test_what_was_discarded_is_gone_for_good_once_something_else_in_its_folder_lasts() -> None:
    def a_new_file_is_synced(storage: MemoryStorage) -> None:
        storage.append("orders-0/new", b"x")
        storage.sync()

    def a_new_file_is_settled(storage: MemoryStorage) -> None:
        storage.write("orders-0/new", b"x")
        storage.settle("orders-0/new")

    def another_is_deleted(storage: MemoryStorage) -> None:
        storage.append("orders-0/new", b"x")
        storage.delete("orders-0/new")

    thens = (a_new_file_is_synced, a_new_file_is_settled, another_is_deleted, lambda s: s.replace("orders-0/new", b"x"))
    assert [{()}] * 4 == [_left_of_three(then) for then in thens]


def test_a_copy_forgets_what_was_discarded_on_its_own() -> None:
    one = MemoryStorage()
    one.append(LOG, b"x")
    one.discard(LOG)
    other = copy.deepcopy(one)
    one.replace("orders-0/lasts", b"")
    lost = {seed: copy.deepcopy(other) for seed in range(20)}
    for seed, storage in lost.items():
        storage.power_loss(Random(seed))
    one.power_loss(Random(1))

    assert ["lasts"] == one.names("orders-0")
    assert any(storage.names("orders-0") for storage in lost.values())


def test_settling_a_file_keeps_the_names_in_its_folder_and_not_what_they_hold() -> None:
    def settled(storage: MemoryStorage) -> None:
        storage.append(LOG, b"a")
        storage.settle("orders-0/there-is-no-such-file")

    def of_another_folder(storage: MemoryStorage) -> None:
        storage.append(LOG, b"a")
        storage.settle("orders-1/00000000000000000000.log")

    assert {b"", b"a", b"\0"} == _after_power_losses(settled)
    assert {None, b"", b"a", b"\0"} == _after_power_losses(of_another_folder)


def test_only_what_was_written_before_the_mark_is_synced() -> None:
    """A sync takes time, and the node goes on writing meanwhile."""
    shortest = 99
    for seed in range(100):
        storage = MemoryStorage()
        storage.append(LOG, b"before")
        mark = storage.mark()
        storage.append(LOG, b"after")
        storage.sync(mark)
        storage.power_loss(Random(seed))
        assert b"before" == content(storage)[:6]
        shortest = min(shortest, storage.size(LOG))

    assert 6 == shortest


def test_a_mark_from_before_a_truncation_syncs_nothing_of_what_came_after() -> None:
    shortest = 99
    for seed in range(100):
        storage = MemoryStorage()
        storage.append(LOG, b"abcdef")
        mark = storage.mark()
        storage.truncate(LOG, 1)
        storage.append(LOG, b"ABCDEF")
        storage.sync(mark)
        storage.power_loss(Random(seed))
        shortest = min(shortest, storage.size(LOG))

    assert 1 == shortest


def test_a_full_disk_refuses_and_changes_nothing() -> None:
    storage = MemoryStorage(capacity_bytes=10)
    storage.append(LOG, b"12345678")

    with pytest.raises(DiskFull) as refused:
        storage.append(LOG, b"abc")

    assert (3, 2, b"12345678") == (refused.value.needed_bytes, refused.value.free_bytes, content(storage))
    storage.append(LOG, b"ab")
    storage.truncate(LOG, 0)
    storage.append(LOG, b"1234567890")
