"""What servers of an ensemble say to each other. Nobody answers these as a request; a connection keeps their order.

On "#election":

    Notification           this is my vote; or: this is whom I follow

On "#quorum", while a leader and a follower find each other and begin (discovery, synchronisation):

    FollowerInfo  ->                        I accepted leaders up to this epoch
                  <-  LeaderInfo            mine will be this one
    AckEpoch      ->                        I accept it; this is where my history ends
                  <-  NewLeader             this is what you lack, and what you have too much
    Ack           ->                        it is on my disk
                  <-  UpToDate              a majority has it: serve clients

and from then on (broadcast):

    Forward       ->                        a client of mine wants this changed
                  <-  Proposal, Commit      log this change; apply all up to this one
    Ack           ->                        logged up to this one
    Revalidate, AskSync  ->  <-  Revalidated, Synced, SessionMoved
                  <-  Heartbeat             are you there?
    Alive         ->                        yes, and I have heard of these sessions

ZooKeeper sends what NewLeader holds as several packets. Source: ZooKeeper's QuorumPacket, Leader, Learner.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.coordination.history import Difference
from kafkalite.coordination.quorum import Vote


@dataclass(frozen=True, slots=True)
class Notification:
    """A vote of this round; who is not `is_looking` any more says whom it follows, or (`is_leading`) that it leads."""

    round: int
    vote: Vote
    is_looking: bool
    is_leading: bool


@dataclass(frozen=True, slots=True)
class FollowerInfo:
    """I follow you, and accepted leaders up to this epoch."""

    accepted_epoch: int


@dataclass(frozen=True, slots=True)
class LeaderInfo:
    """My epoch, greater than any that a majority has accepted."""

    epoch: int


@dataclass(frozen=True, slots=True)
class AckEpoch:
    """I accept it. `current_epoch` is that of the leader whose history I have, which ends at `last_zxid`."""

    current_epoch: int
    last_zxid: int


@dataclass(frozen=True, slots=True)
class NewLeader:
    """My history, as the difference from yours."""

    epoch: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class UpToDate:
    """A majority has my history. It is committed up to this change."""

    zxid: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """Log this change."""

    change: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """All changes up to this one are on my disk."""

    zxid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """A majority has all changes up to this one on its disks: apply them."""

    zxid: int


@dataclass(frozen=True, slots=True)
class Forward:
    """A client of mine wants this; number it. (A change whose zxid is 0.)"""

    change: bytes


@dataclass(frozen=True, slots=True)
class Revalidate:
    """A client goes on with its session at my place: has it expired?"""

    session_id: int
    cxid: int


@dataclass(frozen=True, slots=True)
class Revalidated:
    """Its time out in ms; 0: it has expired."""

    session_id: int
    cxid: int
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class AskSync:
    """Say so when I have everything that is proposed now."""

    cxid: int


@dataclass(frozen=True, slots=True)
class Synced:
    """You have it."""

    cxid: int


@dataclass(frozen=True, slots=True)
class SessionMoved:
    """That client of yours has turned up at another server; it cannot write through you any more."""

    session_id: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """I lead. Are you there?"""


@dataclass(frozen=True, slots=True)
class Alive:
    """I am, and so are the clients with these sessions."""

    session_ids: tuple[int, ...]
