"""Brokers come, go, stop and come back; the controller elects, by what ZooKeeper says at that moment."""

from __future__ import annotations

import pytest

from kafkalite.controller import znodes
from kafkalite.controller.znodes import NO_LEADER
from kafkalite.facts import BrokersChanged, LeaderElected
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.inter_broker import (
    LeaderAndIsrRequest,
    UpdateMetadataRequest,
)
from kafkalite.protocol.zookeeper_frames import MultiRequest

from .rig import ORDERS, Rig, three


def test_when_a_leader_dies_the_next_replica_in_sync_leads_and_everybody_is_told() -> None:
    """R4, Z3."""
    rig = three()

    rig.kill(102)
    rig.run()

    assert [(103, 1, (103, 101), "offline")] == rig.elections_of(ORDERS)
    for broker in (101, 103):
        [state] = rig.partition_told(broker, *ORDERS)
        assert (103, 1, (103, 101)) == (state.leader, state.leader_epoch, state.isr)
        assert (rig.state(*ORDERS).zk_version, False) == (state.zk_version, state.is_new)
        [metadata] = rig.told(broker, UpdateMetadataRequest)
        assert [101, 103] == [one.id for one in metadata.live_brokers]
        assert (102,) == metadata.topic_states[0].partition_states[0].offline_replicas
    assert [] == rig.told(102, LeaderAndIsrRequest)
    assert [BrokersChanged((101, 103), (), (102,))] == rig.facts_of(BrokersChanged)


def test_a_follower_that_dies_leaves_the_isr_and_the_leader_learns_it_in_a_new_epoch() -> None:
    rig = three()

    rig.kill(103)
    rig.run()

    assert [(102, 1, (102, 101), "isr")] == rig.elections_of(ORDERS)
    assert [(102, 1)] == [(one.leader, one.leader_epoch) for one in rig.partition_told(102, *ORDERS)]


def test_the_isr_that_counts_is_the_one_in_zookeeper_not_the_one_that_was_seen_last() -> None:
    """The leader took 103 out of the ISR meanwhile: it may not lead."""
    rig = three()
    rig.change_isr(*ORDERS, (102, 101))

    rig.kill(102)
    rig.run()

    assert [(101, 1, (101,), "offline")] == rig.elections_of(ORDERS)


def test_a_leader_that_changes_the_isr_during_the_election_makes_the_controller_decide_again() -> None:
    """Its compare-and-set came first: the version is another, and with it perhaps the right leader."""
    rig = three()

    def be_quicker(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            rig.change_isr(*ORDERS, (102, 101))

    rig.kill(102)
    rig.zk.before = be_quicker
    rig.run()

    assert [(101, 1, (101,), "offline")] == rig.elections_of(ORDERS)
    assert (101, (101,)) == (rig.state(*ORDERS).leader, rig.state(*ORDERS).isr)


def test_an_election_whose_answer_was_lost_is_told_to_the_brokers_all_the_same() -> None:
    rig = three()

    def do_it_twice(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            rig.zk.answer(request)

    rig.kill(102)
    rig.zk.before = do_it_twice
    rig.run()

    assert [(103, 1, (103, 101), "offline")] == rig.elections_of(ORDERS)
    assert [(103, 1)] == [(one.leader, one.leader_epoch) for one in rig.partition_told(103, *ORDERS)]


@pytest.mark.parametrize("moment", [zk.GetChildrenRequest, zk.GetDataRequest])
def test_a_broker_that_dies_while_the_new_controller_reads_is_noticed(moment: type) -> None:
    """The watch is set with the read. Who reads first and watches later has this broker alive for ever."""
    rig = three()
    rig.expire()
    rig.forget()
    reads = []

    def die(request: object) -> None:
        if isinstance(request, moment) and rig.controller.is_active:
            reads.append(request)
        if len(reads) == 2:
            rig.zk.before = None
            rig.kill(102)

    rig.zk.before = die
    rig.elect()

    assert 103 == rig.state(*ORDERS).leader
    assert [101, 103] == sorted(rig.controller.context.brokers) if rig.controller.context else []


def test_two_brokers_that_die_one_after_the_other_are_both_noticed_though_a_watch_fires_once() -> None:
    """M43: the event says that something changed, not what; the read after it sees all of it."""
    rig = three()

    rig.kill(102)
    rig.kill(103)
    rig.run()

    assert [(101, 1, (101,), "offline")] == rig.elections_of(ORDERS)
    assert [BrokersChanged((101,), (), (102, 103))] == rig.facts_of(BrokersChanged)


def test_without_anybody_in_sync_the_partition_is_offline_and_the_last_of_the_isr_is_remembered() -> None:
    rig = three((102, 103))
    rig.change_isr(*ORDERS, (102,))

    rig.kill(102)
    rig.run()

    assert [(NO_LEADER, 1, (102,), "offline")] == rig.elections_of(ORDERS)
    assert [NO_LEADER] == [one.leader for one in rig.partition_told(103, *ORDERS)]


def test_only_the_last_of_the_isr_brings_an_offline_partition_back() -> None:
    rig = three((102, 103))
    rig.change_isr(*ORDERS, (102,))
    rig.kill(102)
    rig.run().forget()

    rig.register(104)
    rig.run()
    assert [] == rig.elections_of(ORDERS)
    rig.register(102)
    rig.run()

    assert [(102, 2, (102,), "offline")] == rig.elections_of(ORDERS)


@pytest.mark.parametrize("where", ["topic", "broker"])
def test_an_unclean_leader_is_elected_where_the_topic_or_the_broker_allows_it(where: str) -> None:
    """M15, M17."""
    allowed = {"unclean.leader.election.enable": "true"} if where == "topic" else {}
    rig = Rig([101, 102, 103], unclean_leader_election_enable=where == "broker").elect()
    rig.add_topic("orders", {0: [102, 103]}, **allowed)
    rig.run()
    rig.change_isr(*ORDERS, (102,))

    rig.kill(102)
    rig.run()

    last = rig.facts_of(LeaderElected)[-1]
    assert (103, (103,), True) == (last.leader, last.isr, last.is_unclean)


def test_a_topic_may_forbid_what_the_broker_allows() -> None:
    rig = Rig([101, 102, 103], unclean_leader_election_enable=True).elect()
    rig.add_topic("orders", {0: [102, 103]}, **{"unclean.leader.election.enable": "false"})
    rig.run()
    rig.change_isr(*ORDERS, (102,))

    rig.kill(102)
    rig.run()

    assert NO_LEADER == rig.state(*ORDERS).leader


def test_a_broker_that_comes_is_told_everything_and_the_others_are_told_of_it() -> None:
    rig = three((102, 103))
    rig.add_topic("users", {0: [101], 1: [104, 101]})
    rig.run().forget()

    rig.register(104)
    rig.run()

    [everything] = rig.told(104, UpdateMetadataRequest)
    assert ["orders", "users"] == [topic.topic_name for topic in everything.topic_states]
    assert [101] == [one.leader for one in rig.partition_told(104, "users", 1)]
    for broker in (101, 102, 103):
        [metadata] = rig.told(broker, UpdateMetadataRequest)
        assert [101, 102, 103, 104] == [one.id for one in metadata.live_brokers]
        assert "orders" not in {topic.topic_name for topic in metadata.topic_states}, "nothing of it has changed"


def test_the_first_word_of_a_controller_to_a_broker_is_whole() -> None:
    """A broker may forget what it believed of topics that are not in it: they went when it did not listen."""
    rig = three()
    rig.add_topic("users", {0: [101], 1: [102]})
    rig.run()
    rig.expire()
    rig.forget()

    rig.elect()

    for broker in (101, 102, 103):
        first = rig.told(broker, UpdateMetadataRequest)[0]
        assert [("orders", 1), ("users", 2)] == [
            (topic.topic_name, len(topic.partition_states)) for topic in first.topic_states
        ]


def test_a_broker_that_died_and_came_back_between_two_reads_is_both() -> None:
    """Its epoch is another: what it led is led by others, and it begins with nothing told."""
    rig = three()

    rig.kill(102)
    rig.register(102)
    rig.run()

    assert [(103, 1, (103, 101), "offline")] == rig.elections_of(ORDERS)
    assert [BrokersChanged((101, 102, 103), (102,), (102,))] == rig.facts_of(BrokersChanged)
    [told] = rig.told(102, LeaderAndIsrRequest)
    assert rig.zk.tree.znodes[znodes.broker_path(102)].stat.czxid == told.broker_epoch
    assert [103] == [one.leader for one in rig.partition_told(102, *ORDERS)]


def test_a_state_names_the_controller_that_wrote_it() -> None:
    rig = three()
    rig.expire()
    rig.elect()

    rig.kill(102)
    rig.run()

    assert 2 == rig.state(*ORDERS).controller_epoch


def test_a_new_controller_watches_the_topics_it_has_found() -> None:
    rig = three()
    rig.expire()
    rig.elect()

    rig.do(zk.SetDataRequest(znodes.topic_path("orders"), znodes.encode_topic({0: [102, 103, 101], 1: [103]})))
    rig.run()

    assert 103 == rig.state("orders", 1).leader


@pytest.mark.parametrize("bounced", [102, 101])
def test_a_leader_that_died_and_came_back_while_there_was_no_controller_does_not_lead_on_in_its_old_epoch(
    bounced: int,
) -> None:
    """Its log may be shorter than before: in the same epoch, other records would stand at offsets already copied."""
    rig = three((bounced, 103))
    rig.expire()
    rig.forget()

    rig.kill(bounced)
    rig.register(bounced)
    rig.elect()

    assert [(103, 1, (103,), "offline")] == rig.elections_of(ORDERS)
    assert [103] == [one.leader for one in rig.partition_told(bounced, *ORDERS)]


def test_a_leader_that_has_no_other_leads_on_in_a_new_epoch() -> None:
    rig = three((102,))
    rig.expire()
    rig.forget()

    rig.kill(102)
    rig.register(102)
    rig.elect()

    assert (102, 2, (102,)) == (rig.state(*ORDERS).leader, rig.state(*ORDERS).leader_epoch, rig.state(*ORDERS).isr)


def test_one_event_makes_one_request_of_a_kind_for_each_broker() -> None:
    """T7: a thousand partitions are not a thousand requests."""
    rig = Rig([101, 102, 103]).elect()
    rig.add_topic("orders", {index: [102, 103] for index in range(1000)})
    rig.run()
    assert 1000 == len(rig.facts_of(LeaderElected))
    assert [1, 1] == [len(rig.told(broker, LeaderAndIsrRequest)) for broker in (102, 103)]
    rig.forget()

    rig.kill(102)
    rig.run()

    assert (0, 1) == tuple(len(rig.told(broker, LeaderAndIsrRequest)) for broker in (102, 103))
    assert (1, 1) == tuple(len(rig.told(broker, UpdateMetadataRequest)) for broker in (101, 103))
    assert 1000 == len(rig.facts_of(LeaderElected))


# What a broker is told, it is told in order --------------------------------------------------------------------------


def test_a_broker_that_does_not_answer_is_asked_again_and_nothing_overtakes() -> None:
    rig = three()
    rig.silent.add(103)
    rig.kill(102)
    rig.run()
    rig.add_topic("users", {0: [103]})
    rig.run()
    assert 1 == len(rig.told(103, LeaderAndIsrRequest))

    rig.lose("b103#control").fire("channels.retry:b103#control")
    assert 2 == len(rig.told(103, LeaderAndIsrRequest))
    rig.silent.clear()
    rig.run()

    first, again, then = rig.told(103, LeaderAndIsrRequest)
    assert first is again
    assert ["orders", "users"] == [one.topic_states[0].topic_name for one in (first, then)]


def test_what_was_meant_for_a_broker_that_is_gone_is_not_said_to_its_next_life() -> None:
    rig = three()
    rig.silent.add(103)
    rig.add_topic("users", {0: [103]})
    rig.run()
    rig.kill(103)
    rig.run().forget()
    assert 0 == rig.node.waits_for("b103#control"), "the connection is closed"

    rig.silent.clear()
    rig.register(103)
    rig.run()

    epoch = rig.zk.tree.znodes[znodes.broker_path(103)].stat.czxid
    assert rig.told(103, LeaderAndIsrRequest)
    assert {epoch} == {request.broker_epoch for to, request in rig.sent if to == 103}
