"""What one server knows: the changes it has logged, the tree after the committed ones, and the leaders it accepted.

    log     c1 c2 c3 c4 c5 c6        logged; may yet be forgotten, if their leader is lost before a majority has them
    tree    c1 c2 c3 c4              committed: never forgotten

    accepted epoch    no leader of an older epoch will be followed any more
    current epoch     the leader whose history this one is: what an election compares first

Both epochs are on the disk before they are acknowledged.

Source: ZooKeeper's ZKDatabase, QuorumPeer (epochs), LearnerHandler.syncFollower.
"""

from __future__ import annotations

from typing import NamedTuple

from kafkalite.coordination.changes import Applied, decode_change
from kafkalite.coordination.snapshot import decode_tree, encode_tree, read_snapshot, write_snapshot
from kafkalite.coordination.txn_log import FOLDER, TxnLog
from kafkalite.storage import Storage

DIFF, TRUNC, SNAP = "DIFF", "TRUNC", "SNAP"


class Difference(NamedTuple):
    """How to get the leader's history: keep what one has up to `after`, or take the snapshot; then add `changes`."""

    mode: str
    after: int
    snapshot: bytes
    changes: tuple[bytes, ...]


class History:
    """A server's history. `tree.zxid <= last_zxid` always."""

    def __init__(self, storage: Storage, snapshot_every: int) -> None:
        """Begin from what an earlier life has left: which of the logged changes are committed, a leader will say."""
        self._storage, self._snapshot_every = storage, snapshot_every
        self.tree = read_snapshot(storage)
        self.log = TxnLog(storage, self.tree.zxid)
        self.accepted_epoch = self._read_epoch("acceptedEpoch")
        self.current_epoch = self._read_epoch("currentEpoch")
        self._since_snapshot = 0

    @property
    def last_zxid(self) -> int:
        """The last change that is logged."""
        return self.log.last_zxid

    def accept_epoch(self, epoch: int) -> None:
        """From now on, no older leader is followed."""
        self._storage.replace(f"{FOLDER}/acceptedEpoch", str(epoch).encode())
        self.accepted_epoch = epoch

    def enter_epoch(self, epoch: int) -> None:
        """Our history is that leader's now."""
        self._storage.replace(f"{FOLDER}/currentEpoch", str(epoch).encode())
        self.current_epoch = epoch

    def _read_epoch(self, name: str) -> int:
        return int(self._storage.read(f"{FOLDER}/{name}", 0, 20) or b"0")

    def commit(self, zxid: int) -> list[Applied]:
        """Apply the logged changes up to this one, and say what became of each."""
        applied = []
        if zxid > self.tree.zxid:
            for entry in self.log.after(self.tree.zxid):
                if entry.zxid > zxid:
                    break
                applied.append(self.tree.apply(decode_change(entry.data)))
        self._since_snapshot += len(applied)
        if self._since_snapshot >= self._snapshot_every:
            self._take_snapshot(encode_tree(self.tree))
            self.log.snapshot_taken(self.tree.zxid)
        return applied

    def _take_snapshot(self, tree: bytes) -> None:
        write_snapshot(self._storage, tree)
        self._since_snapshot = 0

    # Bringing a follower up to date ----------------------------------------------------------------------------------

    def difference_from(self, zxid: int) -> Difference:
        """What a follower needs whose last logged change is this one.

        If it is not in our log, it was proposed by a leader that was lost; up to the one before it, both are the same.
        """
        if zxid < self.log.base_zxid:
            snapshot = encode_tree(self.tree)
            return Difference(SNAP, self.tree.zxid, snapshot, self._changes_after(self.tree.zxid))
        common = self.log.up_to(zxid)
        return Difference(DIFF if common == zxid else TRUNC, common, b"", self._changes_after(common))

    def _changes_after(self, zxid: int) -> tuple[bytes, ...]:
        return tuple(entry.data for entry in self.log.after(zxid))

    def take(self, difference: Difference) -> None:
        """Make the leader's history our own. What we lose by that was never committed."""
        if difference.mode == SNAP:
            self._take_snapshot(difference.snapshot)  # first: older changes in the log are then passed over
            self.tree = decode_tree(difference.snapshot)
            self.log.reset(difference.after)
        else:
            self.log.truncate(difference.after)
        assert self.last_zxid == difference.after, f"history ends at {self.last_zxid:#x}, not at {difference.after:#x}"
        assert self.tree.zxid <= self.last_zxid, f"a leader took back the committed change {self.tree.zxid:#x}"
        for data in difference.changes:
            self.append(data)

    def append(self, data: bytes) -> None:
        """Log a change: it is on the disk after the next sync. Raises StorageError, and nothing was written."""
        self.log.append(int.from_bytes(data[:8], "big"), data)
