"""Bookmarks: a consumer tells its coordinator how far it has come, and asks how far its group had come.

A commit is in the name of a member and its generation, so one that comes too late is refused. One that is to be sure is
tried again while that may help (`is_sync`); the others are tried once. What was asked for after a fetch of offsets is
asked again until it is answered: a consumer cannot begin without.

A commit that is sent again, or late, is not to undo one that was asked for later and has arrived: it says of every
partition what was asked last. And it is given up when its member has gone on to another generation.

Source: ConsumerCoordinator. Left out: metadata of the program's own beside an offset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from kafkalite.clients.backoff import backoff_ms
from kafkalite.clients.coordinator import MOVED, CoordinatorLookup
from kafkalite.clients.discovery import Discovery
from kafkalite.config import ClientConfig, GroupConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import CommitAnswered
from kafkalite.node import Component, Node
from kafkalite.protocol.group_offsets import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
    OffsetCommitResponse,
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
    OffsetFetchResponse,
)
from kafkalite.types import NodeName, TopicPartition

AGAIN = frozenset(
    {
        ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.REQUEST_TIMED_OUT,
        ErrorCode.UNSTABLE_OFFSET_COMMIT,
        *MOVED,
    }
)
Offsets = dict[TopicPartition, tuple[int, int]]  # the next offset to read, and the epoch of the record before it


class Credentials(Protocol):
    """In whose name is committed."""

    member: str
    generation: int


@dataclass(slots=True, eq=False)
class Task:
    """A commit, or (with `offsets` of None) a fetch of offsets, until it is answered."""

    partitions: list[TopicPartition]
    offsets: Offsets | None
    then: Callable[..., None]
    arguments: tuple[Any, ...]
    deadline_ms: float  # until when it is tried again
    spoke_as: tuple[str, int]  # member and generation in whose name it was asked for
    request: Any = None
    failures: int = 0
    retry_at_ms: float = 0.0


class Commits(Component):
    """What was asked of the coordinator about offsets, in the order of asking."""

    def __init__(
        self,
        node: Node,
        discovery: Discovery,
        lookup: CoordinatorLookup,
        configs: tuple[ClientConfig, GroupConfig],
        credentials: Credentials,
    ) -> None:
        super().__init__(node, "commits")
        self._discovery, self._lookup, self._credentials = discovery, lookup, credentials
        self._client, self._config = configs
        self._tasks: list[Task] = []
        self._newest: Offsets = {}  # what was asked last to be committed

    def commit(self, offsets: Offsets, then: Callable[..., None], *arguments: Any, is_sync: bool = False) -> None:
        """Commit; `then(error, *arguments)` is called once it is answered, or given up."""
        wait_ms = self._client.default_api_timeout_ms if is_sync else 0
        self._newest.update(offsets)
        self._tasks.append(Task(list(offsets), offsets, then, arguments, self.node.now_ms + wait_ms, self._name()))
        self.pump()

    def fetch(self, partitions: list[TopicPartition], then: Callable[..., None], *arguments: Any) -> None:
        """Ask for what is committed; `then(found, *arguments)` has (offset, epoch) of each partition, -1 for none."""
        self._tasks.append(Task(partitions, None, then, arguments, float("inf"), self._name()))
        self.pump()

    def _name(self) -> tuple[str, int]:
        return self._credentials.member, self._credentials.generation

    def stop(self) -> None:
        """Ask nothing any more; nobody is told."""
        self._tasks.clear()
        self.cancel_timer("retry")

    def pump(self) -> None:
        """Send what is not sent and may be."""
        for task in list(self._tasks):
            is_open = task in self._tasks  # what comes of one may end another
            if is_open and task.request is None and task.retry_at_ms <= self.node.now_ms:
                peer = self._lookup.peer()
                if peer is None:
                    self._rest(task)
                    continue
                if task.offsets is not None and task.spoke_as != self._name():
                    self._end(task, ErrorCode.ILLEGAL_GENERATION)
                    continue
                task.request = self._request(task)
                self.node.request(peer, task.request, timeout_ms=self._client.request_timeout_ms)

    def _request(self, task: Task) -> Any:
        topics: dict[str, list[int]] = {}
        for topic, index in task.partitions:
            topics.setdefault(topic, []).append(index)
        if task.offsets is None:
            asked = tuple(OffsetFetchRequestTopics(topic, tuple(indexes)) for topic, indexes in topics.items())
            group = OffsetFetchRequestGroup(self._config.group_id, asked)
            return OffsetFetchRequest(groups=(group,), require_stable=True)
        rows = task.offsets = {partition: self._newest[partition] for partition in task.partitions}
        told = tuple(
            OffsetCommitRequestTopic(
                topic,
                tuple(
                    OffsetCommitRequestPartition(index, rows[topic, index][0], rows[topic, index][1])
                    for index in indexes
                ),
            )
            for topic, indexes in topics.items()
        )
        name = self._credentials
        config = self._config
        return OffsetCommitRequest(config.group_id, name.generation, name.member, config.group_instance_id, topics=told)

    # Answers --------------------------------------------------------------------------------------------------------

    def on_offset_commit_response(
        self, source: NodeName, response: OffsetCommitResponse, request: OffsetCommitRequest
    ) -> None:
        task = self._answered(source, request)
        if task is None:
            return
        errors = [ErrorCode.of(one.error_code) for topic in response.topics for one in topic.partitions]
        error = next((one for one in errors if one != ErrorCode.NONE), ErrorCode.NONE)
        if not self._is_tried_again(task, error, source):
            self._end(task, error)

    def on_offset_fetch_response(
        self, source: NodeName, response: OffsetFetchResponse, request: OffsetFetchRequest
    ) -> None:
        task = self._answered(source, request)
        if task is None:
            return
        group = response.groups[0]
        rows = [(topic.name, one) for topic in group.topics for one in topic.partitions]
        errors = [ErrorCode.of(group.error_code), *(ErrorCode.of(one.error_code) for _, one in rows)]
        error = next((one for one in errors if one != ErrorCode.NONE), ErrorCode.NONE)
        if error != ErrorCode.NONE:
            self._is_tried_again(task, error, source)
            return
        found = {
            (topic, one.partition_index): (one.committed_offset, one.committed_leader_epoch) for topic, one in rows
        }
        self._tasks.remove(task)
        task.then(found, *task.arguments)

    def _answered(self, source: NodeName, request: Any) -> Task | None:
        self._discovery.heard(source)
        task = next((task for task in self._tasks if task.request is request), None)
        if task is not None:
            task.request = None
        return task

    def _is_tried_again(self, task: Task, error: ErrorCode, source: NodeName) -> bool:
        if error in MOVED:
            self._lookup.lost(source)
        is_fetch = task.offsets is None
        if not is_fetch and (error not in AGAIN or self.node.now_ms >= task.deadline_ms):
            return False
        self._rest(task)
        return True

    def _rest(self, task: Task) -> None:
        if task.offsets is not None and self.node.now_ms >= task.deadline_ms and task.failures:
            self._end(task, ErrorCode.COORDINATOR_NOT_AVAILABLE)
            return
        task.failures += 1
        least_ms, most_ms = self._client.retry_backoff_ms, self._client.retry_backoff_max_ms
        wait_ms = backoff_ms(task.failures, least_ms, most_ms, self.node.random.random())
        task.retry_at_ms = self.node.now_ms + wait_ms
        self.set_timer("retry", wait_ms)

    def on_retry(self) -> None:
        """Something may be tried again."""
        self.pump()
        waits_ms = [task.retry_at_ms - self.node.now_ms for task in self._tasks if task.request is None]
        if waits_ms:
            self.set_timer("retry", max(0.0, min(waits_ms)))

    def _end(self, task: Task, error: ErrorCode) -> None:
        self._tasks.remove(task)
        offsets = tuple((*partition, offset) for partition, (offset, _) in (task.offsets or {}).items())
        self.node.note(CommitAnswered(self._config.group_id, error.name, offsets))
        task.then(error, *task.arguments)

    def on_peer_lost(self, peer: NodeName, requests: tuple[object, ...]) -> None:
        for task in list(self._tasks):
            if task.request is not None and any(task.request is one for one in requests):
                task.request = None
                if not self._is_tried_again(task, ErrorCode.NETWORK_EXCEPTION, peer):
                    self._end(task, ErrorCode.NETWORK_EXCEPTION)
