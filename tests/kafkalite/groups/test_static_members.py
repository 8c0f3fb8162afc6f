"""Static members (KIP-345): a group.instance.id keeps a member's place while it restarts."""

from __future__ import annotations

import pytest

from kafkalite.groups.states import State

from .desk import FIRST_ROUND_MS, SESSION_MS, Desk

BOTH = (("range", b"A"), ("sticky", b"A"))


@pytest.mark.parametrize("can_skip", [True, False])
def test_a_static_member_that_comes_back_takes_its_place_and_nobody_notices(can_skip: bool) -> None:
    """KIP-345: a rolling restart does not rebalance. KIP-814: one that leads is told that it need not assign."""
    desk = Desk()
    (name,) = desk.stable(1, instance="i1")
    back = desk.join(instance="i1", can_skip_assignment=can_skip)
    joined = desk.answers[back]

    assert (1, State.STABLE) == (joined.generation, desk.group.state)
    assert (can_skip, can_skip) == (joined.skips_assignment, joined.leader == joined.member)
    assert name.encode() == desk.answers[desk.sync(joined.member)].assignment
    assert "FENCED_INSTANCE_ID" == desk.heartbeat(name, 1, "i1")
    assert [(name, "fenced")] == desk.gone()


def test_of_two_with_the_same_instance_id_the_earlier_one_is_fenced_while_it_waits() -> None:
    desk = Desk()
    first = desk.join(instance="i1")
    second = desk.join(instance="i1")

    assert "FENCED_INSTANCE_ID" == desk.error(first)
    desk.run_for(FIRST_ROUND_MS)
    assert "NONE" == desk.error(second)
    assert 1 == len(desk.group.roster.members)


def test_a_static_member_that_comes_back_while_the_leader_assigns_makes_a_rebalance() -> None:
    """The leader may just be assigning to the old id."""
    desk = Desk()
    first, second = desk.join(), desk.join(instance="i1")
    desk.run_for(FIRST_ROUND_MS)

    back = desk.join(instance="i1")

    assert State.PREPARING_REBALANCE is desk.group.state
    desk.join(desk.answers[first].member)
    assert "NONE" == desk.error(back)
    assert "FENCED_INSTANCE_ID" == desk.heartbeat(desk.answers[second].member, 2, "i1")


def test_a_static_member_that_is_away_is_kept_until_its_session_ends() -> None:
    desk = Desk()
    tickets = [desk.join(), desk.join(instance="i1")]
    desk.run_for(FIRST_ROUND_MS)
    names = [desk.answers[ticket].member for ticket in tickets]
    desk.sync_all(names)
    desk.join(names[0], protocols=BOTH)
    desk.run_for(SESSION_MS - 1000)
    assert names == list(desk.group.roster.members)

    desk.run_for(1000)

    assert [(names[1], "expired")] == desk.gone()


def test_an_administrator_lets_a_static_member_go_by_its_instance_id() -> None:
    desk = Desk()
    desk.stable(1, instance="i1")

    assert "UNKNOWN_MEMBER_ID" == desk.leave("", "i2")
    assert "FENCED_INSTANCE_ID" == desk.leave("somebody", "i1")
    assert "NONE" == desk.leave("", "i1")
    assert State.EMPTY is desk.group.state
