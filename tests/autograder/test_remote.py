"""The port across the box: the same results as beside the learner, and every misbehaviour one of the closed set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import remote
from autograder.box import Backend
from autograder.budget import Budget
from autograder.image import image
from autograder.remote import Remote
from autograder.selection import Runnable
from autograder.session import Place, session
from course.chapters import catalog
from course.checks.examine import examine
from course.checks.local import LocalPort
from course.checks.model import Exercise
from course.checks.port import AnswerLost, AnswerRaised, Outcome
from course.checks.result import CheckResult
from tests.autograder.grading import SHORT, SMALL
from tests.autograder.notebooks import CHAPTER, manifest, right_answer
from tests.course.checks.answers import answer

SETUP = "\n".join(cell.source for cell in manifest().setup) + "\nfrom dataclasses import replace\n"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that has found a loop is heard out, however slow the machine is: where it was is compared here."""
    monkeypatch.setattr(remote, "GRACE_S", 20.0)


@contextmanager
def asked(source: str, backend: Backend, exercise: str = "log", budget: Budget = SMALL) -> Iterator[Remote]:
    """A worker that has run this source as a solution cell."""
    with image() as folder:
        cells = [Runnable(0, SETUP), Runnable(1, source, exercise)]
        with session(Place(backend, folder, budget), cells, exercise) as port:
            yield port


def ask(port: Remote) -> Any:
    """Open `f` and call it."""
    port.open("f")
    return port.call(None, "f", ())


@pytest.fixture(scope="module")
def echo(backend: Backend) -> Iterator[Remote]:
    """A function that gives back what it is given."""
    with asked("def f(value): return value", backend) as port:
        port.open("f")
        yield port


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(), inner, max_size=3)
        | st.frozensets(st.integers() | st.text(), max_size=3)
    ),
    max_leaves=8,
)


@given(value=plain_values)
def test_plain_data_crosses_both_ways_unchanged(echo: Remote, value: Any) -> None:
    # One call of one worker after another spends the time of one check.
    echo._left_s = SMALL.check_s
    found = echo.call(None, "f", (value,))

    assert (repr(value), type(value)) == (repr(found), type(found)) or value == found


def test_instances_are_kept_apart_by_their_handles(backend: Backend) -> None:
    source = "class C:\n    def __init__(self, n): self.n = n\n    def get(self): self.n += 1; return self.n"
    with asked(source, backend) as port:
        port.open("C")
        one, other = port.construct("C", (10,)), port.construct("C", (20,))

        assert [11, 21, 12] == [port.call(handle, "get", ()) for handle in (one, other, one)]


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("def f(): raise OffsetOutOfRange(9, 0, 4)", "OffsetOutOfRange", "offset 9 is outside the log"),
        ("class Mine(ValueError): ...\ndef f(): raise Mine('mine')", "ValueError", "mine"),
        ("class list(Exception): ...\ndef f(): raise list", "Exception", ""),
        ("import sys\ndef f(): sys.exit(0)", "SystemExit", "0"),
        ("def f(): return object()", "NotPlainData", "object; plain data is"),
        ("def f(): return iter([1])", "NotPlainData", "list_iterator"),
        ("def f(): return [0] * 1_000_000", "NotPlainData", "more than 100,000 items"),
        ("def f(): return 'x' * 5_000_000", "NotPlainData", "more than 300,000 characters in one value"),
        (
            "class E(Exception):\n    def __str__(self): raise SystemExit\ndef f(): raise E",
            "Exception",
            "cannot be shown",
        ),
        ("def f(): return open('/etc/hostname')", "FileNotFoundError", ""),
        ("def f(): return input()", "EOFError", ""),
        (
            "import numpy\ndef f(): return globals()['numpy'].zeros(3)",
            "ImportError",
            "`zeros` uses numpy, which answers",
        ),
    ],
)
def test_an_error_crosses_by_name(source: str, name: str, message: str, backend: Backend) -> None:
    with asked(source, backend) as port, pytest.raises(AnswerRaised) as raised:
        ask(port)

    assert name == raised.value.name
    assert message in raised.value.message


def test_an_endless_loop_is_ended_and_told_where_it_is(backend: Backend) -> None:
    with asked("def f():\n    while True: pass", backend) as port, pytest.raises(AnswerLost) as end:
        ask(port)

    assert Outcome.TIMEOUT is end.value.outcome
    assert "did not come back within 0.8 s; it was at line 2 of `f`: `while True: pass`" == end.value.message


def test_all_calls_together_have_a_limit_too(backend: Backend) -> None:
    """I26: each of them is in time, and there is no end to them."""
    with asked("import time\ndef f(): time.sleep(1)", backend, budget=SHORT) as port:
        port.open("f")
        calls = (port.call(None, "f", ()) for _ in range(100))
        with pytest.raises(AnswerLost) as end:
            list(calls)

    assert Outcome.TIMEOUT is end.value.outcome


def test_a_worker_that_was_lost_stays_lost(backend: Backend) -> None:
    with asked("import random\ndef f(): vars(random)['_os']._exit(0)", backend) as port:
        port.open("f")
        ends = []
        for _ in range(2):
            with pytest.raises(AnswerLost) as end:
                port.call(None, "f", ())
            ends.append(end.value)

    assert ends[0] is ends[1]
    assert (Outcome.CRASH, "its process ended by itself, with exit code 0") == (ends[0].outcome, ends[0].message)


def test_what_is_printed_comes_out_as_text_and_is_counted_as_in_the_notebook(backend: Backend) -> None:
    with asked("print('before' * 9000)\ndef f(n): print('x' * n)", backend) as port:
        port.open("f")
        port.call(None, "f", (SMALL.output_bytes - 1,))  # and a newline
        with pytest.raises(AnswerLost) as end:
            port.call(None, "f", (0,))

    assert Outcome.OUTPUT_LIMIT is end.value.outcome
    assert "x" * 100 in port.printed()


# The answer that is opened -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "outcome", "message"),
    [
        ("x = 1", Outcome.ERROR, "there is no `Log`: its cell ran and does not define it"),
        ("1 / 0", Outcome.ERROR, "its cell raised ZeroDivisionError: division by zero"),
        ("class Log(:", Outcome.ERROR, "its cell raised SyntaxError"),
        ("raise SystemExit(0)", Outcome.ERROR, "its cell raised SystemExit: 0"),
        ("await something()", Outcome.ERROR, "its cell raised SyntaxError: 'await' outside function"),
        ("while True: pass", Outcome.TIMEOUT, "its cell did not come back within 0.8 s; it was at line 1"),
        ("while True: print('x' * 1000)", Outcome.OUTPUT_LIMIT, "its cell printed too much"),
        ("import random; random._os._exit(0)", Outcome.CRASH, "its cell was lost, its process ended by itself"),
        ("x = [bytes(50_000_000) for _ in range(99)]", Outcome.MEMORY, "its cell was lost, its process reached"),
        ("Log = 5", Outcome.ERROR, "`Log` is a int, where a function or a class was expected"),
        (
            "from kafkalite.log.memory import Log",
            Outcome.REJECTED,
            "`Log` uses kafkalite.log.memory, which holds the ref",
        ),
        ("from kafkalite import Log", Outcome.REJECTED, "`Log` uses kafkalite.log.memory, which holds the reference"),
        ("import kafkalite\nclass Log(kafkalite.Log): ...", Outcome.REJECTED, "`Log` uses kafkalite.log.memory"),
        ("import numpy\nclass Log:\n  def f(self): return numpy.zeros(1)", Outcome.REJECTED, "`Log` uses numpy"),
        ("def Log(): return lab.answer", Outcome.REJECTED, "`Log` uses course.lab"),
    ],
)
def test_an_answer_that_is_not_there_or_not_accepted_says_why(
    source: str, outcome: Outcome, message: str, backend: Backend
) -> None:
    with asked(source, backend) as port, pytest.raises(AnswerLost) as end:
        port.open("Log")

    assert outcome is end.value.outcome
    assert message in end.value.message


def test_an_answer_whose_cell_is_gone_says_so(backend: Backend) -> None:
    with image() as folder, session(Place(backend, folder, SMALL), [], "log") as port, pytest.raises(AnswerLost) as end:
        port.open("Log")

    assert "there is no `Log`: its cell is not in the notebook" == end.value.message


@pytest.mark.parametrize(
    "around",
    [
        "import numpy as np, matplotlib.pyplot as plt\nnp.random.seed(0)\nplt.plot([1, 2])\nplt.show()",
        "%matplotlib inline\n!ls\nlab.watch_log()\nlab?\n?lab\nx = !ls\ny = %who",
        "%%time\nz = 1",
        "display(get_ipython(), lab.check('log-append', None))\nfor _ in lab.runs(): pass",
        "import os, pytest, threading\n@pytest.mark.slow\ndef test(): ...\nwith open(os.devnull) as f: print(f)",
        "from IPython.display import HTML\nHTML('<b>hi</b>')\nlab.score + 1 > 2",
    ],
    ids=["plots", "magics", "cell magic", "IPython", "pytest", "HTML"],
)
def test_what_a_notebook_has_besides_answers_costs_nothing(around: str, backend: Backend) -> None:
    with asked(f"{around}\ndef f(): return test() if False else 5", backend) as port:
        port.open("f")

        assert 5 == port.call(None, "f", ())


# The same as beside the learner --------------------------------------------------------------------------------------

EXERCISES = {exercise.id: exercise for exercise in catalog.chapter(CHAPTER).exercises}


def renamed(exercise: Exercise) -> str:
    """The reference's source, under a name of the learner's own."""
    return re.sub(rf"\b{exercise.name}\b", "Mine", right_answer(exercise.id)) + f"\n{exercise.name} = Mine\n"


ANSWERS = [(wrong.exercise, wrong.name, wrong.source) for wrong in catalog.chapter(CHAPTER).wrong_answers]
ANSWERS += [(exercise.id, "the reference, renamed", renamed(exercise)) for exercise in EXERCISES.values()]


def essence(result: CheckResult) -> tuple[Any, ...]:
    """What two graders must agree on."""
    rules = tuple((r.id, r.passed, r.hidden, r.ran, r.violation and r.violation.message) for r in result.rules)
    return result.outcome, result.score, rules, result.behaviour


@pytest.mark.parametrize(("exercise_id", "name", "source"), ANSWERS, ids=[f"{e}: {name}" for e, name, _ in ANSWERS])
def test_every_answer_has_the_same_result_in_the_box_as_beside_the_learner(
    exercise_id: str, name: str, source: str, backend: Backend
) -> None:
    exercise = EXERCISES[exercise_id]
    for check in exercise.checks:
        with LocalPort({exercise.name: answer(source, exercise.name)}) as port:
            local = examine(exercise, check, port, secret="s", release="r")
        with asked(source, backend, exercise_id) as remote:
            across = examine(exercise, check, remote, secret="s", release="r")

        assert essence(local) == essence(across)
        assert name != "the reference, renamed" or Outcome.PASS is across.outcome
