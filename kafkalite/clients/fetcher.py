"""How a consumer gets its records: one Fetch a broker at a time, each for all partitions that are read there.

A partition is read from its leader, or from a replica nearer by that the leader names (KIP-392). It is asked for again
when what it brought has been handed over. A broker with nothing to give keeps the request until there is something, so
asking again at once is no storm.

    FETCHING          Fetch                  from the leader, or the replica it named
    AWAIT_RESET       ListOffsets            from the leader
    AWAIT_VALIDATION  OffsetForLeaderEpoch   from the new leader

Whatever goes wrong costs one partition a wait that grows, and a look whether the metadata are old. An answer to a
question that `seek` has overtaken is ignored.

Left out: fetch sessions (KIP-227), and fetching more while there is something to hand over.
Source: Fetcher, OffsetFetcher, OffsetsForLeaderEpochClient.
"""

from __future__ import annotations

from typing import Any, Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.discovery import OLD_METADATA, Discovery
from kafkalite.clients.fetched import read_fetched
from kafkalite.clients.position import POLICIES, Happening, Position, State
from kafkalite.config import ClientConfig, ConsumerConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import PollFailed, PositionReset, RecordsPolled
from kafkalite.log.errors import CorruptBatch
from kafkalite.node import Component, Node
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
from kafkalite.types import NodeName, TopicPartition

CONSUMER = -1  # the replica id of whoever is none


class Listener(Protocol):
    """Who is told that there are records to hand over."""

    def on_fetched(self) -> None: ...


class Fetcher(Component):
    """The positions of a consumer, and the requests for them."""

    def __init__(
        self, node: Node, discovery: Discovery, configs: tuple[ClientConfig, ConsumerConfig], listener: Listener
    ) -> None:
        super().__init__(node, "fetcher")
        self.positions: dict[TopicPartition, Position] = {}
        self._client, self._config = configs
        self._discovery, self._listener = discovery, listener
        self._fetching: set[NodeName] = set()  # brokers with a Fetch in the works

    def assign(self, partition: TopicPartition, offset: int | None) -> None:
        """Read this partition, too, from an offset; -1 the end, -2 the beginning, None as the policy says."""
        position = self.positions[partition] = Position(partition)
        self._discovery.want((partition[0],))
        if offset is None:
            self._reset(position, ErrorCode.NONE)
        else:
            self.seek(partition, offset)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on from an offset; -1 the end, -2 the beginning."""
        position = self.positions[partition]
        if offset >= 0:
            position.seek(offset)
            self.node.note(PositionReset(*partition, offset, "sought"))
        else:
            position.look_up(offset, "sought")

    def pump(self) -> None:
        """Ask for whatever is needed and may be asked now."""
        questions: dict[tuple[State, NodeName], list[Position]] = {}
        wakes_ms: list[float] = []
        for position in self.positions.values():
            if position.asked_with is not None or position.state is State.STUCK:
                continue
            if position.retry_at_ms > self.node.now_ms:
                wakes_ms.append(position.retry_at_ms)
                continue
            self._look_for_a_new_leader(position)
            is_fetch = position.state is State.FETCHING
            if is_fetch and (position.is_paused or position.buffer):
                continue
            peer = self._peer_for(position)
            if peer is not None and not (is_fetch and peer in self._fetching):
                questions.setdefault((position.state, peer), []).append(position)
        for (state, peer), positions in questions.items():
            self._ask(state, peer, positions)
        if wakes_ms:
            self.set_timer("retry", min(wakes_ms) - self.node.now_ms)

    def on_retry(self) -> None:
        """Something may be asked again."""
        self.pump()

    def _look_for_a_new_leader(self, position: Position) -> None:
        leader = self._discovery.view.leader(*position.partition)
        if leader is None or leader.leader_epoch <= position.leader_epoch:
            return
        position.leader_epoch = leader.leader_epoch
        if position.offset_epoch >= 0 and position.state in (State.FETCHING, State.AWAIT_VALIDATION):
            position.happened(Happening.NEW_LEADER)

    def _peer_for(self, position: Position) -> NodeName | None:
        if position.state is State.FETCHING and position.read_replica >= 0:
            peer = self._discovery.view.brokers.get(position.read_replica)
            is_good = position.read_replica_until_ms > self.node.now_ms
            if is_good and peer is not None and self._discovery.is_reachable(peer):
                return peer
            position.read_replica = -1
        return self._discovery.leader_of(*position.partition)

    # Questions ------------------------------------------------------------------------------------------------------

    def _ask(self, state: State, peer: NodeName, positions: list[Position]) -> None:
        by_topic: dict[str, list[Position]] = {}
        for position in positions:
            by_topic.setdefault(position.partition[0], []).append(position)
        timeout_ms = self._client.request_timeout_ms
        request: Any
        if state is State.FETCHING:
            request = self._fetch(by_topic)
            self._fetching.add(peer)
        elif state is State.AWAIT_RESET:
            asked = [ListOffsetsTopic(topic, tuple(map(_by_time, ones))) for topic, ones in by_topic.items()]
            request = ListOffsetsRequest(CONSUMER, self._isolation, tuple(asked))
        else:
            ends = [OffsetForLeaderTopic(topic, tuple(map(_by_epoch, ones))) for topic, ones in by_topic.items()]
            request = OffsetForLeaderEpochRequest(CONSUMER, tuple(ends))
        for position in positions:
            position.asked_with = request
        self.node.request(peer, request, timeout_ms=timeout_ms)

    @property
    def _isolation(self) -> int:
        return int(self._config.isolation_level == "read_committed")

    def _fetch(self, by_topic: dict[str, list[Position]]) -> FetchRequest:
        config = self._config
        topics = tuple(
            FetchTopic(
                topic,
                tuple(
                    FetchPartition(
                        partition=one.partition[1],
                        current_leader_epoch=one.leader_epoch,
                        fetch_offset=one.offset,
                        partition_max_bytes=config.max_partition_fetch_bytes,
                    )
                    for one in ones
                ),
            )
            for topic, ones in by_topic.items()
        )
        return FetchRequest(
            replica_id=CONSUMER,
            max_wait_ms=config.fetch_max_wait_ms,
            min_bytes=config.fetch_min_bytes,
            max_bytes=config.fetch_max_bytes,
            isolation_level=self._isolation,
            topics=topics,
            rack_id=self._client.client_rack,
        )

    def _asked(self, topic: str, partition: int, request: Any) -> Position | None:
        """The position that still waits for this answer."""
        position = self.positions.get((topic, partition))
        if position is None or position.asked_with is not request:
            return None
        position.asked_with = None
        return position

    # Answers --------------------------------------------------------------------------------------------------------

    def on_fetch_response(self, source: NodeName, response: FetchResponse, request: FetchRequest) -> None:
        """Take what came; the listener hands it over."""
        self._discovery.heard(source)
        self._fetching.discard(source)
        for topic in response.responses:
            for data in topic.partitions:
                position = self._asked(topic.topic, data.partition_index, request)
                if position is not None:
                    self._take(position, data)
        self._free(request, ErrorCode.of(response.error_code))
        self._listener.on_fetched()
        self.pump()

    def _take(self, position: Position, data: PartitionData) -> None:
        error = ErrorCode.of(data.error_code)
        if error == ErrorCode.OFFSET_OUT_OF_RANGE and position.read_replica >= 0:
            self._rest(position, error)  # that replica may lag; the leader knows whether the offset is there
        elif error == ErrorCode.OFFSET_OUT_OF_RANGE:
            self._reset(position, error)
        elif error != ErrorCode.NONE:
            self._rest(position, error)
        elif data.preferred_read_replica >= 0:
            position.read_replica = data.preferred_read_replica
            position.read_replica_until_ms = self.node.now_ms + self._client.metadata_max_age_ms
        else:
            self._read(position, data)

    def _read(self, position: Position, data: PartitionData) -> None:
        aborted = None
        if self._isolation:
            aborted = [(one.producer_id, one.first_offset) for one in data.aborted_transactions or ()]
        try:
            found = read_fetched(data.records or b"", position.offset, aborted, check_crcs=self._config.check_crcs)
        except CorruptBatch as error:
            self.node.note(PollFailed(*position.partition, position.offset, str(error)))
            self._rest(position, ErrorCode.CORRUPT_MESSAGE)
            return
        position.failures = 0
        position.fetched_to = found.next_offset
        position.buffer.extend(found.records)
        if found.leader_epoch >= 0:
            position.offset_epoch = found.leader_epoch
            # Whoever brought something goes to the end of the line: the next response may have no room for all.
            self.positions[position.partition] = self.positions.pop(position.partition)
        if not found.records and found.next_offset > position.offset:
            position.offset = found.next_offset
            self.node.note(RecordsPolled(*position.partition, (), (), position.offset))

    def on_list_offsets_response(
        self, source: NodeName, response: ListOffsetsResponse, request: ListOffsetsRequest
    ) -> None:
        """Begin where the leader says."""
        self._discovery.heard(source)
        for topic in response.topics:
            for one in topic.partitions:
                position = self._asked(topic.name, one.partition_index, request)
                if position is not None:
                    self._found(position, one)
        self._free(request, ErrorCode.UNKNOWN_SERVER_ERROR)
        self.pump()

    def _found(self, position: Position, found: ListOffsetsPartitionResponse) -> None:
        error = ErrorCode.of(found.error_code)
        if error != ErrorCode.NONE:
            self._rest(position, error)
        elif found.offset < 0:  # nothing is that young: the next record will be
            position.look_up(POLICIES["latest"], position.reason)
        else:
            reason = position.reason
            position.seek(found.offset, found.leader_epoch)
            self.node.note(PositionReset(*position.partition, found.offset, reason))

    def on_offset_for_leader_epoch_response(
        self, source: NodeName, response: OffsetForLeaderEpochResponse, request: OffsetForLeaderEpochRequest
    ) -> None:
        """Go on, if the new leader has what was read; else where its log parts from that."""
        self._discovery.heard(source)
        for topic in response.topics:
            for one in topic.partitions:
                position = self._asked(topic.topic, one.partition, request)
                if position is not None:
                    self._validated(position, one)
        self._free(request, ErrorCode.UNKNOWN_SERVER_ERROR)
        self.pump()

    def _validated(self, position: Position, answer: EpochEndOffset) -> None:
        error = ErrorCode.of(answer.error_code)
        if error != ErrorCode.NONE:
            self._rest(position, error)
        elif answer.end_offset < 0:  # the leader knows no epoch that old
            self._reset(position, ErrorCode.OFFSET_OUT_OF_RANGE)
        elif answer.end_offset < position.offset:
            position.seek(answer.end_offset, answer.leader_epoch)
            self.node.note(PositionReset(*position.partition, answer.end_offset, "truncated"))
        else:
            position.happened(Happening.VALIDATED)

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        """What was asked there will not be answered; reading changes nothing, so ask again."""
        self._fetching.discard(peer)
        for request in requests:
            self._free(request, ErrorCode.NETWORK_EXCEPTION)
        self.pump()

    def _free(self, request: object, error: ErrorCode) -> None:
        """Positions of a request that its answer does not mention, or that has none, wait a while."""
        for position in self.positions.values():
            if position.asked_with is request:
                position.asked_with = None
                self._rest(position, ErrorCode.UNKNOWN_SERVER_ERROR if error == ErrorCode.NONE else error)

    # What goes wrong ------------------------------------------------------------------------------------------------

    def _reset(self, position: Position, error: ErrorCode) -> None:
        """There is no position, or no such offset: choose one, if the program lets us."""
        policy = self._config.auto_offset_reset
        if policy in POLICIES:
            position.look_up(POLICIES[policy], policy if error == ErrorCode.NONE else f"out of range: {policy}")
        else:
            said = error.name if error != ErrorCode.NONE else "NO_OFFSET_FOR_PARTITION"
            self.node.note(PollFailed(*position.partition, position.offset, said))
            position.give_up()

    def _rest(self, position: Position, error: ErrorCode) -> None:
        if error in OLD_METADATA:
            self._discovery.refresh(error.name)
        position.read_replica = -1
        position.failures += 1
        least_ms, most_ms = self._client.retry_backoff_ms, self._client.retry_backoff_max_ms
        wait_ms = backoff_ms(position.failures, least_ms, most_ms, self.node.random.random())
        position.retry_at_ms = self.node.now_ms + wait_ms


def _by_time(position: Position) -> ListOffsetsPartition:
    return ListOffsetsPartition(position.partition[1], position.leader_epoch, position.timestamp)


def _by_epoch(position: Position) -> OffsetForLeaderPartition:
    return OffsetForLeaderPartition(position.partition[1], position.leader_epoch, position.offset_epoch)
