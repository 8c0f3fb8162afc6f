"""A chapter's text: what is read of it, and that every mistake in it is told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.build import BuildError, instructor_notebook
from course.build.text import CHECK, LAB, SETUP, SOLUTION, TEXT, WRITTEN, read

from .seam import seam, with_text


def test_the_text_is_read_as_cells_with_roles_claims_and_lines() -> None:
    text = read(seam().text)

    assert ("R3", "T3") == text.claims
    assert [TEXT, SETUP, TEXT, SOLUTION, TEXT, CHECK, TEXT, SOLUTION, CHECK, LAB, TEXT, WRITTEN] == [
        cell.role for cell in text.cells
    ]
    assert [(), (), ("R3",), ()] == [cell.claims for cell in text.cells[:4]]
    lines = seam().text.read_text(encoding="utf-8").splitlines()
    for cell in text.cells:
        number = int(cell.where.rpartition(":")[2])
        assert lines[number - 1] == (cell.lines[0][1] if cell.is_markdown else "```{code-cell}")
        assert [line for _, line in cell.lines] == [lines[at - 1] for at, _ in cell.lines]


def test_the_head_stays_out_of_the_notebook_and_tags_go_in(tmp_path: Path) -> None:
    chapter = with_text(
        tmp_path, (":kafkalite: {role: lab, name: play}", ":kafkalite: {role: lab}\n:tags: [hide-input]")
    )

    notebook = instructor_notebook(chapter, secret="s")

    assert {"kafkalite", "kernelspec", "language_info"} == set(notebook.metadata)
    assert [["hide-input"]] == [cell.metadata.tags for cell in notebook.cells if "tags" in cell.metadata]


MISTAKES = {
    "no head": (
        "---\nkafkalite:\n  claims: [R3, T3]\n---\n",
        "",
        ":1",
        "must begin with a head",
    ),
    "a head with a mistyped key": (
        "  claims: [R3",
        "  claim: [R3",
        ":1",
        "must begin with a head",
    ),
    "a claim that is no id": (
        "claims: [R3, T3]",
        "claims: [R3, three]",
        ":1",
        "must be a list of claim ids",
    ),
    "an unknown role": (
        "{role: lab, name: play}",
        "{role: labs}",
        ":49",
        "is one of setup, lab, solution, check",
    ),
    "no role": (
        ":kafkalite: {role: lab, name: play}\n",
        "",
        ":49",
        "this one's is None",
    ),
    "a mistyped key": (
        '{"claims": ["R3"]}',
        '{"claim": ["R3"]}',
        ":21",
        "may say `claims`, `name`",
    ),
    "a missing key": (
        "{role: setup, name: setup}",
        "{role: setup}",
        ":10",
        "a setup cell must say `name`",
    ),
    "a claim in a cell that is no id": (
        '["R3"]',
        '["R-3"]',
        ":21",
        "must be a list of claim ids",
    ),
    "a name nobody can type": (
        "name: play",
        "name: let us play",
        ":49",
        "up to 40 letters",
    ),
    "metadata of another kind": (
        "{role: lab, name: play}",
        "{role: lab}\n:hide: true",
        ":49",
        "may be `kafkalite` and",
    ),
    "JSON that is none": (
        '{"kafkalite": {"claims": ["R3"]}}',
        '{"kafkalite": ',
        "",
        "could not be read",
    ),
    "a solution in the text": (
        "exercise: log}\n",
        "exercise: log}\n\nclass Log: ...\n",
        ":41",
        "has no body",
    ),
    "a check in the text": (
        "check: log-append}\n",
        "check: log-append}\n\nassert Log\n",
        ":45",
        "has no body",
    ),
    "a lab cell without a body": (
        'lab.hint("log")\n',
        "",
        ":49",
        "must have a body",
    ),
    "an exercise nobody knows": (
        "exercise: log}",
        "exercise: logg}",
        ":41",
        "has no exercise 'logg'",
    ),
    "a check nobody knows": (
        "check: log-append}",
        "check: append}",
        ":45",
        "has no check 'append'",
    ),
    "a question nobody knows": (
        '"written": "why"',
        '"written": "what"',
        ":59",
        "has no question 'what'",
    ),
    "an exercise twice": (
        "exercise: log}",
        "exercise: high_watermark}",
        ":41",
        "has a solution cell already",
    ),
    "a check left out": (
        "```{code-cell}\n:kafkalite: {role: check, check: log-append}\n```\n",
        "",
        "",
        "no check cell",
    ),
    "an unknown fact": (
        "{{about:log}}",
        "{{hours:log}}",
        ":39",
        "no placeholder 'hours' here; there are points, minutes",
    ),
    "a fact of nothing": (
        "{{about:log}}",
        "{{about:logg}}",
        ":39",
        "has no 'logg'; it has high_watermark, log, why",
    ),
    "a fact of the chapter that is none": (
        "{{points}} points",
        "{{point}} points",
        ":8",
        "no placeholder 'point' here",
    ),
    "a malformed placeholder": (
        "{{about:log}}",
        "{{about log}}",
        ":39",
        "is not a placeholder",
    ),
    "two cells of one name": (
        "## {{title:why}}",
        '+++ {"kafkalite": {"name": "a"}}\n\nA.\n\n+++ {"kafkalite": {"name": "a"}}\n\nB.',
        "",
        "has the id 'text-a' already",
    ),
    "a marked solution elsewhere": (
        'lab.hint("log")',
        "### BEGIN SOLUTION\n1\n### END SOLUTION",
        "90_seam",
        "nbgrader cannot",
    ),
}


@pytest.mark.parametrize(("old", "new", "where", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_the_text_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, where: str, said: str
) -> None:
    chapter = with_text(tmp_path, (old, new))

    with pytest.raises(BuildError) as error:
        instructor_notebook(chapter, secret="s")

    assert error.value.where.endswith(where)
    assert said in error.value.what


def test_a_missing_text_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="expected the chapter's text"):
        read(tmp_path / "chapter.md")


def test_the_first_code_cell_opens_the_lab(tmp_path: Path) -> None:
    chapter = with_text(tmp_path, ("# The seam\n", "# The seam\n\n```{code-cell}\n:kafkalite: {role: lab}\n\n1\n```\n"))

    with pytest.raises(BuildError, match="the first code cell must be a setup cell"):
        instructor_notebook(chapter, secret="s")


def test_a_check_comes_after_what_it_checks(tmp_path: Path) -> None:
    check = "```{code-cell}\n:kafkalite: {role: check, check: log-append}\n```\n"
    chapter = with_text(tmp_path, (check, ""), ("## {{title:log}}\n", f"{check}\n## {{{{title:log}}}}\n"))

    with pytest.raises(BuildError, match="stands before the cell that it checks"):
        instructor_notebook(chapter, secret="s")
