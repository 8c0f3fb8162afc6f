"""ZooKeeper's bytes: those that kazoo writes and reads, written-out vectors for the rest, and no bytes break it."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kazoo.protocol import serialization as kazoo
from kazoo.protocol.states import ZnodeStat
from kazoo.security import ACL, Id

from kafkalite.errors import ProtocolError
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import ZooKeeperError
from kafkalite.protocol.zookeeper_frames import (
    OPERATIONS,
    ErrorResponse,
    MultiRequest,
    MultiResponse,
    Reply,
    Request,
    decode_connect,
    decode_reply,
    decode_request,
    encode_connect,
    encode_event,
    encode_reply,
    encode_request,
)
from tests.kafkalite.protocol.values import messages

KAZOO_ACL = [ACL(31, Id("world", "anyone"))]
STAT = zk.Stat(
    czxid=1,
    mzxid=2,
    ctime=3,
    mtime=4,
    version=5,
    cversion=6,
    aversion=7,
    ephemeral_owner=8,
    data_length=9,
    num_children=10,
    pzxid=11,
)

# ours, kazoo's; kazoo writes an empty path as a null, so none is empty
REQUESTS: list[tuple[Any, Any]] = [
    (zk.CreateRequest("/a", b"x", flags=3), kazoo.Create("/a", b"x", KAZOO_ACL, 3)),
    (zk.Create2Request("/a", None, flags=0), kazoo.Create2("/a", None, KAZOO_ACL, 0)),
    (zk.DeleteRequest("/ä", 4), kazoo.Delete("/ä", 4)),
    (zk.ExistsRequest("/a", True), kazoo.Exists("/a", True)),
    (zk.GetDataRequest("/a", False), kazoo.GetData("/a", None)),
    (zk.SetDataRequest("/a", b"", -1), kazoo.SetData("/a", b"", -1)),
    (zk.GetChildrenRequest("/a", True), kazoo.GetChildren("/a", True)),
    (zk.GetChildren2Request("/a", True), kazoo.GetChildren2("/a", True)),
    (zk.SyncRequest("/a"), kazoo.Sync("/a")),
    (zk.CheckVersionRequest("/a", 2), kazoo.CheckVersion("/a", 2)),
    (zk.PingRequest(), kazoo.PingInstance),
    (zk.CloseSessionRequest(), kazoo.CloseInstance),
    (
        MultiRequest((zk.CheckVersionRequest("/e", 7), zk.CreateRequest("/a", b"x"), zk.SetDataRequest("/b", b"y", 1))),
        kazoo.Transaction(
            [kazoo.CheckVersion("/e", 7), kazoo.Create("/a", b"x", KAZOO_ACL, 0), kazoo.SetData("/b", b"y", 1)]
        ),
    ),
]
KAZOO_STAT = ZnodeStat(
    czxid=1,
    mzxid=2,
    ctime=3,
    mtime=4,
    version=5,
    cversion=6,
    aversion=7,
    ephemeralOwner=8,
    dataLength=9,
    numChildren=10,
    pzxid=11,
)
# request, our reply to it, what kazoo reads from it
REPLIES: list[tuple[Any, Any, Any]] = [
    (kazoo.Create, zk.CreateResponse("/a0000000003"), "/a0000000003"),
    (kazoo.Create2, zk.Create2Response("/a", STAT), ("/a", KAZOO_STAT)),
    (kazoo.Exists, zk.ExistsResponse(STAT), KAZOO_STAT),
    (kazoo.GetData, zk.GetDataResponse(b"x", STAT), (b"x", KAZOO_STAT)),
    (kazoo.SetData, zk.SetDataResponse(STAT), KAZOO_STAT),
    (kazoo.GetChildren, zk.GetChildrenResponse(("b", "c")), ["b", "c"]),
    (kazoo.GetChildren2, zk.GetChildren2Response(("b",), STAT), (["b"], KAZOO_STAT)),
    (kazoo.Delete, zk.DeleteResponse(), True),
    (kazoo.Sync, zk.SyncResponse("/a"), "/a"),
]


@pytest.mark.parametrize(("ours", "theirs"), REQUESTS, ids=lambda value: type(value).__name__)
def test_requests_are_those_of_kazoo(ours: Any, theirs: Any) -> None:
    header = (7).to_bytes(4, "big") + theirs.type.to_bytes(4, "big", signed=True)
    body = bytes(theirs.serialize())

    frame = encode_request(ours, xid=7)

    assert (len(header + body).to_bytes(4, "big") + header + body).hex(" ") == frame.hex(" ")
    assert Request(7, ours) == decode_request(frame[4:])


@pytest.mark.parametrize(("kind", "ours", "read"), REPLIES, ids=lambda value: getattr(value, "__name__", None))
def test_kazoo_reads_our_replies(kind: Any, ours: Any, read: Any) -> None:
    frame = bytes(encode_reply(ours, xid=7, zxid=17))
    header, at = kazoo.ReplyHeader.deserialize(frame, 4)

    assert (7, 17, 0) == header
    assert read == kind.deserialize(frame, at)
    request = next(request() for request, reply in OPERATIONS.values() if reply is type(ours))
    assert Reply(7, 17, ZooKeeperError.OK, ours) == decode_reply(frame[4:], request)


def test_a_session_is_opened_as_by_kazoo() -> None:
    ours = zk.ConnectRequest(last_zxid_seen=5, time_out=10_000, session_id=99, passwd=b"secret")
    theirs = bytes(kazoo.Connect(0, 5, 10_000, 99, b"secret", False).serialize())
    answer = zk.ConnectResponse(time_out=6_000, session_id=99, passwd=b"secret")

    frame = encode_connect(ours)

    assert theirs == frame[4:]
    assert ours == decode_connect(theirs, zk.ConnectRequest)
    assert ours == decode_connect(theirs[:-1], zk.ConnectRequest), "before 3.4, without the last byte"
    assert kazoo.Connect(0, 0, 6_000, 99, b"secret", False) == kazoo.Connect.deserialize(encode_connect(answer), 4)[0]


def test_kazoo_reads_our_events() -> None:
    event = zk.WatcherEvent(zk.EventType.NODE_CHILDREN_CHANGED, path="/brokers/ids")
    frame = bytes(encode_event(event))
    header, at = kazoo.ReplyHeader.deserialize(frame, 4)

    assert (-1, -1, 0) == header
    assert (4, 3, "/brokers/ids") == kazoo.Watch.deserialize(frame, at)[0]
    assert Reply(-1, -1, ZooKeeperError.OK, event) == decode_reply(frame[4:], zk.PingRequest())


def test_an_error_is_a_header_alone() -> None:
    frame = encode_reply(None, xid=7, zxid=17, error=ZooKeeperError.NO_NODE)

    assert "00 00 00 10 00 00 00 07 00 00 00 00 00 00 00 11 ff ff ff 9b" == frame.hex(" ")
    assert Reply(7, 17, ZooKeeperError.NO_NODE, None) == decode_reply(frame[4:], zk.ExistsRequest("/a"))


def test_a_multi_that_succeeded_and_one_that_failed_are_read_by_kazoo() -> None:
    request = MultiRequest((zk.CheckVersionRequest("/e"), zk.CreateRequest("/a")))
    errors = (ZooKeeperError.OK, ZooKeeperError.NODE_EXISTS, ZooKeeperError.RUNTIME_INCONSISTENCY)
    done = MultiResponse((zk.CheckVersionResponse(), zk.CreateResponse("/a")))
    failed = MultiResponse(tuple(map(ErrorResponse, errors)))

    frames = [bytes(encode_reply(reply, xid=7, zxid=17)) for reply in (done, failed)]

    assert [done, failed] == [decode_reply(frame[4:], request).message for frame in frames]
    assert [True, "/a"] == kazoo.Transaction.deserialize(frames[0], 20)
    assert ["RolledBackError", "NodeExistsError", "RuntimeInconsistency"] == [
        type(error).__name__ for error in kazoo.Transaction.deserialize(frames[1], 20)
    ]


def test_watches_are_set_again() -> None:
    """Kazoo watches anew by itself, so the vector is written out: relativeZxid, then data, exist, child watches."""
    expected = (
        "00 00 00 2a ff ff ff f8 00 00 00 65"
        " 00 00 00 00 00 00 00 11"
        " 00 00 00 01 00 00 00 02 2f 61"
        " 00 00 00 00"
        " 00 00 00 01 00 00 00 04 2f 62 2f 63"
    )
    message = zk.SetWatches(relative_zxid=17, data_watches=("/a",), child_watches=("/b/c",))

    assert expected == encode_request(message, xid=-8).hex(" ")
    assert Request(-8, message) == decode_request(bytes.fromhex(expected)[4:])


# Hostile bytes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [one for pair in OPERATIONS.values() for one in pair], ids=lambda kind: kind.__name__)
@settings(max_examples=5, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_records_survive_the_way_and_their_beginnings_are_errors(kind: type, data: st.DataObject) -> None:
    message = data.draw(messages(kind, 1))
    request = next(request for request, reply in OPERATIONS.values() if kind in (request, reply))
    if kind is request:
        frame = bytes(encode_request(message, xid=1)[4:])
        assert message == decode_request(frame).message
    else:
        frame = bytes(encode_reply(message, xid=1, zxid=2)[4:])
        assert message == decode_reply(frame, request()).message
    for end in range(min(len(frame), 200)):
        with pytest.raises(ProtocolError):
            decode_request(frame[:end]) if kind is request else decode_reply(frame[:end], request())


def test_frames_changed_anywhere_are_other_frames_or_errors() -> None:
    chance = random.Random(3)
    frames = [bytes(encode_request(ours, xid=7)[4:]) for ours, _ in REQUESTS]
    for frame in frames * 40:
        at = chance.randrange(len(frame))
        changed = frame[:at] + chance.choice([b"\xff", b"\x7f\xff\xff\xff", b"\x80", b"\0"]) + frame[at + 1 :]
        with contextlib.suppress(ProtocolError):
            assert Request is type(decode_request(changed))
        with contextlib.suppress(ProtocolError):
            assert Reply is type(decode_reply(changed, MultiRequest()))
        with contextlib.suppress(ProtocolError):
            assert zk.ConnectRequest is type(decode_connect(changed, zk.ConnectRequest))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("00 00 00 07 00 00 00 10", "ZooKeeper's operation 16 is not served"),
        ("00 00 00 07 00 00 00 0e 00 00 00 04 00 ff ff ff ff", "operation 4 inside a multi"),
        ("00 00 00 07 00 00 00 0e ff ff ff ff 01 ff ff ff ff 00", "1 bytes are left over after the multi"),
        ("00 00 00 07 00 00 00 0e", "MultiHeader v1: type: the data ends in the middle of it"),
    ],
)
def test_what_is_not_served_is_refused(frame: str, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        decode_request(bytes.fromhex(frame))


def test_a_reply_to_nothing_is_refused() -> None:
    with pytest.raises(ProtocolError, match="a reply with number 7 to no request"):
        decode_reply(encode_reply(zk.SyncResponse("/a"), xid=7, zxid=1)[4:], None)
