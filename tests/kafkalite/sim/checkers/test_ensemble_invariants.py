"""The coordination service: one leader an epoch, equal trees, no change lost."""

from __future__ import annotations

from kafkalite.facts import ChangeCommitted, ServerElected

from .histories import Told, names


def applied(server: int, zxid: int, digest: int | None = None) -> Told:
    return f"z{server}", ChangeCommitted(zxid, zxid if digest is None else digest)


def test_two_leaders_of_one_epoch_are_told() -> None:
    assert ["two-zookeeper-leaders"] == names([("z1", ServerElected(3)), ("z2", ServerElected(3))])


def test_a_server_may_lead_in_many_epochs_and_an_epoch_be_led_again_by_the_same() -> None:
    assert [] == names([("z1", ServerElected(3)), ("z2", ServerElected(4)), ("z1", ServerElected(5))])


def test_different_trees_after_the_same_change_are_told() -> None:
    assert ["zookeeper-divergence"] == names([applied(1, 7), applied(2, 7, digest=8)])


def test_a_change_that_a_later_leader_does_not_have_is_lost() -> None:
    assert ["zookeeper-lost-change"] == names([applied(1, 1), applied(2, 1), applied(1, 2), applied(2, 9)])


def test_servers_that_come_behind_or_begin_again_lose_nothing() -> None:
    told = [applied(1, 1), applied(2, 1), applied(1, 2), applied(2, 2), applied(3, 2), applied(3, 3), applied(1, 3)]

    assert [] == names([*told, applied(1, 1), applied(1, 2), applied(1, 3), applied(1, 4)])
