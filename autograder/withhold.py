"""Takes what a hidden case could have left out of a result: it is graded by, and never shown.

A hidden failure names its rule. It is shown on a public case if one fails too, played by an answer that has not seen
the hidden ones: an answer that has could put them into its error messages. For the same reason nothing that was
printed is kept, and the end of an answer that was lost in a hidden case is told without the call it was lost in.
"""

from __future__ import annotations

from dataclasses import replace

from course.checks import seeds
from course.checks.examine import run_case
from course.checks.model import Check, Exercise, Run, Violation
from course.checks.port import AnswerLost, Port
from course.checks.result import CheckResult, RuleResult

IN_A_HIDDEN_CASE = "on a case that grading adds"


def without_hidden(exercise: Exercise, check: Check, result: CheckResult, port: Port | None) -> CheckResult:
    """The same result with nothing of hidden cases in it; `port` leads to an answer that has seen none."""
    result = replace(result, printed="")
    if _was_lost_in_a_hidden_case(check, result):
        result = replace(result, message=IN_A_HIDDEN_CASE)
    hidden = [rule for rule in result.rules if rule.hidden]
    if not hidden:
        return result
    found = _public_runs(exercise, check, port, hidden) if port is not None else {}
    return replace(result, rules=tuple(_shown(rule, found) if rule.hidden else rule for rule in result.rules))


def _was_lost_in_a_hidden_case(check: Check, result: CheckResult) -> bool:
    shown = len(seeds.shown_cases(check))
    return bool(result.message) and len(result.behaviour) > shown


Found = dict[str, tuple[Violation, Run]]


def _public_runs(exercise: Exercise, check: Check, port: Port, wanted: list[RuleResult]) -> Found:
    """Rule id -> the first public case on which it breaks, for the rules that break on one."""
    judges = {rule.id: rule.judge for rule in check.rules if rule.id in {one.id for one in wanted}}
    found: Found = {}
    try:
        port.open(exercise.name)
    except AnswerLost:
        return found
    for case in seeds.searched_cases(check):
        run = run_case(exercise, check, port, case)
        if run.lost is not None or len(found) == len(judges):
            break
        for rule_id, judge in judges.items():
            violation = judge(run)
            if rule_id not in found and isinstance(violation, Violation):
                found[rule_id] = (violation, run)
    return found


def _shown(rule: RuleResult, found: Found) -> RuleResult:
    violation, run = found.get(rule.id, (None, None))
    return replace(rule, violation=violation, run=run, history=())
