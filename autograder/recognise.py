"""Which misconception a wrong answer shows: the kept wrong answer that does the same, call by call.

The trusted side plays the kept answers itself, after the boxes are gone: they are ours, and playing them turns the
process's own output aside, which only one thread at a time may do.
"""

from __future__ import annotations

from dataclasses import replace

from autograder.manifest import Manifest
from course.checks import seeds
from course.checks.examine import recognise
from course.checks.model import Check, Exercise
from course.checks.port import Outcome
from course.checks.result import CheckResult


def recognised(exercise: Exercise, check: Check, result: CheckResult, manifest: Manifest, secret: str) -> CheckResult:
    """The same result, with the misconception it shows."""
    if result.outcome not in (Outcome.FAIL, Outcome.ERROR) or not result.behaviour:
        return result
    cases = [*seeds.shown_cases(check), *seeds.hidden_cases(check, secret, manifest.release)]
    wrong = recognise(exercise, check, cases, result.behaviour, manifest.chapter.wrong_answers)
    return replace(result, misconception=wrong)
