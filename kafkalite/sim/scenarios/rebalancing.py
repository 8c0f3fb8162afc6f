"""Rebalances: members come and go, work too long, stand still, restart; and what of it stops the others."""

from __future__ import annotations

from kafkalite import facts
from kafkalite.sim.scenarios.crew import (
    IMPATIENT,
    cluster_with_groups,
    join,
    read_by,
    send,
    settle,
    show_group,
    until_committed,
    until_read,
)
from kafkalite.sim.stage import Scenario, Stage
from kafkalite.sim.trace import facts_of
from kafkalite.types import NodeName

A = "topic-a"


def members_come_and_go(stage: Stage) -> None:
    """Whenever somebody comes or goes, the partitions are shared out again: each time a new generation."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=6, replicas=2)
    for count in (1, 2, 3):
        stage.say(f"c{count} joins.")
        join(cluster, "g", A, f"c{count}")
        loads = {len(cluster.view.reads[f"c{number}"]) for number in range(1, count + 1)}
        each = "it reads" if count == 1 else "each of them reads"
        stage.claim(loads == {6 // count}, f"{each} {6 // count} of the six partitions")
    stage.say("c2 says that it leaves.")
    from_ms = cluster.now_ms
    cluster.member("c2", "g").close()
    settle(cluster, "g", A, without="c2")
    took_ms = cluster.now_ms - from_ms
    stage.claim(took_ms < 10_000, "its partitions are read by the others before its session would have ended")
    generations = [one.generation for one in cluster.facts(facts.GroupStabilized, group="g")]
    stage.claim(generations == [1, 2, 3, 4], "each of these was a generation of its own")


def a_dead_member_is_missed(stage: Stage) -> None:
    """Whoever is not heard of for the time of its session is taken for dead; until then nobody reads in its place."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=2)
    stage.say("session.timeout.ms is 10 seconds, and a heartbeat is sent every 3.")
    join(cluster, "g", A, "c1", "c2")
    victim = cluster.reader("g", A, 0)
    assert victim is not None, "the group is stable"
    other = "c2" if victim == "c1" else "c1"
    stage.say(f"{victim}, which reads {A}-0, dies without a word; a record is written there.")
    died_ms = cluster.now_ms
    cluster.kill(victim)
    send(stage, cluster, A, "waiting", partition=0)
    until_read(cluster, 1, other)
    read_ms = cluster.now_ms
    (expired_ms,) = [at.now_ms for at in facts_of(cluster.steps) if isinstance(at.fact, facts.MemberExpired)]
    missed_s, waited_s = (expired_ms - died_ms) / 1000, (read_ms - died_ms) / 1000
    stage.show(f"taken for dead after {missed_s:.1f} s, read after {waited_s:.1f} s")
    stage.claim(6.9 < missed_s < 10.1, "its session ended ten seconds after its last heartbeat")
    stage.claim(read_by(cluster, other) == ["waiting"], f"then {other} reads the record that has waited")


def a_program_works_too_long(stage: Stage) -> None:
    """A program that does not poll for max.poll.interval.ms loses its partitions, though its heart beats."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=2)
    stage.say("max.poll.interval.ms is 8 seconds. Two members join.")
    join(cluster, "g", A, "c1", "c2", max_poll_interval_ms=8000, max_poll_records=1)
    busy = cluster.reader("g", A, 0)
    assert busy is not None, "the group is stable"
    other = "c2" if busy == "c1" else "c1"
    stage.say(f"{busy} is handed a record that takes it half a minute.")
    stage.tell_of(facts.PartitionsRevoked)
    cluster.member(busy, "g").work_at(30_000)
    send(stage, cluster, A, "heavy", partition=0)
    settle(cluster, "g", A, without=busy)
    stage.claim(not cluster.facts(facts.MemberExpired), f"{busy} was not taken for dead: it said itself that it leaves")
    until_read(cluster, 1, other)
    stage.claim(read_by(cluster, other) == ["heavy"], f"{other} reads what {busy} had not committed, too")
    stage.say(f"{busy} is done, polls again, and is told that it has lost its partition.")
    cluster.member(busy, "g").work_at(0)
    cluster.run_until(
        lambda: bool(cluster.view.reads.get(busy)) and len(cluster.view.reads[other]) == 1, "both at work"
    )
    lost = [one for one in cluster.facts(facts.PartitionsRevoked, busy) if one.is_lost]
    stage.claim(len(lost) == 1, "it joins again, as somebody new")


def a_member_that_stood_still(stage: Stage) -> None:
    """A member that stood still is thrown out; when it wakes up and commits, it is refused: its time is over."""
    cluster = cluster_with_groups(stage)
    stage.topic(cluster, A, partitions=2)
    stage.tell_of(facts.CommitAnswered)
    join(cluster, "g", A, "c1", "c2", enable_auto_commit=False)
    zombie = cluster.reader("g", A, 0)
    assert zombie is not None, "the group is stable"
    send(stage, cluster, A, "v1", partition=0)
    until_read(cluster, 1, zombie)
    stage.say(f"{zombie} has read a record and then stands still for 15 seconds, with all its memory.")
    cluster.freeze(zombie, 15_000)
    settle(cluster, "g", A, without=zombie)
    stage.say("It wakes up, and commits what it has read.")
    cluster.call(zombie, "commit_async")
    cluster.run_until(lambda: bool(cluster.facts(facts.CommitAnswered, zombie)), "an answer to the zombie")
    (answer,) = cluster.facts(facts.CommitAnswered, zombie)
    stage.claim(answer.error == "UNKNOWN_MEMBER_ID", "the coordinator refuses it: somebody else reads there now")
    stage.claim(cluster.committed("g", A, 0) is None, "so nothing is committed behind the back of the new reader")


def coordinator_dies(stage: Stage) -> None:
    """A group's coordinator dies; another broker reads the group from the log, and the members go on as they are."""
    cluster = cluster_with_groups(stage, zookeeper_session_timeout_ms=6000)
    stage.topic(cluster, A, partitions=3, replicas=3, min_insync_replicas=2)
    stage.leave_out(facts.LeaderElected, facts.BecameLeader, facts.BrokersChanged)
    join(cluster, "g", A, "c1", "c2", session_timeout_ms=20_000)
    send(stage, cluster, A, *"abcdef")
    until_committed(cluster, "g", A)
    (first,) = [at.node for at in facts_of(cluster.steps) if isinstance(at.fact, facts.GroupStabilized)]
    stage.say(f"{first} coordinates the group, and dies.")
    stage.tell_of(facts.CoordinatorLoaded)
    cluster.kill(first)

    def heir() -> NodeName | None:
        loads = [at for at in facts_of(cluster.steps) if isinstance(at.fact, facts.CoordinatorLoaded)]
        return next((at.node for at in reversed(loads) if "g" in at.fact.groups and at.node != first), None)

    cluster.run_until(lambda: heir() is not None, "another coordinator").run_for(10_000)
    send(stage, cluster, A, *"ghi")
    until_read(cluster, 9, "c1", "c2")
    until_committed(cluster, "g", A)
    show_group(stage, cluster, "g", A)
    stage.claim(sorted(read_by(cluster, "c1", "c2")) == list("abcdefghi"), "every record is read, none of them twice")
    stage.claim(len(cluster.facts(facts.GroupStabilized)) == 1, f"{heir()} knows the group: nobody has joined again")
    stage.claim(not cluster.facts(facts.MemberExpired), "and nobody was taken for dead")


def eager_and_cooperative(stage: Stage) -> None:
    """Eager: everybody gives up everything, and all reading stops. Cooperative: only what moves is given up."""
    for strategy, kept in (("sticky", 0), ("cooperative-sticky", 3)):
        cluster = cluster_with_groups(stage)
        with stage.quiet():
            cluster.topic(A, partitions=6)
        stage.say(f"{strategy}, which is {'cooperative' if kept else 'eager'}: c1 reads six partitions, and c2 joins.")
        stage.tell_of(facts.PartitionsRevoked, facts.PartitionsAssigned)
        stage.leave_out(facts.GroupRebalancing, facts.GroupStabilized)
        join(cluster, "g", A, "c1", partition_assignment_strategy=(strategy,))
        join(cluster, "g", A, "c2", partition_assignment_strategy=(strategy,))
        given_up = {one for fact in cluster.facts(facts.PartitionsRevoked, "c1") for one in fact.partitions}
        moved = cluster.view.reads["c2"]
        stage.claim(len(moved) == 3, "c2 reads three of them in the end")
        stage.claim(6 - len(given_up) == kept, f"c1 gave up {len(given_up)} of six, and read on in {kept}")
        rebalances = len(cluster.facts(facts.GroupStabilized)) - 1
        stage.claim(rebalances == (2 if kept else 1), f"it took {'two rebalances' if kept else 'one rebalance'}")


def a_static_member_restarts(stage: Stage) -> None:
    """A member with group.instance.id that restarts in time gets its partitions back, and the others notice nothing."""
    for instance in (False, True):
        cluster = cluster_with_groups(stage)
        with stage.quiet():
            cluster.topic(A, partitions=4)
        stage.say("Two members " + ("with instance ids i1 and i2." if instance else "without instance ids."))
        stage.leave_out(facts.GroupRebalancing)
        stage.tell_of(facts.PartitionsRevoked)
        for number in (1, 2):
            cluster.member(f"c{number}", "g", A, **IMPATIENT, group_instance_id=f"i{number}" if instance else None)
        cluster.run_until(
            lambda: all(len(cluster.view.reads.get(name, ())) == 2 for name in ("c1", "c2")),
            "a stable group",
        )
        had, before = cluster.view.reads["c1"], len(cluster.facts(facts.GroupStabilized))
        stage.say("The program of c1 is restarted, which takes 2 seconds.")
        cluster.kill("c1").run_for(2000)
        cluster.member("c1-again", "g", A, **IMPATIENT, group_instance_id="i1" if instance else None)
        cluster.run_until(lambda: bool(cluster.view.reads.get("c1-again")), "partitions of c1-again")
        cluster.run_for(15_000)
        rebalances = len(cluster.facts(facts.GroupStabilized)) - before
        if instance:
            stage.claim(cluster.view.reads["c1-again"] == had, "it has the partitions that it had")
            stage.claim(rebalances == 0, "there was no rebalance (KIP-345)")
        else:
            stage.claim(rebalances > 0, "the group was rebalanced: the new program is somebody else to it")


SCENARIOS = (
    Scenario.of(members_come_and_go, "C2 C3"),
    Scenario.of(a_dead_member_is_missed, "C3"),
    Scenario.of(a_program_works_too_long, "C3"),
    Scenario.of(a_member_that_stood_still, "C3 O2"),
    Scenario.of(coordinator_dies, "C3 O1"),
    Scenario.of(eager_and_cooperative, "C7"),
    Scenario.of(a_static_member_restarts, "C7"),
)
