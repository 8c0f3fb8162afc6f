"""Every attack on the box, as whoever runs the tests and, where that is root, as an ordinary user too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.box import Backend
from tests.attacks.box_attacks import EXPECTED, LIMITS, Teacher, complaints, run, teacher
from tests.autograder.box.ordinary_user import OrdinaryUser

pytestmark = pytest.mark.attacks

ATTACKS = Path(__file__).parent / "box"


@pytest.fixture
def victim() -> Iterator[Teacher]:
    with teacher(ATTACKS) as someone:
        yield someone


def test_every_attack_has_its_expected_end() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in ATTACKS.glob("*.py"))


@pytest.mark.parametrize("attack", EXPECTED)
def test_an_attack_ends_as_it_should_gets_nothing_and_leaves_nothing(
    attack: str, backend: Backend, victim: Teacher
) -> None:
    assert [] == complaints(backend, attack, victim)


@pytest.mark.usefixtures("backend")
def test_no_attack_gets_anything_from_a_grader_who_is_an_ordinary_user() -> None:
    """Root and others are boxed differently, so what holds for the one says nothing about the other."""
    with OrdinaryUser.or_skip() as user:
        attacks = user.copy(ATTACKS)
        script = user.copy(Path(__file__).with_name("box_attacks.py"))
        found = json.loads(user.run(script, attacks))

    assert {} == {name: wrong for name, wrong in found.items() if wrong}
    assert EXPECTED.keys() == found.keys()


def test_a_flood_is_kept_up_to_the_limit(backend: Backend, victim: Teacher) -> None:
    ending = run(backend, "r15_output_flood", victim)

    assert b"x" * LIMITS.output_bytes == ending.printed


def test_a_message_left_in_one_box_is_not_found_in_the_next(backend: Backend, victim: Teacher) -> None:
    assert [] == complaints(backend, "e21_persist_between_runs", victim)
    assert [] == complaints(backend, "e21_persist_between_runs", victim)
