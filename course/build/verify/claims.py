"""Is every claim that a chapter promises taught, and every claim it teaches promised?"""

from __future__ import annotations

from collections.abc import Iterator

from course.build.verify.problem import Problem
from course.build.verify.subject import Subject
from course.checks.model import Exercise, Written


def claims(subject: Subject) -> Iterator[Problem]:
    """The head of the text, the exercises and the cells speak of the same claims."""
    chapter, written = subject.chapter, subject.text
    head = written.cells[0].where.rpartition(":")[0]
    promised = dict.fromkeys(written.claims, f"{head}:1")
    all_asked: tuple[Exercise | Written, ...] = (*chapter.exercises, *chapter.written)
    for asked in all_asked:
        for claim in asked.claims:
            promised.setdefault(claim, f"{chapter.name}, {asked.id}")
    taught = {claim: cell.where for cell in written.cells for claim in cell.claims if cell.is_markdown}
    for claim, where in promised.items():
        if claim not in taught:
            yield Problem(
                where,
                f"claim {claim} is promised and no markdown cell teaches it",
                f'add it to the cell\'s "claims": ["{claim}"]',
            )
    for claim, where in {**promised, **taught}.items():
        if claim not in written.claims:
            yield Problem(
                where, f"claim {claim} is not among those the head of {head} lists", "list it there, or mend the id"
            )
