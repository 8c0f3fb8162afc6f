"""ZooKeeperServer: one server of the ensemble. It looks for a leader, then leads or follows; clients come to its front.

    LOOKING ──elected──> LEADING      needs a majority: discovery, synchronisation, broadcast
       ^  └───elected──> FOLLOWING    needs a leader
       └───── what it needed is gone: clients' connections are closed, since nothing can be promised to them

An ensemble of one goes the same way: its own vote is a majority, and so is its own disk.

A disk that fails takes its server out of the ensemble for a while: what it could not write it has not acknowledged.

Source: ZooKeeper's QuorumPeer.
"""

from __future__ import annotations

from typing import Any

from kafkalite.config import ZooKeeperConfig
from kafkalite.coordination.changes import Change
from kafkalite.coordination.election import Election
from kafkalite.coordination.follower import Follower
from kafkalite.coordination.front import Front
from kafkalite.coordination.history import SNAP, Difference, History
from kafkalite.coordination.leader import Leader
from kafkalite.facts import ChangeCommitted, LogDirectoryFailed, ServerStoppedServing
from kafkalite.node import Effect, Event, Node
from kafkalite.parts import Parts
from kafkalite.storage import Storage, StorageError
from kafkalite.types import NodeName

LOOKING, LEADING, FOLLOWING, OUT = "looking", "leading", "following", "out"


class ZooKeeperServer(Node):
    """A server of the coordination service, on its own storage."""

    def __init__(self, name: NodeName, config: ZooKeeperConfig, parts: Parts, storage: Storage) -> None:
        """`config.servers` is the whole ensemble, in the same order for all of them."""
        super().__init__(name)
        self.config = config
        self.storage = storage
        self.place = config.servers.index(name)
        self.needed = parts.quorum(len(config.servers))
        self.history = History(storage, config.snapshot_every)
        self.election = Election(self)
        self.leader = Leader(self)
        self.follower = Follower(self)
        self.front = Front(self)
        self.is_serving = False
        self.has_served = False  # since it began: what it commits from then on is news
        self._role = LOOKING
        self._epoch = 0
        self._term = 0  # counts changes of role: a sync that was begun in an earlier one says nothing
        self._is_syncing = False

    @property
    def is_looking(self) -> bool:
        return self._role == LOOKING

    @property
    def is_leading(self) -> bool:
        return self._role == LEADING

    @property
    def is_voting(self) -> bool:
        return self._role != OUT

    def handle(self, event: Event, now_ms: float) -> list[Effect]:
        """As `Node.handle`; a disk that fails takes the server out, not the process down."""
        try:
            return super().handle(event, now_ms)
        except StorageError as error:
            self._leave(OUT)
            self.note(LogDirectoryFailed(str(error)))
            self.set_timer("rejoin", self.config.init_limit * self.config.tick_ms)
            effects, self._effects = self._effects, []
            return effects

    # Roles ----------------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Look for a leader."""
        self.look()

    def on_rejoin(self) -> None:
        """The disk may work again."""
        self.look()

    def look(self) -> None:
        """Whatever we were: look for a leader."""
        self._leave(LOOKING)
        self.election.begin()

    def lead(self) -> None:
        """We are elected."""
        self._leave(LEADING)
        self.leader.begin()

    def follow(self, place: int) -> None:
        """That server is elected."""
        self._leave(FOLLOWING)
        self.follower.begin(place)

    def _leave(self, role: str) -> None:
        """The role that was is over."""
        if self.is_serving:
            self.is_serving = False
            self.front.close()
            self.note(ServerStoppedServing(self._epoch))
        if self._role == LEADING:
            self.leader.end()
        elif self._role == FOLLOWING:
            self.follower.end()
        else:
            self.election.end()
        self._role = role
        self.begin_term()

    def start_serving(self, epoch: int) -> None:
        """A majority has our history: clients may come."""
        self._epoch = epoch
        self.is_serving = self.has_served = True

    # The history ----------------------------------------------------------------------------------------------------

    def begin_term(self) -> None:
        """What is being synced is not what we are asked about any more."""
        self._term += 1

    def sync_log(self) -> None:
        """Bring what is logged to the disk, then tell the role. While one sync is under way, the next one gathers."""
        if not self._is_syncing:
            self._is_syncing = True
            self.flush(self._synced, self._term, self.history.last_zxid)

    def _synced(self, term: int, zxid: int) -> None:
        self._is_syncing = False
        if term == self._term and self._role in {LEADING, FOLLOWING}:
            (self.leader if self._role == LEADING else self.follower).logged(zxid)
        if term != self._term or self.history.last_zxid > zxid:
            self.sync_log()

    def take(self, difference: Difference) -> None:
        """Make the leader's history our own. A snapshot brings many committed changes at once."""
        self.history.take(difference)
        if difference.mode == SNAP:
            self.note(ChangeCommitted(self.history.tree.zxid, self.history.tree.digest))

    def commit(self, zxid: int) -> None:
        """Apply the changes up to this one; tell everybody concerned."""
        for applied in self.history.commit(zxid):
            self.note(ChangeCommitted(applied.change.zxid, applied.digest))
            if self._role == LEADING:
                self.leader.applied(applied)
            self.front.applied(applied)

    # For the front --------------------------------------------------------------------------------------------------

    def submit(self, change: Change) -> None:
        """A client wants this changed: the leader numbers it, wherever it is."""
        self._serving_role().submit(change)

    def revalidate(self, session_id: int, cxid: int) -> None:
        """A client goes on with its session here: the leader knows whether it has expired."""
        self._serving_role().revalidate(session_id, cxid)

    def ask_sync(self, cxid: int) -> None:
        """A client wants to read what is proposed by now."""
        self._serving_role().ask_sync(cxid)

    def touch(self, session_id: int) -> None:
        """A client was heard of."""
        self._serving_role().touch(session_id)

    def _serving_role(self) -> Any:
        assert self.is_serving, f"{self.name} is {self._role} and serves nobody"
        return self.leader if self._role == LEADING else self.follower
