"""The same seed is the same run, step by step; in any process, and also if every message is sent as its bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kafkalite.sim.trace import first_divergence

from .determinism import digest, run

SCRIPT = Path(__file__).with_name("determinism.py")
ROOT = SCRIPT.parents[3]


def in_a_process(seed: int, hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(seed)], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_two_processes_whose_hashes_differ_run_the_same_steps() -> None:
    assert in_a_process(31, "1") == in_a_process(31, "2")


def test_another_seed_is_another_run() -> None:
    assert digest(run(31)) != digest(run(32))


def test_messages_sent_as_bytes_make_the_same_run() -> None:
    """Nothing is ever sent that bytes cannot carry."""
    plain, coded = run(33), run(33, through_codec=True)

    at = first_divergence(plain.steps, coded.steps)

    assert at is None, f"{plain.steps[at]}\n{coded.steps[at]}"
