"""Consumer groups: who reads what, who takes over, and that reading removes nothing."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.protocol.fetch import FetchRequest
from kafkalite.sim.scenarios.crew import (
    IMPATIENT,
    cluster_with_groups,
    in_time_order,
    join,
    read_by,
    send,
    settle,
    show_group,
    until_committed,
    until_read,
)
from kafkalite.sim.stage import Scenario, Stage

A = "topic-a"
NINE = tuple(f"v{number}" for number in range(1, 10))


def groups_of_two_three_and_one(stage: Stage) -> None:
    """Topic-A has three partitions. Three applications read it: with two consumers, with three, and with one."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=3, replicas=2)
    stage.leave_out(facts.GroupRebalancing)
    stage.say("Each application is a group; its consumers share the partitions.")
    crews = {"application-1": ("c1", "c2"), "application-2": ("d1", "d2", "d3"), "application-3": ("e1",)}
    for group, names in crews.items():
        join(cluster, group, A, *names)
    stage.say("Nine records are written.")
    send(stage, cluster, A, *NINE)
    for group, names in crews.items():
        until_read(cluster, 9, *names)
        loads = sorted(len(cluster.view.reads[name]) for name in names)
        for name in names:
            stage.show(f"{name} has read {' '.join(read_by(cluster, name))}")
        spread = " and ".join(map(str, loads))
        stage.claim(sorted(read_by(cluster, *names)) == list(NINE), f"{group} has read every record once")
        stage.claim(sum(loads) == 3 and len(names) == len(loads), f"its consumers read {spread} of the partitions")


def the_fourth_consumer_is_idle(stage: Stage) -> None:
    """Four consumers, three partitions: one has nothing to do, until another one fails and it takes over."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=3, replicas=2)
    names = ["c1", "c2", "c3", "c4"]
    stage.say("Four consumers join.")
    join(cluster, "g", A, *names)
    readers = {cluster.reader("g", A, partition) for partition in range(3)}
    (idle,) = set(names) - readers
    stage.claim(len(readers) == 3, f"three of them have a partition each, and {idle} has none")
    send(stage, cluster, A, *NINE[:6])
    until_committed(cluster, "g", A)
    victim = cluster.reader("g", A, 0)
    assert victim is not None, "the claim above says so"
    stage.say(f"All that was written is read and committed. {victim}, which reads {A}-0, dies.")
    cluster.kill(victim)
    send(stage, cluster, A, "after", partition=0)
    settle(cluster, "g", A, without=victim)
    stage.claim(idle in {cluster.reader("g", A, partition) for partition in range(3)}, f"{idle} reads a partition now")
    rest = [name for name in names if name != victim]
    cluster.run_until(lambda: "after" in read_by(cluster, *rest), "the new record")
    stage.claim(
        sorted(read_by(cluster, *names)) == sorted([*NINE[:6], "after"]),
        "whoever took over went on where the dead one had committed: nothing is left out, nothing is read twice",
    )


def one_consumer_many_partitions(stage: Stage) -> None:
    """A consumer reads each of its partitions in the order of offsets; between partitions there is no order."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=3)
    sent = [str(number) for number in range(1, 13)]
    stage.say("Twelve records, to the three partitions in turn; then one consumer reads them all.")
    send(stage, cluster, A, *sent)
    stage.show_records(cluster, A)
    join(cluster, "g", A, "c1")
    until_read(cluster, 12, "c1")
    stage.show("c1 has read " + " ".join(read_by(cluster, "c1")))
    for partition in range(3):
        offsets = [one.offset for one in cluster.view.polled["c1"] if one.partition == partition]
        stage.claim(offsets == list(range(len(offsets))), f"{A}-{partition} was read in the order of its offsets")
    stage.claim(read_by(cluster, "c1") != sent, "all together are not in the order in which they were sent")


def two_groups_one_topic(stage: Stage) -> None:
    """Reading removes nothing: another group reads the same records, later, and each has its own bookmark."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=3)
    stage.leave_out(facts.GroupRebalancing)
    stage.say("One group reads along.")
    join(cluster, "early", A, "c1", "c2")
    send(stage, cluster, A, *NINE)
    until_committed(cluster, "early", A)
    stage.claim(show_group(stage, cluster, "early", A) == 0, "the group early has read all there is")
    stage.say("Later comes another one.")
    join(cluster, "late", A, "d1")
    until_read(cluster, 9, "d1")
    until_committed(cluster, "late", A)
    show_group(stage, cluster, "late", A)
    stage.claim(sorted(read_by(cluster, "d1")) == list(NINE), "it finds every record: nothing was taken away")
    stage.claim(sorted(read_by(cluster, "c1", "c2")) == list(NINE), "and the first group has noticed nothing of it")
    stage.claim(sum(len(cluster.read(A, partition)) for partition in range(3)) == 9, "the topic has all nine still")


def slow_consumer(stage: Stage) -> None:
    """Producing can be faster than consuming: the lag grows, until more consumers share the work."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=3, replicas=2)
    slow = {"processing_ms": 300, "max_poll_records": 1, "auto_commit_interval_ms": 1000}
    stage.say("One consumer works 300 ms on a record; three records come every 600 ms.")
    join(cluster, "g", A, "c1", **slow)
    lags = []

    def write_for(rounds: int) -> None:
        with stage.quiet():
            for number in range(rounds):
                for partition in range(3):
                    cluster.producer("p1", linger_ms=0).send(A, b"%d" % number, partition=partition)
                cluster.run_for(600)
        lags.append(sum(cluster.lag("g", A, partition) for partition in range(3)))
        stage.show(f"after {rounds * 0.6:.0f} more seconds of writing the group lags {lags[-1]} records behind")

    for _ in range(3):
        write_for(20)
    show_group(stage, cluster, "g", A)
    stage.claim(lags[0] < lags[1] < lags[2], "the lag grows and grows; a producer is not slowed down by a consumer")
    stage.say("Two more join.")
    join(cluster, "g", A, "c2", "c3", **slow)
    for _ in range(3):
        write_for(20)
    show_group(stage, cluster, "g", A)
    stage.claim(lags[5] < lags[2], "three consumers read faster than is written: the lag shrinks")
    loads = [len(read_by(cluster, name)) for name in ("c1", "c2", "c3")]
    stage.claim(all(loads), f"they have worked on {loads[0]}, {loads[1]} and {loads[2]} records")


def who_reads_what_is_agreed(stage: Stage) -> None:
    """The members agree on who reads what: one of them computes it, and strategies differ in how even it is."""
    strategies = {"range": [2, 4], "roundrobin": [3, 3], "sticky": [3, 3]}
    stage.tell_of(facts.MemberJoined)
    stage.leave_out(facts.GroupRebalancing)
    for strategy, expected in strategies.items():
        cluster = cluster_with_groups(stage)
        with stage.quiet():
            for topic in ("orders", "payments"):
                cluster.topic(topic, partitions=3)
        stage.say(f"Two members, two topics with three partitions each; partition.assignment.strategy={strategy}.")
        for name in ("c1", "c2"):
            cluster.member(name, "g", "orders", "payments", partition_assignment_strategy=(strategy,), **IMPATIENT)
        settle(cluster, "g", "orders")
        settle(cluster, "g", "payments")
        loads = sorted(len(cluster.view.reads.get(name, ())) for name in ("c1", "c2"))
        stage.claim(loads == expected, f"{strategy} gives one of them {loads[0]} partitions and the other {loads[1]}")


def consumers_know_their_brokers(stage: Stage) -> None:
    """A consumer finds by itself which broker leads what it reads, and who leads instead when that one dies."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, assignment=((101, 102, 103), (102, 103, 101), (103, 101, 102)), min_insync_replicas=2)
    stage.leave_out(facts.LeaderElected, facts.BecameLeader, facts.BrokersChanged)
    stage.say("As many consumers as partitions, as is usual; each is told of one broker only.")
    names = ("c1", "c2", "c3")
    join(cluster, "g", A, *names, bootstrap_servers=("b101",))
    send(stage, cluster, A, *NINE)
    until_read(cluster, 9, *names)
    for partition in range(3):
        name = cluster.reader("g", A, partition)
        assert name is not None, "the group is stable"
        asked = set(cluster.asked(name, FetchRequest))
        stage.claim({cluster.leader(A, partition)} == asked, f"{name} reads {A}-{partition} from {asked.pop()} alone")
    dead = cluster.leader(A, 0)
    stage.say(f"{dead} dies.")
    cluster.kill(dead)
    send(stage, cluster, A, "after", partition=0)
    cluster.run_until(lambda: "after" in read_by(cluster, *names), "the record that was written afterwards")
    holder = next(name for name in names if "after" in read_by(cluster, name))
    asked_last = cluster.asked(holder, FetchRequest)[-1]
    stage.claim(asked_last == cluster.leader(A, 0) != dead, f"{holder} reads {A}-0 from {asked_last} now")


TRUCKS = [f"truck{number:02}" for number in range(1, 31)]
EVERY_MS = 20_000
WAY = ["depot", "gate", "road", "bridge", "customer"]


def truck_gps(stage: Stage) -> None:
    """Trucks report every 20 seconds where they are; a dashboard and a notification service read it, each a group."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, "truck_gps", partitions=10, replicas=3, min_insync_replicas=2)
    stage.leave_out(facts.GroupRebalancing)
    dashboard, notification = ("d1", "d2", "d3"), ("n1", "n2")
    stage.say("The dashboard runs on three machines, the notification service on two.")
    join(cluster, "dashboard", "truck_gps", *dashboard)
    join(cluster, "notification", "truck_gps", *notification)
    stage.leave_out(facts.GroupStabilized)

    def report(place: str) -> None:
        with stage.quiet():
            for truck in TRUCKS:
                cluster.producer(truck).send("truck_gps", f"{truck}@{place}".encode(), key=truck.encode())
            cluster.run_for(EVERY_MS)

    stage.say("Thirty trucks, each a producer, report every 20 seconds; the key is the truck's id.")
    for place in WAY[:3]:
        report(place)
    ends = [cluster.view.high_watermarks["truck_gps", partition] for partition in range(10)]
    stage.show("records in each partition: " + " ".join(map(str, ends)))
    homes: dict[bytes | None, set[int]] = {}
    for sent in cluster.facts(facts.RecordSent, topic="truck_gps"):
        homes.setdefault(sent.key, set()).add(sent.partition)
    stage.claim(len(homes) == 30 and all(len(one) == 1 for one in homes.values()), "each truck is in one partition")
    stage.say("A machine of the dashboard dies; trucks go on.")
    cluster.kill("d2")
    for place in WAY[3:]:
        report(place)
    settle(cluster, "dashboard", "truck_gps", without="d2")
    for service, names in (("dashboard", dashboard), ("notification", notification)):
        until_read(cluster, 150, *names)
        told = in_time_order(cluster, *names)
        stage.claim(len(set(told)) == len(told) == 150, f"{service} has read all 150 reports, each once")
        places = [[one.partition("@")[2] for one in told if one.startswith(f"{truck}@")] for truck in TRUCKS]
        stage.claim(places == [WAY] * 30, f"{service} knows every truck's way, in the right order")
    readers = {cluster.reader("dashboard", "truck_gps", partition) for partition in range(10)}
    stage.claim(readers == {"d1", "d3"}, "the dashboard goes on with the two machines that are left")


SCENARIOS = (
    Scenario.of(groups_of_two_three_and_one, "C2 C4 C6"),
    Scenario.of(the_fourth_consumer_is_idle, "C3 C4"),
    Scenario.of(one_consumer_many_partitions, "C1"),
    Scenario.of(two_groups_one_topic, "C6 O1"),
    Scenario.of(slow_consumer, "C5"),
    Scenario.of(who_reads_what_is_agreed, "C7"),
    Scenario.of(consumers_know_their_brokers, "C8"),
    Scenario.of(truck_gps, "T1 T5 T10 C2 C6"),
)
