"""What is no request, or none that is served."""

from __future__ import annotations

from kafkalite.protocol.api_versions import ApiVersionsRequest
from tests.oracle.programs.registry import program
from tests.oracle.session import Closed, Connection, Session


def _answer(connection: Connection, frame: bytes) -> str:
    """How a broker answers some bytes."""
    connection.send_bytes(frame)
    try:
        return connection.receive_bytes().hex()
    except Closed:
        return "closed"


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@program
def frames_that_are_no_requests(one: Session) -> None:
    for what, frame in {
        "an API nobody has": _framed(bytes.fromhex("03e7 0000 00000001 ffff")),
        "a version nobody has": _framed(bytes.fromhex("0001 00ff 00000001 ffff")),
        "a frame that is too short": _framed(b"\x00"),
        "an empty frame": _framed(b""),
        "a negative length": bytes.fromhex("ffffffff"),
        "two gigabytes": bytes.fromhex("7fffffff"),
        "half a header": _framed(bytes.fromhex("0003 0009 00000001 0010 61")),
    }.items():
        one.say(what, _answer(one.connection(), frame))


@program
def an_unknown_version_of_api_versions(one: Session) -> None:
    connection = one.connection()
    frame = _framed(bytes.fromhex("0012 00ff 00000007 ffff 00"))
    connection.send_bytes(frame)
    one.say("answer of version 0", connection.receive_bytes()[:6].hex())


@program
def the_apis_that_are_served(one: Session) -> None:
    """Ours are among theirs: no API and no version is advertised that Apache Kafka has not (or not any more)."""
    connection = one.connection()
    connection.send(ApiVersionsRequest("oracle", "1"), 3)
    found = connection.receive()
    one.say("error", found.error_code.name)
