"""The server that leads: it numbers the changes, has them logged by a majority, and then commits them (ZAB).

    discovery          a majority says hello; the epoch is greater than any of them has accepted
    synchronisation    each gets the leader's history; when a majority has it on disk, the leader is established
    broadcast          number, log, propose; committed as soon as a majority, ourselves included, has it on disk

A leader that is alone cannot commit, so it can promise nothing; it notices after a while and stops serving. It alone
decides which sessions have expired, and that is a change like any other.

Left out: observers; giving up when the count of an epoch is used up. Source: ZooKeeper's Leader, LearnerHandler.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kafkalite.coordination import messages as m
from kafkalite.coordination.changes import (
    Applied,
    Change,
    OpenSession,
    decode_change,
    encode_change,
    expiry,
    first_zxid,
)
from kafkalite.coordination.quorum import committed_zxid
from kafkalite.coordination.sessions import Sessions
from kafkalite.facts import ServerElected, SessionExpired, SessionOpened
from kafkalite.node import Component
from kafkalite.protocol.zookeeper import CloseSessionRequest, ZooKeeperError
from kafkalite.types import NodeName, node_of

if TYPE_CHECKING:
    from kafkalite.coordination.server import ZooKeeperServer

NOT_YET = -1


@dataclass(slots=True)
class Learner:
    """What the leader knows of one that follows it, or begins to."""

    place: int
    heard_ms: float
    last_zxid: int = NOT_YET  # where its history ended when it acknowledged the epoch
    has_acked_epoch: bool = False
    is_synced: bool = False  # it was sent our history, and is sent every proposal since
    acked_zxid: int = NOT_YET  # what it has on its disk of our history


class Leader(Component):
    """What a server does while it leads."""

    def __init__(self, server: ZooKeeperServer) -> None:
        super().__init__(server, "leader")
        self.server = server
        self.sessions = Sessions()
        self._learners: dict[NodeName, Learner] = {}
        self._syncs: deque[tuple[int, NodeName, int]] = deque()  # (zxid to wait for, who asked, its cxid)
        self._epoch = 0  # 0: a majority has not yet said hello
        self._seen_epoch = 0  # the greatest that anybody who came to us had accepted
        self._has_majority = False  # a majority has accepted the epoch
        self._is_established = False  # a majority has our history
        self._acked_zxid = NOT_YET  # what our own disk has
        self._began_ms = 0.0

    def begin(self) -> None:
        """Wait for a majority."""
        self._learners, self._syncs = {}, deque()
        self._epoch, self._acked_zxid = 0, NOT_YET
        self._has_majority = self._is_established = False
        self._began_ms = self.server.now_ms
        self._choose_epoch()
        self.on_tick()

    def end(self) -> None:
        """Lead nobody."""
        self.cancel_timer("tick")
        for peer in self._learners:
            self.server.disconnect(peer)
        self._learners = {}

    def _heard(self, source: NodeName) -> Learner | None:
        learner = self._learners.get(source)
        if learner is not None:
            learner.heard_ms = self.server.now_ms
        return learner

    # Discovery ------------------------------------------------------------------------------------------------------

    def on_follower_info(self, source: NodeName, info: m.FollowerInfo) -> None:
        """Somebody wants to follow us."""
        if not self.server.is_leading:
            self.server.disconnect(source)  # not yet, or not any more: it will ask again, or look again
            return
        self._seen_epoch = max(self._seen_epoch, info.accepted_epoch)
        if 0 < self._epoch < self._seen_epoch:
            self.server.look()  # it may not follow us; whoever leads next begins an epoch that it can accept
            return
        place = self.server.config.servers.index(node_of(source))
        self._learners[source] = Learner(place, self.server.now_ms)
        if self._epoch:
            self.server.send(source, m.LeaderInfo(self._epoch))
        else:
            self._choose_epoch()

    def _choose_epoch(self) -> None:
        if len(self._learners) + 1 < self.server.needed:
            return
        self._epoch = max(self.server.history.accepted_epoch, self._seen_epoch) + 1
        self.server.history.accept_epoch(self._epoch)
        for peer in self._learners:
            self.server.send(peer, m.LeaderInfo(self._epoch))
        self._count_epoch_acks()

    def on_ack_epoch(self, source: NodeName, ack: m.AckEpoch) -> None:
        """It follows nobody older any more. If it knows more than we do, it must not follow us."""
        learner, history = self._heard(source), self.server.history
        if learner is None:
            return
        if (ack.current_epoch, ack.last_zxid) > (history.current_epoch, history.last_zxid):
            self.server.look()
            return
        learner.last_zxid, learner.has_acked_epoch = ack.last_zxid, ack.current_epoch >= 0
        if self._has_majority:
            self._synchronise(source, learner)
        else:
            self._count_epoch_acks()

    # Synchronisation ------------------------------------------------------------------------------------------------

    def _count_epoch_acks(self) -> None:
        if 1 + sum(learner.has_acked_epoch for learner in self._learners.values()) < self.server.needed:
            return
        self._has_majority = True
        self.server.sync_log()
        for peer, learner in self._learners.items():
            if learner.last_zxid != NOT_YET:
                self._synchronise(peer, learner)

    def _synchronise(self, peer: NodeName, learner: Learner) -> None:
        """Our history, what is not committed yet included; every proposal from now on comes behind it."""
        learner.is_synced = True
        self.server.send(peer, m.NewLeader(self._epoch, self.server.history.difference_from(learner.last_zxid)))

    def _establish(self) -> None:
        """A majority has all of our history: it is committed, and we lead."""
        self._is_established = True
        history = self.server.history
        self.server.note(ServerElected(self._epoch))
        self.server.commit(history.last_zxid)
        self.sessions.begin(history.tree.sessions, self.server.now_ms)
        self.server.start_serving(self._epoch)
        for peer, learner in self._learners.items():
            if learner.acked_zxid != NOT_YET:
                self.server.send(peer, m.UpToDate(history.tree.zxid))

    # Broadcast ------------------------------------------------------------------------------------------------------

    def submit(self, change: Change) -> None:
        """Number the change, log it, propose it."""
        opens = type(change.request) is OpenSession
        if not (opens or change.is_expiry or self.sessions.is_at(change.session_id, change.origin)):
            self._refuse_moved(change)
            return
        history = self.server.history
        zxid = max(history.last_zxid, first_zxid(self._epoch)) + 1
        data = encode_change(replace(change, zxid=zxid, time_ms=self.server.wall_ms))
        history.append(data)
        for peer, learner in self._learners.items():
            if learner.is_synced:
                self.server.send(peer, m.Proposal(data))
        self.server.sync_log()

    def on_forward(self, source: NodeName, forward: m.Forward) -> None:
        """A follower's client wants something changed."""
        if self._heard(source) is not None and self._is_established:
            self.submit(decode_change(forward.change))

    def logged(self, zxid: int) -> None:
        """Our own disk has all changes up to this one: we are one of the majority."""
        if not self._has_majority:
            return
        if self.server.history.current_epoch != self._epoch:
            self.server.history.enter_epoch(self._epoch)
        self._acked_zxid = zxid
        self._count_acks()

    def on_ack(self, source: NodeName, ack: m.Ack) -> None:
        """A follower's disk has all changes up to this one."""
        learner = self._heard(source)
        if learner is None:
            return
        is_first, learner.acked_zxid = learner.acked_zxid == NOT_YET, ack.zxid
        if is_first and self._is_established:
            self.server.send(source, m.UpToDate(self.server.history.tree.zxid))
        self._count_acks()

    def _count_acks(self) -> None:
        acked = [self._acked_zxid, *(learner.acked_zxid for learner in self._learners.values())]
        zxid = committed_zxid([one for one in acked if one != NOT_YET], self.server.needed)
        if zxid == NOT_YET:
            return
        if not self._is_established:
            self._establish()
        elif zxid > self.server.history.tree.zxid:
            for peer, learner in self._learners.items():
                if learner.is_synced:
                    self.server.send(peer, m.Commit(zxid))
            self.server.commit(zxid)
            self._release_syncs()

    def on_tick(self) -> None:
        """Drop who is silent; step down without a majority; close the sessions nobody has heard of."""
        config, now_ms = self.server.config, self.server.now_ms
        for peer, learner in list(self._learners.items()):
            limit = config.init_limit if learner.acked_zxid == NOT_YET else config.sync_limit
            if now_ms - learner.heard_ms > limit * config.tick_ms:
                self.server.disconnect(peer)
                del self._learners[peer]
        if not self._may_go_on(now_ms):
            self.server.look()
            return
        if self._is_established:
            self._expire_sessions(now_ms)
        for peer in self._learners:
            self.server.send(peer, m.Heartbeat())
        self.set_timer("tick", config.tick_ms / 2)

    def _may_go_on(self, now_ms: float) -> bool:
        if not self._is_established:
            return now_ms - self._began_ms <= self.server.config.init_limit * self.server.config.tick_ms
        followers = sum(learner.acked_zxid != NOT_YET for learner in self._learners.values())
        return 1 + followers >= self.server.needed

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        """One follower less; whether there are enough is asked at the next tick, for it may come back."""
        self._learners.pop(peer, None)

    # Sessions and syncs ---------------------------------------------------------------------------------------------

    def applied(self, applied: Applied) -> None:
        """A change is committed that may have opened or closed a session."""
        change = applied.change
        if type(change.request) is OpenSession:
            self.sessions.add(change.zxid, change.request.timeout_ms, change.origin, self.server.now_ms)
            self._announce(SessionOpened(change.zxid, change.request.timeout_ms))
        elif type(change.request) is CloseSessionRequest and applied.error is ZooKeeperError.OK:
            self.sessions.remove(change.session_id)
            self._announce(SessionExpired(change.session_id, not change.is_expiry))

    def _announce(self, fact: SessionOpened | SessionExpired) -> None:
        if self.server.has_served:  # otherwise it is an old story that we read on our disk
            self.server.note(fact)

    def _expire_sessions(self, now_ms: float) -> None:
        for session_id in self.server.front.waiting_sessions():
            self.sessions.touch(session_id, now_ms)
        for session_id in self.sessions.take_expired(now_ms):
            self.submit(expiry(session_id))

    def touch(self, session_id: int) -> None:
        """A client of our own was heard of."""
        self.sessions.touch(session_id, self.server.now_ms)

    def on_alive(self, source: NodeName, alive: m.Alive) -> None:
        """A follower, and clients of it, were heard of."""
        if self._heard(source) is not None:
            for session_id in alive.session_ids:
                self.sessions.touch(session_id, self.server.now_ms)

    def revalidate(self, session_id: int, cxid: int) -> None:
        """A client goes on with its session at our own place."""
        timeout_ms = self.sessions.move(session_id, self.server.place, self.server.now_ms)
        self.server.front.revalidated(session_id, cxid, timeout_ms)

    def on_revalidate(self, source: NodeName, message: m.Revalidate) -> None:
        """A client goes on with its session at a follower."""
        learner = self._heard(source)
        if learner is not None and self._is_established:
            timeout_ms = self.sessions.move(message.session_id, learner.place, self.server.now_ms)
            self.server.send(source, m.Revalidated(message.session_id, message.cxid, timeout_ms))

    def _refuse_moved(self, change: Change) -> None:
        """The client has turned up at another server meanwhile; this one is to let it go."""
        if change.origin == self.server.place:
            self.server.front.session_moved(change.session_id)
            return
        for peer, learner in self._learners.items():
            if learner.place == change.origin:
                self.server.send(peer, m.SessionMoved(change.session_id))

    def ask_sync(self, cxid: int) -> None:
        """A client of our own wants to read nothing older than what is proposed by now."""
        self._syncs.append((self.server.history.last_zxid, "", cxid))
        self._release_syncs()

    def on_ask_sync(self, source: NodeName, message: m.AskSync) -> None:
        """A follower's client does."""
        if self._heard(source) is not None and self._is_established:
            self._syncs.append((self.server.history.last_zxid, source, message.cxid))
            self._release_syncs()

    def _release_syncs(self) -> None:
        while self._syncs and self._syncs[0][0] <= self.server.history.tree.zxid:
            _, peer, cxid = self._syncs.popleft()
            if not peer:
                self.server.front.synced(cxid)
            elif peer in self._learners:
                self.server.send(peer, m.Synced(cxid))
