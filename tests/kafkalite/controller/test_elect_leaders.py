"""ElectLeaders: an administrator has leaders elected, of some partitions or wherever it is due (KIP-183, KIP-460)."""

from __future__ import annotations

from kafkalite.errors import ErrorCode
from kafkalite.protocol.reassignment import PREFERRED, UNCLEAN, ElectLeadersRequest, TopicPartitions
from kafkalite.types import TopicPartition

from .rig import Rig


def displaced() -> Rig:
    """Broker 104 is controller. orders-0 and -1 prefer 101, which was away: 102 leads both; orders-2 is led by 103."""
    rig = Rig([104, 101, 102, 103]).elect()
    rig.add_topic("orders", {0: [101, 102], 1: [101, 102], 2: [103, 102]})
    rig.run()
    rig.kill(101)
    rig.run()
    rig.register(101)
    rig.run()
    rig.change_isr("orders", 0, (102, 101))
    rig.forget()
    return rig


def elect(rig: Rig, *partitions: int, kind: int = PREFERRED) -> dict[TopicPartition, ErrorCode]:
    asked = (TopicPartitions("orders", partitions),) if partitions else None
    answer = rig.ask("c1", ElectLeadersRequest(kind, asked, 1000))
    assert ErrorCode.NONE == answer.error_code
    return {
        (topic.topic, one.partition_id): one.error_code
        for topic in answer.replica_election_results
        for one in topic.partition_result
    }


def test_of_all_partitions_those_are_told_where_an_election_is_due() -> None:
    """101 is in sync in the first alone."""
    rig = displaced()

    outcomes = elect(rig)

    assert {("orders", 0): ErrorCode.NONE, ("orders", 1): ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE} == outcomes
    assert [101, 102, 103] == [rig.state("orders", partition).leader for partition in range(3)]


def test_of_those_asked_for_all_are_told() -> None:
    rig = displaced()

    outcomes = elect(rig, 0, 2, 9)

    assert {
        ("orders", 0): ErrorCode.NONE,
        ("orders", 2): ErrorCode.ELECTION_NOT_NEEDED,
        ("orders", 9): ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    } == outcomes


def test_unclean_anybody_alive_leads_where_nobody_does_and_nowhere_else() -> None:
    rig = displaced()
    rig.kill(102)
    rig.run()
    assert -1 == rig.state("orders", 1).leader

    outcomes = elect(rig, kind=UNCLEAN)

    assert {("orders", 1): ErrorCode.NONE} == outcomes
    assert (101, (101,)) == (rig.state("orders", 1).leader, rig.state("orders", 1).isr)
    assert {("orders", 2): ErrorCode.ELECTION_NOT_NEEDED} == elect(rig, 2, kind=UNCLEAN)


def test_where_nobody_is_alive_nobody_leads_unclean_or_not() -> None:
    rig = displaced()
    rig.kill(101)
    rig.kill(102)
    rig.run()

    assert {("orders", 1): ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE} == elect(rig, 1, kind=UNCLEAN)


def test_who_is_not_the_controller_says_so_also_to_those_who_wait() -> None:
    rig = displaced()
    rig.receive("c1", ElectLeadersRequest(PREFERRED, None, 1000))

    rig.expire()

    assert [ErrorCode.NOT_CONTROLLER] == [answer.error_code for _, answer in rig.replies]
    assert ErrorCode.NOT_CONTROLLER == rig.ask("c1", ElectLeadersRequest(PREFERRED, None, 1000)).error_code


def test_of_partitions_that_are_named_each_is_refused_by_who_is_not_the_controller() -> None:
    """As Kafka does: nothing is said of the whole."""
    rig = displaced()
    rig.expire()

    answer = rig.ask("c1", ElectLeadersRequest(PREFERRED, (TopicPartitions("orders", (0, 1)),), 1000))

    assert ErrorCode.NONE == answer.error_code
    [topic] = answer.replica_election_results
    assert [ErrorCode.NOT_CONTROLLER] * 2 == [one.error_code for one in topic.partition_result]
