"""Each check of groups has a history that shows what it is for, and neighbours in which nothing is wrong."""

from __future__ import annotations

import pytest

from kafkalite import facts
from kafkalite.sim.checkers import GROUP_CHECKS, Expectations, GroupPromise

from .histories import Told, committed, names, polled, sent, violations, wait

A, B = ("orders", 0), ("orders", 1)
OFFSETS = "__consumer_offsets"
GROUPS = Expectations(groups={"g": GroupPromise(instances=("i1",), zombie_max_ms=3000)})
BY_HAND = Expectations(groups={"g": GroupPromise(commits_behind_work=False)})

Partitions = tuple[tuple[str, int], ...]


def topics() -> list[Told]:
    """A topic of two partitions, and one partition for all groups."""
    return [("b9", facts.TopicCreated("orders", ((1,), (1,)))), ("b9", facts.TopicCreated(OFFSETS, ((1, 2),)))]


def loaded(broker: int) -> Told:
    return f"b{broker}", facts.CoordinatorLoaded(0, ("g",), 0)


def joined(generation: int, *members: str, broker: int = 1) -> list[Told]:
    return [(f"b{broker}", facts.MemberJoined("g", member, generation, False)) for member in members]


def stable(generation: int, broker: int = 1, /, **assignment: Partitions) -> Told:
    """A generation; members are called m1, or after their instance: i1_x is the id "i1-x"."""
    told = tuple((member.replace("_", "-"), partitions) for member, partitions in assignment.items())
    return f"b{broker}", facts.GroupStabilized("g", generation, told)


def reads(node: str, generation: int, *partitions: tuple[str, int], member: str = "") -> Told:
    return node, facts.PartitionsAssigned("g", member or f"m{node[1:]}", generation, partitions)


def gives_up(node: str, *partitions: tuple[str, int], is_lost: bool = False) -> Told:
    return node, facts.PartitionsRevoked("g", f"m{node[1:]}", 1, partitions, is_lost)


def commits(offset: int, generation: int = 1, broker: int = 1) -> Told:
    return f"b{broker}", facts.OffsetsCommitted("g", generation, "m1", ((*A, offset),))


def fetches(offset: int, broker: int = 1) -> Told:
    return f"b{broker}", facts.OffsetsFetched("g", ((*A, offset),))


def begins(node: str, offset: int, reason: str = "sought") -> Told:
    return node, facts.PositionReset(*A, offset, reason)


def is_done(node: str, position: int) -> Told:
    return node, facts.PollProcessed("g", "m1", ((*A, position),))


def rebalances(broker: int = 1) -> Told:
    return f"b{broker}", facts.GroupRebalancing("g", 1, "somebody joins")


def expires(member: str, broker: int = 1) -> Told:
    return f"b{broker}", facts.MemberExpired("g", member, "expired")


def is_out(member: str) -> list[Told]:
    """A member expires, and at once the others are told to join again."""
    return [expires(member), wait(-1), rebalances()]


def came_to(position: int, *, is_processed: bool = True, end: int = 0) -> list[Told]:
    """m1 is the only member; it read so far. The partition ends there, or later."""
    begin = [*topics(), loaded(1), *joined(1, "m1"), stable(1, m1=(A, B)), reads("c1", 1, A, B), begins("c1", 0)]
    records = [*committed(end or position), *(sent(number) for number in range(end or position))]
    read = polled(*((number, number) for number in range(position)))
    return [*begin, *records, read, *([is_done("c1", position)] if is_processed else [])]


TWO = [*topics(), loaded(1), *joined(1, "m1", "m2"), stable(1, m1=(A,), m2=(B,))]
TWO_READ = [*TWO, reads("c1", 1, A), reads("c2", 1, B)]
ZOMBIE = [
    *(*committed(9), *(sent(number) for number in range(9))),
    *(*topics(), loaded(1), *joined(1, "m1"), stable(1, m1=(A, B)), reads("c1", 1, A, B), begins("c1", 0)),
    *(*is_out("m1"), *joined(2, "m2"), stable(2, m2=(A, B)), reads("c2", 2, A, B)),
]

LATER = polled((3, 3), (4, 4), (5, 5), consumer="c9")  # somebody outside the group

BROKEN: dict[str, tuple[list[list[Told]], Expectations | None]] = {
    "two-owners": (
        [
            [*topics(), stable(1, m1=(A, B), m2=(B,))],
            [*TWO_READ, reads("c3", 1, B, member="m1")],
        ],
        None,
    ),
    "assigned-before-revoked": ([[*TWO_READ, rebalances(), *joined(2, "m1", "m2"), reads("c2", 2, A)]], None),
    "kept-when-out": ([[*TWO_READ, reads("c1", 2, member="m7")]], None),
    "unassigned-partition": (
        [
            [*topics(), stable(1, m1=(A,))],
            [*topics(), stable(1, m1=(B,), m2=())],
            [*TWO_READ, gives_up("c1", A), rebalances(), *joined(2, "m1", "m2"), stable(2, m1=(), m2=(B,))],
        ],
        None,
    ),
    "generation-retreat": (
        [
            [*TWO, rebalances(), stable(1, m1=(A, B))],
            [*TWO, rebalances(), stable(2, m1=(A, B)), loaded(2), rebalances(2), stable(2, 2, m2=(A, B))],
        ],
        None,
    ),
    "assigned-to-stranger": ([[*TWO, *is_out("m2"), stable(2, m1=(A,), m2=(B,))]], None),
    "orphaned-partitions": ([[*TWO, expires("m2"), fetches(-1)], [*TWO, expires("m2"), *joined(1, "m3")]], None),
    "two-coordinators": (
        [[*TWO, ("b1", facts.BecameFollower(OFFSETS, 0, 1, 2)), rebalances()]],
        None,
    ),
    "two-of-an-instance": ([[*topics(), stable(1, i1_a=(A,), i1_b=(B,))]], GROUPS),
    "static-rebalance": (
        [[*TWO, wait(-1), ("b1", facts.MemberFenced("g", "m2", "i1")), wait(-1), rebalances()]],
        None,
    ),
    "zombie-reader": (
        [[*ZOMBIE, *(told for number in range(9) for told in (polled((number, number)), wait(1000)))]],
        GROUPS,
    ),
    "membership-lost": ([[("c1", facts.MembershipFailed("g", "m1", "UNKNOWN_SERVER_ERROR"))]], None),
    "commit-ahead": ([[*came_to(3), commits(4)]], BY_HAND),
    "commit-off-position": ([[*came_to(3), commits(2)]], GROUPS),
    "commit-unprocessed": (
        [
            [*came_to(3, is_processed=False), commits(3)],
            [*came_to(3, end=4), ("b1", facts.MarkerWritten(*A, 5, 7, 0, False, 0)), polled((3, 3)), commits(4)],
        ],
        GROUPS,
    ),
    "commit-retreat": ([[*came_to(3), commits(3), commits(0)]], GROUPS),
    "stale-commit": ([[*came_to(3), rebalances(), stable(2, m1=(A, B)), commits(3)]], GROUPS),
    "unreplicated-commit": (
        [[*came_to(3), ("c1", facts.CommitAnswered("g", "NONE", ((*A, 3),))), commits(3)]],
        GROUPS,
    ),
    "lost-commit": (
        [
            [*came_to(3), commits(3), loaded(2), fetches(-1, 2)],
            [*came_to(3), commits(3), begins("c1", 1, "truncated"), loaded(2), fetches(0, 2)],
            [*came_to(3), begins("c1", 1, "truncated"), commits(3), loaded(2), fetches(2, 2)],
        ],
        GROUPS,
    ),
    "group-skip": ([[*came_to(3, end=6), begins("c1", 5), polled((5, 5)), commits(6), LATER]], BY_HAND),
}

FINE: dict[str, tuple[list[Told], Expectations | None]] = {
    "revoked, then assigned": (
        [*TWO_READ, rebalances(), *joined(2, "m1", "m2"), gives_up("c1", A), reads("c2", 2, A)],
        None,
    ),
    "one that is out does not know it yet": (
        [*TWO_READ, *is_out("m1"), *joined(2, "m2"), stable(2, m2=(A, B)), reads("c2", 2, A)],
        None,
    ),
    "an answer that comes late names an owner of long ago": (
        [*TWO, rebalances(), *joined(2, "m2"), stable(2, m2=(A, B)), reads("c2", 2, A, B), reads("c1", 1, A)],
        None,
    ),
    "a partition that is still held waits for the next generation": (
        [*TWO_READ, rebalances(), *joined(2, "m1", "m2"), stable(2, m1=(), m2=(B,))],
        None,
    ),
    "a topic has grown, and the leader does not know it yet": (
        [*topics(), ("b9", facts.PartitionsAdded("orders", ((1,), (1,), (1,)), 2)), stable(1, m1=(A, B))],
        None,
    ),
    "a group that was deleted begins again": (
        [*TWO, ("b1", facts.GroupEmptied("g", 2)), ("b1", facts.GroupDeleted("g")), stable(1, m9=(A, B))],
        None,
    ),
    "another coordinator never heard that a member expired": (
        [*TWO, *is_out("m2"), loaded(2), rebalances(2), *joined(2, "m2", broker=2), stable(2, 2, m2=(A, B))],
        None,
    ),
    "a coordinator that has lost the group begins at generation 1 again": (
        [*TWO_READ, loaded(1), *joined(1, "m3"), reads("c3", 1, A)],
        None,
    ),
    "who is told to join again joins": (
        [*TWO, *is_out("m2"), *joined(2, "m1"), stable(2, m1=(A, B))],
        None,
    ),
    "a group ends what it had begun when its coordinator is deposed": (
        [*TWO, ("b1", facts.BecameFollower(OFFSETS, 0, 1, 2)), wait(-1), rebalances()],
        None,
    ),
    "a zombie stands still": ([*ZOMBIE, polled((0, 0)), wait(9000), polled((1, 1))], GROUPS),
    "a zombie notices": ([*ZOMBIE, polled((0, 0)), wait(900), polled((1, 1)), gives_up("c1", A, B)], GROUPS),
    "another one has taken its place": ([("c1", facts.MembershipFailed("g", "m1", "FENCED_INSTANCE_ID"))], None),
    "committed when it was done": ([*came_to(3), commits(3), commits(3)], GROUPS),
    "committed by hand while it works": ([*came_to(3, is_processed=False), commits(3)], BY_HAND),
    "committed from outside, by nobody of the group": ([*came_to(3), commits(7, generation=-1)], GROUPS),
    "the log was cut, and the member put back": (
        [*came_to(3), commits(3), begins("c1", 1, "truncated"), commits(1)],
        GROUPS,
    ),
    "forgotten, and committed again": (
        [*came_to(3), commits(3), ("b1", facts.OffsetsExpired("g", (A,))), begins("c1", 0, "earliest"), commits(0)],
        GROUPS,
    ),
    "a generation that is over elsewhere": (
        [*came_to(3), loaded(2), rebalances(2), stable(2, 2, m1=(A, B)), commits(3)],
        GROUPS,
    ),
    "a position behind a marker, which nobody works on": (
        [
            *(*topics(), loaded(1), *joined(1, "m1"), stable(1, m1=(A, B)), reads("c1", 1, A, B), begins("c1", 0)),
            *(*committed(4), *(sent(number) for number in range(3)), polled((0, 0), (1, 1), (2, 2)), is_done("c1", 3)),
            ("b1", facts.MarkerWritten(*A, 3, 7, 0, False, 0)),
            polled(position=4),
            commits(4),
        ],
        GROUPS,
    ),
    "a member whose own code is broken gives up": (
        [("c1", facts.MembershipFailed("g", "m1", "UNKNOWN_SERVER_ERROR"))],
        Expectations(groups={"g": GroupPromise(is_broken=True)}),
    ),
    "a commit that failed": ([*came_to(3), ("c1", facts.CommitAnswered("g", "NOT_COORDINATOR", ((*A, 3),)))], GROUPS),
    "a coordinator that is deposed, and does not know it": (
        [*came_to(3), loaded(2), commits(3, broker=2), fetches(0)],
        GROUPS,
    ),
    "a coordinator knows of a commit of which nobody was told, by a member that the log had put back": (
        [*came_to(3), commits(3), begins("c1", 1, "truncated"), loaded(2), fetches(2, 2)],
        GROUPS,
    ),
    "what is to be given up is given up while the assignment is on its way": (
        [*TWO_READ, rebalances(), *joined(2, "m1", "m2"), gives_up("c1", A), stable(2, m1=(), m2=(B,))],
        None,
    ),
    "a coordinator knows more than was answered": ([*came_to(3), commits(0), loaded(2), fetches(3, 2)], GROUPS),
}


@pytest.mark.parametrize(("name", "told"), [(name, told) for name, (many, _) in BROKEN.items() for told in many])
def test_what_is_wrong_is_called_by_its_name_alone(name: str, told: list[Told]) -> None:
    assert [name] == names(told, BROKEN[name][1])


@pytest.mark.parametrize("what", FINE)
def test_what_breaks_nothing_raises_no_alarm(what: str) -> None:
    assert [] == names(*FINE[what])


def test_every_check_of_groups_is_shown_here_and_has_a_sentence_of_its_own() -> None:
    assert BROKEN.keys() == {*(check.name for check in GROUP_CHECKS), "group-skip"}
    assert all((check.__doc__ or "").endswith(".") for check in GROUP_CHECKS)


def test_a_record_of_the_offsets_topic_that_may_be_lost_excuses_the_bookmark() -> None:
    """A disk that lost its tail is forgiven; what stood there is not asked for any more."""
    told = [*came_to(3), commits(3)]
    world_lost = [
        ("b1", facts.LogLoaded(OFFSETS, 0, 0, 0, False)),
        ("b1", facts.BecameLeader(OFFSETS, 0, 0, 0, (1,), (1, 2))),
        ("b1", facts.BatchAppended(OFFSETS, 0, 0, 0, 0, 7, True)),
        ("b1", facts.HighWatermarkAdvanced(OFFSETS, 0, 0, 1, 0, True)),
        ("b1", facts.LogLoaded(OFFSETS, 0, 0, 0, False)),
        ("b1", facts.BecameLeader(OFFSETS, 0, 1, 0, (1,), (1, 2))),
    ]

    assert [] == violations([*told, *world_lost, loaded(1), fetches(-1)], GROUPS)
    assert ["lost-commit"] == names([*told, *world_lost[:4], loaded(1), fetches(-1)], GROUPS)

    newer = [*came_to(3), rebalances(), stable(2, m1=(A, B))]
    assert [] == violations([*newer, *world_lost, loaded(1), commits(3)], GROUPS)
    assert ["stale-commit"] == names([*newer, *world_lost[:4], loaded(1), commits(3)], GROUPS)
