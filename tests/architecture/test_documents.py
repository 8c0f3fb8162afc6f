"""What README and CONTRIBUTING name is there: files, commands with their options, scenarios, and what a run prints.

Left out: whether the client's example works; `tests/kafkalite/net/test_readme.py` runs it.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from autograder import cli as autograder_cli
from course import cli as course_cli
from kafkalite.__main__ import command_line
from kafkalite.sim.scenarios import catalogue

from .tree import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
TOLD = "leader-dies"  # the scenario whose telling the README shows
TELLING = ROOT / "tests" / "kafkalite" / "sim" / "scenarios" / f"{TOLD}.txt"
PLACEHOLDER = re.compile(r"<\w+>|\*|chNN|NAME|NN_")
FOLDERS = ("kafkalite/", "course/", "autograder/", "tests/", "notebooks/", "docs/", ".ci/", "benchmarks/")


def code_of(text: str) -> str:
    """What a reader would type: blocks of code, comments left out, and code within a line."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^    \S.*$", text, re.MULTILINE)
    inline = re.findall(r"`([^`\n]+)`", text)
    return "\n".join(
        line.partition("  #")[0].strip() for part in (*blocks, *indented, *inline) for line in part.split("\n")
    )


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.name)
def document(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text(encoding="utf-8")


def test_every_file_that_is_named_exists(document: str) -> None:
    linked = [path for path in re.findall(r"\]\(([^)#]+)\)", document) if "://" not in path]
    named = [
        path.partition("::")[0].rstrip(".,;:")
        for path in re.findall(r"(?<![\w/.-])[\w.][\w./-]*/[\w./*<>-]*", code_of(document))
        if path.startswith(FOLDERS) and not PLACEHOLDER.search(path)
    ]

    assert [] == [path for path in {*linked, *named} if not (ROOT / path).exists()]


def test_every_name_that_is_said_to_be_in_a_file_is_there(document: str) -> None:
    """As in: `ODD` in `tests/three_ways/cases.py`, or `A`, `B` or `C` in a file."""
    places = re.findall(r"((?:`[^`]+`(?:, | or | and )?)+) in `([\w/.]+\.py)`", re.sub(r"\s+", " ", document))
    missing = [
        f"{name} in {path}"
        for names, path in places
        for name in re.findall(r"`(\w+)", names)
        if not re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8"))
    ]

    assert [] == missing


def test_every_kafkalite_command_can_be_typed(document: str) -> None:
    """Options included; a scenario that is named exists."""
    commands = re.findall(r"^python -m kafkalite (.+)$", code_of(document), re.MULTILINE)

    for command in commands:
        words = shlex.split(command.replace("NAME", TOLD).replace(" N", " 1"))
        if len(words) == 1:
            words.append("--help")  # a command without what it needs, as one speaks of it
        try:
            name = getattr(command_line().parse_args(words), "name", None)
        except SystemExit as ended:  # 0: it was a question for help
            assert 0 == ended.code, command  # noqa: PT017 - its own sentence is on stderr, which pytest shows
        else:
            assert name in {None, *catalogue()}, command


def test_every_course_and_autograder_command_is_there(document: str) -> None:
    there = {f"course {one.name}" for one in course_cli.COMMANDS}
    there |= {f"autograder {one.name}" for one in autograder_cli.COMMANDS}
    typed = re.findall(r"^(?:\.venv/bin/)?(course|autograder) ([a-z]+)", code_of(document), re.MULTILINE)

    assert set() == {f"{program} {command}" for program, command in typed} - there


def test_every_make_target_is_there(document: str) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert set() == set(re.findall(r"^make (\w+)", code_of(document), re.MULTILINE)) - set(targets)


def test_the_readme_names_the_commands_one_begins_with() -> None:
    code = code_of((ROOT / "README.md").read_text(encoding="utf-8"))

    for command in ("make learn", "make test", "python -m kafkalite scenario", "python -m kafkalite soak", "serve"):
        assert command in code


def test_the_readme_shows_what_the_scenario_tells() -> None:
    """After a change that is meant: REWRITE_TELLINGS=1 pytest tests/kafkalite/sim/test_scenarios.py <this file>."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    told = TELLING.read_text(encoding="utf-8")
    shown = re.search(rf"^```\n({TOLD} \(seed 1\)\n.*?)```$", text, re.DOTALL | re.MULTILINE)
    assert shown, f"the README shows no telling of {TOLD}"
    if os.environ.get("REWRITE_TELLINGS"):
        readme.write_text(text.replace(shown[1], told), encoding="utf-8")
        return

    assert told == shown[1], "it is told otherwise now: REWRITE_TELLINGS=1, see this test's docstring"


def test_the_code_of_a_document_is_found() -> None:
    text = "Type `make a`.\n\n```\nmake b  # why\n```\n\n- or\n\n    ```\n    make c\n    ```\n\n    make d\n"

    assert {"make a", "make b", "make c", "make d"} <= set(code_of(text).split("\n"))
