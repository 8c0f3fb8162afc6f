"""Invariants of who decides: one leader an epoch, one controller an epoch, and nobody obeys yesterday's."""

from __future__ import annotations

from kafkalite.facts import BecameFollower, BecameLeader, ControllerElected, IsrChanged, LeaderElected
from kafkalite.sim.checkers.violation import Announced, Invariant, Report
from kafkalite.sim.checkers.world import World
from kafkalite.types import NodeName


class TwoLeaders(Invariant):
    """A partition has one leader in an epoch."""

    name = "two-leaders"

    def on_leader_elected(self, at: Announced) -> None:
        fact: LeaderElected = at.fact
        before = self.world.partition(fact.topic, fact.partition).elections.get(fact.leader_epoch)
        if before is not None and before.fact.leader != fact.leader:
            self.violated(f"b{before.fact.leader} and b{fact.leader} were both elected", at, before)

    def on_became_leader(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: BecameLeader = at.fact
        before = view.leaders.get(fact.leader_epoch)
        election = view.elections.get(fact.leader_epoch)
        if before is not None and before.node != at.node:
            self.violated(f"{before.node} and {at.node} both lead in epoch {fact.leader_epoch}", at, before)
        elif election is not None and election.fact.leader != broker:
            self.violated(f"{at.node} leads in epoch {fact.leader_epoch} and was not elected", at, election)


class EpochRetreat(Invariant):
    """A broker that was told of a leader epoch never goes back to an older one."""

    name = "epoch-retreat"

    def on_became_leader(self, at: Announced) -> None:
        self._compare(at)

    def on_became_follower(self, at: Announced) -> None:
        self._compare(at)

    def _compare(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: BecameLeader | BecameFollower = at.fact
        role = view.roles.get(broker)
        if role is not None and fact.leader_epoch < role.leader_epoch:
            self.violated(f"{at.node} was in epoch {role.leader_epoch} and is in {fact.leader_epoch}", at, role.fact)


class UncleanElection(Invariant):
    """Only a member of the ISR is elected, unless the topic allows unclean elections; then the fact says so."""

    name = "unclean-election"

    def on_leader_elected(self, at: Announced) -> None:
        fact: LeaderElected = at.fact
        view = self.world.partition(fact.topic, fact.partition)
        is_allowed = self.world.expectations.of_topic(fact.topic).unclean_leader_election_enable
        if fact.is_unclean:
            if not is_allowed:
                self.violated(f"b{fact.leader} was elected, unclean", at)
        elif fact.leader >= 0 and fact.leader_epoch > view.newest_epoch >= 0 and fact.leader not in view.possible_isr:
            self.violated(f"b{fact.leader} was elected; the ISR was {sorted(view.possible_isr)} at most", at)


class IsrOutsideReplicas(Invariant):
    """The ISR is a part of the replicas, and its leader is in it."""

    name = "isr-outside-replicas"

    def on_became_leader(self, at: Announced) -> None:
        _, broker = self.world.of(at)
        fact: BecameLeader = at.fact
        if not {broker} <= set(fact.isr) <= set(fact.replicas):
            self.violated(f"the ISR is {fact.isr}, the replicas are {fact.replicas}, the leader is b{broker}", at)

    def on_isr_changed(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: IsrChanged = at.fact
        role = view.leading(broker)
        if role is not None and not {broker} <= set(fact.isr) <= role.replicas:
            self.violated(f"the ISR is {fact.isr}, the replicas are {sorted(role.replicas)}", at, role.fact)


class IsrByStranger(Invariant):
    """Only the leader of the epoch proposes an ISR, and what it proposes is written once, over what it knew."""

    name = "isr-by-stranger"

    def __init__(self, world: World, report: Report) -> None:
        super().__init__(world, report)
        self._written: dict[tuple[str, int], dict[int, Announced]] = {}  # partition -> znode version -> IsrChanged
        self._newest: dict[tuple[str, int], Announced] = {}

    def on_topic_deleted(self, at: Announced) -> None:
        for place in [place for place in self._written if place[0] == at.fact.topic]:
            del self._written[place], self._newest[place]

    def on_isr_shrink_proposed(self, at: Announced) -> None:
        self._need_leader(at)

    def on_isr_expand_proposed(self, at: Announced) -> None:
        self._need_leader(at)

    def on_isr_changed(self, at: Announced) -> None:
        self._need_leader(at)
        fact: IsrChanged = at.fact
        place = (fact.topic, fact.partition)
        before = self._written.setdefault(place, {}).setdefault(fact.zk_version, at)
        newest = self._newest.setdefault(place, at)
        if (before.node, before.fact.isr) != (at.node, fact.isr):
            self.violated(f"version {fact.zk_version} of the znode was written twice", at, before)
        elif fact.zk_version > newest.fact.zk_version:
            self._newest[place] = at
            if fact.leader_epoch < newest.fact.leader_epoch:
                self.violated(f"a leader of epoch {fact.leader_epoch} overwrote a newer one's ISR", at, newest)

    def _need_leader(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        if view.leading(broker) is None:
            role = view.roles.get(broker)
            self.violated(f"{at.node} does not lead", at, role.fact if role is not None else None)


class TwoControllers(Invariant):
    """A controller epoch belongs to one controller."""

    name = "two-controllers"

    def __init__(self, world: World, report: Report) -> None:
        super().__init__(world, report)
        self._elected: dict[int, Announced] = {}

    def on_controller_elected(self, at: Announced) -> None:
        fact: ControllerElected = at.fact
        before = self._elected.setdefault(fact.controller_epoch, at)
        if before is not at:
            self.violated(f"{before.node} and {at.node} are both controller {fact.controller_epoch}", at, before)


class StaleControllerObeyed(Invariant):
    """A broker that heard a controller never obeys an earlier one again."""

    name = "stale-controller-obeyed"

    def __init__(self, world: World, report: Report) -> None:
        super().__init__(world, report)
        self._heard: dict[NodeName, Announced] = {}

    def on_broker_registered(self, at: Announced) -> None:
        self._heard.pop(at.node, None)  # a broker that began again remembers no controller

    def on_controller_obeyed(self, at: Announced) -> None:
        before = self._heard.get(at.node)
        if before is not None and at.fact.controller_epoch < before.fact.controller_epoch:
            self.violated(
                f"{at.node} heard controller {before.fact.controller_epoch} and obeys {at.fact.controller_epoch}",
                at,
                before,
            )
        else:
            self._heard[at.node] = at
