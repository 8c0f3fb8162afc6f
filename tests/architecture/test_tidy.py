"""The style guide where a machine can check it: docstrings, words, lengths, and cores without clock or chance."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from .tree import PACKAGES, ROOT, imports, modules

LINES_MAX = 400  # a file fits in a head

# Longer files, each with the reason why splitting it would make it harder to read.
MAY_BE_LONGER: dict[str, str] = {
    "kafkalite/facts.py": "a list; it is looked up, not read, and each chapter points at its part of it",
    "course/chapters/ch01_why_a_log/wrong_answers.py": "each answer stands alone, to be put into a notebook",
}

# pattern -> what to do instead
FORBIDDEN_WORDS = {
    r"\bhwm\b": "write high_watermark",
    r"\brep_cnt\b": "write replica_count",
    r"\b(TODO|FIXME|XXX|HACK)\b": "finish it, or say plainly what is left out",
    r"\b(black|white)list": "write forbidden or allowed",
    r"/(home|Users)/\w+/": "a path of one person's machine",
    r"(?i)\bissue #?\d+\b": "say what the matter is; a number is nothing to a reader",
    r"[ \t]+$": "trailing blanks",
    r"^\s*\t": "tabs (a Makefile needs them, nothing else does)",
    r"[\x00-\x08\x0b-\x1f\x7f]": "control characters",
}
TEXT_SUFFIXES = {".py", ".md", ".toml", ".txt", ".json", ".sh", ".css", ".js", ".html", ""}

# Nodes are driven: only `net`, the program's entry, and what plays many runs at once meet the real world.
DRIVERS = ("kafkalite.net", "kafkalite.__main__", "kafkalite.sim.soak")
WORLD = {
    *("time", "threading", "_thread", "multiprocessing", "concurrent", "subprocess", "signal", "sched"),
    *("asyncio", "socket", "socketserver", "select", "selectors", "ssl", "http", "urllib", "secrets"),
}
CLOCK_OR_CHANCE = re.compile(
    r"datetime\.(now|utcnow|today)|date\.today|uuid\.uuid[14]|os\.urandom|(?<![.\w])random\.(?!Random\b)\w+"
)


def text_files() -> Iterator[Path]:
    """Every file a person writes here, in order; built and made ones left out."""
    folders = [ROOT / name for name in (*PACKAGES, "tests", ".ci")]
    found = [path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts]
    for path in sorted([*found, *ROOT.glob("*")]):
        if path.is_file() and path.suffix in TEXT_SUFFIXES and path != Path(__file__).resolve():
            yield path


def test_every_module_opens_with_why_it_exists() -> None:
    silent = [module.name for module in modules(*PACKAGES, "tests", ".ci") if not ast.get_docstring(module.parse())]

    assert [] == silent


@pytest.mark.parametrize("pattern", FORBIDDEN_WORDS)
def test_forbidden_words_are_absent(pattern: str) -> None:
    word = re.compile(pattern, re.MULTILINE)
    tabs_needed = pattern == r"^\s*\t"
    found = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {FORBIDDEN_WORDS[pattern]}"
        for path in text_files()
        if not (tabs_needed and path.name == "Makefile")
        for text in [path.read_text(encoding="utf-8")]
        for match in word.finditer(text)
    ]

    assert [] == found


def test_a_file_fits_in_a_head() -> None:
    long = {
        str(module.path.relative_to(ROOT))
        for module in modules(*PACKAGES, "tests", ".ci")
        if len(module.path.read_text(encoding="utf-8").splitlines()) > LINES_MAX
    }

    assert MAY_BE_LONGER.keys() == long, "too long without a listed reason, or listed and no longer long"


def clock_and_chance(source: str, name: str) -> list[str]:
    """What in this core would make a run depend on the real time, on the system, or on unseeded chance."""
    tree = ast.parse(source)
    met = [one.module for one in imports(tree, name, is_package=False) if one.module.partition(".")[0] in WORLD]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "random":
            met += [f"random.{alias.name}" for alias in node.names if alias.name != "Random"]
        elif isinstance(node, ast.Attribute):
            met += [ast.unparse(node)] if CLOCK_OR_CHANCE.search(ast.unparse(node)) else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Random") and not node.args:
            met.append("Random() without a seed")
    return met


def test_time_and_chance_come_in_through_the_door() -> None:
    """A node gets `now_ms` and a seeded generator from its driver; otherwise no run could be repeated."""
    found = {
        module.name: met
        for module in modules("kafkalite")
        if not module.name.startswith(DRIVERS)
        if (met := clock_and_chance(module.path.read_text(encoding="utf-8"), module.name))
    }

    assert {} == found


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from time import sleep",
        "import asyncio.events",
        "from random import choice",
        "import random\nrandom.shuffle([])",
        "import random\nrandom.Random()",
        "import datetime\ndatetime.datetime.now()",
        "import os\nos.urandom(8)",
        "import uuid\nuuid.uuid4()",
    ],
)
def test_a_clock_or_unseeded_chance_in_a_core_is_found(source: str) -> None:
    assert 1 == len(clock_and_chance(source, "kafkalite.log"))


def test_a_seeded_generator_is_welcome_in_a_core() -> None:
    assert [] == clock_and_chance("import random\nrng = random.Random(7)\nrng.choice([1])", "kafkalite.sim")
    assert [] == clock_and_chance("def of(node):\n    return node.random.random()", "kafkalite.sim")


def test_drawn_examples_are_the_same_in_every_run_and_none_fails_for_being_slow() -> None:
    chosen = settings()

    assert (None, True) == (chosen.deadline, chosen.derandomize)
