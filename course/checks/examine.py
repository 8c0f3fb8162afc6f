"""Examine an answer: run every case, judge every rule, recognise a misconception. The one road to a score.

Fatal ends (an endless call, a dead process) end the check: the rules judged so far keep what was found, and a rule
that has not been judged on every case does not pass. So the same answer scores the same wherever it is examined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from course.checks import seeds
from course.checks.local import LocalPort
from course.checks.model import Check, Exercise, Rule, Run, Violation, WrongAnswer
from course.checks.plug import WRONG_SHAPE, Plug, Raised
from course.checks.port import AnswerLost, Outcome, Port
from course.checks.result import CheckResult, RuleResult
from course.checks.wrong import fresh
from kafkalite.errors import BY_NAME, SimulationStuck


def examine(
    exercise: Exercise,
    check: Check,
    port: Port,
    *,
    secret: str | None = None,
    release: str = "",
    wrong_answers: Sequence[WrongAnswer] = (),
) -> CheckResult:
    """The result of one check on the answer behind `port`. Hidden cases join in where a `secret` is given."""
    try:
        port.open(exercise.name)
    except AnswerLost as lost:
        return _not_asked(check, lost, graded=secret is not None, printed=port.printed())
    shown = seeds.shown_cases(check)
    hidden = seeds.hidden_cases(check, secret, release) if secret is not None else []
    runs = list(_runs(exercise, check, port, [*shown, *hidden]))
    lost_run = runs[-1] if runs[-1].lost is not None else None
    complete = len(runs) == len(shown) + len(hidden) and lost_run is None
    rules = tuple(
        _judge(check, rule, runs, len(shown), complete, lambda rule: _shown_too(exercise, check, port, rule, lost_run))
        for rule in check.rules
    )
    return CheckResult(
        check=check.id,
        outcome=_outcome(rules, runs),
        points=check.points,
        rules=rules,
        message=str(lost_run.lost) if lost_run is not None else "",
        misconception=_recognise(exercise, check, runs, wrong_answers) if any(not r.passed for r in rules) else None,
        unfinished=_is_unfinished(rules, runs),
        graded=secret is not None,
        printed=port.printed(),
        cases=len(shown) + len(hidden),
        behaviour=_behaviour(check, runs),
    )


def _runs(exercise: Exercise, check: Check, port: Port, cases: Iterable[Any]) -> Iterable[Run]:
    for case in cases:
        run = run_case(exercise, check, port, case)
        yield run
        if run.lost is not None:
            return


def run_case(exercise: Exercise, check: Check, port: Port, case: Any) -> Run:
    """Play one case with the answer plugged in."""
    plug = Plug(port, exercise.name, exercise.object)
    try:
        steps = tuple(check.play(case, plug))
    except AnswerLost as lost:
        return Run(case, tuple(plug.calls), (), lost)
    except SimulationStuck as stuck:  # each call ends, the messages that they cause do not
        return Run(case, tuple(plug.calls), (), AnswerLost(Outcome.TIMEOUT, f"the run did not come to an end: {stuck}"))
    # A part's client may have swallowed what it could not know; the plug remembers.
    return Run(case, tuple(plug.calls), steps, plug.lost)


Find = Callable[[Rule], "tuple[Violation, Run] | None"]


def _judge(check: Check, rule: Rule, runs: list[Run], shown: int, complete: bool, find: Find) -> RuleResult:
    found = [(rule.judge(run), run) for run in runs]
    broken = [(violation, run) for violation, run in found[:shown] if isinstance(violation, Violation)]
    hidden = not broken and any(isinstance(violation, Violation) for violation, _ in found)
    if not broken and not hidden:
        holds = complete and any(violation is None for violation, _ in found)
        return RuleResult(rule.id, rule.says, rule.points, passed=holds, ran=holds)
    # The shortest way to the mistake is the one worth reading.
    best = min(broken, key=_length, default=None) or find(rule)
    if best is None:
        return RuleResult(rule.id, rule.says, rule.points, passed=False, hidden=hidden)
    violation, run = best
    return RuleResult(
        rule.id,
        rule.says,
        rule.points,
        False,
        hidden,
        violation=violation,
        run=run,
        history=_history(check, run, violation),
    )


def _length(found: tuple[Violation, Run]) -> int:
    violation, run = found
    return len(run.calls) if violation.call is None else violation.call


def _history(check: Check, run: Run, violation: Violation) -> tuple[str, ...]:
    """The calls that led to the violation; where there are several instances, each with its number."""
    if violation.call is None:
        return ()
    several = len({call.instance for call in run.calls}) > 1
    return tuple(
        f"{f'[{call.instance}] ' if several else ''}{check.tell(call)}" for call in run.calls[: violation.call + 1]
    )


def _shown_too(
    exercise: Exercise, check: Check, port: Port, rule: Rule, lost_run: Run | None
) -> tuple[Violation, Run] | None:
    """A public case on which the same rule breaks, if a few dozen draws hold one."""
    if lost_run is not None:
        return None
    for run in _runs(exercise, check, port, seeds.searched_cases(check)):
        violation = rule.judge(run) if run.lost is None else None
        if isinstance(violation, Violation):
            return violation, run
    return None


def _outcome(rules: tuple[RuleResult, ...], runs: list[Run]) -> Outcome:
    lost = runs[-1].lost
    if lost is not None:
        return lost.outcome
    if all(rule.passed for rule in rules):
        return Outcome.PASS
    broken = [rule for rule in rules if not rule.passed and rule.ran]  # what nothing has shown counts neither way
    return Outcome.ERROR if broken and all(_came_of_an_error(rule) for rule in broken) else Outcome.FAIL


def _came_of_an_error(rule: RuleResult) -> bool:
    if rule.run is None or rule.violation is None or rule.violation.call is None:
        return False
    outcome = rule.run.calls[rule.violation.call].outcome
    return isinstance(outcome, Raised) and outcome.name not in BY_NAME and outcome.name != WRONG_SHAPE


def _not_asked(check: Check, lost: AnswerLost, *, graded: bool, printed: str) -> CheckResult:
    rules = tuple(RuleResult(rule.id, rule.says, rule.points, passed=False, ran=False) for rule in check.rules)
    return CheckResult(check.id, lost.outcome, check.points, rules, message=str(lost), graded=graded, printed=printed)


def _is_unfinished(rules: tuple[RuleResult, ...], runs: list[Run]) -> bool:
    """Nothing passes, and the answer says of itself that it is not written."""
    stubs = any(
        isinstance(c.outcome, Raised) and c.outcome.name == "NotImplementedError" for r in runs for c in r.calls
    )
    return stubs and not any(rule.passed for rule in rules)


# Misconceptions -----------------------------------------------------------------------------------------------------


def _behaviour(check: Check, runs: Sequence[Run]) -> tuple[Any, ...]:
    """What an answer did, call by call; error messages and the learner's wording do not count."""
    return tuple(tuple((c.instance, c.name, check.observe(c)) for c in run.calls) for run in runs)


def _recognise(
    exercise: Exercise, check: Check, runs: list[Run], wrong_answers: Sequence[WrongAnswer]
) -> WrongAnswer | None:
    if runs[-1].lost is not None:
        return None
    return recognise(exercise, check, [run.case for run in runs], _behaviour(check, runs), wrong_answers)


def recognise(
    exercise: Exercise,
    check: Check,
    cases: Sequence[Any],
    behaviour: Sequence[Any],
    wrong_answers: Sequence[WrongAnswer],
) -> WrongAnswer | None:
    """The kept wrong answer that behaves like this on every one of these cases, if there is one."""
    for wrong in wrong_answers:
        if wrong.exercise == exercise.id and wrong.breaks.get(check.id):
            with LocalPort({exercise.name: fresh(wrong)}) as port:
                if all(
                    (did,) == _behaviour(check, [run_case(exercise, check, port, case)])
                    for case, did in zip(cases, behaviour, strict=True)
                ):
                    return wrong
    return None
