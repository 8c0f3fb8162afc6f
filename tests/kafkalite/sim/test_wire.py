"""Messages through their bytes."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.broker.one_batch import ZSTD
from kafkalite.clients.pipeline import ApplyRequest, ApplyResponse
from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.facts import RequestAnswered
from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.fetch import FetchRequest
from kafkalite.protocol.inter_broker import UpdateMetadataResponse
from kafkalite.protocol.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kafkalite.protocol.topics import DeleteTopicsRequest
from kafkalite.protocol.zookeeper import CreateFlags, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import ErrorResponse, MultiRequest, MultiResponse, Reply
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.network import InVersion
from kafkalite.sim.prober import Prober
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
        ApplyRequest("orders-0@3", b"v"),
        ApplyResponse("orders-0@3"),
    ],
    ids=repr,
)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    assert message == through_the_codec(message)


def test_a_field_that_the_newest_version_does_not_have_is_lost() -> None:
    assert () == through_the_codec(DeleteTopicsRequest(topic_names=("orders",))).topic_names


def test_a_request_in_an_older_version_has_only_the_fields_of_that() -> None:
    request = InVersion(4, FetchRequest(rack_id="r1", max_bytes=9))

    assert InVersion(4, FetchRequest(max_bytes=9)) == through_the_codec(request)


@pytest.mark.parametrize("wire", [None, through_the_codec])
def test_a_broker_is_asked_in_the_version_that_was_sent(wire: Any) -> None:
    """Of what came later it does not speak: zstd, for one, is refused in a version of Produce that had none."""
    cluster = Cluster(1, 1, 1, through_codec=wire is not None).topic("orders")
    cluster.join(Prober, "prober")
    records = encode_batch([Record(b"k", b"v", timestamp_ms=1)], attributes=ZSTD)
    data = TopicProduceData("orders", (PartitionProduceData(0, records),))
    for number, version in enumerate((6, 7)):
        cluster.call("prober", "probe", number, "b101", InVersion(version, ProduceRequest(None, -1, 500, (data,))))
    cluster.run_for(1000)

    errors = [one.error for one in cluster.facts(RequestAnswered, "prober")]
    assert ["UNSUPPORTED_COMPRESSION_TYPE", "NONE"] == errors


def test_what_is_no_message_cannot_be_sent() -> None:
    with pytest.raises(ProtocolError, match="str is none"):
        through_the_codec("hello")
