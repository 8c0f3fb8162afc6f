"""Operators in a long run: topics come, grow and go, replicas move, leaders are elected because somebody says so.

What nobody relies on is made and deleted; of the topics that clients use, replicas move to other brokers while they are
written and read. When the faults are over, `settle` waits until every move has come to its end.
"""

from __future__ import annotations

from random import Random
from typing import Any

from kafkalite.facts import ReplicasReassigned, TopicDeleted
from kafkalite.protocol.reassignment import PREFERRED, UNCLEAN
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.cluster import Cluster
from kafkalite.types import NodeName, TopicPartition

NAMES = ("operator", "other-operator")  # two of them: neither waits for the other
PASSING, GROWING = "passing", "growing"  # topics of their own
BUSY = 0.4  # of the rounds, in which something is done
# A partition whose leader anybody may become, whatever that loses, is not moved as well: while it has one replica, who
# is in sync is never asked to stand back.
FORCED: TopicPartition = ("single", 1)


class Operators:
    """`begin`, then `round` again and again, then `settle`."""

    def __init__(self, cluster: Cluster, seed: int, partitions: tuple[TopicPartition, ...]) -> None:
        self._cluster, self._rng = cluster, Random(f"operating/{seed}")
        self._movable = tuple(one for one in partitions if one != FORCED)
        self._asked = dict.fromkeys(NAMES, 0)
        self._moving: dict[TopicPartition, ReplicasReassigned] = {}
        self._doings = (
            *(self._make_or_delete, self._make_or_delete, self._let_records_go, self._look, self._elect),
            *(self._move, self._cancel, self._grow_what_moves),
        )
        cluster.sim.observers.append(self._observe)

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        if isinstance(fact, ReplicasReassigned):
            place = fact.topic, fact.partition
            if fact.adding or fact.removing:
                self._moving[place] = fact
            else:
                self._moving.pop(place, None)
        elif isinstance(fact, TopicDeleted):
            for place in [one for one in self._moving if one[0] == fact.topic]:
                del self._moving[place]

    def begin(self) -> None:
        """They are there."""
        for name in NAMES:
            self._cluster.admin(name)

    def round(self, for_ms: float) -> None:
        """One of them may do something; above all while a broker is dead."""
        at_ms = self._cluster.now_ms + self._rng.uniform(0, for_ms)
        if self._rng.random() < BUSY:
            self._rng.choice(self._doings)(at_ms)
        elif self._without_preferred((FORCED,)):
            self._elect(at_ms)

    def _ask(self, at_ms: float, method: str, *arguments: Any, who: NodeName = NAMES[0]) -> None:
        self._asked[who] += 1
        self._cluster.call_at(at_ms, who, method, self._asked[who], *arguments)

    def _make_or_delete(self, at_ms: float) -> None:
        rng = self._rng
        method, *arguments = rng.choice(
            (
                ("create_topic", PASSING, rng.randint(1, 3), rng.randint(1, 3)),
                ("create_topic", GROWING, 1, 2),
                ("create_partitions", GROWING, rng.randint(1, 6)),
                ("delete_topic", PASSING),
            )
        )
        self._ask(at_ms, method, *arguments)

    def _let_records_go(self, at_ms: float) -> None:
        self._ask(at_ms, "delete_records", "rolling", 0, self._cluster.view.high_watermarks.get(("rolling", 0), 0) // 2)

    def _look(self, at_ms: float) -> None:
        self._ask(at_ms, self._rng.choice(("describe_cluster", "list_reassignments")))

    def _elect(self, at_ms: float) -> None:
        """A leader that somebody misses, if there is any such; as often as not the one that may be anybody."""
        if self._rng.random() < 0.5:
            self._ask(at_ms, "elect_leader", *FORCED, UNCLEAN)
        else:
            places = (*self._movable, FORCED)
            self._ask(at_ms, "elect_leader", *self._rng.choice(self._without_preferred(places) or places), PREFERRED)

    def _without_preferred(self, places: tuple[TopicPartition, ...]) -> tuple[TopicPartition, ...]:
        """Those whose first broker the controller knows to be dead."""
        view = self._cluster.view
        return tuple(one for one in places if one in view.assignments and view.assignments[one][0] not in view.live)

    def _move(self, at_ms: float) -> None:
        """To as many brokers as it is on, in any order: some of them may be those."""
        place = self._rng.choice(self._movable)
        held = len(self._cluster.view.assignments.get(place, ()))
        on_its_way = self._moving.get(place)
        if on_its_way is not None:
            held -= len(on_its_way.adding)
        self._ask(at_ms, "reassign", *place, self._any_brokers(held))

    def _any_brokers(self, count: int) -> tuple[int, ...]:
        brokers = [broker_id_of(name) for name in self._cluster.brokers]
        return tuple(self._rng.sample(brokers, min(len(brokers), max(1, count))))

    def _cancel(self, at_ms: float) -> None:
        """What is under way, as often as not; else something that is not."""
        under_way = sorted(self._moving)
        place = self._rng.choice(under_way if under_way and self._rng.random() < 0.5 else self._movable)
        self._ask(at_ms, "reassign", *place, None)

    def _grow_what_moves(self, at_ms: float) -> None:
        """One of them moves a topic that another is about to let grow."""
        self._ask(at_ms, "reassign", GROWING, 0, self._any_brokers(2))
        for after_ms in (20, 60, 120):
            self._ask(at_ms + after_ms, "create_partitions", GROWING, self._rng.randint(2, 8), who=NAMES[1])

    def settle(self, timeout_ms: float) -> None:
        """Everything is healed: wait until nothing is on its way any more."""
        self._cluster.run_until(lambda: not self._moving, "the end of every reassignment", timeout_ms)
