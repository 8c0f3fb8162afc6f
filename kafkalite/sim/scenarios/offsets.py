"""Committed offsets: a group's bookmarks, where it goes on after a crash, and what is lost or worked on twice.

Left out: exactly once from Kafka to Kafka, which takes transactions.
"""

from __future__ import annotations

from kafkalite import facts
from kafkalite.broker.auto_topics import OFFSETS_TOPIC
from kafkalite.groups.records import OffsetRecord, decode_record
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.scenarios.crew import (
    IMPATIENT,
    cluster_with_groups,
    join,
    polled_at,
    read_by,
    send,
    settle,
    show_group,
    until_committed,
    until_read,
)
from kafkalite.sim.stage import Scenario, Stage
from kafkalite.types import NodeName

A = "orders"
WORK_MS = 1000.0  # what the program takes for a record, in the scenarios of crashes
FIVE = tuple(f"order{number}" for number in range(1, 6))


def a_bookmark_is_kept_in_a_topic(stage: Stage) -> None:
    """A group commits how far it is to the topic __consumer_offsets: the next offset to read, the last one counts."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=1)
    (member,) = join(cluster, "g", A, "c1", enable_auto_commit=False)
    for first, end in ((1, 3), (4, 5)):
        stage.say(f"Records {first} to {end} are written, read, and committed.")
        send(stage, cluster, A, *FIVE[first - 1 : end])
        until_read(cluster, end, "c1")
        member.commit()
        until_committed(cluster, "g", A)
        stage.claim(cluster.committed("g", A) == end, f"the bookmark is offset {end}: the next one to read")
    stage.say("What stands in __consumer_offsets, a topic like any other, replicated and compacted:")
    for broker in cluster.brokers:
        found = _bookmarks(cluster, broker)
        stage.show(f"on {broker}: {'; '.join(found)}")
        stage.claim(found == ["g, orders-0: 3", "g, orders-0: 5"], "one record a commit; of equal keys the last counts")
    stage.say("The consumer goes, and another one of the same group comes.")
    member.close()
    cluster.run_until(lambda: bool(cluster.facts(facts.GroupEmptied)), "an empty group")
    join(cluster, "g", A, "c2")
    send(stage, cluster, A, "order6")
    until_read(cluster, 1, "c2")
    stage.claim(read_by(cluster, "c2") == ["order6"], "it begins where the bookmark is")


def _bookmarks(cluster: Cluster, broker: NodeName) -> list[str]:
    """The commits that stand on one broker's disk."""
    lines = []
    for record in [one for partition in range(2) for one in cluster.records_on(broker, OFFSETS_TOPIC, partition)]:
        one = decode_record(record.key, record.value)
        if isinstance(one, OffsetRecord) and one.committed is not None:
            lines.append(f"{one.group}, {one.partition[0]}-{one.partition[1]}: {one.committed.offset}")
    return lines


def goes_on_after_a_crash(stage: Stage) -> None:
    """A consumer crashes; whoever takes its place goes on from the group's last commit, on whatever machine it runs."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=3, replicas=2)
    join(cluster, "g", A, "c1")
    send(stage, cluster, A, *FIVE)
    until_committed(cluster, "g", A)
    stage.say("c1 has read and committed five orders, and crashes. Three more are written before another one starts.")
    cluster.kill("c1")
    send(stage, cluster, A, "order6", "order7", "order8")
    show_group(stage, cluster, "g", A)
    cluster.member("c2", "g", A, **IMPATIENT)
    settle(cluster, "g", A, ("c2",), without="c1")
    until_read(cluster, 3, "c2")
    stage.show("c2 has read " + " ".join(sorted(read_by(cluster, "c2"))))
    stage.claim(sorted(read_by(cluster, "c2")) == ["order6", "order7", "order8"], "it reads what c1 had not")


def _crash_amid_work(stage: Stage, cluster: Cluster, *, commit_first: bool) -> tuple[list[str], list[str]]:
    """A program takes five orders at once and crashes when it has worked on two; return what each program worked on."""
    slow = {"enable_auto_commit": False, "processing_ms": WORK_MS}
    send(stage, cluster, A, *FIVE)
    (member,) = join(cluster, "g", A, "c1", **slow)
    until_read(cluster, 5, "c1")
    taken_ms = cluster.now_ms
    stage.say(f"c1 has received {' '.join(read_by(cluster, 'c1'))}, and works {WORK_MS:.0f} ms on each.")
    if commit_first:
        stage.say("It commits at once.")
        member.commit()
        until_committed(cluster, "g", A)
    else:
        stage.say("It will commit when it is done with all of them.")
    cluster.run_for(taken_ms + 2.5 * WORK_MS - cluster.now_ms)
    stage.say("It crashes, when it is done with two and in the middle of the third.")
    cluster.kill("c1")
    done = [value for at_ms, value in polled_at(cluster, "c1")][: int((cluster.now_ms - taken_ms) // WORK_MS)]
    join(cluster, "g", A, "c2", **slow)
    settle(cluster, "g", A, ("c2",), without="c1")
    send(stage, cluster, A, "order6")
    cluster.run_until(lambda: "order6" in read_by(cluster, "c2"), "the sixth order").run_for(6 * WORK_MS)
    show_group(stage, cluster, "g", A)
    again = read_by(cluster, "c2")
    stage.show(f"c1 has worked on {' '.join(done)}; c2 has worked on {' '.join(again)}")
    return done, again


def at_most_once(stage: Stage) -> None:
    """Commit on receipt, then work: whatever was not yet worked on when the program crashed is lost."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=1)
    done, again = _crash_amid_work(stage, cluster, commit_first=True)
    lost = [value for value in FIVE if value not in done + again]
    stage.claim(lost == ["order3", "order4", "order5"], f"nobody has worked on {' '.join(lost)}, and nobody ever will")
    stage.claim(not set(done) & set(again), "nothing was worked on twice: at most once")


def at_least_once(stage: Stage) -> None:
    """Work, then commit: nothing is lost, and what was not committed when the program crashed is worked on again."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=1)
    done, again = _crash_amid_work(stage, cluster, commit_first=False)
    stage.claim(set(FIVE) <= set(done + again), "every order was worked on: at least once")
    twice = [value for value in done if value in again]
    stage.claim(twice == ["order1", "order2"], f"{' and '.join(twice)} twice: it was done, but not committed")


def an_idempotent_consumer(stage: Stage) -> None:
    """Kafka to another system: work done twice is harmless if that system knows a record again by where it stands."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=1)
    done, again = _crash_amid_work(stage, cluster, commit_first=False)
    offsets = [one.offset for one in (*cluster.view.polled["c1"][: len(done)], *cluster.view.polled["c2"])]
    counter, table = 0, {}
    for offset, value in zip(offsets, done + again, strict=True):
        counter += 1
        table[A, 0, offset] = value
    stage.say("The orders go to a counter, and to a table whose key is the record's topic, partition and offset.")
    stage.show(f"the counter says {counter}, the table has {len(table)} rows")
    stage.claim(counter > len(FIVE) + 1, "the counter has counted some orders twice")
    stage.claim(sorted(table.values()) == [*FIVE, "order6"], "in the table every order stands once: as if exactly once")


def auto_commit(stage: Stage) -> None:
    """The automatic commit happens in poll, every five seconds, and covers what the polls before had handed over."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=1)
    stage.tell_of(facts.OffsetsCommitted, facts.RecordsPolled)
    stage.say("A program works 2 seconds on an order, and commits automatically, every 5 seconds.")
    join(cluster, "g", A, "c1", processing_ms=2000, max_poll_records=1)
    stage.leave_out(facts.GroupRebalancing, facts.GroupStabilized)
    send(stage, cluster, A, *[f"order{number}" for number in range(1, 9)])
    cluster.run_until(lambda: cluster.committed("g", A) is not None, "the first commit").run_for(3000)
    taken, committed = len(read_by(cluster, "c1")), cluster.committed("g", A) or 0
    stage.say("It crashes.")
    cluster.kill("c1")
    stage.claim(0 < committed < taken, f"it had taken {taken} orders and committed {committed}, which it was done with")
    stage.leave_out(facts.OffsetsCommitted, facts.RecordsPolled)
    join(cluster, "g", A, "c2")
    settle(cluster, "g", A, ("c2",), without="c1")
    until_read(cluster, 8 - committed, "c2")
    first = read_by(cluster, "c2")[0]
    stage.claim(first == f"order{committed + 1}", f"the next one goes on with {first}: at least once")


def where_to_begin_without_a_bookmark(stage: Stage) -> None:
    """A group without a bookmark begins as auto.offset.reset says: earliest, latest, or not at all."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=1)
    send(stage, cluster, A, "old1", "old2")
    stage.leave_out(facts.GroupRebalancing)
    stage.tell_of(facts.PositionReset, facts.PollFailed)
    policies = ("earliest", "latest", "none")
    stage.say("Three groups, each with another policy, on a topic with two old records.")
    for policy in policies:
        join(cluster, policy, A, f"of-{policy}", auto_offset_reset=policy)
    cluster.run_for(1000)
    send(stage, cluster, A, "new")
    cluster.run_for(6000)
    for policy, expected in zip(policies, (["old1", "old2", "new"], ["new"], []), strict=True):
        found = read_by(cluster, f"of-{policy}")
        stage.claim(found == expected, f"{policy}: it has read {' '.join(found) or 'nothing'}")
    stage.say("Where there is a bookmark, the policy is not asked.")
    cluster.member("of-latest", "latest").close()
    cluster.run_until(lambda: bool(cluster.facts(facts.GroupEmptied, group="latest")), "an empty group")
    send(stage, cluster, A, "meanwhile")
    join(cluster, "latest", A, "again", auto_offset_reset="latest")
    until_read(cluster, 1, "again")
    stage.claim(read_by(cluster, "again") == ["meanwhile"], "latest: it goes on after its last commit")


SCENARIOS = (
    Scenario.of(a_bookmark_is_kept_in_a_topic, "O1"),
    Scenario.of(goes_on_after_a_crash, "O2"),
    Scenario.of(at_most_once, "O3"),
    Scenario.of(at_least_once, "O4"),
    Scenario.of(an_idempotent_consumer, "O4 O5"),
    Scenario.of(auto_commit, "O1 O4"),
    Scenario.of(where_to_begin_without_a_bookmark, "O2"),
)
