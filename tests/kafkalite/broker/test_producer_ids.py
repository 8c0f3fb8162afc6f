"""Numbers for producers."""

from __future__ import annotations

from typing import Any

from kafkalite.broker.producer_ids import ProducerIds
from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import decode_producer_id_block, encode_producer_id_block
from kafkalite.errors import ErrorCode
from kafkalite.protocol.transactions import InitProducerIdRequest, InitProducerIdResponse
from kafkalite.protocol.zookeeper import (
    GetDataRequest,
    GetDataResponse,
    SetDataRequest,
    SetDataResponse,
    Stat,
    ZooKeeperError,
)

from .scripted import ScriptedZooKeeper, Stage

ASK = InitProducerIdRequest(transactional_id=None)


def scene() -> tuple[Stage, ScriptedZooKeeper]:
    stage = Stage()
    zk: Any = ScriptedZooKeeper()
    ProducerIds(stage.node, BrokerConfig(101, ("z1",)), zk)
    return stage, zk


def answered(stage: Stage) -> list[tuple[str, int]]:
    stage.drain()
    return [(to, reply.producer_id) for to, reply in stage.replies]


def test_the_first_block_is_taken_and_handed_out_one_by_one() -> None:
    stage, zk = scene()

    stage.hears("p1", ASK)
    stage.hears("p2", ASK)
    assert GetDataRequest("/latest_producer_id_block") == zk.answer(GetDataResponse(b"", Stat(version=4)))
    asked = zk.answer(SetDataResponse())

    assert SetDataRequest("/latest_producer_id_block", encode_producer_id_block(101, 0, 999), 4) == asked
    assert [("p1", 0), ("p2", 1)] == answered(stage)
    assert [InitProducerIdResponse(producer_id=2)] == stage.hears("p3", ASK)
    assert [] == zk.requests


def test_whoever_is_second_to_take_a_block_takes_the_next() -> None:
    """Compare-and-set: two brokers never hand out the same number."""
    stage, zk = scene()
    stage.hears("p1", ASK)

    zk.answer(GetDataResponse(encode_producer_id_block(102, 0, 999), Stat(version=1)))
    zk.answer(error=ZooKeeperError.BAD_VERSION)
    zk.answer(GetDataResponse(encode_producer_id_block(103, 1000, 1999), Stat(version=2)))
    asked = zk.answer(SetDataResponse())

    assert (101, 2000, 2999) == decode_producer_id_block(asked.data)
    assert [("p1", 2000)] == answered(stage)


def test_a_block_whose_taking_was_never_confirmed_is_not_used() -> None:
    stage, zk = scene()
    stage.hears("p1", ASK)

    zk.answer(GetDataResponse(b"", Stat(version=0)))
    zk.answer(error=ZooKeeperError.CONNECTION_LOSS)
    zk.answer(GetDataResponse(encode_producer_id_block(101, 0, 999), Stat(version=1)))
    zk.answer(SetDataResponse())

    assert [("p1", 1000)] == answered(stage)


def test_when_a_block_is_used_up_the_next_is_taken() -> None:
    stage, zk = scene()
    stage.hears("p", ASK)
    zk.answer(GetDataResponse(b""))
    zk.answer(SetDataResponse())
    for _ in range(999):
        stage.hears("p", ASK)
    assert [(999, [])] == [(stage.replies[0][1].producer_id, zk.requests)]

    stage.hears("p", ASK)

    assert ([], [GetDataRequest("/latest_producer_id_block")]) == (stage.replies, zk.requests)


def test_a_producer_that_went_away_is_not_answered() -> None:
    stage, zk = scene()
    stage.hears("p1", ASK)
    stage.hears("p2", ASK)

    stage.loses("p1")
    zk.answer(GetDataResponse(b""))
    zk.answer(SetDataResponse())

    assert [("p2", 0)] == answered(stage)


def test_an_expired_session_is_waited_out_and_an_error_is_told() -> None:
    stage, zk = scene()
    stage.hears("p1", ASK)

    zk.answer(error=ZooKeeperError.SESSION_EXPIRED)
    zk.answer(error=ZooKeeperError.NO_NODE)

    stage.drain()
    assert [("p1", InitProducerIdResponse(error_code=ErrorCode.COORDINATOR_NOT_AVAILABLE))] == stage.replies


def test_a_broker_that_has_left_the_cluster_sends_producers_elsewhere() -> None:
    stage, zk = scene()
    stage.hears("p1", ASK)

    zk.is_closed = True
    zk.answer(error=ZooKeeperError.SESSION_EXPIRED)

    stage.drain()
    assert [("p1", InitProducerIdResponse(error_code=ErrorCode.COORDINATOR_NOT_AVAILABLE))] == stage.replies
    assert [InitProducerIdResponse(error_code=ErrorCode.COORDINATOR_NOT_AVAILABLE)] == stage.hears("p2", ASK)
    assert [] == zk.requests


def test_a_transactional_id_is_for_its_coordinator() -> None:
    stage, _ = scene()
    seen: list[object] = []
    ids = stage.node.components["producer_ids"]
    assert isinstance(ids, ProducerIds)
    asked = InitProducerIdRequest(transactional_id="t")

    assert [ErrorCode.UNSUPPORTED_VERSION] == [one.error_code for one in stage.hears("p1", asked)]
    ids.with_transactional_id = lambda *question: seen.append(question)

    assert [] == stage.hears("p1", asked)
    assert [("p1", asked)] == seen
