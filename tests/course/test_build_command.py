"""`course build`: writes the notebooks, or with --check says what is wrong, in sentences and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from course.cli import app
from tests.course.build.seam import PACKAGE


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["build", *map(str, arguments)])


def test_every_chapter_is_written_into_the_folder(tmp_path: Path) -> None:
    result = run("--notebooks", tmp_path)

    assert (0, True) == (result.exit_code, "01_why_a_log.ipynb: 28 points, 3 exercises" in result.output)
    assert (tmp_path / "01_why_a_log.ipynb").is_file()


def test_a_fast_check_says_what_it_leaves_out_and_finds_nothing_wrong(tmp_path: Path) -> None:
    run("1", "--notebooks", tmp_path)

    result = run("--check", "--fast", "--notebooks", tmp_path)

    assert (0, "") == (result.exit_code, result.stderr)
    assert (
        result.output
        == "1 chapter checked, 0 problems. Left out: what needs a kernel (run without --fast before a release).\n"
    )


def test_a_whole_check_of_one_chapter(tmp_path: Path) -> None:
    run(PACKAGE, "--notebooks", tmp_path)

    result = run(PACKAGE, "--check", "--notebooks", tmp_path)

    assert (0, "1 chapter checked, 0 problems.\n") == (result.exit_code, result.output)


def test_problems_are_listed_one_a_line_and_fail(tmp_path: Path) -> None:
    (tmp_path / "99_gone.ipynb").write_text("{}", encoding="utf-8")

    result = run("--check", "--fast", "--notebooks", tmp_path)

    lines = result.stdout.splitlines()
    assert (1, 2) == (result.exit_code, len(lines))
    assert lines[0].endswith("99_gone.ipynb: no chapter has this name; remove it, or bring the chapter back.")
    assert lines[1].endswith(
        "there is no released notebook of this chapter; run `course build` and commit what it writes."
    )
    assert "1 chapter checked, 2 problems." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("99",), 1, "there is no chapter '99'; there are 01_why_a_log"),
        (("--fast",), 2, "--fast leaves something out of --check"),
        (("tests.course.build.references",), 1, "there is no chapter 'tests.course.build.references'"),
    ],
)
def test_a_mistake_is_a_sentence_and_an_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = run(*arguments, "--notebooks", tmp_path)

    assert code == result.exit_code
    assert said in " ".join(result.stderr.split())
    assert [] == list(tmp_path.iterdir())


def test_an_installed_course_does_not_build_without_being_told_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course.build_command.CHECKOUT", tmp_path)

    result = run("1")

    assert (1, True) == (result.exit_code, "expected a checkout of the course" in result.stderr)
