"""A hundred clusters under faults, each of its own seed, without a violation; `make soak SEEDS=500` plays more.

Seeds that once found something are among the first hundred, or named below.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import kafkalite
from kafkalite.errors import ErrorCode
from kafkalite.sim.soak import ERRORS, EXPECTED, SeedResult, run_seed

SEEDS = range(1, 101)
IN_A_CHUNK = 10


@cache
def played(first: int) -> tuple[SeedResult, ...]:
    """Ten runs; played once, whoever asks."""
    return tuple(run_seed(seed) for seed in range(first, first + IN_A_CHUNK))


@pytest.mark.parametrize("first", SEEDS[::IN_A_CHUNK])
def test_runs_under_faults_have_no_violation(first: int) -> None:
    problems = {result.seed: result.problems for result in played(first) if result.problems}

    assert {} == problems, f"play it again: python -m kafkalite soak --first {min(problems)} --seeds 1"


@pytest.mark.parametrize("first", SEEDS[::IN_A_CHUNK])
def test_every_run_is_long_enough_to_mean_something(first: int) -> None:
    assert all(result.deliveries >= 20_000 for result in played(first))


def test_a_seed_is_a_run_in_every_process() -> None:
    """Also where sets and dicts of strings are hashed otherwise."""
    program = (
        "from dataclasses import replace\n"
        "from hashlib import sha256\n"
        "from kafkalite.sim.workload import draw_plan, play\n"
        "result = play(replace(draw_plan(4), deliveries_min=0), record=True)\n"
        "print(len(result.cluster.steps), sha256(repr(result.cluster.steps).encode()).hexdigest())"
    )
    digests = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert digests[0] == digests[1]
    assert int(digests[0].split()[0]) > 10_000


# Where brokers are made: what is named there may be answered.
BROKERS = ("broker", "controller", "groups", "log", "replication", "transactions")


def test_every_error_that_brokers_can_answer_is_waited_for() -> None:
    """By its name in their code, be it a member of the enumeration or a part's answer."""
    folder = Path(kafkalite.__file__).parent
    named = {
        name
        for package in BROKERS
        for path in sorted((folder / package).glob("*.py"))
        for name in _names_in(ast.parse(path.read_text(encoding="utf-8")))
        if name in ErrorCode.__members__
    }

    assert set() == named - {"NONE", *ERRORS}
    assert {"NETWORK_EXCEPTION"} == set(ERRORS) - named  # which is what a client makes of a broken connection


def _names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# Reached in every hundred runs at least so often. What a longer soak must reach is five times that.
AT_LEAST = 4


def test_every_fact_and_every_error_is_reached() -> None:
    reached: Counter[str] = Counter()
    for first in SEEDS[::IN_A_CHUNK]:
        for result in played(first):
            reached += result.reached

    assert {} == {name: reached[name] for name in EXPECTED if reached[name] < AT_LEAST}
