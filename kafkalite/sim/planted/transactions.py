"""Bugs of transactions: nothing is written twice, nothing is seen early, and only one may speak, but for these."""

# ruff: noqa: ARG001 - a wrong rule does not look at what the right one looks at

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from kafkalite.broker import transaction_coordinator as coordinator_module
from kafkalite.broker.group_coordinator import GroupCoordinator
from kafkalite.broker.transaction_coordinator import TransactionCoordinator
from kafkalite.clients import fetcher as fetcher_module
from kafkalite.clients.fetched import read_fetched
from kafkalite.clients.pipeline import Pipeline
from kafkalite.clients.semantics import Step
from kafkalite.clients.transactions import Transactions
from kafkalite.config import ProducerConfig
from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim import transacting
from kafkalite.sim.checkers import Expectations
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.counterexample import STUCK
from kafkalite.sim.faults import KillAfter
from kafkalite.sim.network import Delays
from kafkalite.sim.planted.bug import Attach, Bug, Patch
from kafkalite.sim.schedule import Ground, Profile, draw_schedule
from kafkalite.sim.semantics import PARTITIONS, PROGRAM, SOURCE, TARGET, Case, Trial
from kafkalite.sim.transacting import Transactors
from kafkalite.sim.workload import BROKER, CLIENT, ROUND_MS, ZOOKEEPER
from kafkalite.transactions.transaction import initialized

FROM_MS, BUSY_MS, SETTLE_MS = 1500.0, 12_000.0, 60_000.0


def transacted(seed: int, parts: Parts, attach: Attach) -> None:
    """Producers and programs write in transactions, while brokers die, freeze and are cut off."""
    broker = BROKER | transacting.BROKER
    delays = Delays(0.5, 3.0)
    cluster = Cluster(
        3, 1, seed, parts=parts, broker=broker, zookeeper=ZOOKEEPER, client=CLIENT, delays=delays, record=False
    )
    lag_ms = BROKER["replica_lag_time_max_ms"]
    attach(
        cluster,
        transacting.promised(
            Expectations(replica_lag_time_max_ms=lag_ms, disks_keep_everything=True, reads_everything=True)
        ),
    )
    transactors = Transactors(cluster.start(), seed)
    transactors.begin()
    clients = (*transacting.PRODUCERS, "maker1-1", "maker2-1")
    ground = Ground(cluster.brokers, cluster.zookeepers, clients, FROM_MS, FROM_MS + BUSY_MS, longest_ms=3000)
    for at_ms, fault in draw_schedule(Random(f"transacted/{seed}"), ground, Profile.KILLS):
        cluster.inject(fault, max(cluster.now_ms, at_ms))
    while cluster.now_ms < FROM_MS + BUSY_MS + ROUND_MS:
        transactors.round(ROUND_MS)
        cluster.run_for(ROUND_MS)
    for name in (*cluster.zookeepers, *cluster.brokers):
        cluster.restart(name)
    transactors.settle(SETTLE_MS)


def crashing(seed: int, parts: Parts, attach: Attach) -> None:
    """A program dies before one of its messages (before which, the seed says) and another takes its place."""
    readers = frozenset(f"reader{number}" for number in range(1, 2 * PARTITIONS + 1))
    promises = Expectations(
        producer=ProducerConfig(transactional_id=PROGRAM), read_committed=readers, exactly_once={SOURCE: TARGET}
    )
    trial = Trial(Case("exactly once", "topic"), parts=parts, prepare=lambda cluster: attach(cluster, promises))
    trial.cluster.inject(KillAfter(PROGRAM, seed))
    trial.begin()
    trial.cluster.run_until(lambda: trial.is_dead() or trial.is_done(), "the program's end")
    if trial.is_dead():
        trial.begin("successor")
    trial.cluster.run_for(10_000)
    for topic in (SOURCE, TARGET):
        for partition in range(PARTITIONS):
            trial.cluster.read(topic, partition, "read_committed")


# Brokers --------------------------------------------------------------------------------------------------------------


def _up_to_the_watermark(transactions: list[tuple[int, int | None]], high_watermark: int) -> int:
    return high_watermark


def _up_to_what_is_open(transactions: list[tuple[int, int | None]], high_watermark: int) -> int:
    return min([*(first for first, marker in transactions if marker is None), high_watermark])


def _anybody(known_id: int, known_epoch: int, producer_id: int, epoch: int) -> str:
    return "NONE"


def _same_epoch(begin: Callable[..., Any]) -> Callable[..., Any]:
    def unbumped(known: Any, *arguments: Any) -> Any:
        following = begin(known, *arguments)
        return following if following is None or known.epoch < 0 else replace(following, epoch=known.epoch)

    return unbumped


def _patient(self: Any) -> None:
    """Nobody looks whether a transaction has been open for too long."""


def _as_if_committed(end: Callable[..., None]) -> Callable[..., None]:
    def ending(self: Any, index: int, producer_id: int, *, is_commit: bool) -> None:
        end(self, index, producer_id, is_commit=True)

    return ending


def _one_marker(send: Callable[..., None]) -> Callable[..., None]:
    def sending(self: Any, name: str, one: Any) -> None:
        some = sorted(one.partitions)[:1]
        send(self, name, replace(one, partitions=frozenset(some)))

    return sending


# Clients --------------------------------------------------------------------------------------------------------------


def _aborted_is_read(read: Callable[..., Any]) -> Callable[..., Any]:
    def reading(data: Any, position: int, aborted: Any = None, **how: Any) -> Any:
        return read(data, position, None, **how)

    return reading


def _offsets_apart(take_step: Callable[..., None]) -> Callable[..., None]:
    def taking(self: Any, transactions: Any) -> None:
        if self._steps[0] is Step.ADD_OFFSETS:
            self.commits.commit(self._consumed(), self._offsets_answered, self._spoke_as, is_sync=True)
        else:
            take_step(self, transactions)

    return taking


def _never_added(self: Any, partition: Any) -> None:
    self._added[partition] = None


BUGS = (
    Bug(
        "stable-offset-ignored",
        "A leader lets read_committed see everything below the high watermark.",
        ("undecided-read",),
        transacted,
        1,
        parts=replace(REFERENCE, last_stable_offset=_up_to_the_watermark),
    ),
    Bug(
        "visible-before-its-marker-is-safe",
        "A leader takes a transaction for decided when it has the marker, though it may yet lose it.",
        ("undecided-read",),
        transacted,
        1,
        parts=replace(REFERENCE, last_stable_offset=_up_to_what_is_open),
    ),
    Bug(
        "aborted-is-read",
        "A consumer does not look at the list of aborted transactions.",
        ("aborted-read",),
        transacted,
        1,
        patches=(Patch(fetcher_module, "read_fetched", _aborted_is_read(read_fetched)),),
    ),
    Bug(
        "zombie-not-fenced",
        "A coordinator lets a producer speak whose transactional id another has taken.",
        ("not-exactly-once", "zombie-commit"),
        transacted,
        1,
        parts=replace(REFERENCE, fenced=_anybody),
    ),
    Bug(
        "epoch-not-bumped",
        "A producer that takes over a transactional id gets the epoch that the one before has.",
        ("epoch-reused",),
        transacted,
        1,
        patches=(Patch(coordinator_module, "initialized", _same_epoch(initialized)),),
    ),
    Bug(
        "hanging-for-ever",
        "A coordinator never ends a transaction whose producer has died.",
        (STUCK,),
        transacted,
        1,
        patches=(Patch(TransactionCoordinator, "on_timeouts", _patient),),
    ),
    Bug(
        "one-marker-is-enough",
        "A coordinator writes the end of a transaction to one of its partitions.",
        ("unread-committed", STUCK),
        transacted,
        1,
        patches=(
            Patch(TransactionCoordinator, "_send_markers", _one_marker(TransactionCoordinator._send_markers)),  # noqa: SLF001
        ),
    ),
    Bug(
        "offsets-outside",
        "A program that is to work exactly once commits its offsets by themselves.",
        ("not-exactly-once",),
        crashing,
        15,
        patches=(
            Patch(Pipeline, "_take_step_of_transaction", _offsets_apart(Pipeline._take_step_of_transaction)),  # noqa: SLF001
        ),
    ),
    Bug(
        "aborted-offsets-count",
        "A coordinator takes the offsets of an aborted transaction for committed.",
        ("not-exactly-once",),
        crashing,
        17,
        patches=(Patch(GroupCoordinator, "end_transaction", _as_if_committed(GroupCoordinator.end_transaction)),),
    ),
    Bug(
        "partitions-not-added",
        "A producer writes to partitions of which it has told the coordinator nothing.",
        ("unread-committed", STUCK),
        transacted,
        1,
        patches=(Patch(Transactions, "add", _never_added),),
    ),
)
