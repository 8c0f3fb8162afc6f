"""AlterConfigs and IncrementalAlterConfigs: a topic's znode is read, and written over what was read."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.broker.altering import AlteringApi
from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.settings import Settings
from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import decode_topic_config, encode_topic_config
from kafkalite.errors import ErrorCode
from kafkalite.protocol.configs import (
    AlterableConfig,
    AlterConfigsRequest,
    AlterConfigsResource,
    IncrementalAlterableConfig,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResource,
)
from kafkalite.protocol.zookeeper import (
    CheckVersionRequest,
    CreateRequest,
    GetDataRequest,
    GetDataResponse,
    SetDataRequest,
    Stat,
    ZooKeeperError,
)
from kafkalite.protocol.zookeeper_frames import MultiRequest

from .scripted import ScriptedZooKeeper, Stage
from .test_metadata_view import ORDERS, update

PATH = "/config/topics/orders"
TOPIC, BROKER = 2, 4
SET, DELETE = 0, 1


class Altered(Stage):
    """A broker that knows `orders`; its ZooKeeper answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.zk = ScriptedZooKeeper()
        zk: Any = self.zk
        config = BrokerConfig(101, ("z1",), request_timeout_ms=5000)
        self.settings = Settings(self.node, config, zk, self.node.note)
        metadata = MetadataCache(self.node, config, ControllerFence(self.node), self.settings)
        AlteringApi(self.node, config, zk, self.settings, metadata)
        self.hears("b102#control", update(ORDERS))

    def finds(self, version: int, **texts: str) -> Any:
        """The oldest question is answered with these settings."""
        data = encode_topic_config({key.replace("_", "."): text for key, text in texts.items()})
        return self.zk.answer(GetDataResponse(data, Stat(version=version)))

    @property
    def outcomes(self) -> list[ErrorCode]:
        """Of the resources of the one request that is answered; nothing if it is not."""
        self.drain()
        return [one.error_code for _, answer in self.replies for one in answer.responses]


def incremental(*changes: tuple[str, int, str | None], name: str = "orders", kind: int = TOPIC) -> Any:
    return IncrementalAlterConfigsResource(kind, name, tuple(IncrementalAlterableConfig(*one) for one in changes))


def retained(ms: str) -> IncrementalAlterConfigsRequest:
    return IncrementalAlterConfigsRequest((incremental(("retention.ms", SET, ms)),))


def written(request: SetDataRequest) -> tuple[dict[str, str], int]:
    """What was written, over which version."""
    return decode_topic_config("orders", request.data), request.version


def test_it_is_read_and_written_over_that_version_and_answered_when_the_broker_knows_it() -> None:
    one = Altered()

    assert [] == one.hears("c1", retained("50"))
    assert GetDataRequest(PATH) == one.finds(3, segment_ms="7")
    assert ({"segment.ms": "7", "retention.ms": "50"}, 3) == written(one.zk.answer())
    assert [] == one.outcomes
    assert GetDataRequest(PATH, watch=True) == one.finds(4, segment_ms="7", retention_ms="50")

    assert [ErrorCode.NONE] == one.outcomes
    assert 50 == one.settings.of("orders").log.retention_ms


def test_all_settings_at_once_leave_nothing_of_what_was() -> None:
    one = Altered()

    one.hears(
        "c1", AlterConfigsRequest((AlterConfigsResource(TOPIC, "orders", (AlterableConfig("segment.ms", "9"),)),))
    )
    one.finds(3, retention_ms="50", segment_ms="7")

    assert ({"segment.ms": "9"}, 3) == written(one.zk.requests[0])


def test_of_two_changes_at_once_neither_undoes_the_other() -> None:
    one = Altered()
    one.hears("c1", retained("50"))
    one.finds(3)

    one.zk.answer(error=ZooKeeperError.BAD_VERSION)
    one.finds(4, min_insync_replicas="2")

    assert ({"min.insync.replicas": "2", "retention.ms": "50"}, 4) == written(one.zk.requests[0])


def test_a_write_whose_answer_was_lost_is_found_to_be_done() -> None:
    one = Altered()
    one.hears("c1", retained("50"))
    one.finds(3)

    one.zk.answer(error=ZooKeeperError.BAD_VERSION)  # it was sent again, and met itself
    one.finds(4, retention_ms="50")

    assert [ErrorCode.NONE] == one.outcomes
    assert [] == one.zk.requests


def test_what_is_only_tried_is_judged_and_not_written() -> None:
    one = Altered()
    for value, outcome in (("50", ErrorCode.NONE), ("soon", ErrorCode.INVALID_CONFIG)):
        one.hears("c1", IncrementalAlterConfigsRequest((incremental(("retention.ms", SET, value)),), True))
        one.finds(3)

        assert [outcome] == one.outcomes
        assert [] == one.zk.requests


def test_a_topic_that_never_had_settings_gets_them_if_it_is_still_there() -> None:
    one = Altered()
    one.hears("c1", retained("50"))
    one.zk.answer(error=ZooKeeperError.NO_NODE)

    check, create = one.zk.requests[0].operations if isinstance(one.zk.requests[0], MultiRequest) else (None, None)
    assert CheckVersionRequest("/brokers/topics/orders") == check
    assert isinstance(create, CreateRequest)
    assert ({"retention.ms": "50"}) == decode_topic_config("orders", create.data)
    one.zk.answer(error=ZooKeeperError.NO_NODE)

    assert [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION] == one.outcomes


def test_a_topic_that_goes_between_the_read_and_the_write_is_unknown() -> None:
    one = Altered()
    one.hears("c1", retained("50"))
    one.finds(3)
    one.zk.answer(error=ZooKeeperError.NO_NODE)  # of the write
    one.zk.answer(error=ZooKeeperError.NO_NODE)  # read again
    one.zk.answer(error=ZooKeeperError.NO_NODE)  # nor is there a topic

    assert [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION] == one.outcomes


@pytest.mark.parametrize("after_reading", [False, True])
def test_when_the_session_expires_nobody_waits_any_longer(after_reading: bool) -> None:
    one = Altered()
    one.hears("c1", retained("50"))
    if after_reading:
        one.finds(3)

    one.zk.answer(error=ZooKeeperError.SESSION_EXPIRED)

    assert [ErrorCode.REQUEST_TIMED_OUT] == one.outcomes


def test_while_zookeeper_is_silent_a_request_ends_by_its_time() -> None:
    one = Altered()
    one.hears("c1", retained("50"))

    one.fires("altering.expired:1")

    assert [("c1", ErrorCode.REQUEST_TIMED_OUT)] == [(who, it.responses[0].error_code) for who, it in one.replies]
    one.finds(3)
    assert [] == one.zk.requests, "and what comes later is not written"


def test_what_is_written_is_done_though_the_broker_does_not_know_it_in_time() -> None:
    one = Altered()
    one.hears("c1", retained("50"))
    one.finds(3)
    one.zk.answer()

    one.fires("altering.expired:1")

    assert [ErrorCode.NONE] == [it.responses[0].error_code for _, it in one.replies]
    one.finds(4, retention_ms="50")
    assert [] == one.outcomes, "it is answered once"


def test_a_client_that_went_away_is_not_answered() -> None:
    one = Altered()
    one.hears("c1", retained("50"))
    one.loses("c1")

    one.finds(3)

    assert [] == one.outcomes
    assert [] == one.zk.requests


def test_a_broker_that_has_left_the_cluster_sends_its_clients_elsewhere() -> None:
    one = Altered()
    one.zk.is_closed = True

    [answer] = one.hears("c1", retained("50"))

    assert ErrorCode.BROKER_NOT_AVAILABLE == answer.responses[0].error_code


@pytest.mark.parametrize(
    ("resource", "error", "said"),
    [
        (incremental(name="nothing"), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "there is no topic 'nothing'"),
        (incremental(name=""), ErrorCode.INVALID_REQUEST, "expected the name of a topic; got none"),
        (incremental(name="101", kind=BROKER), ErrorCode.INVALID_REQUEST, "a broker's settings cannot be changed"),
        (incremental(name="x", kind=99), ErrorCode.INVALID_REQUEST, "expected a topic (2); got a resource 99"),
        (incremental(("retention.ms", SET, None)), ErrorCode.INVALID_REQUEST, "expected a value, got null"),
        (incremental(("retention.ms", 9, "1")), ErrorCode.INVALID_REQUEST, "got operation 9"),
    ],
)
def test_what_cannot_be_changed_is_said_in_words(resource: Any, error: ErrorCode, said: str) -> None:
    one = Altered()

    [answer] = one.hears("c1", IncrementalAlterConfigsRequest((resource,)))

    [found] = answer.responses
    assert (error, resource.resource_type, resource.resource_name) == (
        *(found.error_code, found.resource_type, found.resource_name),
    )
    assert said in found.error_message


def test_a_resource_named_twice_is_refused_twice_and_the_others_are_done() -> None:
    one = Altered()
    twice = incremental(name="gone")

    one.hears("c1", IncrementalAlterConfigsRequest((twice, incremental(("retention.ms", DELETE, None)), twice)))
    one.finds(3)

    assert [ErrorCode.INVALID_REQUEST, ErrorCode.NONE, ErrorCode.INVALID_REQUEST] == one.outcomes
    assert [] == one.zk.requests, "there was nothing to delete"
