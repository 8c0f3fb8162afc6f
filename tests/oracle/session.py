"""A client of raw requests, whose every answer is written down: what two clusters are compared by.

A program asks in the versions it likes, as dataclasses of `kafkalite.protocol`. What differs from run to run is written
down by a name instead of its value (the first producer id is "producer 1"), what says nothing (throttle times,
addresses) is left out. Waiting for a leader or for a coordinator is not written down.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import itemgetter
from typing import Any

from kafkalite.broker.topic_settings import SETTINGS
from kafkalite.errors import ErrorCode
from kafkalite.log.batch import decode_batch, encode_batch, split
from kafkalite.log.record import Record
from kafkalite.protocol.configs import DescribeConfigsResourceResult
from kafkalite.protocol.group_membership import FindCoordinatorRequest
from kafkalite.protocol.headers import RequestHeader
from kafkalite.protocol.metadata import MetadataRequest, MetadataRequestTopic
from kafkalite.protocol.registry import decode_response, encode_request, entry_of
from kafkalite.protocol.topics import CreatableTopic, CreatableTopicConfig, CreatableTopicConfigs, CreateTopicsRequest

PATIENCE_S = 60.0
NOT_YET = {
    ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.NOT_COORDINATOR,
    ErrorCode.LEADER_NOT_AVAILABLE,
    ErrorCode.CONCURRENT_TRANSACTIONS,
}

# Fields that say nothing about behaviour.
LEFT_OUT = {
    *{"throttle_time_ms", "host", "port", "cluster_id", "rack", "topic_id"},
    *{"error_message", "batch_index_error_message"},
}
# What stands in a list in the order of a hash map in Apache Kafka: by which field it is put in order.
UNORDERED = {
    "DeletableGroupResult": "group_id",
    "AddPartitionsToTxnTopicResult": "name",
    "JoinGroupResponseMember": "member_id",
    "DescribeConfigsResourceResult": "name",
    "CreatableTopicConfigs": "name",
    "ReassignablePartitionResponse": "partition_index",
    "OffsetDeleteResponsePartition": "partition_index",
    "PartitionResult": "partition_id",
}
# Fields whose value differs from run to run: the n-th one that is seen is called by n.
NAMED = {"producer_id": "producer", "member_id": "member", "leader": "member", "log_append_time_ms": "time"}
SAYS_NOTHING = (None, "", -1)


class Closed(Exception):
    """The broker closed the connection instead of answering."""


class Connection:
    """One connection; requests may be sent before earlier ones are answered."""

    def __init__(self, bootstrap: str) -> None:
        host, _, port = bootstrap.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        self._asked: list[RequestHeader] = []
        self._count = 0

    def send(self, request: Any, version: int | None = None) -> None:
        """Send a request, in its newest version unless told."""
        api = entry_of(type(request)).api
        version = api.versions[1] if version is None else version
        self._count += 1
        self._asked.append(RequestHeader(api.key, version, self._count, "oracle"))
        self.send_bytes(encode_request(request, version=version, correlation_id=self._count, client_id="oracle"))

    def send_bytes(self, frame: bytes | bytearray) -> None:
        """Send whatever these bytes are."""
        self._socket.sendall(frame)

    def receive(self) -> Any:
        """The response to the first request that has none. Raises Closed."""
        size = int.from_bytes(self._read(4), "big")
        return decode_response(self._read(size), self._asked.pop(0))

    def receive_bytes(self) -> bytes:
        """The next frame, whatever it is. Raises Closed."""
        return self._read(int.from_bytes(self._read(4), "big"))

    def _read(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            try:
                more = self._socket.recv(size - len(found))
            except ConnectionError:
                more = b""
            if not more:
                raise Closed
            found += more
        return bytes(found)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


class Session:
    """What a program is given: a cluster of one broker, and a notebook for its answers."""

    named: Mapping[str, str] = NAMED
    unordered: Mapping[str, str] = UNORDERED
    patience_s = PATIENCE_S  # for what comes about by itself

    def __init__(self, bootstrap: str, program: str) -> None:
        self.bootstrap, self.program = bootstrap, program
        self.observed: list[Any] = []
        self._names: dict[tuple[str, Any], str] = {}
        self._topics = 0
        self._connections: list[Connection] = [Connection(bootstrap)]

    def close(self) -> None:
        """Close every connection."""
        for one in self._connections:
            one.close()

    def connection(self) -> Connection:
        """One more connection."""
        self._connections.append(Connection(self.bootstrap))
        return self._connections[-1]

    def name(self, what: str) -> str:
        """A name that no other program has."""
        return f"{self.program}-{what}"

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Look again and again; AssertionError if it is not so in time."""
        end = time.monotonic() + self.patience_s
        while not is_so():
            assert time.monotonic() < end, f"after {self.patience_s:g} s it is not so: {what}"
            time.sleep(0.02)

    # Said, and written down -----------------------------------------------------------------------------------------

    def ask(self, request: Any, version: int | None = None, *, on: Connection | None = None) -> Any:
        """Ask, write the answer down and return it; "closed" is an answer, too (None is returned)."""
        connection = on or self._connections[0]
        connection.send(request, version)
        return self.receive(connection, type(request).__name__)

    def receive(self, connection: Connection, what: str) -> Any:
        """Write down the answer to something sent earlier."""
        try:
            response = connection.receive()
        except Closed:
            self.observed.append({what: "closed"})
            if connection is self._connections[0]:
                self._connections[0] = Connection(self.bootstrap)
            return None
        self.observed.append({what: self._plain(response)})
        return response

    def say(self, what: str, value: Any) -> None:
        """Write down something the program found out."""
        self.observed.append({what: value})

    # Not written down -----------------------------------------------------------------------------------------------

    def quietly(self, request: Any, version: int | None = None) -> Any:
        """Ask again and again until nothing in the answer says "not yet"."""
        end = time.monotonic() + PATIENCE_S
        while True:
            self._connections[0].send(request, version)
            response = self._connections[0].receive()
            if not NOT_YET & set(_errors(response)):
                return response
            assert time.monotonic() < end, f"{type(request).__name__}: {response}"
            time.sleep(0.02)

    def topic(self, partitions: int = 1, **settings: str) -> str:
        """A new topic whose partitions have leaders. It keeps what it is given: most records here are of 1970."""
        self._topics += 1
        name = self.name(f"topic-{self._topics}")
        wanted = {"retention_ms": "-1"} | settings
        configs = tuple(CreatableTopicConfig(key.replace("_", "."), value) for key, value in wanted.items())
        self.quietly(CreateTopicsRequest((CreatableTopic(name, partitions, 1, configs=configs),), 10_000))
        self.wait_for(name)
        return name

    def wait_for(self, topic: str) -> None:
        """Until every partition of a topic has a leader."""
        end = time.monotonic() + PATIENCE_S
        while True:
            found = self.quietly(MetadataRequest((MetadataRequestTopic(topic),), False)).topics[0]
            if found.partitions and all(one.leader_id >= 0 for one in found.partitions):
                return
            assert time.monotonic() < end, found
            time.sleep(0.02)

    def coordinator(self, key: str, key_type: int = 0) -> None:
        """Until there is a coordinator of a group (0) or of a transactional id (1)."""
        self.quietly(FindCoordinatorRequest(key, key_type), 3)

    # As data --------------------------------------------------------------------------------------------------------

    def _plain(self, value: Any, field: str = "") -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return {
                one.name: self._plain(getattr(value, one.name), one.name)
                for one in fields(value)
                if one.name not in LEFT_OUT
            }
        if isinstance(value, tuple | list):
            plain = [self._plain(one) for one in value if not _is_setting_without_effect(one)]
            key = self.unordered.get(type(value[0]).__name__) if value else None
            return plain if key is None else sorted(plain, key=itemgetter(key))
        if field == "records":
            return self._records(value)
        return self._name_of(value, field) if field in self.named and value not in SAYS_NOTHING else _simple(value)

    def _name_of(self, value: Any, field: str) -> str:
        kind = self.named[field]
        count = sum(name.startswith(kind) for name in self._names.values())
        return self._names.setdefault((kind, value), f"{kind} {count + 1}")

    def _records(self, data: Any) -> list[Any]:
        return [
            {
                "base_offset": header.base_offset,
                "last_offset_delta": header.last_offset_delta,
                "attributes": header.attributes,
                "epoch": header.leader_epoch,
                "sequence": header.base_sequence,
                "records": [
                    [one.offset, one.key and one.key.hex(), one.value and one.value.hex()]
                    for one in decode_batch(batch)
                ]
                if header.compression == 0
                else "compressed",
            }
            for header, batch in split(data or b"")
        ]


def _is_setting_without_effect(value: Any) -> bool:
    """Whether it is a setting that Apache Kafka has and kafkalite has not."""
    return isinstance(value, CreatableTopicConfigs | DescribeConfigsResourceResult) and value.name not in SETTINGS


def _simple(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return value


def _errors(value: Any) -> Iterator[ErrorCode]:
    if isinstance(value, ErrorCode):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _errors(getattr(value, one.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _errors(one)


def batch(*values: bytes | None, key: bytes | None = None, times: tuple[int, ...] = (), **header: int) -> bytes:
    """A batch of these values, with increasing times from 1,000 ms on unless told."""
    records = [
        Record(key, value, times[index] if times else 1000 + index, (), index) for index, value in enumerate(values)
    ]
    return encode_batch(records, **header)


@contextmanager
def session(bootstrap: str, program: str) -> Iterator[Session]:
    """A session while the `with` lasts."""
    one = Session(bootstrap, program)
    try:
        yield one
    finally:
        one.close()
