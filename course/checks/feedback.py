"""How a result reads: for the eye as HTML, and the same in words.

A failure is a counterexample: the rule, the first bad event, what led to it, and the run itself, opened there. A
misconception is named by a question. Everything that comes from the learner's code is escaped. Nothing of a hidden case
is ever shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from course.checks.model import Run, Violation
from course.checks.port import Outcome
from course.checks.result import CheckResult, RuleResult

HISTORY = 6  # calls shown before the one that went wrong
PRINTED_LINES = 20

Film = Callable[[Run, Violation | None], str]
"""Turns a run into the HTML of a player."""


def headline(result: CheckResult) -> str:
    """The result in one sentence."""
    held = sum(rule.passed for rule in result.rules)
    of = f"{held}/{len(result.rules)} rules hold"
    if result.unfinished:
        return "Not written yet: the code still raises NotImplementedError."
    if result.outcome is Outcome.REJECTED:
        return f"Not accepted. {_sentence(result.message)}"
    if result.message:
        return f"{of}; {result.outcome.value}: {_sentence(result.message)}"
    if result.graded:
        return f"{of} on all {result.cases} cases."
    return f"{of} on the {result.cases} shown cases; grading adds other cases of the same rules."


def in_words(result: CheckResult) -> str:
    """The whole result as plain text."""
    lines = [f"{result.check}: {result.score:g} of {result.points:g} points. {headline(result)}"]
    lines += [f"  [{_mark(result, rule)}] {rule.says} ({_points(rule)})" for rule in result.rules]
    for rule in _explained(result):
        lines += ["", f"  {rule.says}:", *(f"    {line}" for line in _story(rule))]
    if result.misconception is not None:
        lines += ["", f"  A question: {result.misconception.asks}"]
    if result.printed:
        lines += ["", "  Your code printed:", *(f"    {line}" for line in _printed(result))]
    return "\n".join(lines)


def as_html(result: CheckResult, film: Film | None = None) -> str:
    """The whole result as one HTML fragment; `film` draws the run of the first broken rule."""
    parts = [f'<div class="kl-verdict"><style>{STYLE}</style>']
    parts.append(f"<p><b>{result.score:g} of {result.points:g} points.</b> {escape(headline(result))}</p><ul>")
    parts += [
        f'<li class="kl-{"held" if rule.passed or result.unfinished else "broken"}"><b>{_mark(result, rule)}</b> '
        f"{_code(rule.says)} <small>{_points(rule)}</small></li>"
        for rule in result.rules
    ]
    parts.append("</ul>")
    explained = list(_explained(result))
    for rule in explained:
        parts.append(f"<p><b>{_code(rule.says)}</b></p><pre>{escape(chr(10).join(_story(rule)))}</pre>")
    if result.misconception is not None:
        parts.append(f'<p class="kl-asks"><b>A question:</b> {_code(result.misconception.asks)}</p>')
    if result.printed:
        parts.append(
            "<details><summary>Your code printed</summary>"
            f"<pre>{escape(chr(10).join(_printed(result)))}</pre></details>"
        )
    seen = next((rule for rule in explained if rule.run is not None and rule.run.steps), None)
    if film is not None and seen is not None and seen.run is not None:
        parts.append(film(seen.run, seen.violation))
    return "".join(parts) + "</div>"


STYLE = (
    ".kl-verdict{max-width:64rem;line-height:1.5}.kl-verdict ul{list-style:none;padding-left:.2rem;margin:.3rem 0}"
    ".kl-verdict li b{display:inline-block;min-width:4.2rem}.kl-verdict li.kl-broken{font-weight:600}"
    ".kl-verdict pre{padding:.5rem .8rem;border-left:3px solid currentColor;white-space:pre-wrap}"
    ".kl-verdict pre{overflow-wrap:anywhere}"
    ".kl-verdict .kl-asks{padding:.5rem .8rem;border:1px solid currentColor;border-radius:.3rem}"
)


def _mark(result: CheckResult, rule: RuleResult) -> str:
    if result.unfinished:
        return "to do"
    return "holds" if rule.passed else "broken" if rule.ran else "not run"


def _points(rule: RuleResult) -> str:
    return f"{rule.points:g} point{'' if rule.points == 1 else 's'}"


def _explained(result: CheckResult) -> Iterator[RuleResult]:
    """The broken rules that there is something to say about; of an unwritten answer there is nothing."""
    if result.unfinished:
        return iter(())
    return (rule for rule in result.rules if not rule.passed and (rule.violation is not None or rule.hidden))


def _story(rule: RuleResult) -> Iterator[str]:
    """What led to the violation, call by call."""
    if rule.violation is None or rule.run is None:
        yield "holds on the shown cases and breaks on one that grading adds; no shown case was found that breaks it."
        return
    if rule.hidden:
        yield "breaks on a case that grading adds; the same shows on this one:"
    yield f"{rule.violation.message}."
    yield f"the case: {rule.run.case.name}"
    if not rule.history:
        return
    *before, bad = rule.history
    if len(before) > HISTORY:
        yield f"  ... {len(before) - HISTORY} earlier"
    for line in before[-HISTORY:]:
        yield f"  {_short(line, 300)}"
    yield f"> {_short(bad, 300)}"


def _printed(result: CheckResult) -> list[str]:
    lines = result.printed.splitlines()
    rest = [f"... and {len(lines) - PRINTED_LINES} lines more"] if len(lines) > PRINTED_LINES else []
    return [_short(line, 200) for line in lines[:PRINTED_LINES]] + rest


def _short(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else text[: length_max - 3] + "..."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."


def _code(text: str) -> str:
    """Escaped text, with what stands in backticks as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
