"""An operator who ends transactions that hang: open in a partition, and no coordinator knows of them any more.

Where disks lose what was committed, a partition may lose the marker that its coordinator believes written, or the
coordinator its log. Nobody will ever end such a transaction, and whoever reads with `read_committed` waits for ever.
Kafka's tool for it is `kafka-transactions.sh abort`, with the producer's id and epoch: it asks the leader for a marker,
as coordinators do (KIP-664). Ids and epochs are what coordinators have said; on brokers that do not describe producers
an operator reads them from the logs.

Left out: finding what hangs (`find-hanging`, DescribeProducers). When nobody writes any more, and coordinators have had
the time to end what they know of, all that is open hangs; and to abort what is not open changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kafkalite.facts import MarkerWritten, ProducerIdentified, TransactionFenced, TransactionTurned
from kafkalite.protocol.inter_broker import WritableTxnMarker, WritableTxnMarkerTopic, WriteTxnMarkersRequest
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.prober import Prober
from kafkalite.types import NodeName, TopicPartition

NAME = "ender"
RETRY_MS = 500.0


class Ender:
    """The operator. It hears from the beginning who writes in transactions; `end` ends what is open."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._asked = cluster, 0
        self._epochs: dict[int, int] = {}  # producer id -> the highest it ever had
        self._coordinator_epochs: dict[int, int] = {}  # producer id -> the highest in a marker for it
        cluster.sim.observers.append(self._observe)

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        if isinstance(fact, (ProducerIdentified, TransactionTurned, TransactionFenced, MarkerWritten)):
            self._epochs[fact.producer_id] = max(fact.epoch, self._epochs.get(fact.producer_id, 0))
        if isinstance(fact, MarkerWritten):
            known = self._coordinator_epochs.get(fact.producer_id, 0)
            self._coordinator_epochs[fact.producer_id] = max(fact.coordinator_epoch, known)

    def end(self, partitions: Iterable[TopicPartition], timeout_ms: float) -> None:
        """Abort whatever is open there. Nobody writes, and what coordinators know of they have ended."""
        if NAME not in self._cluster.sim.nodes:
            self._cluster.join(Prober, NAME)
        for partition in partitions:
            end_ms = self._cluster.now_ms + timeout_ms
            while not self._is_ended(partition, end_ms - self._cluster.now_ms):
                self._cluster.run_for(RETRY_MS)  # it is led elsewhere by then

    def _is_ended(self, partition: TopicPartition, timeout_ms: float) -> bool:
        """Ask its leader once; whether that has written the markers, and all in sync have them."""
        cluster, topics = self._cluster, (WritableTxnMarkerTopic(partition[0], (partition[1],)),)
        markers = tuple(
            WritableTxnMarker(one, epoch, False, topics, self._coordinator_epochs.get(one, 0))
            for one, epoch in sorted(self._epochs.items())
        )
        self._asked += 1
        asked = NAME, self._asked
        broker = cluster.view.leaders[partition].broker
        cluster.call(NAME, "probe", self._asked, broker, WriteTxnMarkersRequest(markers))
        cluster.run_until(
            lambda: asked in cluster.view.answers, f"an answer about what hangs in {partition}", timeout_ms
        )
        return cluster.view.answers[asked].error == "NONE"
