"""All replicas of one broker, and what they share: the disk, the fetcher, the changes of ISRs, the waiting requests.

A broker leads or follows nothing by itself: a controller tells it, by LeaderAndIsr and StopReplica. It obeys an order
about a partition unless it knows a newer leader epoch.

Source: Kafka's ReplicaManager.becomeLeaderOrFollower, stopReplicas. Left out: reassignment, JBOD, KRaft's deltas.
"""

from __future__ import annotations

from collections.abc import Callable

from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import ControllerRequestRefused
from kafkalite.log.errors import StorageError
from kafkalite.node import Component, Node
from kafkalite.parts import Parts
from kafkalite.protocol.inter_broker import (
    LeaderAndIsrPartitionError,
    LeaderAndIsrPartitionState,
    LeaderAndIsrRequest,
    LeaderAndIsrResponse,
    StopReplicaPartitionError,
    StopReplicaPartitionState,
    StopReplicaRequest,
    StopReplicaResponse,
)
from kafkalite.replication.fetcher import Fetcher
from kafkalite.replication.isr_changes import IsrChanges
from kafkalite.replication.log_directory import LogDirectory
from kafkalite.replication.partition import Partition
from kafkalite.replication.ports import ClusterView, ZooKeeper
from kafkalite.replication.purgatory import Purgatories
from kafkalite.types import NodeName, TopicPartition, address

NO_EPOCH = -1  # a StopReplica that says no epoch, and (-2) one of a topic that is deleted, are always obeyed


class ReplicaManager(Component):
    """The replicas of this broker, by topic and partition."""

    def __init__(self, node: Node, config: BrokerConfig, zk: ZooKeeper, parts: Parts, cluster: ClusterView) -> None:
        super().__init__(node, "replicas")
        self._config, self.parts, self.cluster = config, parts, cluster
        self.partitions: dict[TopicPartition, Partition] = {}
        self.logs = LogDirectory(node, config, cluster)
        self.waiting = Purgatories(node)
        self.fetcher = Fetcher(node, config, parts, self.logs)
        self.isr = IsrChanges(node, config, zk, self.partitions)
        self._on_disk_failure: Callable[[], None] | None = None
        self.watchers: dict[str, Callable[[TopicPartition], None]] = {}  # topic -> whom to tell of its changes, too

    def start(self, on_disk_failure: Callable[[], None] | None = None) -> None:
        """Open the logs, and begin to look after them; `on_disk_failure()` is called once, if they ever go offline."""
        self._on_disk_failure = on_disk_failure
        self.logs.start(self._disk_failed)
        self.isr.start()

    def partition(self, topic: str, index: int) -> Partition | None:
        """The replica here, if a controller has said what it is."""
        return self.partitions.get((topic, index))

    def unknown(self, topic: str, index: int) -> ErrorCode:
        """Why there is no such replica here: it is elsewhere, or nowhere, or on a disk that failed."""
        if self.logs.is_offline:
            return ErrorCode.KAFKA_STORAGE_ERROR
        is_elsewhere = self.cluster.is_known(topic, index)
        return ErrorCode.NOT_LEADER_OR_FOLLOWER if is_elsewhere else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION

    # What changes ---------------------------------------------------------------------------------------------------

    def changed(self, key: TopicPartition) -> None:
        """A partition has changed: answer what waited for that, and go on copying if that waited."""
        self.waiting.check(key)
        self.fetcher.wake(key)
        if key[0] in self.watchers:
            self.watchers[key[0]](key)

    def fetched(self, partition: Partition, broker: int, fetch_offset: int, log_start: int) -> None:
        """A follower has fetched: it may join the ISR, and the watermark may move."""
        has_moved = partition.fetched(broker, fetch_offset, log_start)
        if broker not in partition.maximal_isr:
            self.isr.expand(partition, broker)
        if has_moved and partition.advance_high_watermark():
            self.changed(partition.key)
        elif has_moved:  # its log may begin later than before
            self.waiting.deletes.check(partition.key)

    def settings_changed(self, topic: str) -> None:
        """The topic has other settings now."""
        settings = self.cluster.topic_settings(topic)
        for key, partition in self.partitions.items():
            if key[0] == topic:
                partition.configure(settings)
                if partition.is_leader and partition.advance_high_watermark():
                    self.changed(key)

    def _disk_failed(self) -> None:
        self.isr.stop()
        self.fetcher.unfollow_all()
        for partition in self.partitions.values():
            partition.resign(is_offline=True)
        if self._on_disk_failure is not None:
            self._on_disk_failure()

    # What the controller says ---------------------------------------------------------------------------------------

    def become(self, request: LeaderAndIsrRequest) -> LeaderAndIsrResponse:
        """Lead and follow, as told. Whoever calls this has checked the controller's epoch and the broker's."""
        addresses = {broker.broker_id: address(broker.host_name, broker.port) for broker in request.live_leaders}
        errors = tuple(
            LeaderAndIsrPartitionError(
                topic.topic_name,
                state.partition_index,
                self._become((topic.topic_name, state.partition_index), state, addresses),
            )
            for topic in request.topic_states
            for state in topic.partition_states
        )
        self.fetcher.go_on()
        return LeaderAndIsrResponse(ErrorCode.NONE, errors)

    def _become(
        self, key: TopicPartition, state: LeaderAndIsrPartitionState, addresses: dict[int, NodeName]
    ) -> ErrorCode:
        if self.logs.is_offline:
            return ErrorCode.KAFKA_STORAGE_ERROR
        if self._config.broker_id not in state.replicas:
            return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        known = self.partitions.get(key)
        if known is not None and state.leader_epoch <= known.leader_epoch:
            return self._refuse(state.leader_epoch, known)
        try:
            partition = known or self._open(key)
            self._turn(partition, state, addresses)
        except StorageError as error:
            self.logs.fail(error)
            return ErrorCode.KAFKA_STORAGE_ERROR
        return ErrorCode.NONE

    def _refuse(self, leader_epoch: int, known: Partition) -> ErrorCode:
        if leader_epoch == known.leader_epoch:  # said twice: it is so already
            return ErrorCode.NONE
        error = ErrorCode.STALE_CONTROLLER_EPOCH
        self.node.note(ControllerRequestRefused("LeaderAndIsr", error.name))
        return error

    def _open(self, key: TopicPartition) -> Partition:
        partition = Partition(self.node, self._config, self.parts, key, self.logs.log_of(key), self.changed)
        self.partitions[key] = partition
        return partition

    def _turn(self, partition: Partition, state: LeaderAndIsrPartitionState, addresses: dict[int, NodeName]) -> None:
        settings = self.cluster.topic_settings(partition.key[0])
        self.fetcher.unfollow(partition.key)
        if state.leader == self._config.broker_id:
            partition.become_leader(state, settings)
            return
        partition.become_follower(state, settings)
        found = addresses.get(state.leader) or self.cluster.address_of(state.leader)
        if found is not None:
            self.fetcher.follow(partition, found)

    def stop(self, request: StopReplicaRequest) -> StopReplicaResponse:
        """Neither lead nor follow, as told, and perhaps delete the files."""
        errors = tuple(
            StopReplicaPartitionError(
                topic.topic_name, state.partition_index, self._stop((topic.topic_name, state.partition_index), state)
            )
            for topic in request.topic_states
            for state in topic.partition_states
        )
        self.fetcher.go_on()
        return StopReplicaResponse(ErrorCode.NONE, errors)

    def _stop(self, key: TopicPartition, state: StopReplicaPartitionState) -> ErrorCode:
        if self.logs.is_offline:
            return ErrorCode.KAFKA_STORAGE_ERROR
        partition = self.partitions.get(key)
        if partition is not None:
            if NO_EPOCH < state.leader_epoch < partition.leader_epoch:
                return ErrorCode.FENCED_LEADER_EPOCH
            self.fetcher.unfollow(key)
            partition.resign()
        if state.delete_partition:
            self.partitions.pop(key, None)
            try:
                self.logs.delete(key)
            except StorageError as error:
                self.logs.fail(error)
                return ErrorCode.KAFKA_STORAGE_ERROR
        return ErrorCode.NONE

    def close(self, then: Callable[[], None]) -> None:
        """Stop in order: answer what waits, bring everything to the disk and say so there, then call `then()`."""
        self.isr.stop()
        self.fetcher.unfollow_all()
        self.fetcher.go_on()
        for partition in self.partitions.values():
            partition.resign()
        self.logs.close(then)
