"""How followers copy: one loop for each leader, over all partitions that are followed there.

    truncating   "where did my last epoch end?" (OffsetForLeaderEpoch), go back to where the histories part, perhaps ask
                 again (KIP-101, KIP-279); nothing is fetched before
    fetching     Fetch from the own end on, again and again: each fetch acknowledges all before it
    lost         the own end is outside the leader's log: ask where that ends (ListOffsets), and go back to it if it is
                 below (an unclean election); else ask where it begins, and begin anew there (retention was faster)

A partition with an error waits `replica.fetch.backoff.ms`, the others go on; when the connection breaks, all wait.

Source: Kafka's AbstractFetcherThread, ReplicaFetcherThread, RemoteLeaderEndPoint. Left out: several fetchers for one
leader, fetch sessions (KIP-227), throttling.
"""

from __future__ import annotations

from operator import is_

from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.log.errors import BatchRefused, CorruptBatch, StorageError
from kafkalite.node import Component, Node
from kafkalite.parts import Parts
from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData
from kafkalite.protocol.offsets import (
    EpochEndOffset,
    ListOffsetsPartition,
    ListOffsetsPartitionResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    ListOffsetsTopic,
    OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from kafkalite.replication.log_directory import LogDirectory
from kafkalite.replication.partition import Partition
from kafkalite.types import NodeName, TopicPartition, channel

LATEST, EARLIEST = -1, -2
TRUNCATING, FETCHING, LOST_END, LOST_START = "truncating", "fetching", "lost end", "lost start"
UNDEFINED = -1


class Followed:
    """A partition that is followed, in one epoch of its leader."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.leader_epoch = partition.leader_epoch
        self.state = TRUNCATING
        self.retry_at_ms = 0.0
        self.asked: object = None  # what was asked about it last; an answer to anything else is out of date

    def fetch_partition(self, max_bytes: int) -> FetchPartition:
        """What to ask for, the same object as long as it is the same."""
        log, asked = self.partition.log, self.asked
        end, start = log.log_end_offset, log.log_start_offset
        if type(asked) is FetchPartition and asked.fetch_offset == end and asked.log_start_offset == start:
            return asked
        new = self.asked = FetchPartition(self.partition.key[1], self.leader_epoch, end, start, max_bytes)
        return new


class Leader:
    """A broker that leads what is followed here."""

    def __init__(self, peer: NodeName) -> None:
        self.peer = peer
        self.followed: dict[TopicPartition, Followed] = {}
        self.is_asked = False  # a request is under way
        self.retry_at_ms = 0.0
        self.pieces: list[FetchPartition] = []  # of the last request
        self.request: FetchRequest | None = None


class Fetcher(Component):
    """The followers of this broker."""

    def __init__(self, node: Node, config: BrokerConfig, parts: Parts, logs: LogDirectory) -> None:
        super().__init__(node, "fetcher")
        self._config, self._parts, self._logs = config, parts, logs
        self._leaders: dict[NodeName, Leader] = {}
        self._leader_of: dict[TopicPartition, Leader] = {}

    # What is followed -----------------------------------------------------------------------------------------------

    def follow(self, partition: Partition, address: NodeName) -> None:
        """Copy the partition from its leader, from now on."""
        self.unfollow(partition.key)
        peer = channel(address, f"fetch{self._config.broker_id}")  # the leader may follow this broker in something else
        leader = self._leaders.get(peer)
        if leader is None:
            leader = self._leaders[peer] = Leader(peer)
        leader.followed[partition.key] = Followed(partition)
        leader.request = None
        self._leader_of[partition.key] = leader

    def unfollow(self, key: TopicPartition) -> None:
        """Copy it no longer; what is under way is not listened to."""
        leader = self._leader_of.pop(key, None)
        if leader is not None:
            del leader.followed[key]
            leader.request = None

    def unfollow_all(self) -> None:
        """Copy nothing."""
        for key in list(self._leader_of):
            self.unfollow(key)

    def go_on(self) -> None:
        """Ask the leaders that are not being asked; leave those of whom nothing is wanted any more."""
        for leader in list(self._leaders.values()):
            if leader.followed:
                self._ask(leader)
            else:
                del self._leaders[leader.peer]
                self.node.disconnect(leader.peer)

    def wake(self, key: TopicPartition) -> None:
        """The partition may be ready to be asked for again."""
        leader = self._leader_of.get(key)
        if leader is not None:
            self._ask(leader)

    # Asking ---------------------------------------------------------------------------------------------------------

    def _ask(self, leader: Leader) -> None:
        """The next request to the leader, if there is anything to ask and nothing under way."""
        now_ms = self.node.now_ms
        if leader.is_asked or not leader.followed:
            return
        if leader.retry_at_ms > now_ms:
            self._ask_again_at(leader, leader.retry_at_ms)
            return
        ready = [one for one in leader.followed.values() if one.retry_at_ms <= now_ms and not one.partition.is_flushing]
        request = self._question(ready) or self._fetch_request(leader, [one for one in ready if one.state == FETCHING])
        if request is not None:
            leader.is_asked = True
            self.node.request(leader.peer, request, self._config.replica_socket_timeout_ms)
            return
        later = [one.retry_at_ms for one in leader.followed.values() if one.retry_at_ms > now_ms]
        if later:
            self._ask_again_at(leader, min(later))

    def _question(self, ready: list[Followed]) -> OffsetForLeaderEpochRequest | ListOffsetsRequest | None:
        """What must be known before some of them can be fetched."""
        if all(one.state == FETCHING for one in ready):
            return None
        truncating = [one for one in ready if one.state == TRUNCATING]
        lost = [one for one in ready if one.state in (LOST_END, LOST_START)]
        return self._epochs_request(truncating) or self._offsets_request(lost)

    def _ask_again_at(self, leader: Leader, at_ms: float) -> None:
        self.set_timer(f"retry:{leader.peer}", at_ms - self.node.now_ms)

    def on_retry(self, peer: NodeName) -> None:
        leader = self._leaders.get(peer)
        if leader is not None:
            self._ask(leader)

    def _epochs_request(self, truncating: list[Followed]) -> OffsetForLeaderEpochRequest | None:
        topics: dict[str, list[OffsetForLeaderPartition]] = {}
        for one in truncating:
            epochs = one.partition.log.leader_epochs
            if not epochs:  # nothing was ever written here: there is no history that could part
                one.state = FETCHING
                continue
            topic, index = one.partition.key
            one.asked = OffsetForLeaderPartition(index, one.leader_epoch, epochs[-1].epoch)
            topics.setdefault(topic, []).append(one.asked)
        if not topics:
            return None
        asked = tuple(OffsetForLeaderTopic(topic, tuple(partitions)) for topic, partitions in topics.items())
        return OffsetForLeaderEpochRequest(self._config.broker_id, asked)

    def _offsets_request(self, lost: list[Followed]) -> ListOffsetsRequest | None:
        topics: dict[str, list[ListOffsetsPartition]] = {}
        for one in lost:
            topic, index = one.partition.key
            one.asked = ListOffsetsPartition(index, one.leader_epoch, LATEST if one.state == LOST_END else EARLIEST)
            topics.setdefault(topic, []).append(one.asked)
        if not topics:
            return None
        asked = tuple(ListOffsetsTopic(topic, tuple(partitions)) for topic, partitions in topics.items())
        return ListOffsetsRequest(self._config.broker_id, 0, asked)

    def _fetch_request(self, leader: Leader, fetching: list[Followed]) -> FetchRequest | None:
        config = self._config
        pieces = [one.fetch_partition(config.replica_fetch_max_bytes) for one in fetching]
        if leader.request is not None and len(pieces) == len(leader.pieces) and all(map(is_, pieces, leader.pieces)):
            return leader.request
        if not pieces:
            return None
        topics: dict[str, list[FetchPartition]] = {}
        for one, piece in zip(fetching, pieces, strict=True):
            topics.setdefault(one.partition.key[0], []).append(piece)
        leader.pieces = pieces
        leader.request = FetchRequest(
            replica_id=config.broker_id,
            max_wait_ms=config.replica_fetch_wait_max_ms,
            min_bytes=config.replica_fetch_min_bytes,
            max_bytes=config.replica_fetch_response_max_bytes,
            topics=tuple(FetchTopic(topic, tuple(partitions)) for topic, partitions in topics.items()),
        )
        return leader.request

    # Answers --------------------------------------------------------------------------------------------------------

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        leader = self._leaders.get(peer)
        if leader is not None and leader.is_asked:
            leader.is_asked = False
            leader.retry_at_ms = self.node.now_ms + self._config.replica_fetch_backoff_ms
            self._ask(leader)

    def _answered(self, source: NodeName, topic: str, index: int) -> Followed | None:
        """The partition that an answer is about, if it is still followed there in the epoch it was asked about in."""
        leader = self._leaders.get(source)
        one = leader.followed.get((topic, index)) if leader is not None else None
        return None if one is None or one.asked is None else one

    def _asked_and_answered(self, source: NodeName) -> None:
        leader = self._leaders.get(source)
        if leader is not None:
            leader.is_asked = False
            self._ask(leader)

    def on_fetch_response(self, source: NodeName, response: FetchResponse, request: FetchRequest) -> None:
        served: dict[TopicPartition, int] = {}
        try:
            for topic in response.responses:
                for data in topic.partitions:
                    one = self._answered(source, topic.topic, data.partition_index)
                    if one is not None:
                        self._take(one, data)
                        if data.records:
                            served[one.partition.key] = len(data.records)
        except StorageError as error:
            self._logs.fail(error)
        self._take_turns(served)
        self._asked_and_answered(source)

    def _take_turns(self, served: dict[TopicPartition, int]) -> None:
        """A response that was full may have left some out: next time, those who were served come last."""
        config = self._config
        if sum(served.values()) + config.replica_fetch_max_bytes > config.replica_fetch_response_max_bytes:
            for key in served:
                leader = self._leader_of.get(key)
                if leader is not None:
                    leader.followed[key] = leader.followed.pop(key)

    def _take(self, one: Followed, data: PartitionData) -> None:
        if data.error_code is ErrorCode.OFFSET_OUT_OF_RANGE:
            one.state = LOST_END
        elif data.error_code is not ErrorCode.NONE:
            self._put_off(one, data.error_code)
        else:
            try:
                if data.records and one.partition.append_fetched(data.records):
                    self._logs.write_recovery_points()
                one.partition.follow(data.high_watermark, data.log_start_offset)
            except (CorruptBatch, BatchRefused):  # what came is not what the leader has: fetch it again
                self._put_off(one, ErrorCode.CORRUPT_MESSAGE)

    def _put_off(self, one: Followed, error: ErrorCode) -> None:
        """An error: try later. Whoever is fenced is out of date, and waits for the controller's next word."""
        if error is ErrorCode.FENCED_LEADER_EPOCH:
            self.unfollow(one.partition.key)
        else:
            one.retry_at_ms = self.node.now_ms + self._config.replica_fetch_backoff_ms

    def on_offset_for_leader_epoch_response(
        self, source: NodeName, response: OffsetForLeaderEpochResponse, request: OffsetForLeaderEpochRequest
    ) -> None:
        try:
            was_cut = [
                self._truncate(one, end)
                for topic in response.topics
                for end in topic.partitions
                if (one := self._answered(source, topic.topic, end.partition)) is not None
            ]
            if any(was_cut):
                self._logs.write_recovery_points()
        except StorageError as error:
            self._logs.fail(error)
        self._asked_and_answered(source)

    def _truncate(self, one: Followed, end: EpochEndOffset) -> bool:
        """Go back as the leader's answer tells; return whether anything was cut off."""
        if end.error_code is not ErrorCode.NONE:
            self._put_off(one, end.error_code)
            return False
        partition = one.partition
        log = partition.log
        if end.end_offset == UNDEFINED:  # the leader knows no epoch at all: only what is committed is known to agree
            offset, is_done = log.high_watermark, True
        else:
            epochs = [(entry.epoch, entry.start_offset) for entry in log.leader_epochs]
            offset, is_done = self._parts.truncate_to(epochs, log.log_end_offset, (end.leader_epoch, end.end_offset))
        if is_done:
            one.state = FETCHING
        return partition.truncate(offset, f"epoch {end.leader_epoch} of the leader ends at {end.end_offset}")

    def on_list_offsets_response(
        self, source: NodeName, response: ListOffsetsResponse, request: ListOffsetsRequest
    ) -> None:
        try:
            was_cut = [
                self._find_again(one, found)
                for topic in response.topics
                for found in topic.partitions
                if (one := self._answered(source, topic.name, found.partition_index)) is not None
            ]
            if any(was_cut):
                self._logs.write_recovery_points()
        except StorageError as error:
            self._logs.fail(error)
        self._asked_and_answered(source)

    def _find_again(self, one: Followed, found: ListOffsetsPartitionResponse) -> bool:
        """The leader's log ends, or begins, there; return whether anything was cut off."""
        if found.error_code is not ErrorCode.NONE:
            self._put_off(one, found.error_code)
            return False
        partition = one.partition
        if one.state == LOST_END and found.offset >= partition.log.log_end_offset:
            one.state = LOST_START
            return False
        was_end_lost, one.state = one.state == LOST_END, FETCHING
        if was_end_lost:
            return partition.truncate(found.offset, f"the leader's log ends at {found.offset}")
        if found.offset <= partition.log.log_end_offset:
            return False
        partition.restart_at(found.offset, f"the leader's log begins at {found.offset}")
        return True
