"""Transactions: written together or not at all, seen late rather than early, and by one producer at a time."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.broker.auto_topics import OFFSETS_TOPIC, TRANSACTIONS_TOPIC
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import ConsumerFacade, RequestFailed
from kafkalite.sim.stage import Scenario, Stage
from kafkalite.types import NodeName

COMMITTED, UNCOMMITTED = "read_committed", "read_uncommitted"
TIMEOUT_MS = 20_000  # of a transaction, here


def _cluster(stage: Stage) -> Cluster:
    """A cluster whose coordinators are ready: their topics have one partition each."""
    cluster = stage.cluster(broker={"group_initial_rebalance_delay_ms": 0})
    with stage.quiet():
        cluster.topic(OFFSETS_TOPIC, assignment=((101, 103),), cleanup_policy="compact")
        cluster.topic(TRANSACTIONS_TOPIC, assignment=((103, 101),), cleanup_policy="compact")
    return cluster


def _reader(cluster: Cluster, name: NodeName, level: str, *topics: str) -> ConsumerFacade:
    consumer = cluster.consumer(name, isolation_level=level)
    return consumer.assign(*((topic, 0, 0) for topic in topics))


def _read(consumer: ConsumerFacade) -> list[str]:
    return [(one.value or b"").decode() for one in consumer.records]


def all_or_nothing(stage: Stage) -> None:
    """A transaction writes to two topics; whoever reads committed sees all of it at once, or nothing ever."""
    cluster = _cluster(stage)
    for topic in ("orders", "payments"):
        stage.topic(cluster, topic, replicas=3)
    stage.tell_of(facts.MarkerWritten)
    careful = _reader(cluster, "careful", COMMITTED, "orders", "payments")
    hasty = _reader(cluster, "hasty", UNCOMMITTED, "orders", "payments")
    producer = cluster.transactional_producer("shop", "shop", linger_ms=0).init()
    stage.say("An order and its payment, in one transaction.")
    producer.begin()
    for topic in ("orders", "payments"):
        producer.send(topic, b"5 apples").result()
    cluster.run_for(1000)
    stage.claim(_read(hasty) == ["5 apples"] * 2, "read_uncommitted is handed both: they stand in the logs")
    stage.claim(_read(careful) == [], "read_committed is handed nothing: it is not decided")
    producer.commit()
    cluster.run_for(1000)
    stage.claim(_read(careful) == ["5 apples"] * 2, "with the markers there, read_committed is handed both")
    stage.say("The next one is aborted: the payment did not go through.")
    producer.begin().send("orders", b"9 pears").result()
    producer.abort()
    cluster.run_for(1000)
    stage.show_records(cluster, "orders")
    stage.claim("9 pears" in _read(hasty), "the record stands in the log, and read_uncommitted was handed it")
    stage.claim("9 pears" not in _read(careful), "read_committed passes over it")


def zombie_is_fenced(stage: Stage) -> None:
    """A producer stands still, another takes its transactional id; when the first wakes up, it can write no more."""
    cluster = _cluster(stage)
    stage.topic(cluster, "orders", replicas=3)
    first = cluster.transactional_producer("p1", "shop", linger_ms=0).init().begin()
    first.send("orders", b"from p1").result()
    stage.say("p1 stands still in the middle of a transaction. Its program is started elsewhere, as p2.")
    cluster.freeze("p1", 10_000)
    second = cluster.transactional_producer("p2", "shop", linger_ms=0).init()
    epochs = [fact.epoch for fact in cluster.facts(facts.ProducerIdentified, transactional_id="shop")]
    stage.claim(epochs[1] > epochs[0], f"p2 has the same producer id, in epoch {epochs[1]} instead of {epochs[0]}")
    second.begin().send("orders", b"from p2").result()
    second.commit()
    stage.say("p1 wakes up, knows of nothing, and commits.")
    cluster.run_for(10_000)
    error = ""
    try:
        first.commit()
    except RequestFailed as failed:
        error = failed.error
    stage.claim(error == "PRODUCER_FENCED", "it is told PRODUCER_FENCED, and is of no more use")
    found = cluster.values("orders", 0, COMMITTED)
    stage.claim(found == [b"from p2"], "what it had written was aborted when p2 began")


def a_hanging_transaction_is_ended(stage: Stage) -> None:
    """A producer dies in the middle of a transaction: readers wait behind it until its coordinator's patience ends."""
    cluster = _cluster(stage)
    stage.topic(cluster, "orders", replicas=3)
    careful = _reader(cluster, "careful", COMMITTED, "orders")
    producer = cluster.transactional_producer("p1", "shop", linger_ms=0, transaction_timeout_ms=TIMEOUT_MS).init()
    producer.begin().send("orders", b"half of it").result()
    begun_ms = cluster.now_ms
    stage.say(f"The producer dies. Its transaction may be open for {TIMEOUT_MS / 1000:.0f} s.")
    cluster.kill("p1")
    cluster.producer("other", linger_ms=0).send("orders", b"from another").result()
    cluster.run_for(5000)
    stage.claim(_read(careful) == [], "read_committed gets no further, not even to what is in no transaction")
    careful.poll(1)
    waited_ms = cluster.now_ms - begun_ms
    stage.claim(waited_ms >= TIMEOUT_MS, f"after {waited_ms / 1000:.1f} s the coordinator has aborted it")
    stage.claim(_read(careful) == ["from another"], "and the reader goes on")


def decided_is_decided(stage: Stage) -> None:
    """The coordinator dies when it has decided to commit, before any marker is written; the next one writes them."""
    cluster = _cluster(stage)
    stage.topic(cluster, "orders", assignment=((102, 101),))
    producer = cluster.transactional_producer("p1", "shop", linger_ms=0).init().begin()
    producer.send("orders", b"5 apples").result()
    coordinator, leader = cluster.leader(TRANSACTIONS_TOPIC), cluster.leader("orders")
    stage.say(f"{coordinator} coordinates. It cannot reach {leader}, where the marker has to go.")
    cluster.cut(coordinator, leader, 60_000)
    producer.commit()
    stage.claim(
        cluster.facts(facts.MarkerWritten) == [], "the producer is told that it is committed; no marker is written"
    )
    stage.claim(
        cluster.values("orders") == [b"5 apples"], "the record stands in the log, undecided as far as that knows"
    )
    stage.say(f"{coordinator} dies.")
    cluster.kill(coordinator)
    cluster.run_until(lambda: bool(cluster.facts(facts.MarkerWritten)), "a marker")
    stage.claim(cluster.leader(TRANSACTIONS_TOPIC) != coordinator, "the next coordinator found the decision in its log")
    stage.claim(cluster.values("orders", 0, COMMITTED) == [b"5 apples"], "and has seen to it: the record is visible")


def exactly_once(stage: Stage) -> None:
    """Read, write and commit in one transaction: the program dies before its commit, and still all is there once."""
    cluster = _cluster(stage)
    for topic in ("orders", "invoices"):
        stage.topic(cluster, topic, replicas=3)
    with stage.quiet():
        for number in range(1, 5):
            cluster.producer("shop").send("orders", b"order%d" % number).result()
    stage.say(
        "A program writes an invoice for each order. It dies when the invoices are written, and nothing is decided."
    )
    program = {"source": "orders", "target": "invoices", "linger_ms": 0, "group_instance_id": "w", "group_id": "work"}
    cluster.pipeline("worker", semantics="exactly once", **program)
    cluster.run_until(lambda: bool(cluster.facts(facts.RecordsAcknowledged, "worker")), "invoices in the log")
    cluster.kill("worker").run_for(1000)
    stage.claim(len(cluster.values("invoices")) == 4, "there are four invoices in the log")
    stage.claim(cluster.committed("work", "orders") is None, "and no offset is committed: the orders count as unread")
    stage.say("It is started again.")
    cluster.restart("worker")
    cluster.run_until(lambda: cluster.committed("work", "orders") == 4, "its commit").run_for(1000)
    everything, committed = cluster.values("invoices"), cluster.values("invoices", 0, COMMITTED)
    stage.claim(len(everything) == 8, "now eight stand in the log: the first four were aborted when it began again")
    stage.claim(
        committed == [b"order1", b"order2", b"order3", b"order4"], "whoever reads committed finds every order once"
    )


def exactly_once_ends_at_the_door(stage: Stage) -> None:
    """What a program does outside of Kafka is in no transaction: it happens twice, unless the other side remembers."""
    for is_idempotent in (False, True):
        cluster = _cluster(stage)
        stage.topic(cluster, "alerts", replicas=3)
        cluster.sink("gateway", is_idempotent=is_idempotent)
        with stage.quiet():
            cluster.producer("truck").send("alerts", b"truck 7 is too fast").result()
        stage.say("A program works exactly once, and asks a gateway to send a text message.")
        if is_idempotent:
            stage.say("This gateway remembers what it was asked for, by topic, partition and offset.")
        settings = {"source": "alerts", "outside": "gateway", "group_id": "sms", "group_instance_id": "w"}
        cluster.pipeline("worker", semantics="exactly once", **settings)
        cluster.run_until(lambda: bool(cluster.facts(facts.EffectApplied)), "the message")
        cluster.kill("worker").run_for(1000).restart("worker")
        cluster.run_until(lambda: cluster.committed("sms", "alerts") == 1, "its commit")
        count = len(cluster.facts(facts.EffectApplied))
        if is_idempotent:
            stage.claim(count == 1, "the second request is known for a repetition: one message was sent")
        else:
            stage.claim(count == 2, "two messages were sent: the transaction was aborted, and the message was not")


SCENARIOS = (
    Scenario.of(all_or_nothing, "O5"),
    Scenario.of(zombie_is_fenced, "O5"),
    Scenario.of(a_hanging_transaction_is_ended, "O5"),
    Scenario.of(decided_is_decided, "O5"),
    Scenario.of(exactly_once, "O5"),
    Scenario.of(exactly_once_ends_at_the_door, "O4 O5"),
)
