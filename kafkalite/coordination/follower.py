"""A server that follows: it logs what the leader proposes, applies what the leader commits, and serves its own clients.

Its reads are answered from its own tree, which may be behind; its clients' writes go to the leader.

    FOLLOWING begins    FollowerInfo -> LeaderInfo -> AckEpoch        no older leader any more
                        NewLeader, sync, Ack                           the leader's history is ours, on our disk
                        UpToDate                                       a majority has it: serve
    it ends             nothing heard of the leader for sync_limit ticks, or the connection broke

Source: ZooKeeper's Follower, Learner, FollowerZooKeeperServer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafkalite.coordination import messages as m
from kafkalite.coordination.changes import Change, encode_change
from kafkalite.node import Component
from kafkalite.types import NodeName, channel

if TYPE_CHECKING:
    from kafkalite.coordination.server import ZooKeeperServer

CONTACTS_MAX = 10  # the leader may need a moment longer than we did to learn that it was elected


class Follower(Component):
    """What a server does while it follows; `leader` is its connection with whom it follows."""

    def __init__(self, server: ZooKeeperServer) -> None:
        super().__init__(server, "follower")
        self.server = server
        self.leader: NodeName = ""
        self.touched: dict[int, None] = {}  # sessions heard of since the last heartbeat
        self._contacts = 0
        self._heard_ms = 0.0
        self._epoch = 0  # of the leader whose history we were given; 0: not yet

    def begin(self, place: int) -> None:
        """Follow that server."""
        self.leader = channel(self.server.config.servers[place], "quorum")
        self.touched, self._contacts, self._epoch = {}, 0, 0
        self._heard_ms = self.server.now_ms
        self.on_contact()
        self.on_tick()

    def end(self) -> None:
        """Follow nobody."""
        self.cancel_timer("tick")
        self.cancel_timer("contact")
        self.server.disconnect(self.leader)
        self.leader = ""

    def _is_from_leader(self, source: NodeName) -> bool:
        if source != self.leader:
            return False  # from before: whoever sent it will learn that the connection is gone
        self._heard_ms = self.server.now_ms
        return True

    # Beginning ------------------------------------------------------------------------------------------------------

    def on_contact(self) -> None:
        """Say hello."""
        self._contacts += 1
        self.server.send(self.leader, m.FollowerInfo(self.server.history.accepted_epoch))

    def on_leader_info(self, source: NodeName, info: m.LeaderInfo) -> None:
        """Accept the epoch, on the disk, unless a newer one was accepted."""
        history = self.server.history
        if not self._is_from_leader(source):
            return
        if info.epoch < history.accepted_epoch:
            self.server.look()
            return
        # Accepted before: perhaps from another leader that chose the same number. Both must not count on us.
        current_epoch = -1 if info.epoch == history.accepted_epoch else history.current_epoch
        if info.epoch > history.accepted_epoch:
            history.accept_epoch(info.epoch)
        self.server.send(self.leader, m.AckEpoch(current_epoch, history.last_zxid))

    def on_new_leader(self, source: NodeName, new: m.NewLeader) -> None:
        """Make the leader's history our own, and say so when it is on the disk."""
        if self._is_from_leader(source):
            self.server.take(new.difference)
            self._epoch = new.epoch
            self.server.begin_term()
            self.server.sync_log()

    def on_up_to_date(self, source: NodeName, message: m.UpToDate) -> None:
        """A majority has the leader's history."""
        if self._is_from_leader(source):
            self.server.commit(message.zxid)
            self.server.start_serving(self._epoch)

    # Following ------------------------------------------------------------------------------------------------------

    def on_proposal(self, source: NodeName, proposal: m.Proposal) -> None:
        """Log it; acknowledge it when it is on the disk."""
        if self._is_from_leader(source):
            self.server.history.append(proposal.change)
            self.server.sync_log()

    def logged(self, zxid: int) -> None:
        """All changes up to this one are on the disk."""
        if not self._epoch:
            return
        history = self.server.history
        if history.current_epoch != self._epoch:
            history.enter_epoch(self._epoch)
        self.server.send(self.leader, m.Ack(zxid))

    def on_commit(self, source: NodeName, message: m.Commit) -> None:
        """Apply what a majority has."""
        if self._is_from_leader(source):
            self.server.commit(message.zxid)

    def on_heartbeat(self, source: NodeName, message: m.Heartbeat) -> None:
        """Tell the leader who of our clients lives."""
        if self._is_from_leader(source):
            self.touched.update(dict.fromkeys(self.server.front.waiting_sessions()))
            self.server.send(self.leader, m.Alive(tuple(self.touched)))
            self.touched.clear()

    def on_tick(self) -> None:
        """Has the leader been silent for too long?"""
        config = self.server.config
        limit = config.sync_limit if self.server.is_serving else config.init_limit
        if self.server.now_ms - self._heard_ms > limit * config.tick_ms:
            self.server.look()
        else:
            self.set_timer("tick", config.tick_ms / 2)

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        """Without a leader nothing can be served."""
        if peer != self.leader:
            return
        if self._epoch or self._contacts == CONTACTS_MAX:
            self.server.look()
        else:
            self.set_timer("contact", self.server.config.tick_ms / 10)

    # For our clients ------------------------------------------------------------------------------------------------

    def submit(self, change: Change) -> None:
        """A client wants this changed."""
        self.server.send(self.leader, m.Forward(encode_change(change)))

    def revalidate(self, session_id: int, cxid: int) -> None:
        """A client goes on with its session here."""
        self.server.send(self.leader, m.Revalidate(session_id, cxid))

    def on_revalidated(self, source: NodeName, message: m.Revalidated) -> None:
        """The leader knows whether it has expired."""
        if self._is_from_leader(source):
            self.server.front.revalidated(message.session_id, message.cxid, message.timeout_ms)

    def on_session_moved(self, source: NodeName, message: m.SessionMoved) -> None:
        """A client wrote through us after it had gone elsewhere."""
        if self._is_from_leader(source):
            self.server.front.session_moved(message.session_id)

    def ask_sync(self, cxid: int) -> None:
        """A client wants to read nothing older than what is proposed by now."""
        self.server.send(self.leader, m.AskSync(cxid))

    def on_synced(self, source: NodeName, message: m.Synced) -> None:
        """It came behind all the commits that were meant."""
        if self._is_from_leader(source):
            self.server.front.synced(message.cxid)

    def touch(self, session_id: int) -> None:
        """A client was heard of; the next heartbeat tells the leader."""
        self.touched[session_id] = None
