"""The places that make the claims about Kafka true, each with how it is broken and the test that must notice.

They stand in the `.diff` files beside this one, a claim's id being that of the lecture the course teaches:

    T5 P5: equal keys do not share a partition            the claims, and what is not so any more
    kafkalite/clients/partitioner.py                      where
    -    as it is                                         whole lines that stand there once
    +    as it is broken
    tests/kafkalite/clients/test_partitioner.py::test_x   what must fail then

A break breaks what the claim says and nothing else: the program goes on, and does the wrong thing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Break:
    """Some claims, one place, one test. `old` and `new` are whole lines, `old` at least one."""

    claims: tuple[str, ...]
    wrong: str
    file: str
    old: str
    new: str
    test: str

    def apply(self, source: str) -> str:
        """The source with this broken."""
        whole_lines = re.compile(f"^{re.escape(self.old)}", re.MULTILINE)
        broken, times = whole_lines.subn(lambda _: self.new, source)
        assert 1 == times, f"must stand once in {self.file}, stands {times} times; has it moved?\n{self.old}"
        return broken


def parse(text: str) -> list[Break]:
    """The breaks of one file; a blank line separates them."""
    return [_parse_one(block.splitlines()) for block in text.strip().split("\n\n")]


def _parse_one(lines: list[str]) -> Break:
    (title, file, *hunk), test = lines[:-1], lines[-1]
    claims, _, wrong = title.partition(": ")
    assert {"-", "+"} >= {line[0] for line in hunk}, f"{title}: expected lines that begin with - or +, got {hunk}"
    old, new = ("".join(f"{line[1:]}\n" for line in hunk if line[0] == sign) for sign in "-+")
    assert old, f"{title}: expected lines that begin with -, got {hunk}"
    return Break(tuple(claims.split()), wrong, file, old, new, test)


BREAKS: tuple[Break, ...] = tuple(
    one for path in sorted(Path(__file__).parent.glob("*.diff")) for one in parse(path.read_text(encoding="utf-8"))
)
