"""Markers on their way: who is asked for which, what is asked again, and when a transaction is done."""

from __future__ import annotations

from typing import Any

from kafkalite.broker.marker_sender import Decision, MarkerSender
from kafkalite.broker.metadata_view import MetadataView
from kafkalite.config import BrokerConfig
from kafkalite.errors import ErrorCode
from kafkalite.node import Node
from kafkalite.protocol.inter_broker import (
    UpdateMetadataBroker,
    UpdateMetadataEndpoint,
    UpdateMetadataPartitionState,
    WritableTxnMarkerPartitionResult,
    WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
    WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
)
from kafkalite.transactions.records import TRANSACTIONS_TOPIC

from .scripted import Stage

B102, B103 = "b102#markers", "b103#markers"
NONE = ErrorCode.NONE


class Metadata:
    """What the test says of the cluster: partition -> leader, -1 for none."""

    def __init__(self, leaders: dict[tuple[str, int], int]) -> None:
        self.told(leaders)

    def told(self, leaders: dict[tuple[str, int], int], alive: tuple[int, ...] = (102, 103)) -> None:
        topics: dict[str, dict[int, Any]] = {TRANSACTIONS_TOPIC: {}}
        for (topic, index), leader in leaders.items():
            state = UpdateMetadataPartitionState(partition_index=index, leader=leader)
            topics.setdefault(topic, {})[index] = state
        brokers = {one: UpdateMetadataBroker(one, (UpdateMetadataEndpoint(0, f"b{one}"),)) for one in alive}
        self.view = MetadataView(101, brokers, topics)


class Scene:
    """A sender, and which transactional ids were done, in order."""

    def __init__(self, leaders: dict[tuple[str, int], int]) -> None:
        self.stage = Stage(Node("b101"))
        self.metadata = Metadata(leaders)
        self.done: list[str] = []
        self.sender = MarkerSender(self.stage.node, BrokerConfig(101, ()), self.metadata, self.done.append)  # type: ignore[arg-type]

    def send(self, name: str, *partitions: tuple[str, int], producer_id: int = 7, is_commit: bool = True) -> None:
        self.sender.send(Decision(name, producer_id, 3, is_commit, 5), partitions)
        self.stage.drain()

    def asked(self) -> list[tuple[str, list[tuple[int, bool, str, tuple[int, ...]]]]]:
        """Who is asked for what, since the last event."""
        return [
            (
                peer,
                [
                    (marker.producer_id, marker.transaction_result, topic.name, topic.partition_indexes)
                    for marker in request.markers
                    for topic in marker.topics
                ],
            )
            for peer, request in self.stage.requests
        ]

    def answers(self, peer: str, error: ErrorCode = NONE, errors: dict[int, ErrorCode] | None = None) -> None:
        """A broker answers what it was asked last; `errors` by partition."""
        request = self.stage.node._asked[peer][0][0]
        assert isinstance(request, WriteTxnMarkersRequest)
        results = tuple(
            WritableTxnMarkerResult(
                marker.producer_id,
                tuple(
                    WritableTxnMarkerTopicResult(
                        topic.name,
                        tuple(
                            WritableTxnMarkerPartitionResult(index, (errors or {}).get(index, error))
                            for index in topic.partition_indexes
                        ),
                    )
                    for topic in marker.topics
                ),
            )
            for marker in request.markers
        )
        self.stage.hears(peer, WriteTxnMarkersResponse(results))


LEADERS = {("A", 0): 102, ("A", 1): 102, ("A", 2): 103, ("B", 0): 103}


def test_each_leader_is_asked_once_for_all_that_it_leads() -> None:
    scene = Scene(LEADERS)

    scene.send("t", *LEADERS)

    assert [(B102, [(7, True, "A", (0, 1))]), (B103, [(7, True, "A", (2,)), (7, True, "B", (0,))])] == scene.asked()
    (marker,) = scene.stage.requests[0][1].markers
    assert (3, 5) == (marker.producer_epoch, marker.coordinator_epoch)
    scene.answers(B102)
    assert [] == scene.done
    scene.answers(B103)
    assert ["t"] == scene.done
    assert {} == scene.sender.decisions


def test_what_comes_meanwhile_waits_for_the_answer_and_then_goes_together() -> None:
    scene = Scene(LEADERS)
    scene.send("t", ("A", 0))
    scene.send("u", ("A", 0), producer_id=8, is_commit=False)
    assert [] == scene.asked()
    scene.send("v", ("A", 1), producer_id=9)

    scene.answers(B102)

    assert ["t"] == scene.done
    assert [(B102, [(8, False, "A", (0,)), (9, True, "A", (1,))])] == scene.asked()
    scene.answers(B102)
    assert ["t", "u", "v"] == scene.done


def test_a_partition_that_has_moved_is_asked_for_where_it_is_led_now() -> None:
    scene = Scene(LEADERS)
    scene.send("t", ("A", 0), ("A", 1))
    scene.answers(B102, errors={1: ErrorCode.NOT_LEADER_OR_FOLLOWER})
    assert [] == scene.asked(), "not at once: it would be asked for in the same place"
    scene.metadata.told({**LEADERS, ("A", 1): 103})

    scene.stage.fires("markers.retry")

    assert [(B103, [(7, True, "A", (1,))])] == scene.asked()
    scene.answers(B103)
    assert ["t"] == scene.done


def test_what_was_not_answered_is_asked_again() -> None:
    scene = Scene(LEADERS)
    scene.send("t", ("A", 0))
    scene.stage.loses(B102)

    scene.stage.fires("markers.retry")

    assert [(B102, [(7, True, "A", (0,))])] == scene.asked()
    scene.stage.loses("b102")
    scene.stage.fires("markers.retry")
    assert [] == scene.asked(), "it was another connection that broke, and the broker is still to answer"


def test_a_partition_without_leader_is_waited_for() -> None:
    for nobody in ({("A", 0): -1}, {("A", 0): 104}):
        scene = Scene(nobody)
        scene.send("t", ("A", 0))
        scene.stage.fires("markers.retry")
        assert ([], []) == (scene.asked(), scene.done)
        scene.metadata.told(LEADERS)

        scene.stage.fires("markers.retry")

        assert [(B102, [(7, True, "A", (0,))])] == scene.asked()


def test_a_partition_that_is_gone_needs_no_marker_unless_too_little_is_known_to_say_so() -> None:
    scene = Scene({("B", 0): 103})
    scene.send("t", ("A", 0), ("B", 0))
    scene.send("u", ("A", 0), producer_id=8)
    assert ["u"] == scene.done
    scene.answers(B103)
    assert ["u", "t"] == scene.done

    scene.metadata.view = MetadataView()  # as a broker that has not heard of any controller
    scene.send("v", ("A", 0), producer_id=9)
    scene.stage.fires("markers.retry")

    assert ["u", "t"] == scene.done


def test_who_is_fenced_leaves_it_to_whoever_fenced_it() -> None:
    for error in (ErrorCode.TRANSACTION_COORDINATOR_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH):
        scene = Scene(LEADERS)
        scene.send("t", ("A", 0), ("A", 2))

        scene.answers(B102, error)
        scene.answers(B103)
        scene.stage.fires("markers.retry")

        assert ([], [], {}) == (scene.done, scene.asked(), scene.sender.decisions)


def test_what_is_forgotten_is_not_asked_for_again_and_its_answer_changes_nothing() -> None:
    scene = Scene(LEADERS)
    scene.send("t", ("A", 0), ("A", 2))
    scene.answers(B103, ErrorCode.NOT_ENOUGH_REPLICAS)
    scene.sender.forget("t")
    scene.stage.fires("markers.retry")
    assert [] == scene.asked()
    scene.send("t", ("A", 0))

    scene.answers(B102)

    assert [] == scene.done, "that was the answer to what was asked before"
    assert [(B102, [(7, True, "A", (0,))])] == scene.asked()
    scene.answers(B102)
    assert ["t"] == scene.done


def test_a_partition_that_the_answer_does_not_name_is_asked_for_again() -> None:
    scene = Scene(LEADERS)
    scene.send("t", ("A", 0))
    scene.stage.hears(B102, WriteTxnMarkersResponse())

    scene.stage.fires("markers.retry")

    assert [(B102, [(7, True, "A", (0,))])] == scene.asked()
