"""The reference: the parts this package is made of, where nobody has plugged in another."""

from __future__ import annotations

from kafkalite.clients.accumulator import Accumulator
from kafkalite.clients.cursor import Cursor
from kafkalite.clients.partitioner import StickyPartitioner, partition_for
from kafkalite.controller.elections import elect_leader
from kafkalite.controller.placement import assign_replicas
from kafkalite.coordination.quorum import quorum
from kafkalite.groups.assignors import range_assign, round_robin_assign
from kafkalite.groups.cooperative import reconcile
from kafkalite.groups.group import Group
from kafkalite.groups.offsets import Offsets
from kafkalite.groups.sticky import sticky_assign
from kafkalite.log.memory import Log
from kafkalite.log.stable import last_stable_offset
from kafkalite.parts import Parts
from kafkalite.replication.high_watermark import high_watermark, readable_end
from kafkalite.replication.isr import enough_replicas, lagging, may_join, progress
from kafkalite.replication.read_replica import read_replica
from kafkalite.replication.truncation import truncate_to
from kafkalite.transactions.states import next_state
from kafkalite.transactions.transaction import fenced

REFERENCE = Parts(
    log=Log,
    cursor=Cursor,
    high_watermark=high_watermark,
    readable_end=readable_end,
    progress=progress,
    lagging=lagging,
    may_join=may_join,
    enough_replicas=enough_replicas,
    truncate_to=truncate_to,
    read_replica=read_replica,
    assign_replicas=assign_replicas,
    elect_leader=elect_leader,
    partition_for=partition_for,
    sticky_partitioner=StickyPartitioner,
    accumulator=Accumulator,
    quorum=quorum,
    range_assign=range_assign,
    round_robin_assign=round_robin_assign,
    sticky_assign=sticky_assign,
    reconcile=reconcile,
    group=Group,
    offsets=Offsets,
    fenced=fenced,
    transaction_state=next_state,
    last_stable_offset=last_stable_offset,
)
