"""The reference: the parts this package is made of, where nobody has plugged in another."""

from __future__ import annotations

from kafkalite.clients.accumulator import Accumulator
from kafkalite.clients.cursor import Cursor
from kafkalite.clients.partitioner import StickyPartitioner, partition_for
from kafkalite.controller.elections import elect_leader
from kafkalite.controller.placement import assign_replicas
from kafkalite.log.memory import Log
from kafkalite.parts import Parts
from kafkalite.replication.high_watermark import high_watermark

REFERENCE = Parts(
    log=Log,
    cursor=Cursor,
    high_watermark=high_watermark,
    assign_replicas=assign_replicas,
    elect_leader=elect_leader,
    partition_for=partition_for,
    sticky_partitioner=StickyPartitioner,
    accumulator=Accumulator,
)
