"""Failures as data, and a small cluster that lives through them while somebody writes to it.

Times are short, so that a run takes few deliveries: a session of 300 ms instead of 18 s. Nothing else differs.

    0            10 ms                      1.2 s            later
    | every log  | the first failure,       | who is down    | every record has its answer, all are in sync,
    | is level   |   then the second        | is restarted   | and the partition is read
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any

from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim.blueprint import broker_id_of
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import Cut, Fault, Freeze, Kill, LoseDisk, PowerLoss, Restart
from kafkalite.sim.network import Delays
from kafkalite.types import NodeName

SESSION_MS = 300.0
SOON_MS, LATE_MS = 20.0, 2 * SESSION_MS
FIRST_AT_MS = 10.0
STRUCK_MS = 1200.0  # from the first failure until everything is healed
RECORD_EVERY_MS = 60.0
IN_FLIGHT_MS = 2.0  # so long before each failure another record is sent: it is with the leader, or just not
SETTLED_MS = 60_000.0

BROKER = {
    "zookeeper_session_timeout_ms": int(SESSION_MS),
    "replica_lag_time_max_ms": 300,
    "replica_fetch_wait_max_ms": 150,
    "replica_fetch_backoff_ms": 20,
    "replica_socket_timeout_ms": 300,
    "replica_high_watermark_checkpoint_interval_ms": 200,
    "controller_socket_timeout_ms": 300,
}
ZOOKEEPER = {"tick_ms": 100, "min_session_timeout_ms": 200}
CLIENT = {
    "metadata_max_age_ms": 2000,
    "request_timeout_ms": 300,
    "retry_backoff_ms": 20,
    "retry_backoff_max_ms": 50,
    "reconnect_backoff_ms": 20,
    "reconnect_backoff_max_ms": 50,
}

Faults = list[tuple[float, Fault]]  # ms after the failure begins


def _restarts(kind: type[Kill | PowerLoss], after_ms: float) -> Callable[[NodeName], Faults]:
    return lambda node: [(0, kind(node)), (after_ms, Restart(node))]


KINDS: dict[str, Callable[[NodeName], Faults]] = {
    "is killed": lambda node: [(0, Kill(node))],
    "loses power": lambda node: [(0, PowerLoss(node))],
    "loses its disk": lambda node: [(0, LoseDisk(node)), (LATE_MS, Restart(node))],
    "stands still": lambda node: [(0, Freeze(node, LATE_MS))],
    "is cut off from ZooKeeper": lambda node: [(0, Cut(node, "z1", LATE_MS)), (0, Cut("z1", node, LATE_MS))],
    "restarts soon": _restarts(Kill, SOON_MS),
    "restarts soon without its tail": _restarts(PowerLoss, SOON_MS),
    "restarts late": _restarts(Kill, LATE_MS),
    "restarts late without its tail": _restarts(PowerLoss, LATE_MS),
}
ROLES = ("the leader", "a follower", "the other follower")
FORGETTING = frozenset(kind for kind in KINDS if "power" in kind or "disk" in kind or "tail" in kind)
ZOOKEEPER_KINDS = (
    "stands still",
    "restarts soon",
    "restarts soon without its tail",
    "restarts late",
    "restarts late without its tail",
)
# All sessions end while the one server of ZooKeeper stands still: for the cluster, every broker has failed.
EVERY_SESSION_ENDS = ("ZooKeeper", "stands still")
EVERYTHING = (*product(ROLES, KINDS), *(("ZooKeeper", kind) for kind in ZOOKEEPER_KINDS))


@dataclass(frozen=True, slots=True)
class Failure:
    """What happens to the broker that has a role when the run begins, and when."""

    role: str
    kind: str
    at_ms: float = FIRST_AT_MS

    def __str__(self) -> str:
        return f"{self.role} {self.kind} at {self.at_ms:g} ms"


def single_failures() -> list[tuple[Failure, ...]]:
    """Each kind at each broker, and at ZooKeeper's one server."""
    return [(Failure(role, kind),) for role, kind in EVERYTHING]


def ordered_pairs(after_ms: float) -> list[tuple[Failure, ...]]:
    """Each failure, and so much later each that strikes somebody else."""
    return [
        (Failure(*first), Failure(*second, FIRST_AT_MS + after_ms))
        for first, second in product(EVERYTHING, EVERYTHING)
        if first[0] != second[0]
    ]


def twice_the_same(after_ms: float) -> list[tuple[Failure, ...]]:
    """Each failure of a broker, and so much later each of the same broker."""
    return [
        (Failure(role, first), Failure(role, second, FIRST_AT_MS + after_ms))
        for role, first, second in product(ROLES, KINDS, KINDS)
    ]


def is_more_than_two(failures: tuple[Failure, ...]) -> bool:
    """Does every broker fail, and one of them forget? Then Kafka may lose what was acknowledged (KIP-966)."""
    what = {(one.role, one.kind) for one in failures}
    return EVERY_SESSION_ENDS in what and any(one.kind in FORGETTING for one in failures)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run: what was sent, what was acknowledged (value -> offset), and what stands in the partition."""

    sent: tuple[bytes, ...]
    acknowledged: dict[bytes, int]
    stands: dict[int, bytes]

    @property
    def lost(self) -> list[bytes]:
        """What was acknowledged, and does not stand where it was said to."""
        return [value for value, offset in self.acknowledged.items() if self.stands.get(offset) != value]

    @property
    def is_in_order_and_once(self) -> bool:
        """Is every record that stands there once, in the order in which they were sent?"""
        order = [self.sent.index(self.stands[offset]) for offset in sorted(self.stands)]
        return order == sorted(set(order))


class Ground:
    """A cluster that is ready to be struck; each run strikes a copy of it."""

    def __init__(
        self,
        seed: int,
        *,
        controller_leads: bool = True,
        acks: str | int = "all",
        parts: Parts = REFERENCE,
        replicas: int = 3,
        **configs: Any,
    ) -> None:
        """`controller_leads`: is the leader's broker the controller, too, or is it a follower's?"""
        cluster = self._cluster = Cluster(
            brokers=3,
            zookeepers=1,
            seed=seed,
            parts=parts,
            broker=BROKER,
            zookeeper=ZOOKEEPER,
            client=CLIENT,
            delays=Delays(0.5, 2.0),
            record=False,
        )
        cluster.start()
        first = broker_id_of(cluster.view.controller or "")
        one, other = (broker_id_of(name) for name in cluster.brokers if broker_id_of(name) != first)
        placed = (first, one, other) if controller_leads else (one, first, other)
        cluster.topic("orders", assignment=(placed[:replicas],), **{"min_insync_replicas": 2, **configs})
        self._roles = {"ZooKeeper": "z1", **dict(zip(ROLES, (f"b{broker}" for broker in placed), strict=True))}
        self._replicas = replicas
        producer = cluster.producer("p1", acks=acks, enable_idempotence=acks == "all", linger_ms=0)
        self._sent = (b"before",)
        producer.send("orders", b"before").result()
        cluster.run_until(lambda: all(cluster.end(f"b{broker}", "orders") == 1 for broker in placed[:replicas]))

    def struck_by(self, failures: tuple[Failure, ...]) -> Report:
        """Let these happen to a copy of the cluster while it is written to, heal everything, and read."""
        shared = (self._cluster.blueprint, *self._cluster.blueprint.brokers, *self._cluster.blueprint.zookeepers)
        cluster = deepcopy(self._cluster, {id(one): one for one in shared})
        from_ms = cluster.now_ms
        for failure in failures:
            for after_ms, fault in KINDS[failure.kind](self._roles[failure.role]):
                cluster.inject(fault, from_ms + failure.at_ms + after_ms)
        producer, sent = cluster.producer("p1"), list(self._sent)
        times_ms = [index * RECORD_EVERY_MS for index in range(int(STRUCK_MS / RECORD_EVERY_MS))]
        times_ms += [failure.at_ms - IN_FLIGHT_MS for failure in failures]
        for at_ms in sorted(times_ms):
            cluster.run_for(from_ms + at_ms - cluster.now_ms)
            sent.append(b"%d" % len(sent))
            producer.send("orders", sent[-1])
        cluster.run_for(from_ms + STRUCK_MS - cluster.now_ms)
        for node in (*cluster.zookeepers, *cluster.brokers):
            cluster.restart(node)
        outcomes = cluster.view.outcomes
        cluster.run_until(lambda: len(outcomes) == len(sent), "an answer to every record", SETTLED_MS)
        cluster.run_until(lambda: len(cluster.isr("orders")) == self._replicas, "all replicas in sync", SETTLED_MS)
        return Report(
            tuple(sent),
            {sent[record - 1]: one.offset for (_, record), one in outcomes.items() if one.error == "NONE"},
            {one.offset: one.value or b"" for one in cluster.read("orders")},
        )
