"""The README's path through `kafkalite`: a learner can walk it from top to bottom, and it ends before 6,000 lines.

What counts as a use: every import, also one that is there for annotations alone, because a reader meets that name too.
A file beside the path is free in what it imports: nobody is asked to read it. But it must be named by the chapter that
first needs it, or by an earlier one, so no name comes from nowhere. A folder stands for all below it that is not on the
path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from .tree import ROOT, Module, imports, modules

LINES_MAX = 6_000  # every line of every file, blank ones and docstrings too

TITLE = "## Read the code in this order\n"
STEP = re.compile(r"- \[(?P<name>[^]]+)\]\((?P<path>[^)]+)\): (?P<idea>.+)")
BESIDE = re.compile(r"`([\w/]+(?:\.py|/))`")


@dataclass
class Chapter:
    """A part of the path: files to read, in order, and what lies beside it. Paths begin with `kafkalite/`."""

    steps: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


def chapters(readme: str) -> list[Chapter]:
    """The path as the README has it. A chapter begins with a line in bold."""
    section = readme.partition(TITLE)[2].partition("\n## ")[0]
    found: list[Chapter] = []
    for paragraph in re.split(r"\n\n+", section.strip()):
        if paragraph.startswith("**"):
            found.append(Chapter())
        elif paragraph.startswith("- "):
            steps = [STEP.fullmatch(line) for line in paragraph.splitlines()]
            assert None not in steps, f"expected `- [name](kafkalite/name): idea` in each line of\n{paragraph}"
            found[-1].steps += [step["path"] for step in steps if step]
        elif paragraph.startswith("Beside the path: "):
            found[-1].beside += [f"kafkalite/{name}" for name in BESIDE.findall(paragraph)]
    return found


PATH = chapters((ROOT / "README.md").read_text(encoding="utf-8"))
STEPS = [step for chapter in PATH for step in chapter.steps]
MODULES = {str(module.path.relative_to(ROOT)): module for module in modules("kafkalite")}


def used_by(module: Module) -> set[str]:
    """The files of ours from which this one takes names."""
    by_name = {one.name: path for path, one in MODULES.items()}
    found = set()
    for one in imports(module.parse(), module.name, is_package=module.is_package):
        target = by_name.get(f"{one.module}.{one.name}") or by_name.get(one.module)
        found |= {target} if target else set()
    return found


def from_nowhere(path: list[Chapter], uses: dict[str, set[str]]) -> list[str]:
    """A sentence for each file of which names are used before it is named."""
    steps = {step for chapter in path for step in chapter.steps}
    read: set[str] = set()
    beside: tuple[str, ...] = ()
    unnamed = []
    for chapter in path:
        beside += tuple(chapter.beside)
        for step in chapter.steps:
            unnamed += [
                f"{step} uses {used}, which the README names later or not at all"
                for used in sorted(uses[step] - read - {step})
                if used in steps or not used.startswith(beside)
            ]
            read.add(step)
    return unnamed


def test_every_file_the_path_names_exists_and_is_read_once() -> None:
    missing = [step for step in STEPS if step not in MODULES]
    missing += [name for chapter in PATH for name in chapter.beside if not (ROOT / name).exists()]

    assert [] == missing
    assert [] == [step for step in set(STEPS) if STEPS.count(step) > 1]


def test_the_path_ends_before_6000_lines() -> None:
    lines = {step: len((ROOT / step).read_text(encoding="utf-8").splitlines()) for step in STEPS}

    assert sum(lines.values()) < LINES_MAX, f"put what is no idea of its own beside the path: {lines}"


def test_the_readme_says_how_many_files_the_path_has() -> None:
    assert f" {len(STEPS)} files" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_no_name_is_used_before_it_is_introduced() -> None:
    assert [] == from_nowhere(PATH, {step: used_by(MODULES[step]) for step in STEPS})


def test_every_file_is_on_the_path_or_beside_it() -> None:
    beside = tuple(name for chapter in PATH for name in chapter.beside)
    inits = {path for path, module in MODULES.items() if module.is_package}  # they say what a folder is for

    assert [] == [path for path in MODULES if path not in STEPS and path not in inits and not path.startswith(beside)]


@pytest.mark.parametrize(
    ("path", "uses", "said"),
    [
        ([Chapter(["k/b.py", "k/a.py"])], {"k/b.py": {"k/a.py"}, "k/a.py": set()}, ["k/b.py uses k/a.py"]),
        ([Chapter(["k/a.py", "k/b.py"])], {"k/b.py": {"k/a.py"}, "k/a.py": set()}, []),
        ([Chapter(["k/a.py"])], {"k/a.py": {"k/x.py"}}, ["k/a.py uses k/x.py"]),
        ([Chapter(["k/a.py"], ["k/"])], {"k/a.py": {"k/x.py"}}, []),
        ([Chapter(["k/a.py"]), Chapter([], ["k/"])], {"k/a.py": {"k/x.py"}}, ["k/a.py uses k/x.py"]),
        ([Chapter(["k/a.py", "k/b.py"], ["k/"])], {"k/a.py": {"k/b.py"}, "k/b.py": set()}, ["k/a.py uses k/b.py"]),
    ],
)
def test_a_name_from_nowhere_is_found(path: list[Chapter], uses: dict[str, set[str]], said: list[str]) -> None:
    """Also that a folder beside the path does not excuse a file of it that the path has later."""
    found = from_nowhere(path, uses)

    assert len(said) == len(found)
    assert all(sentence.startswith(begin) for sentence, begin in zip(found, said, strict=True))
