"""The list of claims: where each is taught and practised."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from course.build.coverage import Coverage, coverage
from course.chapters import catalog
from course.cli import app

from .seam import with_text


def test_claims_come_with_the_cells_that_teach_them_and_the_exercises_that_practise_them(tmp_path: Path) -> None:
    chapter = with_text(
        tmp_path,
        ("claims: [R3, T3]", "claims: [T11, T3, R3]"),
        ("{role: lab, name: play}", "{role: lab, claims: [R3]}"),
    )

    found = coverage([chapter])

    assert [
        Coverage("R3", ("90_seam: {{title:high_watermark}}",), ("90_seam: {{title:log}}", "90_seam: high_watermark")),
        Coverage("T3", ("90_seam: {{title:log}}",), ("90_seam: log",)),
        Coverage("T11", (), ()),
    ] == found


def test_every_claim_the_course_promises_is_taught() -> None:
    found = coverage(catalog.chapter(name) for name in catalog.names())

    assert {"K1", "K2", "K3", "T1", "T3", "C6"} <= {one.claim for one in found}
    assert [] == [one.claim for one in found if not one.taught]


def test_the_command_prints_the_list_and_fails_on_an_unknown_chapter() -> None:
    shown, failed = CliRunner().invoke(app, ["coverage", "1"]), CliRunner().invoke(app, ["coverage", "99"])

    assert (0, True) == (shown.exit_code, "deliver" in shown.output)
    assert (1, True) == (failed.exit_code, "there is no chapter '99'" in failed.output)
