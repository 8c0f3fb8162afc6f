"""The submissions that three graders must agree on: right ones, kept wrong ones, mutants, and odd ones.

A notebook has three exercises, so each submission tries three answers at once. An odd one says how each check must
end, so that it really is what its name says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from course.build.mutants import mutants_of
from course.chapters.catalog import chapter

CHAPTER = chapter("01_why_a_log")
RIGHT = Path(__file__).resolve().parent / "right"
MUTANTS_IN_KERNELS = 12
WRONG = "FAIL or ERROR"  # which of the two is a matter of wording, as long as three graders use the same word


@dataclass(frozen=True, slots=True)
class Submission:
    """Answers by exercise; how checks must end where that is the point; and where graders may differ, with the reason:
    exercise -> the id of a row in `course.classroom.differences`.
    """

    name: str
    answers: Mapping[str, str]
    ends: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, str] = field(default_factory=dict)


def right() -> Iterator[Submission]:
    """Every right answer, three to a notebook."""
    files = [sorted(RIGHT.glob(f"{exercise.id}_*.py")) for exercise in CHAPTER.exercises]
    for number, found in enumerate(zip(*files, strict=True)):
        sources = (path.read_text(encoding="utf-8") for path in found)
        yield Submission(f"right-{number}", _by_exercise(sources), dict.fromkeys(CHECKS, "PASS"))


def wrong() -> Iterator[Submission]:
    """Every kept wrong answer, up to three to a notebook."""
    by_exercise = [[w for w in CHAPTER.wrong_answers if w.exercise == exercise.id] for exercise in CHAPTER.exercises]
    for number, found in enumerate(zip_longest(*by_exercise)):
        ends = {check: WRONG for w in found if w is not None for check in w.breaks if w.breaks[check]}
        yield Submission(f"wrong-{number}", _by_exercise(w and w.source for w in found), ends)


def mutants() -> Iterator[Submission]:
    """Every mutant, up to three to a notebook."""
    for number, found in enumerate(zip_longest(*(mutants_of(exercise) for exercise in CHAPTER.exercises))):
        yield Submission(f"mutant-{number}", _by_exercise(m and m.source for m in found))


def sampled_mutants() -> list[Submission]:
    """A dozen, evenly spread, for real kernels."""
    found = list(mutants())
    return found[:: max(1, len(found) // (MUTANTS_IN_KERNELS // 3))][: MUTANTS_IN_KERNELS // 3]


CHECKS = {check.id: exercise.id for exercise, check in CHAPTER.checks()}


def _by_exercise(sources: object) -> dict[str, str]:
    ids = (exercise.id for exercise in CHAPTER.exercises)
    return {id_: source for id_, source in zip(ids, sources, strict=True) if source}  # type: ignore[call-overload]


# Odd answers ---------------------------------------------------------------------------------------------------------

LOG = """{top}
class Log:
    def __init__(self, start=0):
        self.first, self.values = start, []
    def append(self, values):
        {append}
        self.values += values
        return self.end() - len(values)
    def read(self, offset, max_records):
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        return self.values[offset - self.first :][:max_records]
    def start(self):
        return self.first
    def end(self):
        return self.first + len(self.values)
    def delete_before(self, offset):
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        self.values = self.values[max(0, offset - self.first) :]
        self.first = max(self.first, offset)
        return self.first
{bottom}
"""
CURSOR = """{top}
class Cursor:
    def __init__(self, position=0):
        self.position = position
    def poll(self, start, end, max_records):
        {poll}
        first = self.position if start <= self.position <= end else start
        self.position = min(end, first + max_records)
        return first, self.position
    def seek(self, offset):
        self.position = offset
    def lag(self, end):
        return max(0, end - self.position)
{bottom}
"""
DELIVER = (RIGHT / "deliver_by_generating.py").read_text(encoding="utf-8")


def log(append: str = "pass", top: str = "", bottom: str = "") -> str:
    """A right log that also does this."""
    return LOG.format(append=append, top=top, bottom=bottom)


def cursor(poll: str = "pass", top: str = "", bottom: str = "") -> str:
    """A right cursor that also does this."""
    return CURSOR.format(poll=poll, top=top, bottom=bottom)


def deliver(first: str = "pass", top: str = "", bottom: str = "") -> str:
    """A right `deliver` that also does this."""
    body = "    values, positions, idle ="
    assert body in DELIVER
    return f"{top}\n{DELIVER.replace(body, f'    {first}{chr(10)}{body}')}\n{bottom}\n"


def _odd(name: str, log_: str, cursor_: str, deliver_: str, *ends: str) -> Submission:
    """`ends` are of the log's checks (one for both, or one each), the cursor's and the topic's."""
    each = (ends[0], *ends) if len(ends) == 3 else ends
    answers = {"log": log_, "cursor": cursor_, "deliver": deliver_}
    return Submission(name, answers, dict(zip(CHECKS, each, strict=True)))


# Something that takes its time inside the `try`, so that it is there that it is interrupted.
SWALLOW = """while True:
            try: sum(range(1_000_000))
            except: pass"""
LATE = """
def busy():
    while True: sum(range(1_000_000))
def pause():
    try: busy()
    except: pass"""

# A topic of its own, which it goes on with whatever state it is given.
FORGETFUL_DELIVER = f"""{DELIVER.replace("def deliver", "def right")}
known = Topic()
def deliver(state, event):
    global known
    known, hands = right(known, event)
    return known, hands
"""

ODD = (
    _odd(
        "warns",
        log("warnings.warn('slow')", top="import warnings\nwarnings.warn('in the cell')"),
        cursor("print('polled', file=stderr)", top="from sys import stderr\nstderr.write('in the cell')"),
        deliver("sys.stderr.write('delivered'); warnings.warn('old', DeprecationWarning)", top="import sys, warnings"),
        *("PASS", "PASS", "PASS"),
    ),
    _odd(
        "prints-a-lot",
        log("print('x' * 2_000_000)"),
        cursor("print('polled ' * 20)"),
        deliver("print('x' * 60_000)"),
        *("OUTPUT_LIMIT", "PASS", "OUTPUT_LIMIT"),
    ),
    _odd(
        "prints-a-lot-in-its-cell-once-it-is-defined",
        log(bottom="print('x' * 2_000_000)"),
        cursor(bottom="for _ in range(3000): print('line')"),
        deliver(bottom="import sys\nprint('x' * 2_000_000, file=sys.stderr)"),
        *("PASS", "PASS", "PASS"),
    ),
    _odd(
        "raises",
        log("raise ValueError('no')"),
        cursor(top="raise ValueError('before it is defined')"),
        deliver("raise Mine", top="class Mine(Exception): pass"),
        *(WRONG, WRONG, WRONG),
    ),
    _odd(
        "never-ends",
        log("while True: pass"),
        cursor(SWALLOW),
        deliver("time.sleep(3600)", top="import time"),
        *("TIMEOUT", "TIMEOUT", "TIMEOUT"),
    ),
    _odd(
        "comes-late-or-loops-in-c",
        log("\n        try: busy()\n        finally: return 0", top=LATE),
        cursor("import re; re.match('(a+)+$', 'a' * 60 + 'b')"),
        deliver("pause()", top=LATE),
        *("TIMEOUT", "TIMEOUT", "TIMEOUT"),
    ),
    _odd(
        "recurses",
        log("self.append(values)"),
        cursor("return self.poll(start, end, max_records)"),
        deliver("return again(state, event)", top="def again(*args): return deliver(*args)"),
        *(WRONG, WRONG, WRONG),
    ),
    _odd(
        "uses-what-it-may-not",
        log("numpy.array(values)", top="import numpy"),
        cursor("import os; os.getcwd()"),
        deliver("getcwd()", top="from os import getcwd"),
        *("REJECTED", "REJECTED", "REJECTED"),
    ),
    _odd(
        "imports-what-it-does-not-use",
        log(top="import numpy as np\nfrom os import getcwd"),
        cursor(top="import subprocess, os.path"),
        deliver(top="from course.chapters.ch01_why_a_log.reference import deliver\nimport matplotlib.pyplot as plt"),
        *("PASS", "PASS", "PASS"),
    ),
    _odd(
        "is-the-reference",
        "from kafkalite.log.memory import Log",
        "import kafkalite.clients.cursor\nclass Cursor(kafkalite.clients.cursor.Cursor): pass",
        "from course.chapters.ch01_why_a_log import reference\ndef deliver(state, event):\n"
        "    return reference.deliver(state, event)",
        *("REJECTED", "REJECTED", "REJECTED"),
    ),
    _odd(
        "exits",
        log("sys.exit(0)", top="import sys"),
        cursor(bottom="import sys\nsys.exit(0)"),
        deliver("raise SystemExit"),
        *(WRONG, "PASS", WRONG),
    ),
    _odd(
        "is-no-answer",
        "Log = 5",
        cursor().replace("def lag", "def leg"),
        "def deliver(state, event): pass",
        *(WRONG, WRONG, WRONG),
    ),
    _odd(
        "lies-about-types",
        log().replace("return self.end() - len(values)", "return True"),
        cursor().replace("return first, self.position", "return [first, self.position]"),
        "class Always(int):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        + deliver().replace("offset=at", "offset=Always(at)"),
        *(WRONG, "PASS", WRONG, WRONG),
    ),
    _odd(
        "keeps-what-it-should-forget",
        log().replace("start=0):", "start=0, values=[]):").replace("start, []", "start, values"),
        cursor().replace("self.position", "Cursor.position"),
        FORGETFUL_DELIVER,
        *(WRONG, WRONG, WRONG, WRONG),
    ),
)


# Where graders have limits -------------------------------------------------------------------------------------------

# `os` without an import that anybody could see.
EXIT = "[c for c in object.__subclasses__() if c.__name__ == '_wrap_close'][0].__init__.__globals__['_exit'](0)"

LIMITS = (
    Submission(
        "needs-much-memory",
        {
            "log": log("global hoard; hoard = hoard or bytearray(600 << 20)", top="hoard = None"),
            "cursor": cursor(),
            "deliver": deliver(),
        },
        differs={"log": "memory"},
    ),
    Submission(
        "prints-a-lot-in-its-cell-before-it-is-defined",
        {"log": log(top="print('x' * 2_000_000)"), "cursor": cursor(), "deliver": deliver()},
        differs={"log": "prints-in-a-cell"},
    ),
    Submission(
        "loops-for-ever-in-its-cell",
        {"log": log(top="while True: pass"), "cursor": cursor(), "deliver": deliver()},
        differs={"log": "endless-cell"},
    ),
    Submission(
        "loops-for-ever-inside-c",
        {"log": log("sum(itertools.count())", top="import itertools"), "cursor": cursor(), "deliver": deliver()},
        differs={"log": "cannot-be-interrupted"},
    ),
    Submission(
        "loops-for-ever-in-its-cell-and-will-not-be-stopped",
        {"log": log(top=SWALLOW.replace("\n        ", "\n")), "cursor": cursor(), "deliver": deliver()},
        differs={"log": "cannot-be-interrupted"},
    ),
    Submission(
        "ends-the-process",
        {"log": log(EXIT), "cursor": cursor(), "deliver": deliver()},
        differs={"log": "exits"},
    ),
)
