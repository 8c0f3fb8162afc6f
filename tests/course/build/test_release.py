"""The release: what nbgrader would write, byte for byte; independent of the secret; written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from course.build import as_text, instructor_notebook, release_id, released_notebook, write_release
from course.build.release import release_of
from course.build.verify.drift import stray
from course.chapters.catalog import Chapter, chapter, names

from .seam import PACKAGE, seam, with_exercise, with_text

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", [*names(), PACKAGE])
def test_the_release_is_what_nbgrader_generate_assignment_writes(tmp_path: Path, name: str) -> None:
    one = chapter(name)
    source = tmp_path / "source" / one.name / f"{one.name}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(as_text(instructor_notebook(one, secret="expendable")), encoding="utf-8")

    generate(tmp_path, one)

    written = (tmp_path / "release" / one.name / source.name).read_text(encoding="utf-8")
    assert written == as_text(released_notebook(one))


def generate(folder: Path, one: Chapter) -> None:
    programs = Path(sys.executable).parent  # nbgrader starts `alembic` by its name
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", "")]),
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
    }
    done = subprocess.run(
        [programs / "nbgrader", "generate_assignment", one.name, f"--CourseDirectory.root={folder}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("name", names())
def test_the_repository_holds_the_release_of_every_chapter(name: str) -> None:
    path = ROOT / "notebooks" / f"{name}.ipynb"

    assert as_text(released_notebook(chapter(name))) == path.read_text(encoding="utf-8"), "run `course build`"


def test_the_repository_holds_no_other_notebook() -> None:
    assert [] == stray(ROOT / "notebooks", names())


def test_the_release_does_not_depend_on_the_secret() -> None:
    one, other = (instructor_notebook(seam(), secret=secret) for secret in ("one", "other"))

    assert as_text(one) != as_text(other)
    assert as_text(release_of(one)) == as_text(release_of(other)) == as_text(released_notebook(seam()))


def test_every_notebook_names_its_release_and_the_check_cells_grade_with_it() -> None:
    instructor, release = instructor_notebook(seam(), secret="one"), release_id(seam())

    expected = {"course": "kafkalite-course", "chapter": "90_seam", "release": release}
    assert expected == instructor.metadata.kafkalite == released_notebook(seam()).metadata.kafkalite
    hidden = f"### BEGIN HIDDEN TESTS\nlab.grading(secret='one', release='{release}')\n### END HIDDEN TESTS\n"
    sources = [cell.source for cell in instructor.cells]
    assert hidden + 'lab.check("log-append", Log)' in sources
    assert 'lab.check("log-append", Log)' in [cell.source for cell in released_notebook(seam()).cells]


def test_another_text_or_other_points_are_another_release(tmp_path: Path) -> None:
    reworded = with_text(tmp_path, ("of them automatic.", "of them automatic, which is most."))
    rules = seam().exercises[0].checks[0].rules
    check = seam().exercises[0].checks[0].__class__(**{**vars(seam().exercises[0].checks[0]), "rules": rules[:2]})
    worth_less = with_exercise(checks=(check,))

    assert 3 == len({release_id(seam()), release_id(reworded), release_id(worth_less)})
    assert release_id(seam()) == release_id(seam())


def test_a_release_is_written_whole_and_not_touched_when_nothing_has_changed(tmp_path: Path) -> None:
    path = write_release(seam(), tmp_path / "new")
    written = path.stat().st_mtime_ns

    assert path == write_release(seam(), tmp_path / "new")
    assert written == path.stat().st_mtime_ns
    assert [path] == list((tmp_path / "new").iterdir())
    assert as_text(released_notebook(seam())) == path.read_text(encoding="utf-8")


def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_release(seam(), tmp_path)
    before = path.read_bytes()

    def interrupted(*_: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    changed = with_text(tmp_path / "..", ("# The seam", "# Another seam"))
    with pytest.raises(KeyboardInterrupt):
        write_release(changed, tmp_path)

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
