"""How a consumer is a member of its group: join, sync, beat, leave, and begin again when it is told to.

    UNJOINED   it is none, or no longer    poll(): the listener gets ready (commits, revokes), then JoinGroup
    JOINING    waits for the others        answered: SyncGroup; the leader first runs the assignor
    SYNCING    waits for the leader        answered: the listener gets its partitions
    STABLE     heartbeats                  told of a rebalance, the next poll() joins again

Only `poll` joins, so a program that works long on what it polled holds a rebalance up; heartbeats go on meanwhile. If
it works longer than `max.poll.interval.ms`, the member leaves by itself: it lives, and does not work (M29).

Source: AbstractCoordinator, ConsumerCoordinator. Left out: patterns of topics, KIP-848.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.coordinator import MOVED, CoordinatorLookup
from kafkalite.clients.discovery import Discovery
from kafkalite.clients.strategies import assign, heard, told
from kafkalite.config import ClientConfig, GroupConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import MembershipFailed, PartFailed
from kafkalite.node import Component, Node
from kafkalite.parts import Parts
from kafkalite.protocol.consumer_protocol import decode_assignment, encode_assignment
from kafkalite.protocol.group_membership import (
    HeartbeatRequest,
    HeartbeatResponse,
    JoinGroupRequest,
    JoinGroupRequestProtocol,
    JoinGroupResponse,
    LeaveGroupRequest,
    LeaveGroupResponse,
    MemberIdentity,
    SyncGroupRequest,
    SyncGroupRequestAssignment,
    SyncGroupResponse,
)
from kafkalite.types import NodeName, TopicPartition

NO_GENERATION = -1
JOIN_GRACE_MS = 5000  # the coordinator answers after the rebalance timeout at the latest; leave its answer time
STRANGER = frozenset({ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.ILLEGAL_GENERATION})
PASSING = frozenset({ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.REBALANCE_IN_PROGRESS, *MOVED})


class State(Enum):
    """What the member waits for."""

    UNJOINED = "unjoined"
    JOINING = "joining"
    SYNCING = "syncing"
    STABLE = "stable"


class Listener(Protocol):
    """The consumer."""

    def on_join_due(self) -> None: ...
    def prepare_to_join(self, then: Callable[[], None], /) -> None: ...
    def owned(self) -> list[TopicPartition]: ...
    def on_assigned(self, partitions: list[TopicPartition], /) -> None: ...


class Membership(Component):
    """A consumer's place in its group; `member` and `generation` are what it speaks in the name of."""

    def __init__(
        self,
        node: Node,
        discovery: Discovery,
        lookup: CoordinatorLookup,
        configs: tuple[ClientConfig, GroupConfig],
        parts: Parts,
        listener: Listener,
    ) -> None:
        super().__init__(node, "membership")
        self._discovery, self._lookup, self._parts, self._listener = discovery, lookup, parts, listener
        self._client, self.config = configs
        self.state = State.UNJOINED
        self.member, self.generation = "", NO_GENERATION
        self.topics: tuple[str, ...] = ()
        self.is_wanted = self.is_preparing = self._is_join_due = False
        self._asked: Any = None  # the join or sync in the works
        self._answer: JoinGroupResponse | None = None  # of a leader that waits for metadata before it assigns
        self._counts: dict[str, int] = {}  # of partitions, by which the leader assigned
        self._heartbeat: HeartbeatRequest | None = None
        self._heard_ms = 0.0
        self._failures, self._retry_at_ms = 0, 0.0

    # What the consumer says -----------------------------------------------------------------------------------------

    def subscribe(self, topics: tuple[str, ...]) -> None:
        """Be a member that wants these topics."""
        self.topics, self.is_wanted, self._is_join_due = topics, True, True
        self._discovery.want(topics)

    def poll(self) -> None:
        """The program polls: (re)join now, if that is due."""
        is_free = self.state in {State.UNJOINED, State.STABLE} and not self.is_preparing
        if not (self.is_wanted and self._is_join_due and is_free) or self._retry_at_ms > self.node.now_ms:
            return
        if self._lookup.peer() is not None:
            self.is_preparing = True
            self._listener.prepare_to_join(self._join)

    def leave(self) -> None:
        """Be no member any more; a static one just stays away, and is expected back."""
        peer = self._lookup.peer()
        if self.member and self.config.group_instance_id is None and peer is not None:
            identity = MemberIdentity(self.member, None, "the consumer leaves")
            request = LeaveGroupRequest(self.config.group_id, members=(identity,))
            self.node.request(peer, request, timeout_ms=self._client.request_timeout_ms)
        self.forget()

    def stop(self) -> None:
        """Ask nothing any more."""
        self.is_wanted = False
        for timer in ("beat", "retry"):
            self.cancel_timer(timer)

    def forget(self) -> None:
        """Whatever it was, it is no longer: the next poll joins as somebody new."""
        self.member, self.generation = "", NO_GENERATION
        self._begin_again()

    def _begin_again(self) -> None:
        self.state, self._is_join_due = State.UNJOINED, self.is_wanted
        self._asked = self._answer = None

    @property
    def is_settled(self) -> bool:
        """Whether no rebalance is under way, as far as it knows."""
        return self.state is State.STABLE and not self._is_join_due

    # Joining --------------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        self.is_preparing = False
        peer, config = self._lookup.peer(), self.config
        if not self.is_wanted or peer is None:
            return
        owned = self._listener.owned()
        protocols = tuple(
            JoinGroupRequestProtocol(name, told(name, self.topics, owned, self.generation))
            for name in config.partition_assignment_strategy
        )
        self.state, self._is_join_due = State.JOINING, False
        self._asked = JoinGroupRequest(
            config.group_id,
            config.session_timeout_ms,
            config.max_poll_interval_ms,
            self.member,
            config.group_instance_id,
            "consumer",
            protocols,
        )
        patience_ms = max(self._client.request_timeout_ms, config.max_poll_interval_ms + JOIN_GRACE_MS)
        self.node.request(peer, self._asked, timeout_ms=patience_ms)

    def on_join_group_response(self, source: NodeName, response: JoinGroupResponse, request: JoinGroupRequest) -> None:
        self._discovery.heard(source)
        if request is not self._asked:
            return
        self._asked = None
        error = ErrorCode.of(response.error_code)
        if error == ErrorCode.MEMBER_ID_REQUIRED:
            self.member = response.member_id
            self._join()
        elif error != ErrorCode.NONE:
            self._failed(error, source)
        else:
            self._failures, self._heard_ms = 0, self.node.now_ms
            self.member, self.generation, self.state = response.member_id, response.generation_id, State.SYNCING
            self.set_timer("beat", self.config.heartbeat_interval_ms)
            self._answer = response
            self._sync()

    def _sync(self) -> None:
        """Ask what to read; the leader says it, as soon as it knows how many partitions there are."""
        response = self._answer
        if response is None:
            return
        strategy = response.protocol_name or ""
        is_leader = response.leader == response.member_id and not response.skip_assignment
        assignments: tuple[SyncGroupRequestAssignment, ...] = ()
        if is_leader:
            members = [heard(strategy, one.member_id, one.group_instance_id, one.metadata) for one in response.members]
            topics = sorted({topic for one in members for topic in one.topics})
            self._discovery.want(topics)
            view = self._discovery.view
            if not all(topic in view.topics or topic in view.errors for topic in topics):
                return  # until metadata come
            self._counts = {topic: view.partitions(topic) or 0 for topic in topics if topic in view.topics}
            try:
                found = assign(strategy, self._parts, members, self._counts)
                assignments = tuple(
                    SyncGroupRequestAssignment(one.member, encode_assignment(found.get(one.member, ())))
                    for one in members
                )
            except Exception as error:  # noqa: BLE001 - a part may raise anything
                self.node.note(PartFailed(strategy, f"{type(error).__name__}: {error}"))
                self._give_up(ErrorCode.UNKNOWN_SERVER_ERROR)
                return
        else:
            self._counts = {}
        self._send_sync(response, assignments)

    def _send_sync(self, response: JoinGroupResponse, assignments: tuple[SyncGroupRequestAssignment, ...]) -> None:
        peer = self._lookup.peer()
        if peer is None:
            self._rest()
            return
        self._answer = None
        self._asked = SyncGroupRequest(
            self.config.group_id,
            self.generation,
            self.member,
            self.config.group_instance_id,
            response.protocol_type,
            response.protocol_name,
            assignments,
        )
        patience_ms = max(self._client.request_timeout_ms, self.config.max_poll_interval_ms + JOIN_GRACE_MS)
        self.node.request(peer, self._asked, timeout_ms=patience_ms)

    def on_sync_group_response(self, source: NodeName, response: SyncGroupResponse, request: SyncGroupRequest) -> None:
        self._discovery.heard(source)
        if request is not self._asked:
            return
        self._asked = None
        error = ErrorCode.of(response.error_code)
        if error != ErrorCode.NONE:
            self._failed(error, source)
            return
        self.state, self._heard_ms = State.STABLE, self.node.now_ms
        self._listener.on_assigned(decode_assignment(response.assignment))

    # Beating --------------------------------------------------------------------------------------------------------

    def on_beat(self) -> None:
        """Say that it lives; and if nobody has answered that for a session's time, look for the coordinator."""
        if self.state not in {State.SYNCING, State.STABLE}:
            return
        self.set_timer("beat", self.config.heartbeat_interval_ms)
        peer = self._lookup.peer()
        if peer is None or self._heartbeat is not None:
            return
        if self.node.now_ms - self._heard_ms > self.config.session_timeout_ms:
            self._heard_ms = self.node.now_ms
            self._lookup.lost(peer)
            return
        config = self.config
        self._heartbeat = HeartbeatRequest(config.group_id, self.generation, self.member, config.group_instance_id)
        self.node.request(peer, self._heartbeat, timeout_ms=self._client.request_timeout_ms)

    def on_heartbeat_response(self, source: NodeName, response: HeartbeatResponse, request: HeartbeatRequest) -> None:
        self._discovery.heard(source)
        self._heartbeat = None
        if (request.member_id, request.generation_id) != (self.member, self.generation):
            return
        error = ErrorCode.of(response.error_code)
        if error == ErrorCode.NONE:
            self._heard_ms = self.node.now_ms
        elif error == ErrorCode.REBALANCE_IN_PROGRESS:
            self._heard_ms = self.node.now_ms
            if self.state is State.STABLE:
                self.rejoin()
        elif error in MOVED:
            self._lookup.lost(source)
        elif error in STRANGER:
            self.forget()
            self._listener.on_join_due()
        else:
            self._give_up(error)

    def rejoin(self) -> None:
        """Join again with the next poll."""
        self._is_join_due = True
        self._listener.on_join_due()

    def on_leave_group_response(
        self, source: NodeName, response: LeaveGroupResponse, request: LeaveGroupRequest
    ) -> None:
        self._discovery.heard(source)

    # What goes wrong ------------------------------------------------------------------------------------------------

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        if self._heartbeat is not None and self._heartbeat in requests:
            self._heartbeat = None
        if self._asked is not None and any(one is self._asked for one in requests):
            self._begin_again()
            self._rest()

    def _failed(self, error: ErrorCode, source: NodeName) -> None:
        if error in STRANGER:
            self.forget()
        elif error in PASSING:
            self._begin_again()
        else:
            self._give_up(error)
            return
        if error in MOVED:
            self._lookup.lost(source)
        self._rest()

    def _give_up(self, error: ErrorCode) -> None:
        self.node.note(MembershipFailed(self.config.group_id, self.member, error.name))
        self.stop()
        self.forget()
        self._listener.on_join_due()

    def _rest(self) -> None:
        self._failures += 1
        least_ms, most_ms = self._client.retry_backoff_ms, self._client.retry_backoff_max_ms
        wait_ms = backoff_ms(self._failures, least_ms, most_ms, self.node.random.random())
        self._retry_at_ms = self.node.now_ms + wait_ms
        self.set_timer("retry", wait_ms)

    def on_retry(self) -> None:
        """It may be tried again."""
        self._retry_at_ms = 0.0
        if self._answer is not None:
            self._sync()
        else:
            self._listener.on_join_due()

    def on_metadata(self) -> None:
        """There are new metadata: a leader may have waited for them, or its group's topics have grown."""
        if self.state is State.SYNCING:
            self._sync()
        view = self._discovery.view
        if self.state is State.STABLE and any(view.partitions(topic) != n for topic, n in self._counts.items()):
            self._counts = {}
            self.rejoin()
