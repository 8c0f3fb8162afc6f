"""A group is never stuck: whatever happened to it, once its members behave it is stable, or empty without any."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kafkalite.groups.states import State
from kafkalite.types import AnswerJoin, AnswerSync, GroupLoaded, GroupStored

from .desk import REBALANCE_MS, SESSION_MS, Desk

ASSIGNORS = ((("range", b"A"),), (("sticky", b"A"), ("range", b"A")), (("range", b"B"),))
INSTANCES = (None, None, "i1", "i2")
ERRORS = ("NONE", "NONE", "COORDINATOR_NOT_AVAILABLE", "REBALANCE_IN_PROGRESS")


class Chaos:
    """Anything that can happen to a group, in any order, sense or not."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.desk = Desk(stores_at_once=False, max_size=4, initial_rebalance_delay_ms=draw.choice([0, 3000]))

    def step(self) -> None:
        self.draw.choice([self.join, self.join, self.sync, self.sync, self.talk, self.time, self.log])()

    def somebody(self) -> str:
        known = [answer.member for answer in self.desk.answers.values() if isinstance(answer, AnswerJoin)]
        return self.draw.choice([*known[-6:], "", "nobody"])

    def join(self) -> None:
        self.desk.join(
            self.somebody(),
            protocols=self.draw.choice(ASSIGNORS),
            instance=self.draw.choice(INSTANCES),
            needs_known_id=self.draw.random() < 0.5,
            can_skip_assignment=self.draw.random() < 0.5,
        )

    def sync(self) -> None:
        generation = self.desk.group.generation - self.draw.choice([0, 0, 0, 1])
        self.desk.sync(self.draw.choice([self.desk.group.roster.leader, self.somebody()]), {}, generation)

    def talk(self) -> None:
        desk, generation = self.desk, self.desk.group.generation - self.draw.choice([0, 0, 1])
        kind = self.draw.randrange(4)
        if kind == 0:
            desk.leave(self.somebody(), self.draw.choice(INSTANCES))
        elif kind == 1:
            desk.commit(self.somebody(), generation)
        else:
            desk.heartbeat(self.somebody(), generation, self.draw.choice(INSTANCES))

    def time(self) -> None:
        self.desk.run_for(self.draw.choice([1, 1000, SESSION_MS / 2, REBALANCE_MS]))

    def log(self) -> None:
        if self.desk.unstored:
            self.desk.on(GroupStored(self.desk.unstored.pop(0).number, self.draw.choice(ERRORS)))


class Person:
    """A member that does what the protocol says."""

    def __init__(self, desk: Desk, instance: str | None) -> None:
        self.desk, self.instance = desk, instance
        self.member, self.generation = "", -1
        self.ticket: int | None = None

    def act(self) -> None:
        """Look at the answer, if one was waited for, and do what comes next."""
        desk = self.desk
        if self.ticket is None:
            self.react(desk.heartbeat(self.member, self.generation, self.instance) if self.member else "REJOIN")
        elif self.ticket in desk.answers:
            answer, self.ticket = desk.answers[self.ticket], None
            if answer.error != "NONE":
                self.react(answer.error, answer.member if isinstance(answer, AnswerJoin) else self.member)
            elif isinstance(answer, AnswerJoin):
                self.member, self.generation = answer.member, answer.generation
                shares = {name: b"share" for name, _, _ in answer.members}
                self.ticket = desk.sync(self.member, shares, self.generation)
            else:
                assert isinstance(answer, AnswerSync)

    def react(self, error: str, member: str = "") -> None:
        if error == "NONE":
            return
        self.member = member if error == "MEMBER_ID_REQUIRED" else self.member
        if error in {"UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID"}:
            self.member = ""
        if error != "GROUP_MAX_SIZE_REACHED":
            self.ticket = self.desk.join(self.member, instance=self.instance, needs_known_id=True)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(0, 60), st.integers(0, 4))
def test_after_anything_at_all_a_group_is_stable_once_its_members_behave(seed: int, chaos: int, people: int) -> None:
    """C3, C7. Nobody who asked is forgotten, either: every ticket is answered."""
    state = Chaos(Random(seed))
    for _ in range(chaos):
        state.step()
    desk = state.desk
    while desk.unstored:  # the log answers in the end, whatever it answers
        state.log()
    desk.stores_at_once = True
    persons = [Person(desk, instance) for instance in (None, "i1", None, "i3")[:people]]
    for person in persons:
        person.member = state.somebody() if person.instance is None else ""
    if people:
        persons[0].member = ""

    for _ in range(60):
        for person in persons:
            person.act()
        desk.run_for(SESSION_MS / 3)

    expected = (State.STABLE if people else State.EMPTY, len({id(one) for one in persons}))
    assert expected == (desk.group.state, len(desk.group.roster.members))
    assert {person.member for person in persons} == desk.group.roster.members.keys()
    assert {desk.group.generation} >= {person.generation for person in persons}
    waiting = desk.asked.keys() - desk.answers.keys()
    assert set() == waiting


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(0, 40))
def test_at_any_moment_another_coordinator_can_go_on_with_what_was_stored(seed: int, chaos: int) -> None:
    """C7, O2: a coordinator dies at any moment; its members find the next one and are stable again."""
    state = Chaos(Random(seed))
    stored = None
    for _ in range(chaos):
        state.step()
        for store in state.desk.unstored:
            stored = store.image
    desk = Desk(prefix="n")
    if stored is not None:
        desk.on(GroupLoaded(stored))
    persons = [Person(desk, None), Person(desk, "i1")]
    for _ in range(60):
        for person in persons:
            person.act()
        desk.run_for(SESSION_MS / 3)

    assert (State.STABLE, 2) == (desk.group.state, len(desk.group.roster.members))
