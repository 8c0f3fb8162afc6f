"""A learner's own secret: drawn once, kept to oneself, and never half there."""

from __future__ import annotations

import re
import stat
import threading
from pathlib import Path

import pytest

from course.secret import NoSecret, learners_secret, secret_file


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data" / "course"
    monkeypatch.setenv("KAFKALITE_HOME", str(folder))
    return folder


def test_it_is_drawn_once_and_stays(home: Path) -> None:
    first, second = learners_secret(), learners_secret()

    assert first == second
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert ["secret"] == [path.name for path in home.iterdir()]


def test_only_its_owner_may_read_it(home: Path) -> None:
    learners_secret()

    assert (0o600, 0o700) == (stat.S_IMODE(secret_file().stat().st_mode), stat.S_IMODE(home.stat().st_mode))


def test_two_that_draw_at_the_same_moment_have_the_same_one() -> None:
    found: list[str] = []
    start = threading.Barrier(8)

    def draw() -> None:
        start.wait()
        found.append(learners_secret())

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (8, 1) == (len(found), len(set(found)))


def test_a_file_that_is_no_secret_is_not_used_and_not_replaced(home: Path) -> None:
    home.mkdir(parents=True)
    secret_file().write_text("hunter2")
    with pytest.raises(NoSecret, match=r"expected 64 hexadecimal digits. Remove the file and a new one is drawn"):
        learners_secret()

    assert "hunter2" == secret_file().read_text()


def test_a_folder_that_cannot_be_made_is_told(home: Path) -> None:
    home.parent.write_text("a file")
    with pytest.raises(NoSecret, match=r"cannot be kept at .*KAFKALITE_HOME"):
        learners_secret()


def test_without_the_variable_it_is_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKALITE_HOME")

    assert ("kafkalite-course", "secret") == secret_file().parts[-2:]
