"""What a run promises. A checker blames nobody for losing what was never promised.

The settings are those the run was made with: producers' own, and of topics what touches safety.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kafkalite.config import ProducerConfig
from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class TopicPromise:
    """A topic's settings that touch safety."""

    min_insync_replicas: int = 1
    unclean_leader_election_enable: bool = False
    is_compacted: bool = False  # its batches are rewritten on each replica by itself, and cannot be compared


@dataclass(frozen=True, slots=True)
class GroupPromise:
    """How a group's members behave. `zombie_max_ms`: within that, one that is out has noticed, whatever happened.

    `commits_behind_work`: they commit only what their programs are done with, as the automatic commit does.
    `is_broken`: their own code fails, and they may give up.
    """

    commits_behind_work: bool = True
    instances: tuple[str, ...] = ()  # of static members
    zombie_max_ms: float = 15_000
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Expectations:
    """Settings by topic and by producer; whoever is not named has the default of its kind.

    `disks_keep_everything`: a machine that loses power keeps what was not synced, or the run cuts no power. Otherwise a
    leader whose disk lost a committed record is no violation, as in Kafka, where to be committed is not to be synced.
    `groups`: those whose members announce all they do; of other groups, bookmarks are not judged.
    `reads_everything`: in the end, some consumer has read every partition from its beginning to its end.
    `foreign_prefix`: values that begin like this are written by somebody who announces nothing.
    `read_committed`: consumers that read with that isolation level; in the end they have read everything, too.
    `exactly_once`: for a topic that a program reads, the topic into which it writes each record once.
    `dispatched`: topics of which programs have something done outside for every record before the run ends; and whether
    whoever does it does nothing twice.
    `available_from_ms`: all faults are over; what is sent from then on is acknowledged before the run ends.
    """

    topic: TopicPromise = TopicPromise()
    topics: Mapping[str, TopicPromise] = field(default_factory=dict)
    producer: ProducerConfig = ProducerConfig()  # noqa: RUF009 - frozen
    producers: Mapping[NodeName, ProducerConfig] = field(default_factory=dict)
    groups: Mapping[str, GroupPromise] = field(default_factory=dict)
    replica_lag_time_max_ms: float = 30_000
    disks_keep_everything: bool = False
    reads_everything: bool = False
    foreign_prefix: bytes | None = None
    available_from_ms: float = float("inf")
    read_committed: frozenset[NodeName] = frozenset()
    exactly_once: Mapping[str, str] = field(default_factory=dict)
    dispatched: Mapping[str, bool] = field(default_factory=dict)

    def of_topic(self, topic: str) -> TopicPromise:
        """What this topic promises."""
        return self.topics.get(topic, self.topic)

    def of_producer(self, node: NodeName) -> ProducerConfig:
        """What this producer asked for."""
        return self.producers.get(node, self.producer)
