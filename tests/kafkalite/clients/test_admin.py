"""An administrator's request finds who can do it, is repeated where that helps, and always ends."""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.clients.admin import Admin
from kafkalite.config import ClientConfig
from kafkalite.errors import ErrorCode
from kafkalite.facts import RequestAnswered
from kafkalite.protocol.configs import (
    DescribeConfigsRequest,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
)
from kafkalite.protocol.metadata import DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse
from kafkalite.protocol.topics import (
    CreatableTopicResult,
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreatePartitionsTopicResult,
    CreateTopicsRequest,
    CreateTopicsResponse,
    DeletableTopicResult,
    DeleteRecordsPartitionResult,
    DeleteRecordsRequest,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
)
from kafkalite.sim.faults import Freeze, Kill, PowerLoss
from tests.kafkalite.clients.fake_cluster import FakeBroker, Run, Truth, producer


class AdministeredBroker(FakeBroker):
    """Does what it is told if it is the controller, but the first `script["", 0]` answers are as scripted."""

    def _outcome(self, source: str, request: Any, partition: tuple[str, int] = ("", 0)) -> ErrorCode:
        self.truth.asked.append((self.name, source, request))
        error = self.truth.next_error(partition)
        is_controller = self.truth.controller == self.broker
        return error if error != ErrorCode.NONE or is_controller else ErrorCode.NOT_CONTROLLER

    def on_create_topics_request(self, source: str, request: CreateTopicsRequest) -> None:
        (topic,) = request.topics
        error = self._outcome(source, request)
        is_new = (topic.name, 0) not in self.truth.partitions
        if error == ErrorCode.NONE and is_new:
            self.truth.topic(topic.name, *[self.broker] * topic.num_partitions)
        elif error == ErrorCode.NONE:
            error = ErrorCode.TOPIC_ALREADY_EXISTS
        if self.truth.hang_ups:
            self.truth.hang_ups -= 1
            self.disconnect(source)
            return
        shape = (topic.num_partitions, topic.replication_factor)
        result = CreatableTopicResult(
            topic.name, error_code=error, num_partitions=shape[0], replication_factor=shape[1]
        )
        self.reply(source, CreateTopicsResponse(topics=(result,)))

    def on_delete_topics_request(self, source: str, request: DeleteTopicsRequest) -> None:
        error = self._outcome(source, request)
        self.reply(
            source, DeleteTopicsResponse(responses=(DeletableTopicResult(request.topics[0].name, error_code=error),))
        )

    def on_create_partitions_request(self, source: str, request: CreatePartitionsRequest) -> None:
        error = self._outcome(source, request)
        result = CreatePartitionsTopicResult(request.topics[0].name, error, "so it is")
        self.reply(source, CreatePartitionsResponse(results=(result,)))

    def on_delete_records_request(self, source: str, request: DeleteRecordsRequest) -> None:
        self.truth.asked.append((self.name, source, request))
        topic = request.topics[0].name
        led = self.truth.partitions[topic, 0]
        is_leader = led.leader == self.broker
        start = led.log.delete_before(request.topics[0].partitions[0].offset) if is_leader else -1
        error = ErrorCode.NONE if is_leader else ErrorCode.NOT_LEADER_OR_FOLLOWER
        result = DeleteRecordsPartitionResult(0, start, error)
        self.reply(source, DeleteRecordsResponse(topics=(DeleteRecordsTopicResult(topic, (result,)),)))

    def on_describe_cluster_request(self, source: str, request: DescribeClusterRequest) -> None:
        brokers = tuple(DescribeClusterBroker(one, f"b{one}", 0) for one in self.truth.brokers)
        self.reply(source, DescribeClusterResponse(cluster_id="small", controller_id=102, brokers=brokers))

    def on_describe_configs_request(self, source: str, request: DescribeConfigsRequest) -> None:
        self.truth.asked.append((self.name, source, request))
        (one,) = request.resources
        setting = DescribeConfigsResourceResult("min.insync.replicas", "2")
        result = DescribeConfigsResult(
            resource_type=one.resource_type, resource_name=one.resource_name, configs=(setting,)
        )
        self.reply(source, DescribeConfigsResponse(results=(result,)))


class AdminRun(Run):
    """Asks one thing after another."""

    def ask(self, method: str, *arguments: Any) -> RequestAnswered:
        number = len(self.of(RequestAnswered)) + 10
        self.sim.call("admin", method, number, *arguments)
        self.sim.run(lambda: any(fact.request == number for fact in self.of(RequestAnswered)))
        answer: RequestAnswered = self.of(RequestAnswered)[-1]
        return answer


def _run(controller: int = 102, faults: Any = (), **settings: Any) -> AdminRun:
    truth = Truth((101, 102, 103), controller=controller).topic("orders", 103)
    admin = Admin("admin", ClientConfig(("b101",), **settings))
    return AdminRun(truth, producer(truth), admin, faults=faults, broker=AdministeredBroker)


def test_a_topic_is_created_by_the_controller_whoever_was_asked_first() -> None:
    """T2, D3: the number of partitions is given at creation."""
    run = _run()

    assert RequestAnswered(10, "CreateTopics", "NONE", "4 partitions, 3 replicas") == run.ask(
        "create_topic", "new", 4, 3
    )
    assert ["b102"] == [broker for broker, _ in run.requests(CreateTopicsRequest)]


def test_a_topic_can_be_created_by_hand_and_with_settings() -> None:
    run = _run()
    run.ask("create_topic", "new", -1, -1, (("min.insync.replicas", "2"),), ((101, 102), (102, 103)))
    ((_, request),) = run.requests(CreateTopicsRequest)
    (topic,) = request.topics

    assert (-1, -1) == (topic.num_partitions, topic.replication_factor)
    assert [(0, (101, 102)), (1, (102, 103))] == [(one.partition_index, one.broker_ids) for one in topic.assignments]
    assert [("min.insync.replicas", "2")] == [(one.name, one.value) for one in topic.configs]


def test_who_is_not_the_controller_any_more_says_so_and_the_new_one_is_found() -> None:
    run = _run()
    run.ask("describe_cluster")
    run.truth.controller = 103

    assert "NONE" == run.ask("create_topic", "new", 1, 1).error
    assert ["b102", "b103"] == [broker for broker, _ in run.requests(CreateTopicsRequest)]


@pytest.mark.parametrize("death", [Kill, PowerLoss])
def test_when_the_controller_dies_the_next_one_is_asked(death: type[Kill | PowerLoss]) -> None:
    run = _run(request_timeout_ms=5_000)
    run.ask("describe_cluster")
    run.sim.inject(death("b102"))
    run.truth.controller = 103

    assert "NONE" == run.ask("create_topic", "new", 1, 1).error


def test_where_there_is_no_controller_the_request_waits_for_one() -> None:
    run = _run(controller=-1)
    run.sim.call("admin", "create_topic", 10, "new", 1, 1)
    run.sim.run_for(3_000)
    before = run.of(RequestAnswered)
    run.truth.controller = 101
    run.sim.run_for(3_000)

    assert ([], ["NONE"]) == (before, [fact.error for fact in run.of(RequestAnswered)])


def test_an_answer_that_was_lost_is_asked_for_again_and_may_find_its_own_work_done() -> None:
    run = _run()
    run.truth.hang_ups = 1

    assert "TOPIC_ALREADY_EXISTS" == run.ask("create_topic", "new", 1, 1).error


def test_a_refusal_is_the_answer() -> None:
    run = _run()
    run.truth.script["", 0] = [ErrorCode.INVALID_PARTITIONS]

    assert RequestAnswered(10, "CreatePartitions", "INVALID_PARTITIONS", "so it is") == run.ask(
        "create_partitions", "orders", 1
    )
    assert 1 == len(run.requests(CreatePartitionsRequest))


def test_partitions_are_added_and_topics_deleted_by_the_controller() -> None:
    """T8."""
    run = _run()

    assert ["NONE", "NONE"] == [
        run.ask("create_partitions", "orders", 3).error,
        run.ask("delete_topic", "orders").error,
    ]
    assert [3] == [request.topics[0].count for _, request in run.requests(CreatePartitionsRequest)]
    assert ["b102"] == [broker for broker, _ in run.requests(DeleteTopicsRequest)]


def test_records_are_deleted_and_offsets_looked_up_at_the_leader() -> None:
    run = _run().produce(5).until_done()

    assert ["5", "0"] == [run.ask("list_offsets", "orders", 0, which).answer for which in (-1, -2)]
    assert "3" == run.ask("delete_records", "orders", 0, 3).answer
    assert "3" == run.ask("list_offsets", "orders", 0, -2).answer
    assert ["b103"] == [broker for broker, _ in run.requests(DeleteRecordsRequest)]


def test_a_leader_that_has_moved_is_found_again() -> None:
    run = _run().produce(5).until_done()
    run.ask("list_offsets", "orders", 0)
    run.truth.partitions["orders", 0].move(101)

    assert ("NONE", "2") == (run.ask("delete_records", "orders", 0, 2).error, "2")
    assert ["b103", "b101"] == [broker for broker, _ in run.requests(DeleteRecordsRequest)]


def test_the_cluster_is_described_by_any_broker() -> None:
    """D2, B2."""
    said = _run().ask("describe_cluster").answer

    assert "cluster small, controller 102, brokers 101=b101 102=b102 103=b103" == said


def test_settings_of_a_broker_are_asked_of_that_broker_and_those_of_a_topic_of_any() -> None:
    run = _run()

    assert "min.insync.replicas=2" == run.ask("describe_topic_configs", "orders").answer
    assert "min.insync.replicas=2" == run.ask("describe_broker_configs", 103).answer
    assert [(2, "orders"), (4, "103")] == [
        (request.resources[0].resource_type, request.resources[0].resource_name)
        for _, request in run.requests(DescribeConfigsRequest)
    ]
    assert "b103" == run.requests(DescribeConfigsRequest)[-1][0]


def test_a_request_that_nobody_answers_ends_with_a_time_out() -> None:
    run = _run(faults=[(100, Freeze("b102", 600_000))])
    run.sim.run_for(200)
    answer = run.ask("create_topic", "new", 1, 1)

    assert "REQUEST_TIMED_OUT" == answer.error
    assert 60_200 == run.sim.now_ms
    run.sim.run_for(600_000)  # whatever comes late is not told
    assert 1 == len(run.of(RequestAnswered))


def test_a_closed_client_comes_to_rest() -> None:
    run = _run(controller=-1)
    run.sim.call("admin", "create_topic", 10, "new", 1, 1)
    run.sim.run_for(500)
    run.sim.call("admin", "close")
    run.sim.call("p1", "close")
    run.sim.run()

    assert ["REQUEST_TIMED_OUT"] == [fact.error for fact in run.of(RequestAnswered)]
