"""What can go wrong, in three kinds that are never mixed.

    a peer's mistake      a reply that carries an ErrorCode: data, not an exception
    a caller's mistake    KafkaliteError
                          ├── OffsetOutOfRange     an offset outside the log
                          ├── InvalidPlacement     partitions that cannot be placed on the brokers as asked
                          ├── NotPlainData         a value that cannot cross between a part and its cluster
                          ├── PartFailed           a part that somebody plugged in raised
                          ├── SimulationStuck      the simulator's budget of steps or of time is used up
                          └── ProtocolError        bytes that are no message, or a message that cannot be bytes
    our own mistake       AssertionError; it stops the simulation

An error crosses a pipe by its name: `BY_NAME` lists the names that keep their class on the other side.
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class KafkaliteError(Exception):
    """A caller asked for something that cannot be; the message says what was expected and what came."""


class OffsetOutOfRange(KafkaliteError, ValueError):
    """An offset lies outside the log: below its start or above its end.

    >>> raise OffsetOutOfRange(offset=9, start=2, end=4)
    Traceback (most recent call last):
        ...
    kafkalite.errors.OffsetOutOfRange: offset 9 is outside the log, which goes from 2 to 4
    """

    def __init__(self, offset: object = None, start: object = None, end: object = None) -> None:
        super().__init__(offset, start, end)
        self.offset, self.start, self.end = offset, start, end

    def __str__(self) -> str:
        return f"offset {self.offset} is outside the log, which goes from {self.start} to {self.end}"


class InvalidPlacement(KafkaliteError, ValueError):
    """Partitions cannot be placed like this; `what` is "partitions", "replication_factor" or "racks".

    >>> raise InvalidPlacement("replication_factor", "4 replicas were asked for and 3 brokers are alive")
    Traceback (most recent call last):
        ...
    kafkalite.errors.InvalidPlacement: 4 replicas were asked for and 3 brokers are alive
    """

    def __init__(self, what: str = "", reason: str = "") -> None:
        super().__init__(what, reason)
        self.what, self.reason = what, reason

    def __str__(self) -> str:
        return self.reason


class PartFailed(KafkaliteError):
    """A part that somebody plugged in raised; the message says which, and what."""


class NotPlainData(KafkaliteError, TypeError):
    """A value is not plain data, so it cannot cross between a part and the cluster it is plugged into."""


class SimulationStuck(KafkaliteError, RuntimeError):
    """The simulator spent its budget of steps, or ran out of events, before what it waited for happened."""


class ProtocolError(KafkaliteError, ValueError):
    """Bytes that are no message, or a message that cannot be written as bytes.

    `place` is the path of the field, from the outside in.

    >>> raise ProtocolError("null is not allowed").inside(".name").inside("topics[0]").inside("FetchRequest v11: ")
    Traceback (most recent call last):
        ...
    kafkalite.errors.ProtocolError: FetchRequest v11: topics[0].name: null is not allowed
    """

    def __init__(self, reason: str = "", place: str = "") -> None:
        super().__init__(reason, place)
        self.reason, self.place = reason, place

    def inside(self, place: str) -> ProtocolError:
        """The same fault, seen from further out."""
        return ProtocolError(self.reason, place + self.place)

    def __str__(self) -> str:
        title, colon, path = self.place.partition(": ")
        where = f"{title}: {path.removeprefix('.')}" if colon else title.removeprefix(".")
        return f"{where.removesuffix(': ')}: {self.reason}" if where else self.reason


class ErrorCode(int, Enum):
    """Kafka's error codes: the number on the wire, whether to retry, and whether it surely did not happen.

    A code is its number, so `struct` can pack it and codes compare with numbers. *Retriable* is what Kafka's own
    clients take for it. *Definite* is Jepsen's word: whoever gets this answer knows that this one attempt changed
    nothing. A request that waited for replicas can be answered with NOT_LEADER_OR_FOLLOWER after it was appended, so
    that one is not definite; a commit whose append failed is told COORDINATOR_NOT_AVAILABLE or NOT_COORDINATOR.

    Left out: SASL, delegation tokens, quorums, share groups, streams.
    Source: org.apache.kafka.common.protocol.Errors; *definite* is ours.

    >>> ErrorCode.of(6).name, ErrorCode.NOT_LEADER_OR_FOLLOWER.retriable, ErrorCode.NOT_LEADER_OR_FOLLOWER.definite
    ('NOT_LEADER_OR_FOLLOWER', True, False)
    """

    # code, retriable, definite
    UNKNOWN_SERVER_ERROR = (-1, False, False)
    NONE = (0, False, True)
    OFFSET_OUT_OF_RANGE = (1, False, True)
    CORRUPT_MESSAGE = (2, True, True)
    UNKNOWN_TOPIC_OR_PARTITION = (3, True, False)
    INVALID_FETCH_SIZE = (4, False, True)
    LEADER_NOT_AVAILABLE = (5, True, True)
    NOT_LEADER_OR_FOLLOWER = (6, True, False)
    REQUEST_TIMED_OUT = (7, True, False)
    BROKER_NOT_AVAILABLE = (8, False, True)
    REPLICA_NOT_AVAILABLE = (9, True, True)
    MESSAGE_TOO_LARGE = (10, False, True)
    STALE_CONTROLLER_EPOCH = (11, False, True)
    OFFSET_METADATA_TOO_LARGE = (12, False, True)
    NETWORK_EXCEPTION = (13, True, False)
    COORDINATOR_LOAD_IN_PROGRESS = (14, True, True)
    COORDINATOR_NOT_AVAILABLE = (15, True, False)
    NOT_COORDINATOR = (16, True, False)
    INVALID_TOPIC_EXCEPTION = (17, False, True)
    RECORD_LIST_TOO_LARGE = (18, False, True)
    NOT_ENOUGH_REPLICAS = (19, True, True)
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = (20, True, False)
    INVALID_REQUIRED_ACKS = (21, False, True)
    ILLEGAL_GENERATION = (22, False, True)
    INCONSISTENT_GROUP_PROTOCOL = (23, False, True)
    INVALID_GROUP_ID = (24, False, True)
    UNKNOWN_MEMBER_ID = (25, False, True)
    INVALID_SESSION_TIMEOUT = (26, False, True)
    REBALANCE_IN_PROGRESS = (27, False, True)
    INVALID_COMMIT_OFFSET_SIZE = (28, False, True)
    TOPIC_AUTHORIZATION_FAILED = (29, False, True)
    GROUP_AUTHORIZATION_FAILED = (30, False, True)
    CLUSTER_AUTHORIZATION_FAILED = (31, False, True)
    INVALID_TIMESTAMP = (32, False, True)
    UNSUPPORTED_VERSION = (35, False, True)
    TOPIC_ALREADY_EXISTS = (36, False, True)
    INVALID_PARTITIONS = (37, False, True)
    INVALID_REPLICATION_FACTOR = (38, False, True)
    INVALID_REPLICA_ASSIGNMENT = (39, False, True)
    INVALID_CONFIG = (40, False, True)
    NOT_CONTROLLER = (41, True, True)
    INVALID_REQUEST = (42, False, True)
    UNSUPPORTED_FOR_MESSAGE_FORMAT = (43, False, True)
    POLICY_VIOLATION = (44, False, True)
    OUT_OF_ORDER_SEQUENCE_NUMBER = (45, False, True)
    DUPLICATE_SEQUENCE_NUMBER = (46, False, False)
    INVALID_PRODUCER_EPOCH = (47, False, True)
    INVALID_TXN_STATE = (48, False, True)
    INVALID_PRODUCER_ID_MAPPING = (49, False, True)
    INVALID_TRANSACTION_TIMEOUT = (50, False, True)
    CONCURRENT_TRANSACTIONS = (51, True, True)
    TRANSACTION_COORDINATOR_FENCED = (52, False, True)
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = (53, False, True)
    OPERATION_NOT_ATTEMPTED = (55, False, True)
    KAFKA_STORAGE_ERROR = (56, True, False)
    UNKNOWN_PRODUCER_ID = (59, False, True)
    REASSIGNMENT_IN_PROGRESS = (60, False, True)
    NON_EMPTY_GROUP = (68, False, True)
    GROUP_ID_NOT_FOUND = (69, False, True)
    FETCH_SESSION_ID_NOT_FOUND = (70, True, True)
    INVALID_FETCH_SESSION_EPOCH = (71, True, True)
    LISTENER_NOT_FOUND = (72, True, True)
    FENCED_LEADER_EPOCH = (74, True, True)
    UNKNOWN_LEADER_EPOCH = (75, True, True)
    UNSUPPORTED_COMPRESSION_TYPE = (76, False, True)
    STALE_BROKER_EPOCH = (77, False, True)
    OFFSET_NOT_AVAILABLE = (78, True, True)
    MEMBER_ID_REQUIRED = (79, False, True)
    PREFERRED_LEADER_NOT_AVAILABLE = (80, True, True)
    GROUP_MAX_SIZE_REACHED = (81, False, True)
    FENCED_INSTANCE_ID = (82, False, True)
    ELIGIBLE_LEADERS_NOT_AVAILABLE = (83, True, True)
    ELECTION_NOT_NEEDED = (84, True, True)
    NO_REASSIGNMENT_IN_PROGRESS = (85, False, True)
    GROUP_SUBSCRIBED_TO_TOPIC = (86, False, True)
    INVALID_RECORD = (87, False, True)
    UNSTABLE_OFFSET_COMMIT = (88, True, True)
    THROTTLING_QUOTA_EXCEEDED = (89, True, True)
    PRODUCER_FENCED = (90, False, True)
    RESOURCE_NOT_FOUND = (91, False, True)
    UNKNOWN_TOPIC_ID = (100, True, True)

    code: int
    retriable: bool
    definite: bool

    def __new__(cls, code: int, retriable: bool, definite: bool) -> Self:
        error = int.__new__(cls, code)
        error._value_ = error.code = code
        error.retriable, error.definite = retriable, definite
        return error

    @classmethod
    def of(cls, code: int) -> ErrorCode:
        """The error of that number; one of a newer Kafka is an error of the server that nobody here knows."""
        return _BY_CODE.get(code, cls.UNKNOWN_SERVER_ERROR)


_BY_CODE = {error.code: error for error in ErrorCode}


BY_NAME: dict[str, type[KafkaliteError]] = {
    c.__name__: c for c in (OffsetOutOfRange, InvalidPlacement, NotPlainData, SimulationStuck, ProtocolError)
}
