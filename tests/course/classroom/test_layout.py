"""A course folder is laid out whole, once; what is in it then is the teacher's."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import course
from course.build import release_id
from course.chapters.catalog import chapter
from course.classroom import CannotTeach, layout
from course.classroom.layout import lay_out
from course.classroom.settings import Settings, settings_of

CHAPTER = chapter("01_why_a_log")
NOTEBOOK = Path("source", CHAPTER.name, f"{CHAPTER.name}.ipynb")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "course"
    lay_out(made, [CHAPTER])
    return made


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def secret_of(notebook: Path) -> str:
    found = set(re.findall(r"lab\.grading\(secret='(\w+)'", json.loads(notebook.read_text())["cells"].__str__()))
    assert 1 == len(found)
    return str(found.pop())


def test_everything_that_nbgrader_needs_is_there(folder: Path) -> None:
    assert {"README.md", "nbgrader_config.py", "secret", "gradebook.db", str(NOTEBOOK)} == everything(folder).keys()
    assert Settings("kafkalite", None) == settings_of(folder)


def test_the_notebooks_secret_is_another_than_the_autograders(folder: Path) -> None:
    expendable, kept = secret_of(folder / NOTEBOOK), (folder / "secret").read_text().strip()

    assert {64} == {len(expendable), len(kept)}
    assert expendable != kept


def test_every_course_draws_its_own_secrets(folder: Path, tmp_path: Path) -> None:
    lay_out(tmp_path / "another", [CHAPTER])

    assert (folder / "secret").read_text() != (tmp_path / "another" / "secret").read_text()
    assert secret_of(folder / NOTEBOOK) != secret_of(tmp_path / "another" / NOTEBOOK)


def test_the_folder_may_be_walked_through_and_the_secret_not_be_read(folder: Path) -> None:
    modes = {name: oct((folder / name).stat().st_mode & 0o777) for name in ("", "secret", "gradebook.db", "source")}

    assert {"": "0o711", "secret": "0o600", "gradebook.db": "0o600", "source": "0o700"} == modes
    assert "0o777" == oct((folder / "exchange").stat().st_mode & 0o777)


@pytest.mark.parametrize("force", [False, True])
def test_laying_it_out_again_changes_nothing(folder: Path, *, force: bool) -> None:
    before = everything(folder)

    done = lay_out(folder, [CHAPTER], force=force)

    assert before == everything(folder)
    assert ((), ()) == (done.written, done.rewritten)


def test_what_the_teacher_edited_is_kept_until_forced_and_the_secrets_even_then(folder: Path) -> None:
    notebook, config = folder / NOTEBOOK, folder / "nbgrader_config.py"
    secrets = secret_of(notebook), (folder / "secret").read_text()
    original = everything(folder)
    notebook.write_text(notebook.read_text().replace('"grade_id": "log"', '"grade_id": "my-log"'))
    config.write_text(config.read_text() + "c.ExecutePreprocessor.timeout = 99\n")
    edited = everything(folder)

    lay_out(folder, [CHAPTER])
    after_again = everything(folder)
    done = lay_out(folder, [CHAPTER], force=True)

    assert edited == after_again != original
    assert original == everything(folder)
    assert {str(NOTEBOOK), "nbgrader_config.py"} == set(done.rewritten)
    assert secrets == (secret_of(notebook), (folder / "secret").read_text())


def test_what_is_missing_is_added(folder: Path) -> None:
    (folder / "README.md").unlink()

    done = lay_out(folder, [CHAPTER])

    assert ("README.md",) == done.written


def test_another_release_is_refused_and_nothing_is_changed(folder: Path) -> None:
    notebook = folder / NOTEBOOK
    notebook.write_text(notebook.read_text().replace(release_id(CHAPTER), "0123456789abcdef"))
    before = everything(folder)

    with pytest.raises(CannotTeach, match=r"is of release 0123456789abcdef.*release is frozen.*Nothing was changed"):
        lay_out(folder, [CHAPTER], force=True)

    assert before == everything(folder)


@pytest.mark.parametrize("damage", [b"not JSON", b"[]", b"{}", b"[" * 100_000, b""])
def test_a_damaged_notebook_is_reported_and_its_secret_not_replaced(folder: Path, damage: bytes) -> None:
    (folder / NOTEBOOK).write_bytes(damage)

    with pytest.raises(CannotTeach, match="cannot be read as a notebook"):
        lay_out(folder, [CHAPTER], force=True)

    assert damage == (folder / NOTEBOOK).read_bytes()


def test_a_notebook_without_its_secret_is_not_given_another(folder: Path) -> None:
    notebook = folder / NOTEBOOK
    notebook.write_text(notebook.read_text().replace(secret_of(notebook), ""))

    with pytest.raises(CannotTeach, match="has no secret in its check cells"):
        lay_out(folder, [CHAPTER], force=True)


def test_options_are_what_nbgrader_reads(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()

    lay_out(tmp_path / "c", [CHAPTER], course_id="kafka-101", exchange=tmp_path / "shared")

    assert Settings("kafka-101", tmp_path / "shared") == settings_of(tmp_path / "c")
    assert not (tmp_path / "c" / "exchange").exists()
    assert f"--course=kafka-101 --Exchange.root={tmp_path / 'shared'}" in (tmp_path / "c" / "README.md").read_text()


def test_options_that_contradict_kept_settings_are_remarked_and_with_force_obeyed(folder: Path) -> None:
    kept = lay_out(folder, [CHAPTER], course_id="other")
    forced = lay_out(folder, [CHAPTER], course_id="other", force=True)

    assert "is kept as it is: course id kafkalite" in kept.remarks[0]
    assert ("kafkalite", "other") == (kept.settings.course_id, forced.settings.course_id)


def test_a_moved_course_still_knows_where_it_is(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "moved")

    assert Settings("kafkalite", None) == settings_of(tmp_path / "moved")


def test_a_config_that_does_not_run_is_reported_as_nbgrader_would_meet_it(folder: Path) -> None:
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.Exchange.root = HERE\n")

    with pytest.raises(CannotTeach, match=r"does not run.*NameError.*Mend it"):
        lay_out(folder, [CHAPTER])


def a_file(tmp_path: Path) -> Path:
    (tmp_path / "x").write_text("mine")
    return tmp_path / "x"


def a_home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    return tmp_path / "home"


def the_checkout(_: Path) -> Path:
    return Path(course.__file__).parent / "class"


@pytest.mark.parametrize(
    ("place", "says"),
    [(a_file, "but it is a file"), (a_home, "is not empty and holds no"), (the_checkout, "belongs to the course")],
)
def test_what_is_no_place_for_a_course_is_refused(tmp_path: Path, place: Callable[[Path], Path], says: str) -> None:
    folder = place(tmp_path)
    before = everything(tmp_path)

    with pytest.raises(CannotTeach, match=says):
        lay_out(folder, [CHAPTER])

    assert before == everything(tmp_path)


@pytest.mark.parametrize("course_id", ["", "a b", "../up", "a/b", "a+b", "-x", "x" * 65])
def test_a_course_id_that_is_no_name_is_refused(tmp_path: Path, course_id: str) -> None:
    with pytest.raises(CannotTeach, match="for example kafkalite-2026"):
        lay_out(tmp_path / "c", [CHAPTER], course_id=course_id)

    assert [] == list(tmp_path.iterdir())


def test_an_exchange_that_is_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotTeach, match="The exchange must be a folder"):
        lay_out(tmp_path / "c", [CHAPTER], exchange=a_file(tmp_path))


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", no_room)

    with pytest.raises(CannotTeach, match=r"Cannot write the course .*No space left on device"):
        lay_out(tmp_path / "c", [CHAPTER])


@pytest.mark.parametrize("files_before", range(5))
@pytest.mark.parametrize("exists", [False, True], ids=["new", "empty folder"])
def test_an_interruption_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files_before: int, *, exists: bool
) -> None:
    """Ctrl-C at any file: a new folder does not appear at all, and running again completes it."""
    folder, write = tmp_path / "c", layout._write
    done: list[Path] = []

    def interrupted(path: Path, file: layout._File) -> None:
        if len(done) == files_before:
            write(path, replace(file, content=file.content[:3]))
            raise KeyboardInterrupt
        done.append(path)
        write(path, file)

    if exists:
        folder.mkdir()
    monkeypatch.setattr(layout, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lay_out(folder, [CHAPTER])
    left = sorted(path.name for path in tmp_path.iterdir()), everything(tmp_path)
    monkeypatch.setattr(layout, "_write", write)
    lay_out(folder, [CHAPTER])

    assert (["c"] if exists else [], {}) == left
    assert 5 == len(everything(folder))
