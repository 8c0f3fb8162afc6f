"""What becomes of what is sent: it arrives, waits its turn, is refused, or is lost with its connection.

    sender dies        what it sent still arrives, then the other end is told (its machine closes the connection)
    receiver is dead   its machine refuses: the sender is told; without power nobody says anything
    receiver is new    it knows nothing of the old connection: the sender is told, and goes on in the next life
    sender is new      the receiver is told that the old connection is over, and then gets the message
    closed by a node   what it sent still arrives, then the other end is told; what comes back is not heard
    broken on the way  what is under way is lost, both ends are told

Each end of a connection counts lives; a message carries the life in which it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from kafkalite.node import REPLY, REQUEST, Event, PeerLost, Received
from kafkalite.sim.network import InVersion, Link, Network
from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class _Hangup:
    """The other end closed the connection; its next life has this number."""

    life: int


@dataclass(frozen=True, slots=True)
class _Next:
    """The request before is answered: what waits behind it may come."""


class Driver(Protocol):
    """What connections need of the simulator."""

    now_ms: float
    down: dict[NodeName, bool]

    def put(self, at_ms: float, name: NodeName, event: Any, link: Link | None, life: int) -> int:
        """Let something happen at a time."""
        ...

    def meet(self, name: NodeName, event: Event) -> None:
        """Let a node handle an event now."""
        ...

    def life_of(self, name: NodeName) -> int:
        """How often the node has begun."""
        ...


class Connections:
    """All connections of a simulator, while they live and when they die."""

    def __init__(self, driver: Driver, network: Network) -> None:
        self._driver, self._network = driver, network

    def send(self, link: Link, message: Any, role: str) -> None:
        """Put a message on its way."""
        if role == REPLY and not link.back.is_busy:
            return  # to a request of an earlier life: nobody waits for it
        self._put_on(link, (message, role), link.life)
        if role == REPLY:
            self._come_next(link.back)

    def arrive(self, link: Link, message: Any, life: int) -> None:
        """Something that was sent arrives where it was sent to."""
        to, back = link.to, link.back
        kind = type(message)
        if kind is _Hangup:
            self._hang_up(link, message.life)
        elif life <= link.lost_life:
            pass
        elif kind is _Next:
            if life == back.life:
                link.is_busy = False
                self._deliver(link, *link.backlog.popleft())
        elif to in self._driver.down:
            self._meet_nobody(link, life)
        elif life < back.life:
            if life == link.life:  # whoever sent it does not know yet that the other end began anew
                self._refuse(link)
        else:
            if life > back.life:  # the sender began anew: for this end, too, the old connection is over
                self._hang_up(link, life)
            if link.is_busy and message[1] != REPLY:
                link.backlog.append(message)
            else:
                self._deliver(link, *message)

    def _meet_nobody(self, link: Link, life: int) -> None:
        """What is sent to a dead node is lost, and is not followed by what is sent later on the same connection."""
        if life == link.life:
            link.back.life = max(link.life, link.back.life) + 1
            if self._driver.down[link.to]:
                self._refuse(link)

    def _deliver(self, link: Link, message: Any, role: str) -> None:
        if role == REQUEST:
            link.is_busy = True
        elif link.backlog and role != REPLY:  # nobody will answer it
            self._come_next(link)
        if type(message) is InVersion:
            self._driver.meet(link.to, Received(link.seen_as, message.message, message.version))
        else:
            self._driver.meet(link.to, Received(link.seen_as, message))

    def _come_next(self, link: Link) -> None:
        """Let what waits on this link come, one after another; until then what arrives waits behind it."""
        link.is_busy = bool(link.backlog)
        if link.backlog:
            self._driver.put(self._driver.now_ms, link.to, _Next(), link, link.back.life)

    def _hang_up(self, link: Link, life: int) -> None:
        """`link.to` learns that the other end closed the connection, or began anew."""
        if life <= link.back.life or link.to in self._driver.down:
            return
        link.back.life = life
        link.forget()
        link.back.forget()
        self._driver.meet(link.to, PeerLost(link.seen_as))

    def _refuse(self, link: Link) -> None:
        """Whoever sent on this link learns that the other end knows nothing of the connection."""
        self._put_on(link.back, _Hangup(link.back.life), 0)

    def close(self, link: Link, *, tell: bool) -> None:
        """`link.source` closes the connection, or dies: what comes back on it is not heard any more."""
        link.life = max(link.life, link.back.life) + 1
        link.back.forget()
        if tell:
            self._put_on(link, _Hangup(link.life), 0)

    def die(self, name: NodeName, *, tell: bool) -> None:
        """A node dies: its machine closes its connections and says so, or there is no machine any more."""
        for link in self._network.links_of(name):
            self.close(link, tell=tell)

    def break_all(self, one: NodeName, other: NodeName) -> None:
        """Break all connections of two nodes: what is under way is lost, both are told."""
        driver = self._driver
        for link in self._network.links_between(one, other):
            life = max(link.life, link.back.life) + 1
            for way in (link, link.back):
                # A frozen end learns of it later. What it sends until then goes into the old life, and is lost as well.
                way.lost_life = life - 1
                way.forget()
                if way.to in driver.down:
                    way.back.life = life  # nobody is there to be told; who comes back speaks in the new life
                else:
                    driver.put(driver.now_ms, way.to, _Hangup(life), way, 0)

    def _put_on(self, link: Link, what: Any, life: int) -> None:
        driver = self._driver
        driver.put(self._network.arrival_ms(link, driver.now_ms), link.to, what, link, life)
