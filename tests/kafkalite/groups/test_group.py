"""The group automaton: joining, syncing, living, leaving, being thrown out."""

from __future__ import annotations

from kafkalite.groups.states import TRANSITIONS, Happening, State
from kafkalite.types import GroupLoaded, GroupStored, GroupUnloaded, JoinAsked

from .desk import FIRST_ROUND_MS, RANGE, REBALANCE_MS, SESSION_MS, Desk

BOTH = (("range", b"A"), ("sticky", b"A"))


def test_a_group_is_formed_step_by_step() -> None:
    """C7: join, choose a leader, sync; then everybody knows what to read."""
    desk = Desk()
    first, second = desk.join(), desk.join()
    assert [None, None] == [desk.error(first), desk.error(second)]

    desk.run_for(FIRST_ROUND_MS)
    joined = desk.answers[first]
    assert ("m1", 1, "m1", "range") == (joined.member, joined.generation, joined.leader, joined.protocol)
    assert (("m1", None, b"A"), ("m2", None, b"A")) == joined.members
    assert () == desk.answers[second].members, "only the leader is told the members"

    waits = desk.sync("m2")
    assert desk.error(waits) is None
    desk.sync("m1", {"m1": b"one", "m2": b"two"})

    assert b"two" == desk.answers[waits].assignment
    assert ["PreparingRebalance", "CompletingRebalance", "Stable"] == desk.states()


def test_a_group_that_was_empty_waits_for_more_members_as_long_as_they_come() -> None:
    """A hundred members that start together make one generation."""
    desk = Desk(initial_rebalance_delay_ms=3000)
    tickets = [desk.join()]
    for _ in range(4):
        desk.run_for(2000)
        tickets.append(desk.join())
    desk.run_for(2000)
    assert all(desk.error(ticket) is None for ticket in tickets)

    desk.run_for(4000)

    assert {1} == {desk.answers[ticket].generation for ticket in tickets}


def test_the_first_delay_ends_with_the_rebalance_timeout_though_members_still_come() -> None:
    desk = Desk(initial_rebalance_delay_ms=3000)
    first = desk.join(rebalance_timeout_ms=7000)
    while desk.error(first) is None:
        desk.run_for(1000)
        desk.join(rebalance_timeout_ms=7000)

    assert 7000 == desk.now_ms


def test_a_new_member_is_first_told_its_id_and_asks_again_with_it() -> None:
    """KIP-394: or one whose answers get lost would be a new member with every try."""
    desk = Desk()
    ticket = desk.join(needs_known_id=True)
    assert ("MEMBER_ID_REQUIRED", "m1") == (desk.error(ticket), desk.answers[ticket].member)
    assert State.EMPTY is desk.group.state

    ticket = desk.join("m1", needs_known_id=True)
    desk.run_for(3000)

    assert ("NONE", 1) == (desk.error(ticket), desk.answers[ticket].generation)


def test_an_id_that_nobody_comes_back_with_is_forgotten_and_holds_nobody_up_for_longer() -> None:
    desk = Desk()
    names = desk.stable(1)
    desk.join(needs_known_id=True, session_timeout_ms=10_000)
    again = desk.join(names[0])
    assert desk.error(again) is None, "whoever was given an id is waited for"

    desk.run_for(10_000)

    assert "NONE" == desk.error(again)


def test_a_member_more_makes_the_others_join_again() -> None:
    """C3: whoever comes is given a share, or stands by."""
    desk = Desk()
    names = desk.stable(2)
    third = desk.join()
    assert ["REBALANCE_IN_PROGRESS", "REBALANCE_IN_PROGRESS"] == [desk.heartbeat(name) for name in names]

    again = [desk.join(name) for name in names]

    assert {2} == {desk.answers[ticket].generation for ticket in [third, *again]}
    assert names[0] == desk.answers[third].leader, "who led goes on leading"


def test_whoever_does_not_join_again_in_time_is_out() -> None:
    desk = Desk()
    names = desk.stable(2)
    desk.join(names[0])
    assert "PreparingRebalance" == desk.states()[-1]
    for _ in range(3):
        desk.run_for(REBALANCE_MS / 3)
        desk.heartbeat(names[1])

    assert [(names[1], "late")] == desk.gone()
    assert 2 == desk.group.generation
    assert "UNKNOWN_MEMBER_ID" == desk.heartbeat(names[1])


def test_a_silent_member_expires_and_the_others_take_over() -> None:
    """C3, M29: the session's timeout is the coordinator's; heartbeats keep it from running out."""
    desk = Desk()
    names = desk.stable(2)
    for _ in range(10):
        desk.run_for(SESSION_MS / 5)
        if desk.heartbeat(names[0]) == "REBALANCE_IN_PROGRESS":
            break

    assert [(names[1], "expired")] == desk.gone()
    assert SESSION_MS <= desk.now_ms - FIRST_ROUND_MS
    assert "NONE" == desk.error(desk.join(names[0]))


def test_who_waits_for_the_group_does_not_expire() -> None:
    """Its request is parked with us: it cannot send heartbeats, and need not."""
    desk = Desk()
    names = desk.stable(2, rebalance_timeout_ms=10 * SESSION_MS)
    waits = desk.join(names[0], rebalance_timeout_ms=10 * SESSION_MS)
    for _ in range(8):
        desk.run_for(SESSION_MS / 2)
        desk.heartbeat(names[1])
    assert desk.error(waits) is None

    desk.join(names[1])

    assert "NONE" == desk.error(waits)
    assert [] == desk.gone()


def test_a_leader_that_never_assigns_is_thrown_out_and_the_rest_begins_again() -> None:
    """A group is never stuck, whatever dies."""
    desk = Desk()
    tickets = [desk.join(), desk.join()]
    desk.run_for(FIRST_ROUND_MS)
    leader, other = (desk.answers[ticket].member for ticket in tickets)
    waits = desk.sync(other)
    for _ in range(10):  # it lives and says so, but does nothing
        desk.run_for(REBALANCE_MS / 10)
        desk.heartbeat(leader)

    assert (leader, "late") in desk.gone()
    assert "REBALANCE_IN_PROGRESS" == desk.error(waits)
    desk.join(other)
    desk.sync(other, {other: b"all"})
    assert State.STABLE is desk.group.state


def test_a_member_that_leaves_starts_a_rebalance_at_once() -> None:
    """C3."""
    desk = Desk()
    names = desk.stable(2)

    assert "NONE" == desk.leave(names[0])

    assert "PreparingRebalance" == desk.states()[-1]
    assert "UNKNOWN_MEMBER_ID" == desk.leave(names[0])
    assert "NONE" == desk.error(desk.join(names[1]))
    assert names[1] == desk.group.roster.leader


def test_when_the_last_one_leaves_the_group_is_empty_and_its_generation_goes_on() -> None:
    desk = Desk()
    names = desk.stable(1)
    desk.leave(names[0])

    assert (State.EMPTY, 2, None) == (desk.group.state, desk.group.generation, desk.group.protocol)
    ticket = desk.join()
    desk.run_for(3000)
    assert 3 == desk.answers[ticket].generation


def test_what_is_said_in_the_name_of_an_older_generation_is_fenced() -> None:
    """M30: a member that was thrown out, and does not know it, must not commit over its successor."""
    desk = Desk()
    names = desk.stable(2)
    third = desk.join()
    for name in names:
        desk.join(name)
    assert "NONE" == desk.error(third)

    assert "ILLEGAL_GENERATION" == desk.heartbeat(names[0], 1)
    assert "ILLEGAL_GENERATION" == desk.error(desk.sync(names[0], generation=1))
    assert "ILLEGAL_GENERATION" == desk.commit(names[0], 1)
    assert "UNKNOWN_MEMBER_ID" == desk.commit("nobody", 2)


def test_a_commit_counts_while_the_others_join_but_not_before_the_assignment_is_known() -> None:
    """O2: a member commits what it did before it gives a partition up."""
    desk = Desk()
    names = desk.stable(2)
    desk.join()
    assert "NONE" == desk.commit(names[0], 1)
    for name in names:
        desk.join(name)

    assert State.COMPLETING_REBALANCE is desk.group.state
    assert "REBALANCE_IN_PROGRESS" == desk.commit(names[0], 2)


def test_who_assigns_partitions_by_hand_may_commit_while_nobody_is_a_member() -> None:
    """O1."""
    desk = Desk()
    assert "NONE" == desk.commit("", -1)
    desk.stable(1)
    assert "UNKNOWN_MEMBER_ID" == desk.commit("", -1)
    assert "NONE" == desk.commit("", -1, is_transactional=True)


def test_a_join_whose_answer_was_lost_is_answered_again_without_a_rebalance() -> None:
    desk = Desk()
    names = desk.stable(2)

    ticket = desk.join(names[1])

    assert ("NONE", 1) == (desk.error(ticket), desk.answers[ticket].generation)
    assert State.STABLE is desk.group.state


def test_a_leader_that_joins_again_or_a_member_that_wants_something_else_makes_a_rebalance() -> None:
    desk = Desk()
    names = desk.stable(2)
    desk.join(names[0])
    assert State.PREPARING_REBALANCE is desk.group.state
    desk.join(names[1])
    desk.sync_all(names)

    desk.join(names[1], protocols=(("range", b"A and B"),))

    assert State.PREPARING_REBALANCE is desk.group.state


def test_a_sync_whose_answer_was_lost_is_answered_again() -> None:
    desk = Desk()
    names = desk.stable(2)

    ticket = desk.sync(names[1])

    assert names[1].encode() == desk.answers[ticket].assignment


def test_of_what_all_can_do_the_assignor_is_taken_that_most_like_best() -> None:
    desk = Desk()
    turned = (("sticky", b"A"), ("range", b"A"))
    tickets = [desk.join(protocols=one) for one in (BOTH, turned, turned, (("cooperative-sticky", b"A"), *turned))]
    desk.run_for(FIRST_ROUND_MS)
    assert "sticky" == desk.answers[tickets[0]].protocol

    refused = desk.join(protocols=(("roundrobin", b"A"),))

    assert "INCONSISTENT_GROUP_PROTOCOL" == desk.error(refused)
    assert "INCONSISTENT_GROUP_PROTOCOL" == desk.error(desk.join(protocol_type="connect"))


def test_a_full_group_takes_no_more_members() -> None:
    desk = Desk(max_size=2)
    names = desk.stable(2)
    assert "GROUP_MAX_SIZE_REACHED" == desk.error(desk.join())
    desk.leave(names[1])
    third = desk.join()
    desk.join(names[0])

    assert "NONE" == desk.error(third)


# The log --------------------------------------------------------------------------------------------------------------


def test_nobody_is_told_an_assignment_before_it_is_in_the_log() -> None:
    """C7: or the next coordinator would not know what this one said."""
    desk = Desk(stores_at_once=False)
    ticket = desk.join()
    desk.run_for(3000)
    name = desk.answers[ticket].member
    sync = desk.sync(name, {name: b"all"})
    (store,) = desk.unstored
    assert (None, b"all") == (desk.error(sync), store.image.members[0].assignment)

    desk.on(GroupStored(store.number))

    assert b"all" == desk.answers[sync].assignment


def test_an_assignment_that_cannot_be_stored_is_taken_back() -> None:
    desk = Desk(stores_at_once=False)
    ticket = desk.join()
    desk.run_for(3000)
    name = desk.answers[ticket].member
    sync = desk.sync(name, {name: b"all"})

    desk.on(GroupStored(desk.unstored.pop().number, "COORDINATOR_NOT_AVAILABLE"))

    assert "COORDINATOR_NOT_AVAILABLE" == desk.error(sync)
    assert State.PREPARING_REBALANCE is desk.group.state


def test_another_coordinator_goes_on_where_this_one_stopped() -> None:
    """C7, O2: what it needs to know is in the log."""
    desk = Desk()
    names = desk.stable(2)
    other = Desk()
    other.on(GroupLoaded(desk.group.image()))

    assert ["NONE", "NONE"] == [other.heartbeat(name, 1) for name in names]
    assert names[1].encode() == other.answers[other.sync(names[1])].assignment
    other.run_for(SESSION_MS)
    assert [(name, "expired") for name in names] == other.gone()


def test_whoever_waits_is_told_when_the_coordinator_is_none_any_more() -> None:
    desk = Desk(stores_at_once=False)
    desk.join(instance="i1")
    desk.run_for(3000)
    sync = desk.sync("m1", {"m1": b""})
    desk.on(GroupUnloaded())
    assert "NOT_COORDINATOR" == desk.error(sync)
    assert "COORDINATOR_NOT_AVAILABLE" == desk.error(desk.join())

    desk = Desk()
    waits = desk.join()
    desk.on(GroupUnloaded())

    assert "NOT_COORDINATOR" == desk.error(waits)
    assert State.DEAD is desk.group.state


def test_the_table_has_a_way_from_every_state_to_dead_and_from_empty_round_to_stable() -> None:
    assert set(State) == {state for state, happening in TRANSITIONS if happening is Happening.UNLOADED}
    round_trip = [Happening.MEMBERS_CHANGED, Happening.ALL_JOINED, Happening.ASSIGNED, Happening.MEMBERS_CHANGED]
    state = State.EMPTY
    for happening in [*round_trip, Happening.NOBODY_JOINED]:
        state = TRANSITIONS[state, happening]
    assert State.EMPTY is state


def test_a_member_that_offers_nothing_is_refused() -> None:
    desk = Desk()
    desk.on(JoinAsked(1, "", (), "m1", needs_known_id=False))
    desk.on(JoinAsked(2, "", RANGE, "m2", protocol_type="", needs_known_id=False))

    assert ["INCONSISTENT_GROUP_PROTOCOL"] * 2 == [desk.error(1), desk.error(2)]


def test_an_id_that_was_given_out_is_not_used_with_an_instance_id() -> None:
    desk = Desk()
    desk.join(needs_known_id=True)

    assert "UNKNOWN_MEMBER_ID" == desk.error(desk.join("m1", instance="i1"))
