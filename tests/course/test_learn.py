"""The learner's copy: whole or absent, never overwritten, never among the course's own files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from course import learn
from course.learn import CannotLearn, Outcome, lay_out, released_notebooks


def notebook(release: str | None = "r1", text: str = "") -> bytes:
    metadata = {} if release is None else {"kafkalite": {"release": release}}
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": text}]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def released(tmp_path: Path) -> Path:
    folder = tmp_path / "released"
    folder.mkdir()
    (folder / "01_log.ipynb").write_bytes(notebook())
    (folder / "02_disk.ipynb").write_bytes(notebook())
    (folder / "README.md").write_text("not for learners")
    return folder


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "mine"


def test_the_first_run_copies_every_notebook_and_nothing_else(released: Path, mine: Path) -> None:
    placed = lay_out(released, mine)

    assert [Outcome.COPIED, Outcome.COPIED] == [one.outcome for one in placed]
    assert ["01_log.ipynb", "02_disk.ipynb"] == sorted(path.name for path in mine.iterdir())
    assert notebook() == (mine / "01_log.ipynb").read_bytes()


def test_a_second_run_keeps_answers_and_adds_what_is_missing(released: Path, mine: Path) -> None:
    answered = notebook(text="my answer")
    mine.mkdir()
    (mine / "01_log.ipynb").write_bytes(answered)

    placed = lay_out(released, mine)

    assert [Outcome.KEPT, Outcome.COPIED] == [one.outcome for one in placed]
    assert answered == (mine / "01_log.ipynb").read_bytes()
    assert ["", ""] == [one.remark for one in placed]


@pytest.mark.parametrize(
    ("kept", "outcome", "said"),
    [
        (notebook("r0"), Outcome.KEPT_OTHER_RELEASE, "is of release r0; the course now holds r1"),
        (notebook(None), Outcome.KEPT_OTHER_COURSE, "is not a notebook of this course"),
        (b"[]", Outcome.KEPT_OTHER_COURSE, "is not a notebook of this course"),
        (b'{"cells": [', Outcome.KEPT_UNREADABLE, "cannot be read as a notebook"),
        (b"\xff\xfe\x00", Outcome.KEPT_UNREADABLE, "cannot be read as a notebook"),
        (b"", Outcome.KEPT_UNREADABLE, "cannot be read as a notebook"),
        (b"[" * 200_000, Outcome.KEPT_UNREADABLE, "cannot be read as a notebook"),
    ],
    ids=["another release", "no release", "not an object", "cut short", "not text", "empty", "nested too deep"],
)
def test_a_copy_that_differs_is_kept_and_said(
    released: Path, mine: Path, kept: bytes, outcome: Outcome, said: str
) -> None:
    mine.mkdir()
    (mine / "01_log.ipynb").write_bytes(kept)

    first, _second = lay_out(released, mine)

    assert outcome is first.outcome
    assert said in first.remark
    assert "rename yours" in first.remark
    assert kept == (mine / "01_log.ipynb").read_bytes()


def test_a_dangling_link_in_the_learners_folder_is_not_written_through(
    released: Path, mine: Path, tmp_path: Path
) -> None:
    mine.mkdir()
    (mine / "01_log.ipynb").symlink_to(tmp_path / "elsewhere.ipynb")

    first, _second = lay_out(released, mine)

    assert Outcome.KEPT_UNREADABLE is first.outcome
    assert not (tmp_path / "elsewhere.ipynb").exists()


@pytest.mark.parametrize("moment", ["write_bytes", "link"])
def test_an_interrupt_leaves_nothing_half_written(
    released: Path, mine: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def interrupted(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(*{"write_bytes": (Path, "write_bytes"), "link": (os, "link")}[moment], interrupted)

    with pytest.raises(KeyboardInterrupt):
        lay_out(released, mine)

    assert [] == list(mine.iterdir())


def test_a_file_that_appears_during_the_copy_wins(released: Path, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two `course learn` at once: the later one must not replace what the earlier one's learner has typed."""
    real_link = os.link

    def someone_was_faster(source: Path, target: Path) -> None:
        target.write_bytes(notebook(text="typed meanwhile"))
        real_link(source, target)

    monkeypatch.setattr(os, "link", someone_was_faster)

    placed = lay_out(released, mine)

    assert [Outcome.KEPT, Outcome.KEPT] == [one.outcome for one in placed]
    assert notebook(text="typed meanwhile") == (mine / "01_log.ipynb").read_bytes()


def test_a_file_system_without_hard_links_gets_its_copies_too(
    released: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)

    lay_out(released, mine)

    assert ["01_log.ipynb", "02_disk.ipynb"] == sorted(path.name for path in mine.iterdir())
    assert notebook() == (mine / "02_disk.ipynb").read_bytes()


@pytest.mark.parametrize("inside", ["", "deeper/still"])
def test_the_released_folder_is_refused(released: Path, inside: str) -> None:
    with pytest.raises(CannotLearn, match="belongs to the course"):
        lay_out(released, released / inside)


@pytest.mark.parametrize("name", ["course", "notebooks", "kafkalite/mine", "tests", "course/../notebooks"])
def test_the_courses_own_folders_are_refused(released: Path, name: str) -> None:
    with pytest.raises(CannotLearn, match="Name a folder of your own"):
        lay_out(released, learn.HERE.parent / name)


def test_a_link_into_the_released_folder_is_refused(released: Path, tmp_path: Path) -> None:
    (tmp_path / "disguised").symlink_to(released)

    with pytest.raises(CannotLearn, match="belongs to the course"):
        lay_out(released, tmp_path / "disguised")


@pytest.mark.parametrize("name", ["a_file", "a_file/below"])
def test_a_file_where_the_folder_should_be_is_named(released: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "a_file").write_text("")

    with pytest.raises(CannotLearn, match=r"Expected a folder at .*a_file.* is a file"):
        lay_out(released, tmp_path / name)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    released: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)

    with pytest.raises(CannotLearn, match="No space left on device"):
        lay_out(released, mine)

    assert [] == list(mine.iterdir())


@pytest.mark.parametrize("place", ["course/notebooks", "notebooks"], ids=["in the wheel", "in a checkout"])
def test_the_released_notebooks_are_found(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "01_log.ipynb").write_bytes(notebook())

    assert tmp_path / place == released_notebooks(tmp_path / "course")


def test_no_released_notebooks_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotLearn, match="No released notebooks: expected"):
        released_notebooks(tmp_path / "course")
