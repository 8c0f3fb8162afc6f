"""How a result reads: for the eye as HTML, and the same in words.

A failure is a counterexample: the rule, the first bad event, what led to it, and the run itself, opened there. A
misconception is named by a question. Everything that comes from the learner's code is escaped. Nothing of a hidden case
is ever shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from importlib import resources

from course.checks.model import Run, Violation
from course.checks.port import Outcome
from course.checks.result import CheckResult, RuleResult
from course.diagrams.theme import variables

HISTORY = 6  # calls shown before the one that went wrong
PRINTED_LINES = 20
MESSAGE_LENGTH_MAX = 800  # of what was expected and what came; a wrong answer may return a book

# How a rule ended, in a word: its class in the stylesheet, and a sign, because a colour alone says nothing.
LOOKS = {"holds": ("held", "✓"), "broken": ("broken", "✗"), "not run": ("open", "–"), "to do": ("open", "○")}

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
    """The whole result as one HTML fragment; `film` draws the run of the first broken rule that has one.

    The first broken rule is told at once, and the player follows it; the others are folded, so that the player is near.
    """
    parts = [f'<div class="kl kl-verdict mathjax_ignore tex2jax_ignore"><style>{_style()}</style>']
    score = f"<b>{result.score:g} of {result.points:g} points.</b>"
    parts.append(f'<p class="kl-line kl-score">{score} {escape(headline(result))}</p>')
    parts.append(f'<ul class="kl-rules">{"".join(_item(result, rule) for rule in result.rules)}</ul>')
    explained = list(_explained(result))
    parts += [_told(rule) for rule in explained[:1]]
    if result.misconception is not None:
        parts.append(f'<p class="kl-asks"><b>A question:</b> {_code(result.misconception.asks)}</p>')
    seen = next((rule for rule in explained if rule.run is not None and rule.run.steps), None)
    if film is not None and seen is not None and seen.run is not None:
        parts.append(film(seen.run, seen.violation))
    parts += [_told(rule, folded=True) for rule in explained[1:]]
    if result.printed:
        printed = f'<pre class="kl-calls">{escape(chr(10).join(_printed(result)))}</pre>'
        parts.append(f'<details class="kl-printed"><summary>Your code printed</summary>{printed}</details>')
    return "".join(parts) + "</div>"


def _item(result: CheckResult, rule: RuleResult) -> str:
    """A rule in the list of all: how it ended, as a sign and a word, and what it is worth."""
    mark = _mark(result, rule)
    kind, sign = LOOKS[mark]
    points = f"{'0 of ' if mark == 'broken' else ''}{_points(rule)}"
    return f'<li class="kl-{kind}"><b>{sign} {mark}</b> <span>{_code(rule.says)}</span> <small>{points}</small></li>'


def _told(rule: RuleResult, *, folded: bool = False) -> str:
    """One counterexample."""
    title = f"<b>{_code(rule.says)}</b>"
    said, calls = list(_said(rule)), list(_calls(rule))
    told = "".join(_line(escape(line)) for line in said)
    if calls:
        *before, bad = map(escape, calls)
        told += f'<pre class="kl-calls">{"".join(f"{line}{chr(10)}" for line in before)}<b>{bad}</b></pre>'
    if folded:
        return f'<details class="kl-story"><summary>{title}</summary>{told}</details>'
    return f'<div class="kl-story">{_line(title)}{told}</div>'


def _line(html: str) -> str:
    return f'<p class="kl-line">{html}</p>'


@cache
def _style() -> str:
    css = resources.files(__package__).joinpath("verdict.css").read_text(encoding="utf-8")
    return variables() + css.partition("*/")[2].strip()


def _mark(result: CheckResult, rule: RuleResult) -> str:
    if result.unfinished:
        return "to do"
    return "holds" if rule.passed else "broken" if rule.ran else "not run"


def _points(rule: RuleResult) -> str:
    return f"{rule.points:g} point{'' if rule.points == 1 else 's'}"


def _explained(result: CheckResult) -> Iterator[RuleResult]:
    """The broken rules that there is something to say about; of an unwritten answer there is nothing."""
    if result.unfinished:
        return
    told = set[tuple[str, ...]]()
    for rule in result.rules:
        if rule.passed or (rule.violation is None and not rule.hidden):
            continue
        story = (*_said(rule), *_calls(rule))
        if story not in told:  # one call may break many rules; it is told once, and the list names the rules
            yield rule
        told.add(story)


def _story(rule: RuleResult) -> Iterator[str]:
    """What led to the violation, call by call."""
    yield from _said(rule)
    yield from _calls(rule)


def _said(rule: RuleResult) -> Iterator[str]:
    """What was expected and what came, in sentences, and in which case."""
    if rule.violation is None or rule.run is None:
        yield "holds on the shown cases and breaks on one that grading adds; no shown case was found that breaks it."
        return
    if rule.hidden:
        yield "breaks on a case that grading adds; the same shows on this one:"
    yield _sentence(_short(rule.violation.message, MESSAGE_LENGTH_MAX))
    yield f"the case: {rule.run.case.name}"


def _calls(rule: RuleResult) -> Iterator[str]:
    """The calls before the bad one, a line each, and that one, marked."""
    if rule.violation is None or rule.run is None or not rule.history:
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
    return "".join(
        f'<code class="kl-code">{piece}</code>' if index % 2 else piece for index, piece in enumerate(pieces)
    )
