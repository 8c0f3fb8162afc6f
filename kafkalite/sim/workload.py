"""A run drawn from a seed: a cluster, topics, clients that keep it busy, operators, a prober, and faults.

`draw_plan(seed)` says what will happen, as data; `play(plan)` lets it happen and has it checked. Times are shorter than
Kafka's defaults (a session of 1.5 s instead of 18), so that more happens in fewer deliveries; nothing else differs.

    0             2 s                                            faults_end               end
    | topics made | produce, consume, ask odd things; faults     | everything heals; the  | everything that was written
    |             |                                              | last answers come      | is read, and judged
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from kafkalite.config import ProducerConfig
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim import dispatching, transacting
from kafkalite.sim.checkers import Checker, Expectations, GroupPromise, TopicPromise, Violation, value_of
from kafkalite.sim.clumsy import BROKER as CLUMSY
from kafkalite.sim.clumsy import GROUP as CLUMSY_GROUP
from kafkalite.sim.clumsy import Clumsy
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.dispatching import Dispatchers
from kafkalite.sim.facades import EARLIEST, LATEST
from kafkalite.sim.faults import SkewClock
from kafkalite.sim.members import BROKER as GROUPS
from kafkalite.sim.members import GroupPlan, Members, draw_groups
from kafkalite.sim.network import Delays
from kafkalite.sim.operating import Operators
from kafkalite.sim.probing import Probing
from kafkalite.sim.schedule import Ground, Profile, Schedule, draw_schedule
from kafkalite.sim.transacting import Transactors
from kafkalite.types import NodeName

ROUND_MS = 500.0  # clients are told what to do so far ahead
FROM_ZERO_EVERY = 16  # rounds
TRANSACTIONS_SHARE = 0.4  # of the runs that may have them
SETTLE_MS = 240_000.0  # of virtual time, for everything to come to an end after the last fault

BROKER = {
    "zookeeper_session_timeout_ms": 1500,
    "replica_lag_time_max_ms": 1000,
    "replica_fetch_wait_max_ms": 100,
    "replica_fetch_backoff_ms": 50,
    "replica_socket_timeout_ms": 1000,
    "replica_high_watermark_checkpoint_interval_ms": 500,
    "controller_socket_timeout_ms": 1000,
    "leader_imbalance_check_interval_ms": 5000,
    "controlled_shutdown_retry_backoff_ms": 300,
    "log_flush_offset_checkpoint_interval_ms": 2000,
    "log_retention_check_interval_ms": 3000,
    "log_cleaner_backoff_ms": 1500,
    "message_max_bytes": 20_000,
    **GROUPS,
    **CLUMSY,
}
ZOOKEEPER = {"tick_ms": 100, "min_session_timeout_ms": 200, "max_session_timeout_ms": 4000, "snapshot_every": 100}
CLIENT = {
    "metadata_max_age_ms": 3000,
    "request_timeout_ms": 1000,
    "retry_backoff_ms": 20,
    "retry_backoff_max_ms": 200,
    "reconnect_backoff_ms": 20,
    "reconnect_backoff_max_ms": 200,
}


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as it is created."""

    name: str
    partitions: int
    replicas: int
    configs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run is made of."""

    seed: int
    brokers: int
    zookeepers: int
    profile: Profile
    topics: tuple[TopicPlan, ...]
    producers: tuple[tuple[NodeName, ProducerConfig], ...]
    schedule: Schedule
    groups: tuple[GroupPlan, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()  # of brokers, beside BROKER
    busy_ms: float = 30_000
    records_a_round: int = 6  # of each producer
    shutdowns: tuple[tuple[float, NodeName], ...] = ()  # brokers that are stopped in order, and started again
    deliveries_min: int = 0  # traffic goes on until there were so many
    through_codec: bool = False
    has_transactions: bool = False
    has_dispatchers: bool = False


@dataclass(slots=True)
class Result:
    """What came of a run."""

    plan: Plan
    deliveries: int
    now_ms: float
    violations: list[Violation]
    checker: Checker
    cluster: Cluster = field(repr=False)


def draw_plan(seed: int, profile: Profile | None = None, *, deliveries_min: int = 20_000) -> Plan:
    """The run of that seed; each has its own sizes, settings and faults."""
    rng = Random(f"plan/{seed}")
    profile = profile or rng.choice((Profile.KILLS, Profile.KILLS, Profile.KILLS, Profile.POWER, Profile.STORM))
    brokers, zookeepers = rng.choice((3, 3, 3, 4, 5)), rng.choice((1, 3, 3))
    topics = (
        TopicPlan("orders", rng.randint(1, 3), 3, (("min.insync.replicas", "2"),)),
        TopicPlan("compacted", 1, 3, (("cleanup.policy", "compact"), ("segment.bytes", "4000"))),
        TopicPlan("rolling", 1, 2, (("segment.bytes", "3000"), ("retention.bytes", "12000"))),
        TopicPlan("unclean", 1, 2, (("unclean.leader.election.enable", "true"),)),
        TopicPlan("single", 3, 1),
    )
    producers = (
        ("p1", ProducerConfig(acks=-1, delivery_timeout_ms=20_000, request_timeout_ms=1000)),
        ("p2", ProducerConfig(acks=-1, enable_idempotence=False, delivery_timeout_ms=3000, request_timeout_ms=1000)),
        ("p3", ProducerConfig(acks=rng.choice((0, 1)), enable_idempotence=False, delivery_timeout_ms=3000)),
    )
    busy_ms = 30_000.0
    nodes = tuple(f"b{101 + index}" for index in range(brokers))
    ground = Ground(
        brokers=nodes,
        zookeepers=tuple(f"z{number}" for number in range(1, zookeepers + 1)),
        clients=("p1", "p2", "c1", "g1m1", "g1m2"),
        from_ms=2000,
        to_ms=2000 + busy_ms,
    )
    shutdowns = tuple((rng.uniform(3000, busy_ms - 8000), rng.choice(nodes)) for _ in range(rng.choice((0, 0, 1, 2))))
    return Plan(
        seed=seed,
        brokers=brokers,
        zookeepers=zookeepers,
        profile=profile,
        topics=topics,
        producers=producers,
        schedule=draw_schedule(rng, ground, profile),
        groups=draw_groups(seed, tuple(topic.name for topic in topics[1:])),
        settings=(("log_flush_interval_messages", rng.choice((None, None, 10))),),
        busy_ms=busy_ms,
        shutdowns=() if profile is Profile.POWER else shutdowns,
        deliveries_min=deliveries_min,
        through_codec=seed % 5 == 0,
        has_transactions=profile is not Profile.CALM and Random(f"transactions/{seed}").random() < TRANSACTIONS_SHARE,
        has_dispatchers=dispatching.is_dispatched(seed),
    )


def expectations_of(plan: Plan) -> Expectations:
    """What this run promises, by its settings and its faults."""
    topics = {topic.name: _promise(dict(topic.configs)) for topic in plan.topics}
    promises = Expectations(
        topics=topics | {OFFSETS_TOPIC: TopicPromise(is_compacted=True)},
        producers=dict(plan.producers),
        groups={group.name: group.promise for group in plan.groups} | {CLUMSY_GROUP: GroupPromise(is_broken=True)},
        replica_lag_time_max_ms=BROKER["replica_lag_time_max_ms"],
        disks_keep_everything=plan.profile in (Profile.CALM, Profile.KILLS),
        reads_everything=True,
        foreign_prefix=b"xxx",  # the prober's
    )
    if plan.has_transactions:
        promises = transacting.promised(promises)
    return dispatching.promised(promises, plan.seed) if plan.has_dispatchers else promises


def _promise(configs: dict[str, str]) -> TopicPromise:
    return TopicPromise(
        min_insync_replicas=int(configs.get("min.insync.replicas", 1)),
        unclean_leader_election_enable=configs.get("unclean.leader.election.enable") == "true",
        is_compacted=configs.get("cleanup.policy") == "compact",
    )


def play(
    plan: Plan, parts: Parts = REFERENCE, *, record: bool = False, prepare: Callable[[Cluster], None] | None = None
) -> Result:
    """Let the run happen and have it judged. `prepare` may change the cluster before it begins: to plant a bug."""
    cluster = Cluster(
        plan.brokers,
        plan.zookeepers,
        plan.seed,
        parts=parts,
        racks=("r1", "r2"),
        broker=BROKER | (transacting.BROKER if plan.has_transactions else {}) | dict(plan.settings),
        zookeeper=ZOOKEEPER,
        client=CLIENT,
        delays=Delays(0.5, 3.0),
        record=record,
        through_codec=plan.through_codec,
    )
    if prepare is not None:
        prepare(cluster)
    checker = Checker(expectations_of(plan))
    cluster.sim.observers.append(checker.observe)
    run = _Run(plan, cluster)
    run.begin()
    run.keep_busy()
    run.settle()
    checker.finish(cluster.now_ms)
    return Result(plan, cluster.sim.deliveries, cluster.now_ms, checker.violations, checker, cluster)


class _Run:
    """The clients' program."""

    def __init__(self, plan: Plan, cluster: Cluster) -> None:
        self.plan, self.cluster = plan, cluster
        self.rng = Random(f"workload/{plan.seed}")
        self.sent: dict[NodeName, int] = {}
        self.rounds = 0
        self.partitions = tuple((topic.name, number) for topic in plan.topics for number in range(topic.partitions))
        self.operators = Operators(cluster, plan.seed, self.partitions)
        self.members = Members(plan.groups, cluster, plan.seed)
        self.clumsy = Clumsy(cluster, plan.seed)
        self.probing = Probing(cluster, plan.seed, self.partitions, self.members)
        self.transactors = Transactors(cluster, plan.seed) if plan.has_transactions else None
        self.dispatchers = Dispatchers(cluster, plan.seed) if plan.has_dispatchers else None

    def begin(self) -> None:
        """Topics, clients, and the schedule of faults."""
        cluster = self.cluster.start()
        for topic in self.plan.topics:
            cluster.admin().create_topic(topic.name, topic.partitions, topic.replicas, topic.configs)
        for name, config in self.plan.producers:
            cluster.producer(name, **{key: getattr(config, key) for key in config.__dataclass_fields__})
            self.sent[name] = 0
        everything = [(*partition, EARLIEST) for partition in self.partitions]
        cluster.consumer("c1", auto_offset_reset="earliest", client_rack="r1").assign(*everything)
        cluster.consumer("c2", auto_offset_reset="earliest", isolation_level="read_committed").assign(*everything[:1])
        cluster.consumer("c3", auto_offset_reset="none")
        self.probing.begin()
        self.operators.begin()
        self.members.begin()
        if self.transactors is not None:
            self.transactors.begin()
        if self.dispatchers is not None:
            self.dispatchers.begin()
        for at_ms, fault in self.plan.schedule:
            cluster.inject(fault, max(cluster.now_ms, at_ms))
        for at_ms, node in self.plan.shutdowns:
            cluster.call_at(max(cluster.now_ms, at_ms), node, "shutdown")

    def keep_busy(self) -> None:
        """Traffic until the faults are over, and until enough has happened."""
        last_ms = max((at_ms for at_ms, _ in self.plan.schedule), default=0.0)
        end_ms = max(self.cluster.now_ms + self.plan.busy_ms, last_ms + ROUND_MS)
        while self.cluster.now_ms < end_ms or self.cluster.sim.deliveries < self.plan.deliveries_min:
            self._round()
            self.cluster.run_for(ROUND_MS)

    def _round(self) -> None:
        cluster, rng, now_ms = self.cluster, self.rng, self.cluster.now_ms
        for name, _ in self.plan.producers:
            for _ in range(rng.randint(0, 2 * self.plan.records_a_round)):
                topic = rng.choice(self.plan.topics)
                record = self.sent[name] = self.sent[name] + 1
                key = b"k%d" % rng.randrange(5) if topic.name == "compacted" or rng.random() < 0.5 else None
                cluster.call_at(
                    now_ms + rng.uniform(0, ROUND_MS),
                    name,
                    "produce",
                    *(record, topic.name, key, value_of(name, record), None, None),
                )
        self.probing.round(ROUND_MS, has_transactions=self.plan.has_transactions)
        # c3 shows what comes in just now: again and again it looks up where every log ends. Now and then it asks for
        # the first records, which may be gone; it does not choose for itself where to go on.
        self.rounds += 1
        where = LATEST if self.rounds % FROM_ZERO_EVERY else 0
        wanted = tuple((*partition, where) for partition in self.partitions)
        cluster.call_at(now_ms + rng.uniform(0, ROUND_MS), "c3", "assign", wanted)
        self.operators.round(ROUND_MS)
        self.members.round()
        if self.transactors is not None:
            self.transactors.round(ROUND_MS)
        if self.dispatchers is not None:
            self.dispatchers.round(ROUND_MS)
        self.clumsy.round()
        self._restart_what_was_stopped()

    def _restart_what_was_stopped(self) -> None:
        stopped = self.cluster.view.stopped
        for broker in sorted(stopped):
            name = f"b{broker}"
            self.cluster.kill(name).restart(name)

    def settle(self) -> None:
        """Everything is healed: wait until every record has its answer, and everything was read."""
        cluster, faults = self.cluster, [fault for _, fault in self.plan.schedule]
        self._restart_what_was_stopped()
        for name in (*cluster.zookeepers, *cluster.brokers):
            cluster.restart(name)
        wanted = {(name, record) for name, count in self.sent.items() for record in range(1, count + 1)}
        cluster.run_until(lambda: wanted <= cluster.view.outcomes.keys(), "an answer to every record", SETTLE_MS)
        self.operators.settle(SETTLE_MS)
        partitions = set(self.partitions)
        # Watermarks stand still once nobody writes and every follower has everything.
        cluster.run_until(lambda: self._is_level(partitions), "watermarks at the ends of the logs", SETTLE_MS)
        reader = cluster.consumer("reader", auto_offset_reset="earliest")
        reader.assign(*((*partition, EARLIEST) for partition in self.partitions))
        cluster.run_until(lambda: self._has_read("reader", partitions), "a reader at the end", SETTLE_MS)
        self.members.settle(SETTLE_MS)
        if self.transactors is not None:
            are_clocks_right = not any(isinstance(one, SkewClock) for one in faults)
            may_hang = not expectations_of(self.plan).disks_keep_everything
            self.transactors.settle(SETTLE_MS, are_clocks_right=are_clocks_right, may_hang=may_hang)
        if self.dispatchers is not None:
            self.dispatchers.settle(SETTLE_MS)

    def _is_level(self, partitions: set[tuple[str, int]]) -> bool:
        view = self.cluster.view
        return all(
            partition in view.leaders
            and view.high_watermarks.get(partition, 0)
            >= view.log_ends.get((view.leaders[partition].broker, *partition), 0)
            for partition in partitions
        )

    def _has_read(self, consumer: NodeName, partitions: set[tuple[str, int]]) -> bool:
        view = self.cluster.view
        return all(
            view.positions.get((consumer, *partition), 0) >= view.high_watermarks.get(partition, 0)
            for partition in partitions
        )


def with_schedule(plan: Plan, schedule: Schedule) -> Plan:
    """The same run with other faults: what the shrinker tries."""
    return replace(plan, schedule=schedule)
