"""Where requests wait: under every partition they wait for, answered once, by what comes first."""

from __future__ import annotations

from kafkalite.node import Node, SetTimer, TimerFired
from kafkalite.replication.purgatory import STALE_MAX, Purgatory

A, B = ("t", 0), ("t", 1)


class Waits:
    def __init__(self, peer: str = "c1") -> None:
        self.peer = peer
        self.is_there = False
        self.finished = 0

    def is_ready(self) -> bool:
        return self.is_there

    def finish(self) -> None:
        self.finished += 1


class Waiting(Node):
    """A node with one purgatory, driven by hand."""

    def __init__(self) -> None:
        super().__init__("b1")
        self.purgatory = Purgatory(self, "p")

    def timers(self) -> list[float]:
        """When its timer was set for, since it was last asked."""
        return [effect.after_ms for effect in self.drain() if isinstance(effect, SetTimer)]

    def drain(self) -> list[object]:
        effects, self._effects = self._effects, []
        return list(effects)

    def fire(self, now_ms: float) -> None:
        self._effects = list(self.handle(TimerFired("p.expire"), now_ms))


def test_what_becomes_ready_leaves_from_under_all_its_partitions() -> None:
    node, one = Waiting(), Waits()
    node.purgatory.park(one, (A, B), 100)
    node.purgatory.check(A)

    assert (0, 1) == (one.finished, len(node.purgatory))

    one.is_there = True
    node.purgatory.check(B)
    node.purgatory.check(A)

    assert (1, 0) == (one.finished, len(node.purgatory))


def test_what_waits_too_long_is_finished_at_its_time_and_not_before() -> None:
    node, short, long = Waiting(), Waits(), Waits()
    node.purgatory.park(long, (A,), 300)
    node.purgatory.park(short, (A,), 100)

    assert [300, 100] == node.timers()

    node.fire(100)

    assert (1, 0) == (short.finished, long.finished)
    assert [200] == node.timers()

    node.fire(300)

    assert 1 == long.finished
    assert [] == node.timers()


def test_one_timer_serves_all_and_is_not_set_for_what_waits_longer() -> None:
    node = Waiting()
    for wait_ms in (100, 150, 200):
        node.purgatory.park(Waits(), (A,), wait_ms)

    assert [100] == node.timers()


def test_a_timer_for_what_has_left_already_finds_nothing_to_do() -> None:
    node, one, other = Waiting(), Waits(), Waits()
    node.purgatory.park(one, (A,), 100)
    node.purgatory.park(other, (B,), 300)
    one.is_there = True
    node.purgatory.check(A)
    node.drain()
    node.fire(100)

    assert (1, 0) == (one.finished, other.finished)
    assert [200] == node.timers()


def test_a_timer_that_comes_a_rounding_error_too_early_is_on_time() -> None:
    node, one = Waiting(), Waits()
    node.purgatory.park(one, (A,), 100)
    node.fire(100 - 1e-9)

    assert 1 == one.finished


def test_who_is_gone_is_not_answered() -> None:
    node, mine, other = Waiting(), Waits("c1"), Waits("c2")
    for one in (mine, other):
        node.purgatory.park(one, (A,), 100)
    node.purgatory.on_peer_lost("c1", ())
    node.fire(100)

    assert (0, 1) == (mine.finished, other.finished)


def test_deadlines_of_what_has_left_do_not_pile_up() -> None:
    node = Waiting()
    for _ in range(3 * STALE_MAX):
        one = Waits()
        node.purgatory.park(one, (A,), 60_000)
        one.is_there = True
        node.purgatory.check(A)

    assert len(node.purgatory._deadlines) <= STALE_MAX + 1
