"""What a chapter promises to teach, and what it teaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.build.verify import Subject
from course.build.verify.claims import claims
from tests.course.build.seam import with_text

CASES = {
    "the head promises what no cell teaches": (
        ("claims: [R3, T3]", "claims: [R3, T3, K1]"),
        ["chapter.md:1: claim K1 is promised and no markdown cell teaches it"],
    ),
    "an exercise practises what no cell teaches": (
        ('"claims": ["R3"]', '"claims": ["T3"]'),
        ["chapter.md:1: claim R3 is promised and no markdown cell teaches it"],
    ),
    "only a cell that is run names it": (
        ('+++ {"kafkalite": {"claims": ["T3"]}}\n', "+++\n"),
        ["chapter.md:1: claim T3 is promised and no markdown cell teaches it"],
    ),
    "a cell teaches what the head does not list": (
        ('"claims": ["R3"]', '"claims": ["R3", "R4"]'),
        ["chapter.md:21: claim R4 is not among those the head of"],
    ),
    "an exercise practises what the head does not list": (
        ("claims: [R3, T3]", "claims: [T3]"),
        ["chapter.md:21: claim R3 is not among those the head of"],
    ),
}


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES.keys())
def test_claims_that_do_not_meet_are_problems(tmp_path: Path, change: tuple[str, str], expected: list[str]) -> None:
    chapter = with_text(tmp_path, change, ("{role: lab, name: play}", "{role: lab, claims: [R3]}"))

    found = [str(problem) for problem in claims(Subject(chapter, tmp_path))]

    assert [True] * len(expected) == [said in problem for said, problem in zip(expected, found, strict=True)], found
