"""The cluster as a person drives it: straight-line code, faults in words, questions, and going back in time."""

from __future__ import annotations

import pytest

from kafkalite.errors import SimulationStuck
from kafkalite.facts import BrokerRegistered, LeaderElected
from kafkalite.protocol.fetch import FetchRequest
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import RequestFailed
from kafkalite.sim.faults import Cut, Fault, Kill, SlowLink
from kafkalite.sim.shell import EPHEMERAL, ZnodeChanged


def small(seed: int = 1) -> Cluster:
    return Cluster(brokers=3, seed=seed).topic("orders", assignment=((101, 102), (102, 103)))


def test_a_topic_is_placed_as_the_assignment_says() -> None:
    cluster = small()

    assert "b101" == cluster.leader("orders")
    assert ("b102",) == cluster.followers("orders")
    assert (101, 102) == cluster.isr("orders")
    assert ("b102", ("b103",), (102, 103)) == (
        cluster.leader("orders", 1),
        cluster.followers("orders", 1),
        cluster.isr("orders", 1),
    )


def test_a_partition_that_does_not_exist_has_no_leader() -> None:
    with pytest.raises(KeyError, match="orders"):
        small().leader("orders", 2)


def test_a_new_reader_finds_everything_up_to_the_watermark_and_asks_no_more() -> None:
    cluster = small()
    for value in (b"a", b"b"):
        cluster.producer().send("orders", value, partition=0).result()

    assert [b"a", b"b"] == cluster.values("orders")
    assert [0, 1] == [one.offset for one in cluster.read("orders")]
    assert [] == cluster.values("orders", 1)
    cluster.run_for(1000)
    asked = len(cluster.asked("reader1", FetchRequest))
    cluster.run_for(3000)
    assert asked == len(cluster.asked("reader1", FetchRequest))


def test_facts_are_found_by_kind_node_and_fields() -> None:
    cluster = small()

    assert 3 == len(cluster.facts(BrokerRegistered))
    assert [102] == [one.broker for one in cluster.facts(BrokerRegistered, "b102")]
    assert [102] == [one.leader for one in cluster.facts(LeaderElected, topic="orders", partition=1)]
    assert [] == cluster.facts(LeaderElected, topic="payments")


def test_whom_a_node_talks_to_and_what_is_on_its_disk_can_be_asked() -> None:
    cluster = small()
    cluster.producer("p1", bootstrap_servers=("b103",)).send("orders", b"v", partition=0).result()

    assert {"b101", "b103"} <= cluster.peers_of("p1") <= set(cluster.brokers)
    assert {"b101"} == set(cluster.asked("b102", FetchRequest))
    assert "00000000000000000000.log" in cluster.files("b101", "orders-0")
    assert [] == cluster.files("b103", "orders-0")


def test_what_is_cut_is_cut_both_ways() -> None:
    cluster = small()

    cluster.isolate("b101", ("b102", "z1"), 500).slow_down("b102", "b103", 7).run_for(0)

    expected: list[Fault] = [
        Cut("b101", "b102", 500),
        Cut("b102", "b101", 500),
        Cut("b101", "z1", 500),
        Cut("z1", "b101", 500),
    ]
    expected += [SlowLink("b102", "b103", 7), SlowLink("b103", "b102", 7)]
    assert expected == [step.event for step in cluster.steps if not step.node]


def test_a_broker_that_was_stopped_in_order_can_be_started_again() -> None:
    cluster = small()

    cluster.stop("b101")
    assert {101} == cluster.view.stopped
    cluster.restart("b101").run_until(lambda: 101 in cluster.isr("orders"), "its return")

    assert set() == cluster.view.stopped


def test_waiting_for_what_does_not_come_ends_with_what_was_waited_for() -> None:
    with pytest.raises(SimulationStuck, match=r"after 500 ms, at .* ms: the sea has not come"):
        small().run_until(lambda: False, "the sea", timeout_ms=500)


def test_a_request_that_is_refused_raises_and_says_whether_it_may_have_happened() -> None:
    with pytest.raises(RequestFailed, match="TOPIC_ALREADY_EXISTS; it may have happened"):
        small().admin().create_topic("orders", 1, 1)


def test_a_record_that_failed_raises_when_it_is_asked_for() -> None:
    cluster = Cluster(brokers=3, seed=1).topic("orders", replicas=3, min_insync_replicas=3)
    cluster.kill(cluster.followers("orders")[0]).run_for(20_000)
    pending = cluster.producer(delivery_timeout_ms=2000, request_timeout_ms=1000).send("orders", b"v")

    with pytest.raises(RequestFailed, match="it has not happened"):
        pending.result()


def test_a_deleted_topic_is_forgotten_and_begins_anew_under_the_same_name() -> None:
    cluster = small()
    cluster.producer().send("orders", b"old", partition=0).result()

    cluster.admin().delete_topic("orders")
    assert ("orders", 0) not in cluster.view.leaders
    cluster.topic("orders")

    assert 0 == cluster.view.leaders["orders", 0].leader_epoch
    assert [] == cluster.values("orders")


def test_the_view_knows_which_partitions_nobody_leads() -> None:
    cluster = Cluster(brokers=3, seed=1).topic("orders", assignment=((101,),))

    cluster.kill("b101").run_for(25_000)
    assert {("orders", 0)} == cluster.view.offline
    cluster.restart("b101").run_until(lambda: cluster.view.offline == set(), "a leader")

    assert "b101" == cluster.leader("orders")


# Going back ----------------------------------------------------------------------------------------------------------


def test_a_cluster_is_made_again_up_to_any_step_and_going_on_repeats_it() -> None:
    cluster = small()
    producer = cluster.producer()
    producer.send("orders", b"a", partition=0).result()
    cluster.inject(Kill("b102"), cluster.now_ms + 5)
    producer.send("orders", b"b", partition=0).result()
    half = len(cluster.steps) // 2

    twin = cluster.at(half)
    assert cluster.steps[:half] == twin.steps

    whole = cluster.at(len(cluster.steps))
    assert cluster.steps == whole.steps
    assert cluster.view.leaders == whole.view.leaders


def test_a_twin_goes_its_own_way_and_leaves_the_original_alone() -> None:
    cluster = small()
    cluster.producer().send("orders", b"a", partition=0).result()
    before = list(cluster.steps)
    twin = cluster.at(len(before))

    twin.kill("b101")
    twin.producer().send("orders", b"in the twin alone", partition=0).result()

    assert "b101" != twin.leader("orders")
    assert before == cluster.steps
    assert [b"a"] == cluster.values("orders")


@pytest.mark.parametrize("step", [-1, 10_000_000])
def test_there_is_no_step_outside_the_run(step: int) -> None:
    with pytest.raises(IndexError, match="the run has steps 0 to"):
        small().at(step)


# ZooKeeper's shell ---------------------------------------------------------------------------------------------------


def test_a_shell_reads_and_writes_znodes() -> None:
    shell = Cluster(brokers=0, zookeepers=3, seed=1).start().shell()

    assert "/greeting" == shell.create("/greeting", b"hello")
    shell.set("/greeting", b"good day")

    assert "good day" == shell.get("/greeting")
    assert ["greeting"] == shell.children("/")


def test_a_shell_is_refused_by_zookeepers_own_errors() -> None:
    shell = Cluster(brokers=0, zookeepers=1, seed=1).start().shell()

    with pytest.raises(RequestFailed, match="NO_NODE; it has not happened"):
        shell.get("/nothing")


def test_a_shell_is_told_once_of_what_it_watches() -> None:
    cluster = Cluster(brokers=0, zookeepers=3, seed=1).start()
    worker, boss = cluster.shell("worker"), cluster.shell("boss")
    boss.create("/work")
    boss.children("/work", watch=True)

    for number in range(2):
        worker.create(f"/work/{number}", flags=EPHEMERAL)
    cluster.run_for(100)

    assert [ZnodeChanged("/work", "NODE_CHILDREN_CHANGED")] == cluster.facts(ZnodeChanged, "boss")


def test_a_cluster_without_brokers_is_an_ensemble() -> None:
    cluster = Cluster(brokers=0, zookeepers=5, seed=1).start()

    assert () == cluster.brokers
    assert cluster.view.zookeeper_leader in cluster.zookeepers
