"""The words parts speak: frozen values that cross between a part and its cluster, and over a pipe, unchanged.

Every dataclass here is plain data (see `kafkalite.plain`). Left out: messages on the wire (`protocol`), and what
nodes announce (`facts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

Offset = int  # a place in one partition: of a record, or of the next record to be written
NodeName = str  # of a node, or of one connection with it: "b1", "b1#fetch"
TopicPartition = tuple[str, int]


def channel(node: NodeName, name: str) -> NodeName:
    """A connection of its own with a node, beside the others.

    >>> channel("b1", "fetch")
    'b1#fetch'
    """
    return f"{node}#{name}"


def node_of(peer: NodeName) -> NodeName:
    """Whose connection it is.

    >>> node_of("b1#fetch"), node_of("b1")
    ('b1', 'b1')
    """
    return peer.partition("#")[0]


def address(host: str, port: int) -> NodeName:
    """The node that a broker's advertised host and port lead to; in the simulator hosts are nodes and have no ports.

    >>> address("b1", 0), address("127.0.0.1", 9092)
    ('b1', '127.0.0.1:9092')
    """
    return f"{host}:{port}" if port else host


@dataclass(frozen=True, slots=True)
class Published:
    """A source put a value into the topic."""

    value: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A sink connected, or connected again: it has nothing in hand, and wants every value from `offset` on."""

    sink: str
    offset: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A sink has finished what it was handed last and can take more."""

    sink: str


@dataclass(frozen=True, slots=True)
class Left:
    """A sink's connection is gone. What it was handed last may or may not have arrived."""

    sink: str


@dataclass(frozen=True, slots=True)
class Hand:
    """Hand `values`, the first of them at `offset`, to one sink."""

    sink: str
    offset: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """All a topic knows: its values, each sink's next offset, and the sinks that wait for something to do.

    A sink is in `positions` while it is subscribed, and in `idle` while it has nothing in hand.
    """

    values: tuple[str, ...] = ()
    positions: dict[str, int] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()


# Replication ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplicaProgress:
    """What a leader knows of one follower, from its fetches.

    `end_offset` is where its log ends, as its last fetch said (-1: it has not fetched from this leader yet);
    `caught_up_ms` is when it last had all the leader had. The last fetch and the leader's end at that moment are kept
    because a follower that has by now what the leader had then was caught up then.
    """

    end_offset: int = -1
    caught_up_ms: float = 0.0
    last_fetch_ms: float = 0.0
    leader_end_at_last_fetch: int = -1


@dataclass(frozen=True, slots=True)
class ReplicaView:
    """A replica from which a consumer might read (KIP-392): where it stands, and what it has."""

    broker: int
    rack: str | None
    is_leader: bool
    log_start: int
    end_offset: int
    since_caught_up_ms: float = 0.0


# Groups ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a member of a group tells the assignor: its topics, and what it holds since which generation."""

    member: str
    topics: tuple[str, ...]
    instance: str | None = None  # its group.instance.id, if it has one (KIP-345)
    owned: tuple[TopicPartition, ...] = ()
    generation: int = -1
