"""Messages through their bytes."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.inter_broker import UpdateMetadataResponse
from kafkalite.protocol.topics import DeleteTopicsRequest
from kafkalite.protocol.zookeeper import CreateFlags, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import ErrorResponse, MultiRequest, MultiResponse, Reply
from kafkalite.sim.wire import through_the_codec


@pytest.mark.parametrize(
    "message",
    [
        UpdateMetadataResponse(ErrorCode.STALE_BROKER_EPOCH),
        zk.ConnectRequest(time_out=6000, passwd=b"p"),
        zk.ConnectResponse(time_out=6000, session_id=7, passwd=b"p"),
        zk.Create2Request("/brokers/ids/101", b"{}", flags=CreateFlags.EPHEMERAL),
        MultiRequest((zk.CheckVersionRequest("/controller_epoch", 3), zk.SetDataRequest("/a", b"x", 1))),
        zk.WatcherEvent(1, path="/controller"),
        Reply(0, 9, ZooKeeperError.OK, zk.GetDataResponse(b"x", zk.Stat(czxid=4))),
        Reply(0, 9, ZooKeeperError.OK, zk.PingResponse()),
        Reply(0, 9, ZooKeeperError.NO_NODE, None),
        Reply(0, 9, ZooKeeperError.OK, MultiResponse((zk.CheckVersionResponse(), zk.SetDataResponse(zk.Stat())))),
        Reply(0, 9, ZooKeeperError.BAD_VERSION, MultiResponse((ErrorResponse(-103), ErrorResponse(-2)))),
    ],
    ids=repr,
)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    assert message == through_the_codec(message)


def test_a_field_that_the_newest_version_does_not_have_is_lost() -> None:
    assert () == through_the_codec(DeleteTopicsRequest(topic_names=("orders",))).topic_names


def test_what_is_no_message_cannot_be_sent() -> None:
    with pytest.raises(ProtocolError, match="str is none"):
        through_the_codec("hello")
