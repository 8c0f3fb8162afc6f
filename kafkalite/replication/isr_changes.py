"""How the ISR changes: the leader asks ZooKeeper to compare and set the partition's znode, and waits for the answer.

    answer             what the leader does
    OK                 the ISR is the new one
    BAD_VERSION        somebody else wrote: reads what is there. The same epoch: takes it. A newer one: its own time is
                       over, and the controller's order to it is on its way
    connection lost    it may have happened: reads what is there. The old version: asks for the same change again, which
                       does no harm, as only one of the two can find that version

Until there is an answer, whoever is in the old ISR or in the new one counts (the maximal ISR); a change is never given
up on a guess. One at a time for each partition.

What has changed is told to the controller too, some at a time, by a znode of its own (/isr_change_notification): it
tells all brokers, and they their clients.

Who lags is looked for every half `replica.lag.time.max.ms`, so a replica that stops is out after 1 to 1.5 times that.

Source: Kafka's Partition.maybeShrinkIsr, maybeExpandIsr, submitAlterPartition, ZkAlterPartitionManager; KIP-497.
"""

from __future__ import annotations

from collections.abc import Mapping

from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import (
    ISR_CHANGE_PREFIX,
    LeaderAndIsr,
    decode_partition_state,
    encode_isr_change,
    encode_partition_state,
    partition_state_path,
)
from kafkalite.facts import IsrChangeRefused, IsrExpandProposed, IsrShrinkProposed
from kafkalite.node import Component, Node
from kafkalite.protocol.zookeeper import CreateFlags, CreateRequest, GetDataRequest, SetDataRequest, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.replication.partition import Partition
from kafkalite.replication.ports import ZooKeeper
from kafkalite.types import TopicPartition

RETRY_MS = 250  # between two attempts to learn what became of a change
TELL_AFTER_MS = 2500  # changes so close together are told to the controller at once; Kafka's


class IsrChanges(Component):
    """Proposes changes of the ISR for the partitions that this broker leads, and takes in what becomes of them."""

    def __init__(
        self, node: Node, config: BrokerConfig, zk: ZooKeeper, partitions: Mapping[TopicPartition, Partition]
    ) -> None:
        super().__init__(node, "isr")
        self._zk, self._partitions = zk, partitions
        self._every_ms = config.replica_lag_time_max_ms / 2
        self._to_tell: dict[TopicPartition, None] = {}
        self._is_stopped = False

    def start(self) -> None:
        """Begin to look for who lags."""
        self.set_timer("shrink", self._every_ms)

    def stop(self) -> None:
        """Ask for nothing any more: the broker leaves the cluster."""
        self._is_stopped = True
        self.cancel_timer("shrink")
        self.cancel_timer("tell")

    def on_shrink(self) -> None:
        for partition in self._partitions.values():
            lagging = partition.lagging()
            if lagging:
                isr = partition.isr - lagging
                fact = IsrShrinkProposed(*partition.key, tuple(sorted(isr)), tuple(sorted(lagging)))
                self._propose(partition, isr, fact)
        self.set_timer("shrink", self._every_ms)

    def expand(self, partition: Partition, broker: int) -> None:
        """Propose a follower for the ISR, if it may join."""
        if partition.joining(broker):
            isr = partition.isr | {broker}
            self._propose(partition, isr, IsrExpandProposed(*partition.key, tuple(sorted(isr)), (broker,)))

    def _propose(self, partition: Partition, isr: frozenset[int], fact: IsrShrinkProposed | IsrExpandProposed) -> None:
        partition.propose(isr)
        self.node.note(fact)
        self._write(partition)

    def _write(self, partition: Partition) -> None:
        assert partition.proposed_isr is not None
        in_order = tuple(broker for broker in partition.replicas if broker in partition.proposed_isr)
        state = LeaderAndIsr(partition.me, partition.leader_epoch, in_order, partition.controller_epoch)
        path = partition_state_path(*partition.key)
        request = SetDataRequest(path, encode_partition_state(state), partition.zk_version)
        self._zk.ask(request, self._written, partition.key, partition.leader_epoch)

    def _waiting(self, key: TopicPartition, leader_epoch: int) -> Partition | None:
        """The partition, if it still waits for the answer to what it asked as leader of that epoch."""
        partition = self._partitions.get(key)
        if partition is None or not partition.is_leader or partition.leader_epoch != leader_epoch:
            return None
        return None if partition.proposed_isr is None else partition

    def _written(self, reply: Reply, request: SetDataRequest, key: TopicPartition, leader_epoch: int) -> None:
        partition = self._waiting(key, leader_epoch)
        if partition is None or partition.proposed_isr is None:
            return
        if reply.error is ZooKeeperError.OK:
            self._settle(partition, partition.proposed_isr, reply.message.stat.version)
        elif reply.error is ZooKeeperError.BAD_VERSION:
            self.node.note(IsrChangeRefused(*key, tuple(sorted(partition.proposed_isr)), partition.zk_version))
            self._find_out(partition)
        elif reply.error is not ZooKeeperError.NO_NODE:  # no znode: the topic is being deleted
            self.set_timer(f"find_out:{key[0]}-{key[1]}", RETRY_MS)

    def on_find_out(self, name: str) -> None:
        topic, _, index = name.rpartition("-")
        partition = self._partitions.get((topic, int(index)))
        if partition is not None and partition.is_leader and partition.proposed_isr is not None:
            self._find_out(partition)

    def _find_out(self, partition: Partition) -> None:
        request = GetDataRequest(partition_state_path(*partition.key))
        self._zk.ask(request, self._found, partition.key, partition.leader_epoch)

    def _found(self, reply: Reply, request: GetDataRequest, key: TopicPartition, leader_epoch: int) -> None:
        partition = self._waiting(key, leader_epoch)
        if partition is None:
            return
        if reply.error is ZooKeeperError.OK:
            path = partition_state_path(*key)
            state = decode_partition_state(path, reply.message.data, reply.message.stat)
            if state.leader_epoch != leader_epoch:
                return  # the maximal ISR stays until the controller says who leads now
            if state.zk_version == partition.zk_version:
                self._write(partition)
            else:
                self._settle(partition, frozenset(state.isr), state.zk_version)
        elif reply.error is not ZooKeeperError.NO_NODE:
            self.set_timer(f"find_out:{key[0]}-{key[1]}", RETRY_MS)

    # The controller hears of it -------------------------------------------------------------------------------------

    def _settle(self, partition: Partition, isr: frozenset[int], zk_version: int) -> None:
        partition.settle(isr, zk_version)
        self._tell_later(partition.key)

    def _tell_later(self, key: TopicPartition) -> None:
        if self._is_stopped:
            return
        if not self._to_tell:
            self.set_timer("tell", TELL_AFTER_MS)
        self._to_tell[key] = None

    def on_tell(self) -> None:
        """Tell the controller which ISRs have changed of late."""
        keys, self._to_tell = tuple(self._to_tell), {}
        request = CreateRequest(ISR_CHANGE_PREFIX, encode_isr_change(keys), flags=CreateFlags.SEQUENTIAL)
        self._zk.ask(request, self._told, keys)

    def _told(self, reply: Reply, request: CreateRequest, keys: tuple[TopicPartition, ...]) -> None:
        if reply.error is ZooKeeperError.CONNECTION_LOSS:  # told twice is better than not at all
            for key in keys:
                self._tell_later(key)
