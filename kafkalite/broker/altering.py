"""AlterConfigs · key 33 · v0-2, IncrementalAlterConfigs · key 44 · v0-1 (KIP-339): a topic's settings change.

    AlterConfigs              the settings of a topic are those of the request, and no others
    IncrementalAlterConfigs   these are set, deleted, appended to, subtracted from; the others stay

Any broker answers, as Kafka's do with ZooKeeper: nothing of it goes through the controller. A topic's znode is read and
written over the version that was read, so of two changes at once neither undoes the other (Kafka's brokers write over
whatever stands there). Written by somebody else meanwhile, or perhaps by ourselves before a connection broke: it is
read again, and if what is wanted stands there already, that is well.

A request is answered when it is written, and when this broker knows it: who asks the same broker next sees the change.
The others hear of it from their watches. These requests name no time-out, so the broker has one: after
`request_timeout_ms`, or when its session expires, what is not known to be written is REQUEST_TIMED_OUT.

Left out: settings of brokers (refused with INVALID_REQUEST), of clients and users; policies; /config/changes, of which
our brokers have no need. Where unclean leaders are allowed from now on, Kafka's controller elects one at once; ours
does when it next looks at the partition, or is asked to (ElectLeaders). A topic deleted and made anew between a read
and the write over it gets what was meant for the one before, as in Kafka.
Source: Kafka's KafkaApis, ConfigAdminManager, ZkAdminManager.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kafkalite.broker.config_changes import Change, Operation, changed, why_not_changed
from kafkalite.broker.configs import BROKER, TOPIC
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.settings import Settings, texts_in
from kafkalite.broker.topic_rules import Refusal
from kafkalite.config import BrokerConfig
from kafkalite.controller import znodes
from kafkalite.controller.events import error_of
from kafkalite.coordination.client import ZooKeeperClient
from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node
from kafkalite.protocol.configs import (
    AlterConfigsRequest,
    AlterConfigsResourceResponse,
    AlterConfigsResponse,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
)
from kafkalite.protocol.zookeeper import (
    CheckVersionRequest,
    CreateRequest,
    GetDataRequest,
    SetDataRequest,
    ZooKeeperError,
)
from kafkalite.protocol.zookeeper_frames import MultiRequest, Reply
from kafkalite.types import NodeName

DONE = (ErrorCode.NONE, None)
TOO_LATE = (ErrorCode.REQUEST_TIMED_OUT, "ZooKeeper has not answered: it may have been done")
HAS_LEFT = (ErrorCode.BROKER_NOT_AVAILABLE, "this broker has left the cluster: ask another one")
# What a refused write means: somebody else's was there first.
OVERTAKEN = frozenset((ZooKeeperError.BAD_VERSION, ZooKeeperError.NODE_EXISTS, ZooKeeperError.NO_NODE))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request wants of one resource. `is_whole`: what is not in it goes."""

    kind: int
    name: str
    changes: tuple[Change, ...]
    is_whole: bool
    validate_only: bool


@dataclass(slots=True)
class Parked:
    """A request that is not answered yet. `outcomes` are by the place of the wish; `waiting` are the places open."""

    source: NodeName
    response: type[AlterConfigsResponse | IncrementalAlterConfigsResponse]
    wishes: Sequence[Wish]
    outcomes: dict[int, tuple[ErrorCode, str | None]] = field(default_factory=dict)
    waiting: dict[int, None] = field(default_factory=dict)


class AlteringApi(Component):
    """Answers them. What comes back from ZooKeeper for a request that is answered finds nothing, and ends there."""

    def __init__(
        self, node: Node, config: BrokerConfig, zk: ZooKeeperClient, settings: Settings, metadata: MetadataCache
    ) -> None:
        super().__init__(node, "altering")
        self._config, self._zk, self._settings, self._metadata = config, zk, settings, metadata
        self._parked: dict[int, Parked] = {}
        self._count = 0

    def on_alter_configs_request(self, source: NodeName, request: AlterConfigsRequest) -> None:
        wishes = [
            Wish(
                *(one.resource_type, one.resource_name),
                tuple(Change(config.name, Operation.SET, config.value) for config in one.configs),
                is_whole=True,
                validate_only=request.validate_only,
            )
            for one in request.resources
        ]
        self._begin(Parked(source, AlterConfigsResponse, wishes))

    def on_incremental_alter_configs_request(self, source: NodeName, request: IncrementalAlterConfigsRequest) -> None:
        wishes = [
            Wish(
                *(one.resource_type, one.resource_name),
                tuple(Change(config.name, config.config_operation, config.value) for config in one.configs),
                is_whole=False,
                validate_only=request.validate_only,
            )
            for one in request.resources
        ]
        self._begin(Parked(source, IncrementalAlterConfigsResponse, wishes))

    # A request waits ------------------------------------------------------------------------------------------------

    def _begin(self, parked: Parked) -> None:
        self._count += 1
        number = self._count
        times = Counter((wish.kind, wish.name) for wish in parked.wishes)
        for at, wish in enumerate(parked.wishes):
            refusal = self._why_not(wish, times[wish.kind, wish.name])
            if refusal is None:
                parked.waiting[at] = None
            else:
                parked.outcomes[at] = refusal
        self._parked[number] = parked
        self.set_timer(f"expired:{number}", self._config.request_timeout_ms)
        for at in [*parked.waiting]:
            self._read(number, at)
        self._answer_if_done(number)

    def _why_not(self, wish: Wish, times: int) -> Refusal | None:
        if times > 1:
            return ErrorCode.INVALID_REQUEST, f"{wish.name!r} is in the request {times} times; expected it once"
        if refusal := why_not_changed(wish.changes) or _why_no_topic(wish):
            return refusal
        if wish.name not in self._metadata.view.topics:
            return _unknown(wish.name)
        return HAS_LEFT if self._zk.is_closed else None

    def on_expired(self, number: str) -> None:
        """It has waited long enough."""
        parked = self._parked[int(number)]
        for at in parked.waiting:
            parked.outcomes.setdefault(at, TOO_LATE)  # what is written, though not known here yet, is done
        parked.waiting.clear()
        self._answer_if_done(int(number))

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        for number in [number for number, parked in self._parked.items() if parked.source == peer]:
            self._forget(number)

    def _end(self, number: int, at: int, outcome: tuple[ErrorCode, str | None]) -> None:
        if number in self._parked:
            self._parked[number].outcomes[at] = outcome
            self._parked[number].waiting.pop(at, None)
            self._answer_if_done(number)

    def _answer_if_done(self, number: int) -> None:
        parked = self._parked[number]
        if parked.waiting:
            return
        self._forget(number)
        responses = tuple(
            AlterConfigsResourceResponse(*parked.outcomes[at], wish.kind, wish.name)
            for at, wish in enumerate(parked.wishes)
        )
        self.node.reply(parked.source, parked.response(responses=responses))

    def _forget(self, number: int) -> None:
        del self._parked[number]
        self.cancel_timer(f"expired:{number}")

    # Read, and written over what was read ---------------------------------------------------------------------------

    def _read(self, number: int, at: int) -> None:
        path = znodes.topic_config_path(self._parked[number].wishes[at].name)
        self._zk.ask_surely(GetDataRequest(path), self._was_read, number, at)

    def _was_read(self, reply: Reply, request: GetDataRequest, number: int, at: int) -> None:
        if number not in self._parked:
            return
        wish = self._parked[number].wishes[at]
        is_there = reply.error is ZooKeeperError.OK
        if not is_there and reply.error is not ZooKeeperError.NO_NODE:
            self._end(number, at, TOO_LATE)
            return
        before = texts_in(wish.name, reply.message.data) if is_there else {}
        after, refusal = changed({} if wish.is_whole else before, wish.changes, self._settings.defaults)
        if after is None:
            self._end(number, at, refusal or DONE)
        elif after == before or wish.validate_only:
            self._end(number, at, DONE)
        elif is_there:
            write = SetDataRequest(request.path, znodes.encode_topic_config(after), reply.message.stat.version)
            self._zk.ask_surely(write, self._was_written, number, at)
        else:  # made by something that gives topics no such znode; but there is none to be left behind by a dead topic
            is_alive = CheckVersionRequest(znodes.topic_path(wish.name))
            create = CreateRequest(request.path, znodes.encode_topic_config(after))
            self._zk.ask_surely(MultiRequest((is_alive, create)), self._was_written, number, at)

    def _was_written(self, reply: Reply, request: SetDataRequest | MultiRequest, number: int, at: int) -> None:
        if number not in self._parked:
            return
        error, name = error_of(reply), self._parked[number].wishes[at].name
        if error is ZooKeeperError.OK:
            self._parked[number].outcomes[at] = DONE
            self._settings.refresh(name, self._is_known, number, at)
        elif error is ZooKeeperError.NO_NODE and isinstance(request, MultiRequest):
            self._end(number, at, _unknown(name))
        elif error in OVERTAKEN:
            self._read(number, at)
        else:
            self._end(number, at, TOO_LATE)

    def _is_known(self, number: int, at: int) -> None:
        self._end(number, at, DONE)


def _why_no_topic(wish: Wish) -> Refusal | None:
    if wish.kind == BROKER:
        return ErrorCode.INVALID_REQUEST, "a broker's settings cannot be changed while it runs; expected a topic (2)"
    if wish.kind != TOPIC:
        return ErrorCode.INVALID_REQUEST, f"expected a topic (2); got a resource {wish.kind}"
    return None if wish.name else (ErrorCode.INVALID_REQUEST, "expected the name of a topic; got none")


def _unknown(topic: str) -> Refusal:
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic {topic!r}"
