"""Many runs, each of its own seed, all judged: what holds for a hundred seeds may fail in the next.

A run is a cluster (`workload`) and, beside it, the smallest one (`smallest`).

`python -m kafkalite soak --seeds 500` (the command line is in `soak_command`). Every fact and every error must be
reached often enough for a run without a violation to mean something; so a soak counts them.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import active_children, get_context
from time import process_time

from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim.checkers.coverage import FACTS
from kafkalite.sim.counterexample import counterexample
from kafkalite.sim.smallest import play_smallest
from kafkalite.sim.workload import draw_plan, play

DELIVERIES_MIN = 20_000  # of messages, in a run

# What brokers can answer, and what clients can make of it: each is reached in every soak, as is every fact. Clients
# know a few more, which only brokers of other makes answer: REPLICA_NOT_AVAILABLE, TOPIC_AUTHORIZATION_FAILED, ...
ERRORS = (
    *("BROKER_NOT_AVAILABLE", "COORDINATOR_NOT_AVAILABLE", "CORRUPT_MESSAGE", "ELECTION_NOT_NEEDED"),
    *("ELIGIBLE_LEADERS_NOT_AVAILABLE", "FENCED_LEADER_EPOCH", "FETCH_SESSION_ID_NOT_FOUND", "INVALID_CONFIG"),
    *("INVALID_PARTITIONS", "INVALID_RECORD", "INVALID_REPLICA_ASSIGNMENT", "INVALID_REPLICATION_FACTOR"),
    *("INVALID_REQUEST", "INVALID_REQUIRED_ACKS", "INVALID_TOPIC_EXCEPTION", "KAFKA_STORAGE_ERROR"),
    *("LEADER_NOT_AVAILABLE", "MESSAGE_TOO_LARGE", "NETWORK_EXCEPTION", "NOT_CONTROLLER", "NOT_ENOUGH_REPLICAS"),
    *("NOT_LEADER_OR_FOLLOWER", "NO_REASSIGNMENT_IN_PROGRESS", "OFFSET_NOT_AVAILABLE", "OFFSET_OUT_OF_RANGE"),
    *("OUT_OF_ORDER_SEQUENCE_NUMBER", "POLICY_VIOLATION", "PREFERRED_LEADER_NOT_AVAILABLE"),
    *("REASSIGNMENT_IN_PROGRESS", "REQUEST_TIMED_OUT", "STALE_BROKER_EPOCH", "STALE_CONTROLLER_EPOCH"),
    *("TOPIC_ALREADY_EXISTS", "UNKNOWN_LEADER_EPOCH", "UNKNOWN_SERVER_ERROR", "UNKNOWN_TOPIC_ID"),
    *("UNKNOWN_TOPIC_OR_PARTITION", "UNSUPPORTED_COMPRESSION_TYPE", "UNSUPPORTED_VERSION"),
    # groups
    *("COORDINATOR_LOAD_IN_PROGRESS", "FENCED_INSTANCE_ID", "GROUP_ID_NOT_FOUND", "GROUP_MAX_SIZE_REACHED"),
    *("GROUP_SUBSCRIBED_TO_TOPIC", "ILLEGAL_GENERATION", "INCONSISTENT_GROUP_PROTOCOL", "INVALID_COMMIT_OFFSET_SIZE"),
    *("INVALID_GROUP_ID", "INVALID_SESSION_TIMEOUT", "MEMBER_ID_REQUIRED", "NON_EMPTY_GROUP", "NOT_COORDINATOR"),
    *("OFFSET_METADATA_TOO_LARGE", "REBALANCE_IN_PROGRESS", "UNKNOWN_MEMBER_ID", "UNSTABLE_OFFSET_COMMIT"),
    # transactions
    *("CONCURRENT_TRANSACTIONS", "INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_ID_MAPPING"),
    *("INVALID_TRANSACTION_TIMEOUT", "INVALID_TXN_STATE", "OPERATION_NOT_ATTEMPTED", "PRODUCER_FENCED"),
    "TRANSACTION_COORDINATOR_FENCED",
)
EXPECTED = (*sorted(FACTS), *ERRORS)


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One run: what was reached in it, and what was wrong."""

    seed: int
    profile: str
    deliveries: int
    virtual_ms: float
    problems: tuple[str, ...]
    reached: Counter[str]
    cpu_s: float = field(default=0.0, compare=False)  # it took so long here; no part of what the run is


@dataclass(slots=True)
class Summary:
    """All runs together."""

    runs: int = 0
    deliveries: int = 0
    virtual_ms: float = 0.0
    reached: Counter[str] = field(default_factory=Counter)
    failed: list[SeedResult] = field(default_factory=list)
    slowest: SeedResult | None = field(default=None, compare=False)

    def add(self, one: SeedResult) -> None:
        """Count one run."""
        self.runs += 1
        self.deliveries += one.deliveries
        self.virtual_ms += one.virtual_ms
        self.reached += one.reached
        if one.problems:
            self.failed.append(one)
        if self.slowest is None or one.cpu_s > self.slowest.cpu_s:
            self.slowest = one


def run_seed(seed: int, deliveries_min: int = DELIVERIES_MIN, parts: Parts = REFERENCE) -> SeedResult:
    """Play the run of one seed. A node that raises is a problem of that run, told with its traceback."""
    plan = draw_plan(seed, deliveries_min=deliveries_min)
    begun_s = process_time()
    try:
        result, smallest = play(plan, parts), play_smallest(seed, parts)
    except Exception:  # noqa: BLE001 - whatever goes wrong in one seed is told with the seed, and the others go on
        problem, cpu_s = traceback.format_exc(limit=-6), process_time() - begun_s
        return SeedResult(seed, plan.profile.value, 0, 0.0, (problem,), Counter(), cpu_s)
    return SeedResult(
        seed,
        plan.profile.value,
        result.deliveries,
        result.now_ms,
        (*(str(violation) for violation in result.violations), *smallest.problems),
        (result.checker.coverage + smallest.coverage).reached,
        process_time() - begun_s,
    )


def explain(
    seed: int,
    deliveries_min: int = DELIVERIES_MIN,
    parts: Parts = REFERENCE,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Why the run of that seed goes wrong: the fewest of its faults, the violation, and the facts around it.

    `progress` is told (runs so far, faults left). Raises ValueError if it does not go wrong.
    """
    plan = draw_plan(seed, deliveries_min=deliveries_min)
    return counterexample(plan, parts, progress=progress).explain()


def soak(
    seeds: Iterable[int],
    *,
    deliveries_min: int = DELIVERIES_MIN,
    jobs: int | None = None,
    parts: Parts = REFERENCE,
    tell: Callable[[SeedResult, Summary], None] | None = None,
) -> Summary:
    """Play all seeds, `jobs` at a time (None: one a core); `tell` hears of each as it ends, in any order."""
    summary = Summary()

    def ended(one: SeedResult) -> None:
        summary.add(one)
        if tell is not None:
            tell(one, summary)

    if jobs == 1:
        for seed in seeds:
            ended(run_seed(seed, deliveries_min, parts))
    else:
        _side_by_side([(seed, deliveries_min, parts) for seed in seeds], jobs, ended)
    summary.failed.sort(key=lambda one: one.seed)
    return summary


def _side_by_side(runs: list[tuple[int, int, Parts]], jobs: int | None, ended: Callable[[SeedResult], None]) -> None:
    with ProcessPoolExecutor(
        jobs or os.cpu_count(),
        mp_context=get_context("spawn"),
        initializer=signal.signal,  # Ctrl-C is this process's alone
        initargs=(signal.SIGINT, signal.SIG_IGN),
    ) as pool:
        running = [pool.submit(run_seed, *run) for run in runs]
        try:
            for one in as_completed(running):
                ended(one.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
                process.join()
            raise
