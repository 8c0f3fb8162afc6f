"""What can go wrong, in three kinds that are never mixed.

    a peer's mistake      a reply that carries an ErrorCode: data, not an exception
    a caller's mistake    KafkaliteError
                          ├── OffsetOutOfRange     an offset outside the log
                          ├── NotPlainData         a value that cannot cross between a part and its cluster
                          └── SimulationStuck      the simulator's budget of steps or of time is used up
    our own mistake       AssertionError; it stops the simulation

An error crosses a pipe by its name: `BY_NAME` lists the names that keep their class on the other side.
Left out until a chapter needs them: the error codes of replication, groups and transactions.
"""

from __future__ import annotations

from enum import Enum


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


class NotPlainData(KafkaliteError, TypeError):
    """A value is not plain data, so it cannot cross between a part and the cluster it is plugged into."""


class SimulationStuck(KafkaliteError, RuntimeError):
    """The simulator spent its budget of steps, or ran out of events, before what it waited for happened."""


class ErrorCode(Enum):
    """Kafka's error codes: the number on the wire, whether to retry, and whether it surely did not happen.

    Source: org.apache.kafka.common.protocol.Errors; *definite* is Jepsen's word for "it surely did not happen".
    """

    UNKNOWN_SERVER_ERROR = (-1, False, False)
    NONE = (0, False, True)
    OFFSET_OUT_OF_RANGE = (1, False, True)

    def __init__(self, code: int, retriable: bool, definite: bool) -> None:
        self.code, self.retriable, self.definite = code, retriable, definite


BY_NAME: dict[str, type[KafkaliteError]] = {c.__name__: c for c in (OffsetOutOfRange, NotPlainData, SimulationStuck)}
