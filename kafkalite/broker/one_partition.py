"""The smallest broker: one log, served to anyone who asks.

API card: Produce · Fetch · ListOffsets · DeleteRecords, of one topic with one partition. Left out: replication, waiting
(a fetch at the end is answered at once, empty), acknowledgements other than the leader's own.

An error of the log that is not among its answers is told to the client as UNKNOWN_SERVER_ERROR, as Kafka does, and
announced as a fact; the broker goes on.
"""

from __future__ import annotations

from kafkalite.errors import ErrorCode, OffsetOutOfRange
from kafkalite.facts import LogOpened, LogStartAdvanced, PartFailed, RecordsAppended
from kafkalite.node import Node
from kafkalite.parts import LogPart, Parts
from kafkalite.protocol import one_partition as wire
from kafkalite.types import NodeName


class OnePartitionBroker(Node):
    """Appends what producers send and hands readers what they ask for; it does not know who has read what."""

    def __init__(self, name: NodeName, parts: Parts, start: int = 0) -> None:
        super().__init__(name)
        self._parts = parts
        self._start = start
        self._log: LogPart | None = None

    @property
    def log(self) -> LogPart:
        """The log. Raises OSError if it could not be opened: every request is then answered with an error."""
        if self._log is None:
            raise OSError(f"{self.name} has no log: opening it failed")
        return self._log

    def on_start(self) -> None:
        try:
            self._log = self._parts.log(self._start)
        except Exception as error:  # noqa: BLE001 - a part may raise anything; the broker must go on
            self._fail(error)
            return
        self.note(LogOpened(self._start, self._start))

    def on_produce_request(self, source: NodeName, request: wire.ProduceRequest) -> None:
        try:
            base_offset = self.log.append(list(request.values))
        except Exception as error:  # noqa: BLE001 - as above
            self.reply(source, wire.ProduceResponse(-1, self._fail(error)))
            return
        self.note(RecordsAppended(base_offset, request.values))
        self.reply(source, wire.ProduceResponse(base_offset))

    def on_fetch_request(self, source: NodeName, request: wire.FetchRequest) -> None:
        try:
            values = self.log.read(request.fetch_offset, request.max_records)
        except OffsetOutOfRange:
            self.reply(source, wire.FetchResponse((), ErrorCode.OFFSET_OUT_OF_RANGE))
        except Exception as error:  # noqa: BLE001 - as above
            self.reply(source, wire.FetchResponse((), self._fail(error)))
        else:
            self.reply(source, wire.FetchResponse(tuple(values)))

    def on_list_offsets_request(self, source: NodeName, request: wire.ListOffsetsRequest) -> None:
        try:
            earliest, latest = self.log.start(), self.log.end()
        except Exception as error:  # noqa: BLE001 - as above
            self.reply(source, wire.ListOffsetsResponse(-1, -1, self._fail(error)))
            return
        self.reply(source, wire.ListOffsetsResponse(earliest, latest))

    def on_delete_records_request(self, source: NodeName, request: wire.DeleteRecordsRequest) -> None:
        try:
            start = self.log.delete_before(request.offset)
        except OffsetOutOfRange:
            self.reply(source, wire.DeleteRecordsResponse(-1, ErrorCode.OFFSET_OUT_OF_RANGE))
        except Exception as error:  # noqa: BLE001 - as above
            self.reply(source, wire.DeleteRecordsResponse(-1, self._fail(error)))
        else:
            self.note(LogStartAdvanced(start))
            self.reply(source, wire.DeleteRecordsResponse(start))

    def _fail(self, error: Exception) -> ErrorCode:
        self.note(PartFailed("log", f"{type(error).__name__}: {error}"))
        return ErrorCode.UNKNOWN_SERVER_ERROR
