"""Who leads: every server votes for the best history it has heard of, until a majority votes for the same server.

Best is whose leader was the latest, then whose log is the longest; the order of the servers only breaks ties. So what a
majority has logged cannot be lost: whoever a majority elects is at least as good as one that has it.

An election is counted in rounds, and only votes of the same round are counted together. A server that comes late is
told by the others whom they follow.

Source: ZooKeeper's FastLeaderElection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafkalite.coordination.messages import Notification
from kafkalite.coordination.quorum import Vote, elected
from kafkalite.node import Component
from kafkalite.types import NodeName, channel, node_of

if TYPE_CHECKING:
    from kafkalite.coordination.server import ZooKeeperServer


class Election(Component):
    """A server's vote, and those it has heard of."""

    def __init__(self, server: ZooKeeperServer) -> None:
        super().__init__(server, "election")
        self.server = server
        self._round = 0
        self._vote = Vote(0, 0, server.place)
        self._votes: dict[int, Vote] = {}  # of this round, by voter
        self._settled: dict[int, Notification] = {}  # from servers that follow or lead already

    def begin(self) -> None:
        """Vote in a new round, for oneself at first."""
        self._round += 1
        self._settled = {}
        self._vote_anew(self._own_vote())
        self.on_resend()

    def end(self) -> None:
        """It is decided."""
        self.cancel_timer("resend")
        self.cancel_timer("decide")

    def _own_vote(self) -> Vote:
        history = self.server.history
        return Vote(history.current_epoch, history.last_zxid, self.server.place)

    def _vote_anew(self, vote: Vote) -> None:
        """A round begins for this server; votes it has heard of in others do not count."""
        self._vote = vote
        self._votes = {self.server.place: vote}

    def on_resend(self) -> None:
        """Tell everybody; again and again, since messages are lost with their connections."""
        self._tell_all()
        self.set_timer("resend", self.server.config.tick_ms / 4)
        self._count()

    def _tell_all(self) -> None:
        for server in self.server.config.servers:
            if server != self.server.name:
                self._tell(channel(server, "election"))

    def _tell(self, peer: NodeName) -> None:
        is_looking, is_leading = self.server.is_looking, self.server.is_leading
        self.node.send(peer, Notification(self._round, self._vote, is_looking, is_leading))

    def on_notification(self, source: NodeName, heard: Notification) -> None:
        """Count the vote, or answer who asks."""
        voter = self.server.config.servers.index(node_of(source))
        if not self.server.is_looking:
            if heard.is_looking and self.server.is_voting:
                self._tell(source)
        elif not heard.is_looking:
            self._join(voter, heard)
        elif heard.round < self._round:
            self._tell(source)
        else:
            self._weigh(voter, heard)

    def _weigh(self, voter: int, heard: Notification) -> None:
        """A better vote is taken over; everybody hears of it."""
        if heard.round > self._round:
            self._round = heard.round
            self._vote_anew(max(heard.vote, self._own_vote()))
            self._tell_all()
        elif heard.vote > self._vote:
            self._vote = self._votes[self.server.place] = heard.vote
            self._tell_all()
        self._votes[voter] = heard.vote
        self._count()

    def _count(self) -> None:
        """Decided when all agree; when a majority does, a moment later: a better vote may be on its way."""
        if list(self._votes.values()).count(self._vote) == len(self.server.config.servers):
            self._decide(self._vote)
        elif elected(self._votes, self.server.needed) == self._vote:
            self.set_timer("decide", self.server.config.tick_ms / 10)

    def on_decide(self) -> None:
        """No better vote came in time, or the majority is none any more."""
        if elected(self._votes, self.server.needed) == self._vote:
            self._decide(self._vote)

    def _decide(self, vote: Vote) -> None:
        self._vote = vote
        self.end()
        if vote.server == self.server.place:
            self.server.lead()
        else:
            self.server.follow(vote.server)

    def _join(self, voter: int, heard: Notification) -> None:
        """A majority follows somebody already, and that one says that it leads."""
        self._settled[voter] = heard
        leader = heard.vote.server
        followers = [one for one in self._settled.values() if one.vote.server == leader]
        leads = self._settled.get(leader)
        if leads is not None and leads.is_leading and len(followers) >= self.server.needed:
            self._round = leads.round
            self._decide(leads.vote)
