"""What servers say to each other, one message at a time: the rules that random faults seldom put to the test."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.coordination import messages as m
from kafkalite.coordination.changes import Change, OpenSession, encode_change, first_zxid
from kafkalite.coordination.history import DIFF, TRUNC, Difference
from kafkalite.coordination.quorum import Vote
from kafkalite.coordination.server import ZooKeeperServer
from kafkalite.facts import ServerElected, SessionOpened
from kafkalite.node import Disconnect, Event, Flush, Flushed, PeerLost, Received, Send, Started
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.reference import REFERENCE
from kafkalite.sim.faults import Cut, Kill, Restart, SlowDisk
from kafkalite.storage.memory import MemoryStorage

from .ensemble import SESSION_MS, TICK_MS, Answered, Ensemble, config, one_client_a_server

OLD = first_zxid(1)


def change(zxid: int) -> bytes:
    return encode_change(Change(zxid, 1000, 0, 0, 0, OpenSession(400)))


class Wired:
    """One server of three, fed by hand; what it sends is returned."""

    def __init__(self, name: str = "z1", storage: MemoryStorage | None = None) -> None:
        self.storage = storage or MemoryStorage()
        self.server = ZooKeeperServer(name, config(name, 3), REFERENCE, self.storage)
        self.flushes: list[int] = []
        self.feed(Started())

    def feed(self, event: Event) -> list[Any]:
        effects = self.server.handle(event, 0.0)
        self.flushes += [effect.token for effect in effects if isinstance(effect, Flush)]
        return [e.message if isinstance(e, Send) else e for e in effects if isinstance(e, Send | Disconnect)]

    def hear(self, source: str, message: Any) -> list[Any]:
        return self.feed(Received(source, message))

    def disk(self) -> list[Any]:
        """The oldest sync that is under way is done."""
        return self.feed(Flushed(self.flushes.pop(0)))

    def follow(self, leader: str) -> None:
        """Two of three vote for it, and it says that it leads."""
        place = int(leader[1:]) - 1
        for voter in ("z2", "z3"):
            vote = Vote(9, 0, place)
            self.hear(f"{voter}#election", m.Notification(1, vote, is_looking=False, is_leading=voter == leader))


def test_a_second_leader_of_the_same_epoch_is_not_counted_upon_us() -> None:
    """Two may have chosen the same number, each after asking a majority; only one may get a majority of acks."""
    one = Wired()
    one.follow("z3")
    assert [m.AckEpoch(0, 0)] == one.hear("z3#quorum", m.LeaderInfo(5))

    one.feed(PeerLost("z3#quorum"))
    one.server.look()
    one.follow("z2")

    assert [m.AckEpoch(-1, 0)] == one.hear("z2#quorum", m.LeaderInfo(5))


def test_an_older_leader_is_not_followed_also_after_a_restart() -> None:
    one = Wired()
    one.follow("z3")
    one.hear("z3#quorum", m.LeaderInfo(5))
    again = Wired(storage=one.storage)
    again.follow("z2")

    answer = again.hear("z2#quorum", m.LeaderInfo(4))

    assert Disconnect("z2#quorum") in answer
    assert again.server.is_looking


def test_a_new_leaders_history_is_acknowledged_when_it_is_on_the_disk_and_not_before() -> None:
    """Nor by the end of a sync that began before: what that one synced has been taken back."""
    one = Wired()
    one.follow("z3")
    one.hear("z3#quorum", m.LeaderInfo(1))
    assert [] == one.hear("z3#quorum", m.NewLeader(1, Difference(DIFF, 0, b"", (change(OLD + 1), change(OLD + 2)))))
    one.feed(PeerLost("z3#quorum"))
    one.follow("z2")
    one.hear("z2#quorum", m.LeaderInfo(2))

    assert [] == one.hear("z2#quorum", m.NewLeader(2, Difference(TRUNC, OLD + 1, b"", ())))
    assert [] == one.disk()
    assert [m.Ack(OLD + 1)] == one.disk()
    assert 2 == one.server.history.current_epoch


def test_a_proposal_is_acknowledged_when_it_is_on_the_disk_and_one_sync_serves_many() -> None:
    one = Wired()
    one.follow("z3")
    one.hear("z3#quorum", m.LeaderInfo(1))
    one.hear("z3#quorum", m.NewLeader(1, Difference(DIFF, 0, b"", ())))
    assert [m.Ack(0)] == one.disk()

    for number in (1, 2, 3):
        assert [] == one.hear("z3#quorum", m.Proposal(change(OLD + number)))

    assert [m.Ack(OLD + 1)] == one.disk()
    assert [m.Ack(OLD + 3)] == one.disk()
    assert [] == one.flushes


def test_what_a_former_leader_sends_is_not_heard() -> None:
    one = Wired()
    one.follow("z3")

    assert [] == one.hear("z2#quorum", m.LeaderInfo(7))
    assert 0 == one.server.history.accepted_epoch


def test_a_leader_that_meets_a_better_history_does_not_lead_it() -> None:
    one = Wired("z3")
    for voter in ("z1", "z2"):
        one.hear(f"{voter}#election", m.Notification(1, Vote(0, 0, 2), is_looking=True, is_leading=False))
    assert [m.LeaderInfo(1)] == one.hear("z1#quorum", m.FollowerInfo(0))

    one.hear("z1#quorum", m.AckEpoch(0, OLD + 1))

    assert one.server.is_looking


def test_who_accepted_a_later_epoch_is_not_left_out_for_ever() -> None:
    """It must not follow this leader; so there is a new election, and an epoch above all."""
    ensemble = Ensemble(3)
    ensemble.elect()
    ensemble.sim.inject(Kill("z1"))
    ensemble.sim.run_for(1)
    ensemble.sim.nodes["z1"].storage.replace("zookeeper/acceptedEpoch", b"50")

    ensemble.sim.inject(Restart("z1"))
    ensemble.sim.run_for(40 * TICK_MS)

    assert 51 == ensemble.of(ServerElected)[-1].epoch
    assert {51} == {ensemble.server(name).history.current_epoch for name in ensemble.names}


# A server and its clients ---------------------------------------------------------------------------------------------


def test_a_server_that_is_behind_what_a_client_has_seen_does_not_take_it() -> None:
    """Time never goes back for a session, whichever server it comes to."""
    one = Wired()
    one.server.start_serving(1)

    assert [Disconnect("c1#zk")] == one.hear("c1#zk", zk.ConnectRequest(0, OLD + 1, 400))


def test_without_a_connect_request_nothing_is_answered() -> None:
    one = Wired()

    assert [Disconnect("c1#zk")] == one.hear("c1#zk", zk.PingRequest())


@pytest.mark.parametrize("asker", ["c1", "c3"])
def test_sync_waits_for_what_others_have_in_the_works(asker: str) -> None:
    """Z6. At a follower, and at the leader itself."""
    ensemble = Ensemble(3, one_client_a_server(3))
    assert "z3" == ensemble.elect()
    for name in ensemble.names:
        ensemble.sim.inject(SlowDisk(name, 60))
    ensemble.sim.call("c2", "ask", zk.CreateRequest("/a"))
    ensemble.sim.run_for(20)

    synced = ensemble.ask(zk.SyncRequest("/"), asker)

    assert {"/a"} <= ensemble.server(f"z{asker[1:]}").history.tree.znodes.keys()
    assert synced.zxid >= max(ensemble.digests())


def test_a_client_whose_write_takes_long_is_not_taken_for_dead() -> None:
    """It cannot say meanwhile that it lives: its connection is busy."""
    ensemble = Ensemble(1)
    ensemble.elect()
    ensemble.sim.inject(SlowDisk("z1", 500))
    ensemble.sim.call("c1", "ask", zk.CreateRequest("/a"))
    ensemble.sim.run_for(SESSION_MS / 2)
    for source, to in (("c1", "z1"), ("z1", "c1")):
        ensemble.sim.inject(Cut(source, to, SESSION_MS))

    ensemble.sim.run_for(4 * SESSION_MS)

    assert [("established", "")] == ensemble.events()
    assert [ZooKeeperError.CONNECTION_LOSS] == [fact.reply.error for fact in ensemble.of(Answered)]


def test_what_is_read_from_the_own_disk_is_no_news() -> None:
    ensemble = Ensemble(1)
    ensemble.elect()
    ensemble.sim.inject(Kill("z1"))
    ensemble.sim.inject(Restart("z1"), ensemble.sim.now_ms + 20)
    ensemble.sim.run_for(2 * SESSION_MS)

    assert (1, 2) == (len(ensemble.of(SessionOpened)), len(ensemble.of(ServerElected)))


def test_a_servers_next_life_numbers_requests_from_elsewhere() -> None:
    """The outcome of a request that an earlier life forwarded is not taken for that of a new one."""
    ensemble = Ensemble(1)
    ensemble.elect()
    before = ensemble.server("z1").front._cxid
    ensemble.sim.inject(Kill("z1"))
    ensemble.sim.inject(Restart("z1"), ensemble.sim.now_ms + 20)
    ensemble.sim.run_for(SESSION_MS)

    assert ensemble.server("z1").front._cxid not in range(before - 10, before + 10)
