"""What an answer may lean on: found by name, however indirectly, and told kindly."""

from __future__ import annotations

import pytest

from course.checks import allowed
from tests.course.checks.answers import answer


@pytest.mark.parametrize(
    "source",
    [
        "from kafkalite.clients.cursor import Cursor",
        "import kafkalite.clients.cursor\nclass Cursor(kafkalite.clients.cursor.Cursor): pass",
        "from kafkalite.clients.cursor import Cursor as C\nclass Cursor:\n    def at(self): return C()",
        "import kafkalite.clients.cursor as c\ndef h(): return c\nclass Cursor:\n    def poll(self): return h()",
        "class Cursor:\n    def poll(self):\n        from kafkalite.clients import cursor",
        "class Cursor:\n    def poll(self):\n        def inner():\n            import kafkalite.reference",
        "from kafkalite.clients import cursor as c\nCursor = lambda position=0: c.Cursor(position)",
        "import kafkalite.clients.cursor as c\nclass Cursor:\n    @property\n    def position(self): return c",
    ],
)
def test_the_reference_is_found_however_it_is_reached(source: str) -> None:
    refused = allowed.refusal("Cursor", answer(source, "Cursor"))

    assert refused is not None
    assert "reference solution" in refused
    assert "scores 0" in refused


def test_a_package_that_the_box_has_not_is_refused_by_name() -> None:
    refused = allowed.refusal("f", answer("import numpy\ndef f(): return numpy.array([1])", "f"))

    assert refused is not None
    assert "`f` uses numpy" in refused


def test_an_import_by_a_call_is_refused() -> None:
    source = "def f(): return __import__('kafkalite.log.memory', fromlist=['Log']).Log()"

    assert "write an `import` statement" in str(allowed.refusal("f", answer(source, "f")))


@pytest.mark.parametrize(
    "source",
    [
        "import numpy\ndef f(): return 1",
        "from collections import deque\nfrom dataclasses import dataclass\n@dataclass\nclass f:\n    values: deque",
        "import bisect, functools\n@functools.lru_cache\ndef f(): return bisect.bisect([], 1)",
        "def f(): raise OffsetOutOfRange(1, 2, 3)",
        "def f(state): return Topic(), [Hand('a', 0, ())]",
        "from typing import NamedTuple\nclass f(NamedTuple):\n    a: int",
        "from enum import Enum\nclass f(Enum):\n    A = 1",
        "def f(): return g()\ndef g(): return f()",
    ],
    ids=["an import it does not use", "dataclass", "helpers", "errors", "types", "named tuple", "enum", "a circle"],
)
def test_honest_answers_are_accepted(source: str) -> None:
    assert allowed.refusal("f", answer(source, "f")) is None
