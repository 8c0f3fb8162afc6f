"""What a server has on its disk: torn tails are cut, snapshots begin new files, a difference brings one up to date."""

from __future__ import annotations

from copy import deepcopy
from random import Random

import pytest

from kafkalite.coordination.changes import Change, OpenSession, encode_change, first_zxid
from kafkalite.coordination.history import DIFF, SNAP, TRUNC, History
from kafkalite.coordination.snapshot import PATH, CorruptSnapshot
from kafkalite.coordination.txn_log import FOLDER, KEPT_MAX, CorruptLog, TxnLog
from kafkalite.protocol import zookeeper as zk
from kafkalite.storage import DiskFull
from kafkalite.storage.memory import MemoryStorage

NEVER = 1_000_000


def change(zxid: int, path: str = "") -> bytes:
    """The first one opens the session that makes the others' znodes."""
    request = zk.CreateRequest(path or f"/n{zxid}") if zxid > 1 else OpenSession(400)
    return encode_change(Change(zxid, 1000, 1, 0, 0, request))


def history(zxids: range | list[int], storage: MemoryStorage | None = None, snapshot_every: int = NEVER) -> History:
    """A server that has logged these changes."""
    made = History(storage or MemoryStorage(), snapshot_every)
    for zxid in zxids:
        made.append(change(zxid))
    return made


def zxids(log: TxnLog) -> list[int]:
    return [entry.zxid for entry in log.after(log.base_zxid)]


def test_a_server_begins_again_with_what_it_has_logged_and_nothing_of_it_applied() -> None:
    """Which changes are committed, a leader has to say."""
    storage = MemoryStorage()
    history(range(1, 6), storage).accept_epoch(7)

    again = History(storage, NEVER)

    assert (5, 0, 7, 0) == (again.last_zxid, again.tree.zxid, again.accepted_epoch, again.current_epoch)
    assert [1, 2, 3] == [applied.change.zxid for applied in again.commit(3)]
    assert {"/", "/n2", "/n3"} == again.tree.znodes.keys()


@pytest.mark.parametrize("seed", range(40))
def test_a_power_loss_leaves_what_was_synced_and_some_of_the_rest_and_never_a_part_of_a_change(seed: int) -> None:
    storage = MemoryStorage()
    log = TxnLog(storage, 0)
    for zxid in range(1, 5):
        log.append(zxid, change(zxid))
    storage.sync()
    for zxid in range(5, 9):
        log.append(zxid, change(zxid))
    storage.power_loss(Random(seed))

    again = TxnLog(storage, 0)

    assert 4 <= again.last_zxid <= 8
    assert list(range(1, again.last_zxid + 1)) == zxids(again)
    again.append(9, change(9))
    assert zxids(again) == zxids(TxnLog(storage, 0))


def test_a_byte_that_changed_ends_the_log_and_is_an_error_where_newer_files_follow() -> None:
    storage = MemoryStorage()
    log = TxnLog(storage, 0)
    for zxid in (1, 2, 3):
        log.append(zxid, change(zxid))
    path = f"{FOLDER}/{storage.names(FOLDER)[0]}"
    data = bytearray(storage.read(path, 0, storage.size(path)))
    data[-1] ^= 1
    storage.replace(path, data)

    assert 2 == TxnLog(deepcopy(storage), 0).last_zxid
    storage.append(f"{FOLDER}/txn.log.{4:016x}", b"newer")
    with pytest.raises(CorruptLog, match="expected a whole change at byte"):
        TxnLog(storage, 0)


def test_a_snapshot_ends_a_file_and_files_that_nobody_needs_go() -> None:
    storage = MemoryStorage()
    made = history(range(1, 8), storage, snapshot_every=5)
    made.commit(5)
    made.append(change(8))
    assert [f"txn.log.{first:016x}" for first in (1, 8)] == storage.names(FOLDER)[1:]

    made.commit(8)
    again = History(storage, NEVER)
    assert (5, 8) == (again.tree.zxid, again.last_zxid)
    made.append(change(9))
    made.append(change(10))
    made.commit(10)
    assert ["snapshot"] == storage.names(FOLDER)
    made.append(change(11))

    assert ["snapshot", f"txn.log.{11:016x}"] == storage.names(FOLDER)
    again = History(storage, NEVER)
    assert (10, 11, made.tree.digest) == (again.tree.zxid, again.last_zxid, again.tree.digest)


def test_only_the_latest_changes_stay_in_memory() -> None:
    made = history(range(1, KEPT_MAX + 11), snapshot_every=KEPT_MAX + 10)

    made.commit(KEPT_MAX + 10)

    assert (10, KEPT_MAX) == (made.log.base_zxid, len(zxids(made.log)))


def test_a_snapshot_that_was_changed_is_an_error() -> None:
    storage = MemoryStorage()
    history(range(1, 4), storage, snapshot_every=3).commit(3)
    data = bytearray(storage.read(PATH, 0, storage.size(PATH)))
    data[9] ^= 1
    storage.replace(PATH, data)

    with pytest.raises(CorruptSnapshot, match="expected checksum"):
        History(storage, NEVER)


def test_a_full_disk_leaves_the_history_as_it_was() -> None:
    storage = MemoryStorage()
    made = history(range(1, 4), storage)
    storage.capacity_bytes = storage.used_bytes + 10

    with pytest.raises(DiskFull):
        made.append(change(4))

    assert 3 == made.last_zxid == History(storage, NEVER).last_zxid


def test_a_follower_a_little_behind_is_sent_what_it_lacks() -> None:
    leader, follower = history(range(1, 9)), history(range(1, 4))
    leader.commit(6)

    difference = leader.difference_from(follower.last_zxid)
    follower.take(difference)

    assert (DIFF, 3) == (difference.mode, difference.after)
    assert zxids(leader.log) == zxids(follower.log)


def test_a_follower_with_changes_of_a_lost_leader_forgets_them_for_good() -> None:
    """Nobody was told that they had happened: no majority had them."""
    storage, old = MemoryStorage(), first_zxid(1)
    new = first_zxid(2)
    leader = history([old + 1, old + 2, new + 1])
    follower = history([old + 1, old + 2, old + 3, old + 4], storage)
    follower.commit(old + 2)

    difference = leader.difference_from(follower.last_zxid)
    follower.take(difference)

    assert (TRUNC, old + 2) == (difference.mode, difference.after)
    assert zxids(leader.log) == zxids(follower.log)
    again = History(storage, NEVER)
    assert zxids(leader.log) == zxids(again.log)


def test_a_follower_too_far_behind_is_sent_the_tree_and_what_is_not_in_it_yet() -> None:
    leader = history(range(1, KEPT_MAX + 22), snapshot_every=KEPT_MAX + 20)
    leader.commit(KEPT_MAX + 20)
    storage = MemoryStorage()
    follower = history(range(1, 4), storage)

    difference = leader.difference_from(follower.last_zxid)
    follower.take(difference)

    assert (SNAP, KEPT_MAX + 20) == (difference.mode, difference.after)
    assert leader.tree.digest == follower.tree.digest
    again = History(storage, NEVER)
    assert (KEPT_MAX + 20, KEPT_MAX + 21) == (again.tree.zxid, again.last_zxid)


def test_a_leader_cannot_take_back_what_was_committed() -> None:
    follower = history(range(1, 4))
    follower.commit(3)

    with pytest.raises(AssertionError, match="took back the committed change"):
        follower.take(history([1]).difference_from(3))


def test_a_copy_of_a_server_goes_its_own_way() -> None:
    one = history(range(1, 4))
    twin = deepcopy(one)

    twin.append(change(4))
    one.commit(2)

    assert ([1, 2, 3], [1, 2, 3, 4]) == (zxids(one.log), zxids(twin.log))
    assert (2, 0) == (one.tree.zxid, twin.tree.zxid)
