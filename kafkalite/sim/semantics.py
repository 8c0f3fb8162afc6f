"""Delivery semantics, counted: a program is killed before each of its messages in turn, and begins again.

A program that reads records and writes what comes of each sends some fifty messages to do so. For each of them there is
a run in which it dies when it is about to send that one, whatever it has sent before, and is then started again. What
was lost and what was doubled is counted from what somebody else finds: a `read_committed` consumer of the target topic,
or the world outside.

`python -m kafkalite semantics` prints the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from kafkalite.facts import EffectApplied, PollProcessed
from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import KillAfter
from kafkalite.types import NodeName

PROGRAM, SOURCE, TARGET, SINK = "program", "source", "target", "sink"
PARTITIONS = 2
RECORDS = 6
SETTLE_MS = 10_000.0
# One partition for each of the brokers' own topics: a run is to be short, and has only one group and one producer.
OWN_TOPICS = {
    "offsets_topic_num_partitions": 1,
    "transaction_state_log_num_partitions": 1,
    "group_initial_rebalance_delay_ms": 0,
}

PROGRAM_SETTINGS = {
    "group_id": PROGRAM,
    "transactional_id": PROGRAM,
    "group_instance_id": PROGRAM,  # or its earlier life would have to be found dead before it may read again
    "max_poll_records": 2,
    "linger_ms": 0,
}


@dataclass(frozen=True, slots=True)
class Case:
    """A program: its order of work, and to whom it writes."""

    semantics: str
    writes_to: str  # "topic", "sink" or "idempotent sink"

    @property
    def title(self) -> str:
        """As the table names it."""
        return f"{self.semantics:15} {self.writes_to}"


CASES = (
    *(Case(semantics, "topic") for semantics in ("at most once", "at least once", "exactly once")),
    *(Case(semantics, "sink") for semantics in ("at most once", "at least once", "exactly once")),
    *(Case(semantics, "idempotent sink") for semantics in ("at least once", "exactly once")),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: how many of the records nobody found, and how many were found more than once."""

    lost: int
    doubled: int


@dataclass(frozen=True, slots=True)
class Tally:
    """All runs of a case."""

    case: Case
    outcomes: tuple[Outcome, ...]  # in the order of the messages before which the program died

    @property
    def runs_that_lost(self) -> int:
        return sum(outcome.lost > 0 for outcome in self.outcomes)

    @property
    def runs_that_doubled(self) -> int:
        return sum(outcome.doubled > 0 for outcome in self.outcomes)


class Trial:
    """A cluster with a program that is about to begin; it is copied for each run."""

    def __init__(
        self,
        case: Case,
        seed: int = 1,
        brokers: int = 1,
        *,
        parts: Parts = REFERENCE,
        prepare: Callable[[Cluster], None] | None = None,
        **settings: Any,
    ) -> None:
        """`prepare` may change the cluster before it begins; `settings` are the program's."""
        own = {
            **OWN_TOPICS,
            "offsets_topic_replication_factor": min(3, brokers),
            "transaction_state_log_replication_factor": min(3, brokers),
            "transaction_state_log_min_isr": min(2, brokers),
        }
        self.case = case
        self.applied: list[bytes | None] = []
        self._done: dict[tuple[str, int], int] = {}  # where the program was when it polled last
        self.cluster = Cluster(brokers, 1, seed, parts=parts, broker=own, record=False)
        if prepare is not None:
            prepare(self.cluster)
        self.cluster.topic(SOURCE, PARTITIONS, min(3, brokers)).topic(TARGET, PARTITIONS, min(3, brokers))
        producer = self.cluster.producer(linger_ms=0)
        for number in range(RECORDS):
            producer.send(SOURCE, b"%d" % number, partition=number % PARTITIONS).result()
        if case.writes_to != "topic":
            self.cluster.sink(SINK, is_idempotent=case.writes_to == "idempotent sink")
        self._settings = settings
        self.cluster.sim.observers.append(self._observe)

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        if isinstance(fact, EffectApplied):
            self.applied.append(fact.value)
        elif isinstance(fact, PollProcessed):
            self._done.update({(topic, partition): position for topic, partition, position in fact.positions})

    def begin(self, name: NodeName = PROGRAM) -> None:
        """Let the program begin, or another node that does the same."""
        target = {"target": TARGET} if self.case.writes_to == "topic" else {"outside": SINK}
        self.cluster.pipeline(
            name,
            source=SOURCE,
            semantics=self.case.semantics,
            **{**PROGRAM_SETTINGS, **target, **self._settings},
        )

    def is_done(self) -> bool:
        """Has the program worked on everything?"""
        return sum(self._done.values()) == RECORDS

    def is_dead(self) -> bool:
        """Has the program died?"""
        return PROGRAM in self.cluster.sim.down

    def outcome(self) -> Outcome:
        """What an independent reader finds."""
        found = Counter(self.applied)
        if self.case.writes_to == "topic":
            read = (self.cluster.values(TARGET, partition, "read_committed") for partition in range(PARTITIONS))
            found = Counter(value for values in read for value in values)
        counts = [found[b"%d" % number] for number in range(RECORDS)]
        return Outcome(counts.count(0), sum(count > 1 for count in counts))


def crashed(trial: Trial, messages: int, restart_after_ms: float = 50.0) -> Outcome | None:
    """The run in which the program dies behind so many messages; None if it sends no more than that."""
    trial = deepcopy(trial)
    cluster = trial.cluster
    cluster.inject(KillAfter(PROGRAM, messages))
    trial.begin()
    cluster.run_until(lambda: trial.is_dead() or trial.is_done(), "the program's end")
    if not trial.is_dead():
        return None
    cluster.run_for(restart_after_ms).restart(PROGRAM).run_for(SETTLE_MS)
    return trial.outcome()


def tally(case: Case, seed: int = 1, restart_after_ms: float = 50.0, **settings: Any) -> Tally:
    """Let the program die before each of its messages; `settings` are those of `Trial`."""
    trial = Trial(case, seed, **settings)
    outcomes: list[Outcome] = []
    while (outcome := crashed(trial, len(outcomes), restart_after_ms)) is not None:
        outcomes.append(outcome)
    return Tally(case, tuple(outcomes))


def table(tallies: list[Tally]) -> str:
    """The runs of all cases, counted."""
    lines = [
        f"{RECORDS} records, two at a time. The program dies before each of its messages in turn, and begins again.",
        "",
        f"{'order':15} {'writes to':16} {'crashes':>8} {'runs that lost':>16} {'runs that doubled':>19}",
    ]
    lines += [
        f"{one.case.semantics:15} {one.case.writes_to:16} {len(one.outcomes):8} {one.runs_that_lost:16}"
        f" {one.runs_that_doubled:19}"
        for one in tallies
    ]
    return "\n".join(lines) + "\n"
