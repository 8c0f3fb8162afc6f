"""The worker's own side, where it needs no box: cells without IPython, and what stands in for what is not there."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.image import image
from autograder.worker import watch
from autograder.worker.cells import without_magics
from autograder.worker.stand_ins import Stage, StandInModule
from course.checks import allowed, limits


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("x = 1", "x = 1"),
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if x:\n    !ls\n    y = 2", "if x:\n    pass\n    y = 2"),
        ("files = !ls", "files = None"),
        ("a, b = %who", "a, b = None"),
        ("lab?", "pass"),
        ("lab.check??", "pass"),
        ("?lab", "pass"),
        ("%time x = f(1)", "x = f(1)"),
        ("%%time\nx = 1", "\nx = 1"),
        ("%%capture out\nx = 1", "\nx = 1"),
        ("%%bash\nrm -rf ~", ""),
        ("\n%%html\n<b>", ""),
        ("x = (10\n% 3)", "x = (10\n% 3)"),
        ("text = '''\n%time\n!ls\n'''", "text = '''\n%time\n!ls\n'''"),
        ("x = 10\n%3", "x = 10\npass"),  # as IPython reads it: a magic called 3
        ("class Log(:\n%time x", "class Log(:\n%time x"),  # the error is the learner's, and stays
        ("x = 1 if y else", "x = 1 if y else"),
        ("", ""),
        ("x = '\x00'", "x = '\x00'"),
    ],
)
def test_ipythons_own_lines_are_left_out_and_python_stays(source: str, python: str) -> None:
    assert python == without_magics(source, [])


def test_what_was_left_out_is_told_briefly() -> None:
    notes: list[str] = []
    without_magics("\n".join(["%magic " + "x" * 200] * 30), notes)

    assert 20 == len(notes)
    assert "not run when graded: %magic xxx" in notes[0]
    assert 120 > len(notes[0])


@pytest.fixture
def stage() -> Stage:
    return Stage(allowed.sentence)


@pytest.fixture
def numpy(stage: Stage) -> Any:
    return StandInModule("numpy", stage)


def test_a_stand_in_takes_part_in_everything_while_cells_run(numpy: Any) -> None:
    with numpy.errstate(all="ignore") as found:
        total = found + 1 - numpy.zeros((3, 4))[0].sum() * 2

    base: Any = numpy.ndarray

    class Derived(base):  # type: ignore[misc]  # mypy does not know what it is, and neither does the learner
        """A class of the learner's."""

    total[1], total.x = 5, 6
    assert [] == list(total)
    assert bool(total)
    assert 0 == len(total)
    assert 5 not in total
    assert not isinstance(1, numpy.ndarray)
    assert "<nothing: numpy is not here>" == f"{total:.2f}"
    assert isinstance(Derived(), Derived)


def test_a_stand_in_leaves_what_it_decorates_as_it_was(numpy: Any) -> None:
    def f() -> int:
        return 5

    assert f is numpy.vectorize(f)
    assert f is numpy.vectorize(otypes=[float])(f)


def test_once_answers_are_called_using_a_stand_in_is_an_import_error(numpy: Any, stage: Stage) -> None:
    zeros = numpy.zeros
    stage.answers_are_called = True

    for use in (zeros, lambda: zeros + 1, lambda: list(zeros), lambda: zeros[0]):
        with pytest.raises(ImportError, match="`zeros` uses numpy, which answers may not import"):
            use()


def test_the_import_list_sees_through_a_stand_in(numpy: Any, stage: Stage) -> None:
    """So the sentence is the one that the notebook says."""

    class Derived:
        """A class of the learner's."""

        inner = numpy.array

    Derived.__module__ = "__main__"

    assert "numpy" == allowed.refused_module(numpy.array)
    assert "numpy" == allowed.refused_module(Derived)
    assert "kafkalite.log.memory" == allowed.refused_module(StandInModule("kafkalite.log.memory", stage).Log)
    assert "course.lab" == allowed.refused_module(StandInModule("course", stage).chapter("1"))


def test_the_image_holds_the_worker_and_the_words_and_nothing_else_of_ours() -> None:
    with image() as folder:
        found = {str(path.relative_to(folder)) for path in folder.rglob("*.py")}
        modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*")}

    assert {"start.py", "allowed.py", "kafkalite/__init__.py", "kafkalite/plain.py", "kafkalite/types.py"} <= found
    assert {"kafkalite/errors.py", "autograder/__init__.py"} == {
        name for name in found if not name.startswith("autograder/worker/") and name.count("/")
    } - {"kafkalite/__init__.py", "kafkalite/plain.py", "kafkalite/types.py"}
    assert {0o755, 0o644} == modes
    assert not folder.exists()


def test_the_worker_has_the_patience_of_every_grader() -> None:
    """The table of limits is not in the box, so the one number stands twice."""
    assert limits.PATIENCE == watch.PATIENCE
