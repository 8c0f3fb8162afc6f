"""A submission is data: what is no notebook gets a sentence, and what is strange but honest is read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from autograder.submission import NOTEBOOK_BYTES_MAX, BadSubmission, parse_notebook, read_submission
from tests.autograder.notebooks import Notebook, manifest

MINIMAL = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}


def why(path: Path) -> str:
    """What is said of a file that cannot be graded."""
    with pytest.raises(BadSubmission) as refused:
        read_submission(path)
    return str(refused.value)


def why_bytes(data: bytes) -> str:
    with pytest.raises(BadSubmission) as refused:
        parse_notebook(data, "hw.ipynb")
    return str(refused.value)


def test_a_notebook_is_known_by_its_bytes_and_by_what_it_says_of_itself(tmp_path: Path) -> None:
    submission = read_submission(Notebook.solved().save(tmp_path, "hw.ipynb"))

    assert ("hw.ipynb", "kafkalite-course", "01_why_a_log", manifest().release) == (
        submission.file,
        submission.course,
        submission.chapter,
        submission.release,
    )
    assert len(manifest().cells) == len(submission.cells)
    assert 64 == len(submission.sha256)


def test_what_happens_to_the_file_after_it_was_read_changes_nothing(tmp_path: Path) -> None:
    """C06: a submission is a snapshot."""
    path = Notebook.released().save(tmp_path)
    before = read_submission(path)
    Notebook.solved().save(tmp_path)

    assert before.sha256 != read_submission(path).sha256
    assert "NotImplementedError" in next(cell.source for cell in before.cells if cell.grade_id == "log")


def test_a_missing_file_a_folder_and_an_empty_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.ipynb").touch()

    assert "There is no " in why(tmp_path / "absent.ipynb")
    assert "is a folder" in why(tmp_path)
    assert "is empty" in why(tmp_path / "empty.ipynb")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """F10: it may lead to another student's answers, or to /etc/shadow."""
    notebook = Notebook.solved().save(tmp_path)
    (tmp_path / "hw.ipynb").symlink_to(notebook)

    assert "is a symbolic link" in why(tmp_path / "hw.ipynb")


def test_a_file_with_a_second_name_is_refused(tmp_path: Path) -> None:
    """F10: a hard link to another student's notebook is no link to anyone who opens it."""
    notebook = Notebook.solved().save(tmp_path)
    os.link(notebook, tmp_path / "hw.ipynb")

    assert "hard links" in why(tmp_path / "hw.ipynb")


def test_a_named_pipe_does_not_make_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hw.ipynb")

    assert "not a plain file" in why(tmp_path / "hw.ipynb")


def test_a_large_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    """F02: 20 MB of `[],` would take 500 MB of memory."""
    (tmp_path / "hw.ipynb").write_bytes(b"[" + b"[]," * (NOTEBOOK_BYTES_MAX // 3) + b"[]]")

    assert "larger than 5 MB" in why(tmp_path / "hw.ipynb")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 100_000, "nested too deeply"),  # F01
        (b'{"cells": [], "cells": []}', "the key 'cells' stands twice"),  # F04
        (b'{"nbformat": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"print('hello')", "not JSON"),
        (b"[]", "expected a JSON object, got a list"),
        (b"{}", "not a notebook of format 4"),
        (b'{"nbformat": 3, "worksheets": []}', "not a notebook of format 4: its `nbformat` is 3"),
        (b'{"nbformat": true, "cells": []}', "not a notebook of format 4"),
        (b'{"nbformat": 4}', "expected a list of at most"),
        (b'{"nbformat": 4, "cells": [1]}', "damaged at cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "heading", "source": ""}]}', "damaged at cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "damaged at cell 1: expected its source"),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_sentence(data: bytes, said: str) -> None:
    sentence = why_bytes(data)

    assert said in sentence
    assert sentence.startswith("hw.ipynb ")
    assert sentence.endswith(".")


def test_an_older_minor_version_and_lines_as_a_list_are_read() -> None:
    cell = {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "metadata": {}, "outputs": []}
    data = json.dumps({**MINIMAL, "nbformat_minor": 2, "cells": [cell]}).encode()

    (found,) = parse_notebook(data, "hw.ipynb").cells

    assert ("a = 1\nb = 2", None) == (found.source, found.id)


def test_nan_in_an_output_and_a_byte_order_mark_are_put_up_with() -> None:
    """Jupyter writes the one, an editor on Windows the other."""
    assert () == parse_notebook(b'\xef\xbb\xbf{"nbformat": 4, "cells": [], "x": NaN}', "hw.ipynb").cells


def test_a_lone_surrogate_becomes_something_that_can_be_written() -> None:
    data = json.dumps({**MINIMAL, "cells": [{"cell_type": "code", "source": "s = '\ud800'"}]}).encode()

    assert "s = '?'" == parse_notebook(data, "hw.ipynb").cells[0].source


def test_names_that_are_no_names_are_left_out() -> None:
    cell = {"cell_type": "code", "source": "", "id": 5, "metadata": {"nbgrader": {"grade_id": ["log"]}, "kafkalite": 1}}
    data = json.dumps({**MINIMAL, "cells": [cell], "metadata": {"kafkalite": {"chapter": "\x1b[2J"}}}).encode()
    submission = parse_notebook(data, "hw.ipynb")

    assert (None, None, None) == (submission.chapter, submission.cells[0].id, submission.cells[0].grade_id)
