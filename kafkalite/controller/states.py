"""Two automata, as tables: what becomes of a partition, and of a replica whose topic is deleted.

A table says what may follow what; anything absent is our own mistake and stops the run. Diagrams are drawn from them.

Left out: the states of a replica in daily life. A replica is online if its broker is, so nobody has to remember it.
Source: kafka.controller.PartitionStateMachine, ReplicaStateMachine, TopicDeletionManager.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar


class PartitionState(Enum):
    """Where a partition stands, in the controller's view."""

    NON_EXISTENT = "non-existent"
    NEW = "new"  # assigned to brokers, never had a leader: its state znode is not there yet
    ONLINE = "online"  # somebody leads it
    OFFLINE = "offline"  # it had a leader and has none


class PartitionEvent(Enum):
    """What happens to a partition."""

    CREATED = "created"
    LEADER_ELECTED = "leader elected"
    LEADER_LOST = "leader lost"
    DELETED = "deleted"


PARTITION_TRANSITIONS: Mapping[tuple[PartitionState, PartitionEvent], PartitionState] = {
    (PartitionState.NON_EXISTENT, PartitionEvent.CREATED): PartitionState.NEW,
    (PartitionState.NEW, PartitionEvent.LEADER_ELECTED): PartitionState.ONLINE,
    (PartitionState.NEW, PartitionEvent.LEADER_LOST): PartitionState.OFFLINE,  # a new controller finds it without
    (PartitionState.ONLINE, PartitionEvent.LEADER_ELECTED): PartitionState.ONLINE,
    (PartitionState.ONLINE, PartitionEvent.LEADER_LOST): PartitionState.OFFLINE,
    (PartitionState.OFFLINE, PartitionEvent.LEADER_ELECTED): PartitionState.ONLINE,
    (PartitionState.OFFLINE, PartitionEvent.LEADER_LOST): PartitionState.OFFLINE,
    (PartitionState.NEW, PartitionEvent.DELETED): PartitionState.NON_EXISTENT,
    (PartitionState.ONLINE, PartitionEvent.DELETED): PartitionState.NON_EXISTENT,
    (PartitionState.OFFLINE, PartitionEvent.DELETED): PartitionState.NON_EXISTENT,
}


class DeletionState(Enum):
    """Where a replica of a topic that is being deleted stands."""

    WAITING = "waiting"  # its broker is dead: the topic stays until it is back
    STARTED = "started"  # its broker was told
    SUCCESSFUL = "successful"  # its files are gone


class DeletionEvent(Enum):
    """What happens to such a replica."""

    BROKER_TOLD = "broker told"
    BROKER_DIED = "broker died"
    FILES_DELETED = "files deleted"
    REFUSED = "refused"  # by a disk that does not obey; tried again when the broker comes back


DELETION_TRANSITIONS: Mapping[tuple[DeletionState, DeletionEvent], DeletionState] = {
    (DeletionState.WAITING, DeletionEvent.BROKER_TOLD): DeletionState.STARTED,
    (DeletionState.WAITING, DeletionEvent.BROKER_DIED): DeletionState.WAITING,
    (DeletionState.STARTED, DeletionEvent.FILES_DELETED): DeletionState.SUCCESSFUL,
    (DeletionState.STARTED, DeletionEvent.BROKER_DIED): DeletionState.WAITING,
    (DeletionState.STARTED, DeletionEvent.REFUSED): DeletionState.WAITING,
    (DeletionState.SUCCESSFUL, DeletionEvent.BROKER_DIED): DeletionState.SUCCESSFUL,
}

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)


def after(table: Mapping[tuple[State, Event], State], state: State, event: Event) -> State:
    """The next state; an AssertionError where the table has none.

    >>> after(PARTITION_TRANSITIONS, PartitionState.ONLINE, PartitionEvent.LEADER_LOST).name
    'OFFLINE'
    """
    following = table.get((state, event))
    assert following is not None, f"{state.value!r} does not know the event {event.value!r}"
    return following
