"""What a controller knows of its cluster: a copy of what stands in ZooKeeper, read at its election and kept up since.

Whatever a decision rests on and brokers can change too, the ISR, is read again before deciding; the copy is for
answering brokers, and for finding what a change concerns.

Source: kafka.controller.ControllerContext.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kafkalite.controller.replica_assignment import ReplicaAssignment
from kafkalite.controller.states import PARTITION_TRANSITIONS, PartitionEvent, PartitionState, after
from kafkalite.controller.znodes import NO_LEADER, LeaderAndIsr, LiveBroker
from kafkalite.types import TopicPartition


@dataclass(frozen=True, slots=True)
class Office:
    """The office of controller as this broker won it. `epoch_version` is the version of /controller_epoch then."""

    epoch: int
    epoch_version: int


class Context:
    """The cluster in the controller's view.

    Invariants: `leadership` has no partition that `topics` has not; a partition is ONLINE if and only if its leadership
    names a leader; who is shutting down is alive; what `moving` has of a partition is what `topics` has of it.
    """

    def __init__(self, office: Office) -> None:
        self.office = office
        self.brokers: dict[int, LiveBroker] = {}  # alive, those that are about to stop included
        self.shutting_down: set[int] = set()
        self.topics: dict[str, dict[int, list[int]]] = {}  # the brokers of each partition
        self.leadership: dict[TopicPartition, LeaderAndIsr] = {}
        self.states: dict[TopicPartition, PartitionState] = {}
        self.moving: dict[TopicPartition, ReplicaAssignment] = {}  # those that are on their way to other brokers
        self.deleting: dict[str, None] = {}  # topics that are to go, in the order in which we heard of it

    def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        assert self.shutting_down <= self.brokers.keys()
        assert self.leadership.keys() <= self.states.keys()
        assert all(one.is_moving and self.brokers_of(at) == [*one.replicas] for at, one in self.moving.items())
        for partition, state in self.states.items():
            found = self.leadership.get(partition)
            assert (state is PartitionState.ONLINE) == (found is not None and found.leader != NO_LEADER), partition

    # Brokers --------------------------------------------------------------------------------------------------------

    @property
    def live(self) -> frozenset[int]:
        """Who may be elected: the live brokers that are not about to stop."""
        return frozenset(self.brokers.keys() - self.shutting_down)

    def racks(self) -> dict[int, str | None]:
        """The rack of each live broker."""
        return {broker.id: broker.rack for broker in self.brokers.values()}

    # Partitions -----------------------------------------------------------------------------------------------------

    def partitions(self) -> Iterator[tuple[TopicPartition, list[int]]]:
        """Every partition and its brokers, by topic and number."""
        for topic in sorted(self.topics):
            for index, brokers in self.topics[topic].items():
                yield (topic, index), brokers

    def brokers_of(self, partition: TopicPartition) -> list[int]:
        """Which brokers hold it, the preferred leader first; none if it is gone meanwhile."""
        topic, index = partition
        return self.topics.get(topic, {}).get(index, [])

    def assignment_of(self, partition: TopicPartition) -> ReplicaAssignment:
        """Its brokers, and who of them comes and goes."""
        return self.moving.get(partition) or ReplicaAssignment(tuple(self.brokers_of(partition)))

    def place(self, partition: TopicPartition, one: ReplicaAssignment) -> None:
        """A partition that is known is held by these."""
        topic, index = partition
        self.topics[topic][index] = list(one.replicas)
        if one.is_moving:
            self.moving[partition] = one
        else:
            self.moving.pop(partition, None)

    def partitions_on(self, brokers: Iterable[int]) -> list[TopicPartition]:
        """What these brokers hold, but for topics that are to go."""
        wanted = frozenset(brokers)
        return [
            partition
            for partition, replicas in self.partitions()
            if partition[0] not in self.deleting and not wanted.isdisjoint(replicas)
        ]

    def without_leader(self) -> list[TopicPartition]:
        """Partitions that are new or offline, but for topics that are to go."""
        return [
            partition
            for partition, _ in self.partitions()
            if self.states[partition] is not PartitionState.ONLINE and partition[0] not in self.deleting
        ]

    def leader_of(self, partition: TopicPartition) -> int:
        """Who leads it; -1: nobody."""
        found = self.leadership.get(partition)
        return NO_LEADER if found is None else found.leader

    def add(self, partition: TopicPartition, brokers: list[int]) -> None:
        """A partition that was not known: new, until its state is known too."""
        topic, index = partition
        self.topics.setdefault(topic, {})[index] = brokers
        self._move(partition, PartitionEvent.CREATED)

    def learn(self, partition: TopicPartition, state: LeaderAndIsr) -> None:
        """The partition's znode says this."""
        self.leadership[partition] = state
        is_led = state.leader != NO_LEADER
        self._move(partition, PartitionEvent.LEADER_ELECTED if is_led else PartitionEvent.LEADER_LOST)

    def forget_topic(self, topic: str) -> None:
        """The topic is gone."""
        for index in self.topics.pop(topic, {}):
            self._move((topic, index), PartitionEvent.DELETED)
            self.leadership.pop((topic, index), None)
            del self.states[topic, index]
            self.moving.pop((topic, index), None)
        self.deleting.pop(topic, None)

    def _move(self, partition: TopicPartition, event: PartitionEvent) -> None:
        state = self.states.get(partition, PartitionState.NON_EXISTENT)
        self.states[partition] = after(PARTITION_TRANSITIONS, state, event)
