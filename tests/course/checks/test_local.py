"""The guard around a learner's code in the learner's own process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

import pytest

from course.checks import interrupt, limits
from course.checks.local import LocalPort
from course.checks.port import AnswerLost, AnswerRaised, Outcome
from tests.course.checks.answers import answer


def _call(source: str, *args: Any) -> Any:
    with LocalPort({"f": answer(source, "f")}) as port:
        return port.call(None, "f", args)


def _lost(source: str, *args: Any) -> AnswerLost:
    with pytest.raises(AnswerLost) as caught:
        _call(source, *args)
    return caught.value


@pytest.fixture
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CALL_S", 0.2)
    monkeypatch.setattr(limits, "BYTECODES", 20_000)


def test_what_crosses_is_a_copy_both_ways() -> None:
    source = "def f(values):\n    values.append('mine')\n    return values\n"
    values = ["a"]
    with LocalPort({"f": answer(source, "f")}) as port:
        came = port.call(None, "f", (values,))

    assert ["a"] == values
    assert ["a", "mine"] == came


def test_who_keeps_what_crossed_finds_it_empty() -> None:
    """The caller may reuse its list, and a reader may change what it got; an answer that shares them must notice."""
    source = "kept = []\ndef f(values):\n    kept.append(values)\n    return [len(one) for one in kept]\n"
    with LocalPort({"f": answer(source, "f")}) as port:
        first = port.call(None, "f", (["a"],))
        second = port.call(None, "f", (["a", "b"],))

    assert ([1], [0, 2]) == (first, second)


def test_a_result_that_is_not_plain_data_is_an_error_of_the_answer() -> None:
    with pytest.raises(AnswerRaised, match=r"a generator \(make it a list\); plain data is"):
        _call("def f():\n    yield 1\n")


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("raise ValueError('no')", "ValueError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("f()", "RecursionError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_whatever_an_answer_raises_is_told_by_name(statement: str, name: str) -> None:
    with pytest.raises(AnswerRaised) as caught:
        _call(f"def f():\n    {statement}\n")

    assert name == caught.value.name


@pytest.mark.usefixtures("short_calls")
@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import time; time.sleep(3600)",
        "while True:\n        try:\n            while True: pass\n        except: break",
        "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
    ],
    ids=["loop", "sleep", "loop that swallows an interruption", "loop inside a call of C"],
)
def test_an_endless_call_is_interrupted(body: str) -> None:
    """A bare except may swallow the first interruption; what the call then returns comes too late."""
    assert Outcome.TIMEOUT == _lost(f"def f():\n    {body}\n").outcome


@pytest.mark.usefixtures("short_calls")
def test_a_call_that_the_machine_keeps_waiting_is_not_an_endless_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is on computing: on a busy machine an honest answer waits, too."""
    monkeypatch.setattr(limits, "PATIENCE", 100)  # 20 s: this machine may keep it waiting longer than it asks for
    assert 1 == _call("import time\ndef f():\n    time.sleep(0.3)\n    return 1\n")


@pytest.mark.usefixtures("short_calls")
def test_an_endless_loop_is_told_where_it_is() -> None:
    assert "it was at line 2 of `f`: `while True: pass`" in str(_lost("def f():\n    while True: pass\n"))


@pytest.mark.usefixtures("short_calls")
def test_where_no_timer_can_interrupt_bytecodes_are_counted() -> None:
    found: list[AnswerLost] = []

    def in_a_thread() -> None:
        watch = interrupt.Watch(lambda name: name.startswith("<"))
        with watch, pytest.raises(AnswerLost) as caught:
            watch.call(answer("def f():\n    while True: pass\n", "f"), ())
        found.append(caught.value)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()

    assert [Outcome.TIMEOUT] == [lost.outcome for lost in found]
    assert "ran 20,000 bytecodes without an end; it was at line 2 of `f`" in str(found[0])


@pytest.mark.usefixtures("short_calls")
def test_a_timer_of_the_process_is_as_it_was_afterwards() -> None:
    """pytest-timeout and others use the same one."""
    handler = signal.getsignal(signal.SIGALRM)
    left_before_s, _ = signal.getitimer(signal.ITIMER_REAL)
    _lost("def f():\n    while True: pass\n")
    left_s, _ = signal.getitimer(signal.ITIMER_REAL)

    assert handler is signal.getsignal(signal.SIGALRM)
    assert (left_before_s > 0) == (left_s > 0)


def test_what_an_answer_prints_does_not_reach_the_notebook(capfd: pytest.CaptureFixture[str]) -> None:
    """Nbgrader scores 0 whatever has written to stderr."""
    source = "import sys\ndef f():\n    print('out'); print('err', file=sys.stderr)\n    return 1\n"
    with LocalPort({"f": answer(source, "f")}) as port:
        value = port.call(None, "f", ())
        os.write(2, b"straight to the descriptor\n")
        printed = port.printed()

    assert 1 == value
    assert ("", "") == capfd.readouterr()
    assert printed.startswith("out\nerr\n")


def test_a_stream_that_a_cell_has_kept_is_turned_aside_too(capfd: pytest.CaptureFixture[str]) -> None:
    """`from sys import stderr` in a cell: what is printed there would cost all points in nbgrader."""
    source = "from sys import stderr\ndef f():\n    print('err', file=stderr)\n"
    with LocalPort({"f": answer(source, "f")}) as port:
        port.call(None, "f", ())
        printed = port.printed()
    sys.stderr.write("heard again\n")

    assert "err\n" == printed
    assert ("", "heard again\n") == capfd.readouterr()


def test_streams_are_as_they_were_afterwards() -> None:
    streams = sys.stdout, sys.stderr
    _call("def f():\n    print('x')\n")

    assert streams == (sys.stdout, sys.stderr)


def test_printing_too_much_ends_the_answer() -> None:
    assert Outcome.OUTPUT_LIMIT == _lost("def f():\n    while True: print('x' * 1000)\n").outcome


def _call_for_ever(port: LocalPort) -> None:
    while True:
        port.call(None, "f", ())


def test_many_slow_calls_end_by_the_limit_of_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHECK_S", 0.05)
    slow = answer("def f():\n    for _ in range(2000): pass\n", "f")
    with LocalPort({"f": slow}) as port, pytest.raises(AnswerLost) as caught:
        _call_for_ever(port)

    assert Outcome.TIMEOUT == caught.value.outcome


def test_a_missing_answer_and_one_that_cannot_be_called_are_named() -> None:
    with LocalPort({"f": 3}) as port:
        with pytest.raises(AnswerLost, match="there is no `g` yet"):
            port.open("g")
        with pytest.raises(AnswerLost, match="`f` is a int"):
            port.open("f")
