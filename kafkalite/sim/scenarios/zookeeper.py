"""ZooKeeper: who is alive, who decides, who is told; and what goes on without it."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.errors import SimulationStuck
from kafkalite.protocol.zookeeper import SetDataRequest
from kafkalite.sim.facades import RequestFailed
from kafkalite.sim.shell import EPHEMERAL, ShellFacade, ZnodeChanged
from kafkalite.sim.stage import Scenario, Stage


def three_zookeepers_five_brokers(stage: Stage) -> None:
    """Three ZooKeeper servers manage five brokers; one of the three may die, and no broker is taken for dead."""
    cluster = stage.cluster(5, 3, is_start_told=True)
    leader = cluster.view.zookeeper_leader or ""
    stage.claim(len(cluster.view.registered) == 5, "all five brokers are registered, and one is controller")
    for broker in cluster.brokers:
        stage.show(f"{broker} talks to {', '.join(sorted(cluster.peers_of(broker) & set(cluster.zookeepers)))}")
    stage.say(f"{leader}, which leads the ensemble, dies.")
    cluster.kill(leader).run_for(30_000)
    stage.claim(
        cluster.view.zookeeper_leader not in {None, leader}, f"{cluster.view.zookeeper_leader} leads the other two"
    )
    stage.claim(cluster.facts(facts.SessionExpired) == [], "every broker has found another server in time")
    stage.topic(cluster, "orders", partitions=5, replicas=3)
    leaders = {cluster.leader("orders", partition) for partition in range(5)}
    stage.claim(leaders == set(cluster.brokers), "a topic can be created as before, and every broker leads")


def broker_session_expires(stage: Stage) -> None:
    """A broker is alive while ZooKeeper hears of it: its znode goes with its session, and the controller sees that."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", replicas=3)
    shell = cluster.shell()
    frozen = cluster.leader("orders")
    shell.children("/brokers/ids")
    stage.say(f"{frozen} stands still for 25 seconds; a session lasts 18.")
    cluster.freeze(frozen, 25_000).run_for(24_000)
    alive = shell.children("/brokers/ids")
    stage.claim(frozen[1:] not in alive, f"the znode of {frozen} is gone")
    stage.claim(cluster.leader("orders") != frozen, f"{cluster.leader('orders')} leads instead")
    stage.say("It goes on, believing for a moment that it leads.")
    cluster.run_until(lambda: len(cluster.isr("orders")) == 3, "an ISR of three")
    shell.children("/brokers/ids")
    epochs = [one.broker_epoch for one in cluster.facts(facts.BrokerRegistered, frozen)]
    stage.claim(len(epochs) == 2 and epochs[0] < epochs[1], f"{frozen} has registered again, with a greater epoch")


def controller_dies(stage: Stage) -> None:
    """One broker is the controller and elects partition leaders; when it dies, the others race for its place."""
    cluster = stage.cluster()
    stage.topic(cluster, "orders", partitions=3, replicas=3)
    shell = cluster.shell()
    old = cluster.view.controller or ""
    shell.get("/controller")
    stage.say(f"{old}, the controller, dies.")
    cluster.kill(old)
    cluster.run_until(lambda: cluster.view.controller not in {None, old}, "another controller")
    cluster.run_until(
        lambda: all(cluster.leader("orders", one) != old for one in range(3)), "leaders of all partitions"
    )
    shell.get("/controller")
    first, second = cluster.facts(facts.ControllerElected)
    stage.claim(second.controller_epoch == first.controller_epoch + 1, "the new controller's epoch is one greater")
    elected = cluster.facts(facts.LeaderElected, cluster.view.controller, reason="offline")
    stage.claim(elected != [], f"{cluster.view.controller} has elected leaders for what {old} had led")


def a_controller_that_slept(stage: Stage) -> None:
    """A controller that slept through its session is none any more: another has its place, with a greater epoch."""
    cluster = stage.cluster(zookeepers=3)
    stage.topic(cluster, "orders", partitions=3, replicas=3)
    old = cluster.view.controller or ""
    stage.say(f"{old}, the controller, stands still for 25 seconds.")
    cluster.freeze(old, 25_000)
    cluster.run_until(lambda: cluster.view.controller not in {None, old}, "another controller")
    new = cluster.view.controller
    cluster.run_until(lambda: cluster.facts(facts.ControllerResigned, old) != [], "its waking").run_for(2000)
    stage.claim(
        cluster.facts(facts.ControllerResigned, old) != [], f"{old} has learned that it is controller no longer"
    )
    stage.claim(cluster.view.controller == new, f"{new} is")
    obeyed = [one.controller_epoch for one in cluster.facts(facts.ControllerObeyed)]
    stage.claim(sorted(set(obeyed)) == [1, 2], "brokers have obeyed the epochs 1 and 2")


def watch_tells_of_a_new_topic(stage: Stage) -> None:
    """A watch tells once that something changed; whoever wants to know more reads again, and sets the next one."""
    cluster = stage.cluster()
    shell = cluster.shell()
    stage.tell_of(facts.WatchFired, facts.TopicCreated)
    stage.say("The shell reads /brokers/topics and sets a watch with it, as the controller has done.")
    before = shell.children("/brokers/topics", watch=True)
    cluster.topic("orders")
    cluster.run_for(100)
    told = cluster.facts(ZnodeChanged)
    stage.claim([one.path for one in told] == ["/brokers/topics"], "the shell was told that there is a change")
    stage.claim(
        cluster.facts(facts.LeaderElected, topic="orders") != [], "the controller was told, too, and elected a leader"
    )
    stage.say("Another topic. Who sets no watch again is not told again.")
    cluster.topic("payments")
    cluster.run_for(100)
    stage.claim(len(cluster.facts(ZnodeChanged)) == 1, "the shell has heard nothing: a watch is for one time")
    after = shell.children("/brokers/topics")
    stage.claim(sorted(set(after) - set(before)) == ["orders", "payments"], "reading again, it finds both")
    stage.claim(cluster.facts(facts.LeaderElected, topic="payments") != [], "the controller had set its watch again")


def no_zookeeper_no_change(stage: Stage) -> None:
    """Without ZooKeeper nothing can change: leaders serve on, but when one dies nobody can elect another."""
    cluster = stage.cluster(zookeepers=3)
    stage.topic(cluster, "orders", assignment=((101, 102, 103), (102, 103, 101)))
    producer = cluster.producer()
    for partition in (0, 1):
        producer.send("orders", b"before", partition=partition).result()
    stage.say("All three ZooKeeper servers die.")
    for server in cluster.zookeepers:
        cluster.kill(server)
    cluster.run_for(30_000)
    for partition in (0, 1):
        stage.claim(
            producer.send("orders", b"a%d" % partition, partition=partition).result() == 1,
            f"partition {partition} is written to",
        )
    stage.say("101 dies. Who is to see that its partition needs a leader?")
    cluster.kill("b101").run_for(60_000)
    pending = producer.send("orders", b"b0", partition=0)
    cluster.run_for(10_000)
    stage.claim(cluster.leader("orders", 0) == "b101" and pending.outcome is None, "nobody: partition 0 waits")
    stage.say("ZooKeeper comes back.")
    for server in cluster.zookeepers:
        cluster.restart(server)
    stage.claim(pending.result() == 2, f"{cluster.leader('orders', 0)} was elected, and has the record")


def even_ensembles_survive_no_more(stage: Stage) -> None:
    """A majority decides: four servers survive one failure, like three; six survive two, like five."""
    survived = {}
    for servers in (3, 4, 5, 6):
        with stage.quiet():
            survived[servers] = _failures_survived(stage, servers)
        stage.show(f"{servers} servers: {survived[servers]} may fail; a majority is {servers // 2 + 1}")
    stage.claim(survived[4] == survived[3] == 1, "the fourth server adds nothing but work")
    stage.claim(survived[6] == survived[5] == 2, "nor does the sixth")


def _failures_survived(stage: Stage, servers: int) -> int:
    """Kill one server after the other, and try to write each time."""
    cluster = stage.cluster(0, servers)
    shell = cluster.shell()
    shell.create("/greeting")
    for failures, server in enumerate(cluster.zookeepers):
        cluster.kill(server)
        if not _is_served(shell, b"%d" % failures):
            return failures
    return servers


def _is_served(shell: ShellFacade, value: bytes) -> bool:
    """Does a write come to an end? A connection may be lost with the server, so it is tried again."""
    while True:
        try:
            shell.ask(SetDataRequest("/greeting", value), timeout_ms=60_000)
        except RequestFailed:
            continue
        except SimulationStuck:
            return False
        return True


def stale_read_and_sync(stage: Stage) -> None:
    """One server leads and takes all writes; each reads for its own clients, and may be behind. `sync` waits for it."""
    cluster = stage.cluster(0, 3)
    leader = cluster.view.zookeeper_leader or ""
    follower, other = (server for server in cluster.zookeepers if server != leader)
    writer, reader = cluster.shell("writer", (other,)), cluster.shell("reader", (follower,))
    writer.create("/price", b"1")
    reader.sync("/price")
    stage.claim(reader.get("/price") == "1", f"written through the follower {other}, read from the follower {follower}")
    stage.say(f"{follower} hears the leader {leader} late: everything takes 200 times as long.")
    cluster.slow_down(leader, follower, 200)
    writer.set("/price", b"2")
    stage.claim(writer.get("/price") == "2", "the writer reads what it wrote: a majority of two has it")
    stage.claim(reader.get("/price") == "1", "the reader still reads the old price")
    from_ms = cluster.now_ms
    reader.sync("/price")
    stage.claim(
        reader.get("/price") == "2", f"after a sync, of {cluster.now_ms - from_ms:.0f} ms, it reads the new one"
    )


def a_znode_goes_with_its_session(stage: Stage) -> None:
    """An ephemeral znode lives as long as the session that made it: that is how ZooKeeper knows who is alive."""
    cluster = stage.cluster(0, 3)
    worker, boss = cluster.shell("worker"), cluster.shell("boss")
    worker.create("/worker", b"", EPHEMERAL)
    boss.sync("/worker")
    stage.claim(boss.get("/worker", watch=True) == "", "the boss sees the worker's znode, and watches it")
    stage.say("The worker stands still for longer than its session lasts.")
    cluster.freeze("worker", 30_000)
    cluster.run_until(lambda: cluster.facts(ZnodeChanged, "boss") != [], "what the boss is told")
    changed = cluster.facts(ZnodeChanged, "boss")[0]
    stage.claim((changed.event, changed.path) == ("NODE_DELETED", "/worker"), "the boss is told that it is gone")


def clients_never_talk_to_zookeeper(stage: Stage) -> None:
    """Brokers talk to ZooKeeper, producers and consumers to brokers; what consumers have read is not kept there."""
    cluster = stage.cluster(3, 3)
    stage.topic(cluster, "orders", partitions=3, replicas=3)
    producer, consumer = cluster.producer(), cluster.consumer()
    consumer.assign(*[("orders", partition, 0) for partition in range(3)])
    for number in range(3):
        producer.send("orders", b"v%d" % number, partition=number).result()
    consumer.poll(3)
    for name in ("p1", "c1", "admin", "b101"):
        stage.show(f"{name} has sent something to {', '.join(sorted(cluster.peers_of(name) - {name}))}")
    servers = set(cluster.zookeepers)
    stage.claim(
        not any(cluster.peers_of(client) & servers for client in ("p1", "c1", "admin")), "no client to ZooKeeper"
    )
    stage.claim(all(cluster.peers_of(broker) & servers for broker in cluster.brokers), "every broker to ZooKeeper")
    shell = cluster.shell()
    top = shell.children("/")
    stage.claim("consumers" not in top, "there is no place for what consumers have read")


SCENARIOS = (
    Scenario.of(three_zookeepers_five_brokers, "Z8 Z1"),
    Scenario.of(broker_session_expires, "Z1"),
    Scenario.of(a_znode_goes_with_its_session, "Z1 Z3"),
    Scenario.of(controller_dies, "Z2 R4"),
    Scenario.of(a_controller_that_slept, "Z2"),
    Scenario.of(watch_tells_of_a_new_topic, "Z3"),
    Scenario.of(no_zookeeper_no_change, "Z4"),
    Scenario.of(even_ensembles_survive_no_more, "Z5"),
    Scenario.of(stale_read_and_sync, "Z6"),
    Scenario.of(clients_never_talk_to_zookeeper, "Z7"),
)
