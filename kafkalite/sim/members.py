"""Groups in a long run: members come, leave, die, stand still, work too long, and come back; in the end all is read.

A group is drawn from a seed as data: what it reads, how it assigns, who commits. `Members` lets its members live: now
and then something happens to one of them, and whoever is missing is replaced before long. When the faults are over,
`settle` waits until every group has committed the end of every partition, and each is read by one member.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from kafkalite.errors import SimulationStuck
from kafkalite.facts import MembershipFailed, PartitionsAssigned
from kafkalite.sim.checkers import GroupPromise
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.group_probes import NOBODY, ODD, Known, draw_group_probe
from kafkalite.types import NodeName, TopicPartition

MEMBER: dict[str, Any] = {
    "session_timeout_ms": 3000,
    "heartbeat_interval_ms": 500,
    "max_poll_interval_ms": 4000,
    "auto_commit_interval_ms": 500,
    "default_api_timeout_ms": 3000,
    "auto_offset_reset": "earliest",
    "max_poll_records": 20,
}
BROKER = {
    "group_min_session_timeout_ms": 1000,
    "group_initial_rebalance_delay_ms": 300,
    "offsets_topic_num_partitions": 2,
    "offsets_topic_segment_bytes": 5000,
    "offsets_load_buffer_size": 100,  # a batch at a time: loading takes a while
    "offsets_commit_timeout_ms": 1500,
    "offsets_retention_check_interval_ms": 5000,
}
HASTY: tuple[tuple[str, Any], ...] = ()
PATIENT = (("session_timeout_ms", 8000), ("max_poll_interval_ms", 2500))  # rather late for a rebalance than dead
STRATEGIES = ("range", "roundrobin", "sticky", "cooperative-sticky", "cooperative-sticky")
COUNT_MAX = 3  # members of a group, most of the time
LOOK_EVERY_MS = 250.0


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """A group as it is drawn. `static` of its members have an instance id; `settings` differ from those of MEMBER."""

    name: str
    topics: tuple[str, ...]
    strategies: tuple[str, ...]
    count: int
    static: int = 0
    is_auto_commit: bool = True
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def promise(self) -> GroupPromise:
        """What a checker may hold it to."""
        return GroupPromise(self.is_auto_commit, tuple(f"{self.name}-i{number}" for number in range(self.static)))


def draw_groups(seed: int, topics: tuple[str, ...]) -> tuple[GroupPlan, ...]:
    """One group or two; all read "orders", and some one of the other topics besides."""
    rng = Random(f"groups/{seed}")
    return tuple(
        GroupPlan(
            name=f"g{number}",
            topics=("orders", *rng.choice(((), (), (rng.choice(topics),)))),
            strategies=(rng.choice(STRATEGIES),),
            count=rng.randint(1, COUNT_MAX),
            static=rng.choice((0, 0, 1, 2)),
            is_auto_commit=rng.random() < 0.7,
            settings=rng.choice((HASTY, HASTY, PATIENT)),
        )
        for number in range(1, rng.choice((1, 1, 2)) + 1)
    )


@dataclass(slots=True)
class _Lives:
    """The members of one group: who lives, by what instance id."""

    plan: GroupPlan
    live: dict[NodeName, str | None] = field(default_factory=dict)
    started: int = 0

    def missing(self) -> str | None:
        """The instance id that nobody has; None if somebody without one is to come."""
        return next((one for one in self.plan.promise.instances if one not in self.live.values()), None)


class Members:
    """All groups of a run. `begin`, then `round` again and again, then `settle`."""

    def __init__(self, plans: tuple[GroupPlan, ...], cluster: Cluster, seed: int, processing_ms: float = 0) -> None:
        self._processing_ms = processing_ms
        self._cluster, self._rng = cluster, Random(f"members/{seed}")
        self._groups = [_Lives(plan) for plan in plans]
        self._happenings = (
            *(self._dies, self._dies, self._leaves, self._stands_still, self._stands_still),
            *(self._works_long, self._one_more, self._one_more, self._all_leave, self._misses_a_rebalance),
        )
        self.told: dict[NodeName, PartitionsAssigned] = {}  # what each was assigned last
        cluster.sim.observers.append(self._observe)

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        if isinstance(fact, PartitionsAssigned):
            self.told[node] = fact
        elif isinstance(fact, MembershipFailed) and fact.error == "FENCED_INSTANCE_ID":
            for group in self._groups:
                group.live.pop(node, None)

    # While the run is busy ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The first members join."""
        for group in self._groups:
            self._fill(group)

    def _fill(self, group: _Lives) -> None:
        while len(group.live) < group.plan.count:
            self._start(group, group.missing())

    def _start(self, group: _Lives, instance: str | None) -> None:
        plan = group.plan
        group.started += 1
        name = f"{plan.name}m{group.started}"
        group.live[name] = instance
        own = {
            "partition_assignment_strategy": plan.strategies,
            "enable_auto_commit": plan.is_auto_commit,
            "group_instance_id": instance,
            "processing_ms": self._processing_ms,
        }
        self._cluster.member(name, plan.name, *plan.topics, **MEMBER | dict(plan.settings) | own)

    def round(self) -> None:
        """Something may happen to each group; and whoever is missing may be replaced."""
        for group in self._groups:
            if self._rng.random() < 0.25:
                self._rng.choice(self._happenings)(group)
            if len(group.live) < group.plan.count and self._rng.random() < 0.4:
                self._start(group, group.missing())
            if not group.plan.is_auto_commit:
                self._commit(group, 0.6)

    def _anyone(self, group: _Lives) -> NodeName | None:
        return self._rng.choice(list(group.live)) if group.live else None

    def _dies(self, group: _Lives) -> None:
        name = self._anyone(group)
        if name is not None:
            self._cluster.kill(name)
            del group.live[name]

    def _leaves(self, group: _Lives) -> None:
        name = self._anyone(group)
        if name is not None:
            self._cluster.call(name, "close")
            del group.live[name]

    def _all_leave(self, group: _Lives) -> None:
        for name in list(group.live):
            self._cluster.call(name, "close")
            del group.live[name]

    def _stands_still(self, group: _Lives) -> None:
        name = self._anyone(group)
        if name is not None:
            self._cluster.freeze(name, self._rng.choice((800, 2500, 5500)))

    def _misses_a_rebalance(self, group: _Lives) -> None:
        """A member, one with an instance id if there is any, stands still; another one joins without it."""
        names = [name for name, instance in group.live.items() if instance is not None] or list(group.live)
        if names and len(group.live) <= COUNT_MAX:
            self._cluster.freeze(self._rng.choice(names), self._rng.uniform(2800, 4800))
            self._start(group, None)

    def _works_long(self, group: _Lives) -> None:
        """So long on each record that it polls late, or too late."""
        name = self._anyone(group)
        if name is not None:
            self._cluster.call(name, "work_at", self._rng.choice((50, 400)))
            self._cluster.call_at(
                self._cluster.now_ms + self._rng.uniform(2000, 6000), name, "work_at", self._processing_ms
            )

    def _one_more(self, group: _Lives) -> None:
        """Another member: under an instance id that is taken, or one more than there are to be."""
        instances = group.plan.promise.instances
        if instances and self._rng.random() < 0.7:
            self._start(group, self._rng.choice(instances))
        elif len(group.live) <= COUNT_MAX:
            self._start(group, None)

    def _commit(self, group: _Lives, share: float) -> None:
        for name in group.live:
            if self._rng.random() < share:
                self._cluster.call(name, "commit_async")

    # Odd questions --------------------------------------------------------------------------------------------------

    @property
    def has_groups(self) -> bool:
        """Whether there is anybody to ask about."""
        return bool(self._groups)

    def probe(self, partitions: tuple[TopicPartition, ...]) -> tuple[str, Any]:
        """A group, and an odd request about it, or about one that there is not."""
        rng, group = self._rng, self._rng.choice(self._groups)
        told = self.told.get(self._anyone(group) or "")
        member, generation = (told.member, told.generation) if told is not None else (NOBODY, 0)
        instance = next(iter(group.plan.promise.instances), None)
        request = draw_group_probe(rng, Known(group.plan.name, member, generation, instance, partitions))
        return (ODD if ODD in repr(request) else group.plan.name), request

    # When all faults are over ---------------------------------------------------------------------------------------

    def settle(self, patience_ms: float) -> None:
        """Wait until all is read and committed, and everybody knows its part. Raises SimulationStuck."""
        cluster = self._cluster
        for group in self._groups:
            self._fill(group)
            for name in group.live:
                cluster.call(name, "work_at", 0)
        end_ms = cluster.now_ms + patience_ms
        while unsettled := [why for group in self._groups if (why := self._why_unsettled(group))]:
            if cluster.now_ms > end_ms:
                raise SimulationStuck(f"after {patience_ms:,.0f} ms, at {cluster.now_ms:,.1f} ms: {unsettled[0]}")
            for group in self._groups:
                self._fill(group)  # one that stood still learns only now that another had taken its place, and died
                if not group.plan.is_auto_commit:
                    self._commit(group, 1.0)
            cluster.run_for(LOOK_EVERY_MS)

    def _why_unsettled(self, group: _Lives) -> str:
        view, name = self._cluster.view, group.plan.name
        partitions: list[TopicPartition] = [one for one in sorted(view.assignments) if one[0] in group.plan.topics]
        committed = view.committed.get(name, {})
        for partition in partitions:
            if committed.get(partition, 0) < view.high_watermarks.get(partition, 0):
                end = view.high_watermarks[partition]
                return f"group {name} has committed {committed.get(partition)} of {partition}, which ends at {end}"
        # A coordinator that is deposed while it writes an assignment never says so; the next one has read it, and goes
        # by it, so members may know of a generation that was announced by nobody.
        generation = view.generations.get(name, 0)
        for member in group.live:
            told = self.told.get(member)
            if told is None or told.generation < generation:
                return f"{member} knows nothing of generation {generation} of {name}: {told}"
        reads = [view.reads.get(member, set()) for member in group.live]
        if sum(map(len, reads)) != len(partitions) or len(set().union(*reads)) != len(partitions):
            return (
                f"not each of {partitions} is read by one member of {name}: {dict(zip(group.live, reads, strict=True))}"
            )
        return ""
