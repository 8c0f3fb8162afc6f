"""The smallest broker, asked over simulated connections."""

from __future__ import annotations

from dataclasses import replace

from kafkalite.broker.one_partition import OnePartitionBroker
from kafkalite.errors import ErrorCode
from kafkalite.facts import PartFailed, RecordsProcessed
from kafkalite.node import Note, Received, Send, Started
from kafkalite.protocol import one_partition as wire
from kafkalite.reference import REFERENCE
from kafkalite.sim.trace import facts_of
from tests.kafkalite.sim.small import cluster


def _ask(broker: OnePartitionBroker, request: object) -> object:
    (sent,) = [effect for effect in broker.handle(Received("client", request), 1) if isinstance(effect, Send)]
    return sent.message


def _broker(start: int = 0) -> OnePartitionBroker:
    broker = OnePartitionBroker("broker", REFERENCE, start)
    broker.handle(Started(), 0)
    return broker


def test_what_was_produced_can_be_fetched_by_everybody() -> None:
    broker = _broker()

    assert wire.ProduceResponse(0) == _ask(broker, wire.ProduceRequest(("a", "b")))
    assert wire.FetchResponse(("a",)) == _ask(broker, wire.FetchRequest(0, 1))
    assert wire.FetchResponse(("a", "b")) == _ask(broker, wire.FetchRequest(0, 9))
    assert wire.ListOffsetsResponse(0, 2) == _ask(broker, wire.ListOffsetsRequest())


def test_an_offset_outside_the_log_is_a_reply_and_not_an_exception() -> None:
    broker = _broker(start=5)

    assert wire.FetchResponse((), ErrorCode.OFFSET_OUT_OF_RANGE) == _ask(broker, wire.FetchRequest(4, 1))
    assert wire.DeleteRecordsResponse(-1, ErrorCode.OFFSET_OUT_OF_RANGE) == _ask(broker, wire.DeleteRecordsRequest(9))


def test_deleting_moves_the_start() -> None:
    broker = _broker()
    _ask(broker, wire.ProduceRequest(("a", "b", "c")))

    assert wire.DeleteRecordsResponse(2) == _ask(broker, wire.DeleteRecordsRequest(2))
    assert wire.ListOffsetsResponse(2, 3) == _ask(broker, wire.ListOffsetsRequest())


def test_a_log_that_cannot_be_opened_or_fails_costs_an_answer_and_not_the_broker() -> None:
    """As Kafka does: UNKNOWN_SERVER_ERROR to the client, and the broker goes on."""

    def no_log(_start: int) -> object:
        raise OSError("no space left on device")

    broker = OnePartitionBroker("broker", replace(REFERENCE, log=no_log))  # type: ignore[arg-type]
    assert [Note(PartFailed("log", "OSError: no space left on device"))] == broker.handle(Started(), 0)
    assert wire.ProduceResponse(-1, ErrorCode.UNKNOWN_SERVER_ERROR) == _ask(broker, wire.ProduceRequest(("a",)))
    assert wire.FetchResponse((), ErrorCode.UNKNOWN_SERVER_ERROR) == _ask(broker, wire.FetchRequest(0, 1))
    assert wire.ListOffsetsResponse(-1, -1, ErrorCode.UNKNOWN_SERVER_ERROR) == _ask(broker, wire.ListOffsetsRequest())
    assert wire.DeleteRecordsResponse(-1, ErrorCode.UNKNOWN_SERVER_ERROR) == _ask(broker, wire.DeleteRecordsRequest(0))


def test_every_reader_reads_everything_in_order_whatever_its_pace() -> None:
    """C6: reading removes nothing."""
    sim = cluster(faults=())
    sim.run()
    read: dict[str, list[str]] = {"reader": [], "other": []}
    for at in facts_of(sim.steps):
        if isinstance(at.fact, RecordsProcessed):
            read[at.node] += at.fact.values

    assert {"reader": [f"v{n}" for n in range(12)], "other": [f"v{n}" for n in range(12)]} == read
