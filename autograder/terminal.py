"""The report for a person at a terminal.

Most of it comes from the submission, so it is shown as plain text: no markup is read in it, and what would move a
cursor, ring a bell or turn the writing around is made visible instead.
"""

from __future__ import annotations

import unicodedata

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.report import AWAITS, NOT_ANSWERED, CheckReport, Report, Rule
from course.checks.port import Outcome

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what is not seen and may still do something."""


def show(report: Report, console: Console) -> None:
    """Print the report."""
    console.print(_heading(report))
    for exercise in report.exercises:
        console.print()
        console.print(plain(f"{exercise.title}: {points(exercise.score)} of {exercise.max:g}", "bold"))
        for check in exercise.checks:
            console.print(Padding(_check(check), (0, 0, 0, 2)))
    for written in report.written:
        console.print()
        console.print(plain(f"{written.title}: {written.status}, {written.max:g} points", "bold"))
    if report.notes:
        console.print()
        console.print(plain("Put up with", "bold"))
        for note in report.notes:
            console.print(Padding(plain(note), (0, 0, 0, 2)))
    console.print()
    console.print(_foot(report))


def plain(text: str, style: str = "") -> Text:
    r"""Text that does nothing but be read.

    >>> plain("a\x1b[2Jb").plain
    'a\\x1b[2Jb'
    """
    return Text("".join(map(_visible, text)), style=style)


def points(score: float | None) -> str:
    """Points for a person: `4.5`, or what to say where there are none yet."""
    return "not graded" if score is None else f"{score:g}"


def _visible(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in INVISIBLE:
        return character
    return character.encode("unicode_escape").decode("ascii")


def _heading(report: Report) -> Text:
    manual = "".join(
        f"; {more:g} more {said}"
        for status, said in ((AWAITS, "await a person"), (NOT_ANSWERED, "not answered"))
        if (more := sum(one.max for one in report.written if one.status == status))
    )
    return Text.assemble(
        plain(f"{report.submission['file']}, chapter {report.release['chapter']}: "),
        plain(f"{points(report.score)} of {report.automatic.max:g} points", "bold"),
        plain(manual),
    )


def _check(check: CheckReport) -> RenderableType:
    outcome = Outcome[check.outcome]
    style = "green" if outcome is Outcome.PASS else "yellow" if outcome is Outcome.INFRA else "red"
    head = Text.assemble(
        plain(f"{check.id}  "),
        plain(check.outcome, style),
        plain(f"  {points(check.score)} of {check.max:g}"),
        plain("  not written yet" if check.unfinished else f"  {outcome.value}", "dim"),
    )
    parts: list[RenderableType] = [head]
    if check.message:
        parts.append(plain(check.message))
    if not check.unfinished and any(rule.ran or rule.sentence for rule in check.rules):
        parts.append(_rules(check.rules))
    if check.misconception is not None:
        parts.append(plain(f"A question: {check.misconception.asks}", "italic"))
    return Group(*parts)


def _rules(rules: tuple[Rule, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    said: set[str] = set()
    for rule in rules:
        mark = ("holds", "green") if rule.passed else ("broken", "red") if rule.ran else ("not run", "yellow")
        table.add_row(plain(*mark), plain(f"{rule.points:g}"), plain(rule.says))
        if rule.sentence and rule.sentence not in said:  # rules that one event breaks show it once
            table.add_row("", "", plain(rule.sentence, "dim"))
            said.add(rule.sentence)
    return table


def _foot(report: Report) -> Text:
    box = report.box
    held = [name for name, holds in box.enforces.items() if holds]
    where = f"{box.backend}, which kept back: {', '.join(held)}" if held else box.backend
    if not box.sandboxed:
        where = f"{box.backend}: nothing kept the answers from this machine"
    return plain(
        f"Ran in {where}. Release {report.release['id']}, notebook {report.submission['sha256'][:12]}, "
        f"{report.duration_s:.1f} s.",
        "dim",
    )
