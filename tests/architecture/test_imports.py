"""Who may import whom. The table is the architecture: what it does not allow is forbidden.

A row's name stands for the module or package of that name and everything below it; the longest name wins. A row may
always import itself. To let one part know another, change the table, and be ready to say why.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions

import pytest

from .tree import PACKAGES, ROOT, Import, imports, modules

WORDS = frozenset({"kafkalite.types", "kafkalite.errors", "kafkalite.config"})
FRAME = WORDS | {"kafkalite.node", "kafkalite.facts", "kafkalite.parts", "kafkalite.storage"}
PARTITION = FRAME - {"kafkalite.storage"} | {"kafkalite.log", "kafkalite.protocol"}
SERVER = (
    FRAME
    | PARTITION
    | {"kafkalite.coordination", "kafkalite.replication", "kafkalite.controller", "kafkalite.controller.znodes"}
    | {"kafkalite.groups", "kafkalite.transactions"}
)
SYSTEM = SERVER | {
    "kafkalite.broker",
    "kafkalite.clients",
    "kafkalite.reference",
    "kafkalite.quorum",
    "kafkalite.plain",
}
# What anyone outside kafkalite may use: the public names at the top, and every package's own.
PUBLIC = SYSTEM | {"kafkalite", "kafkalite.sim", "kafkalite.net"}

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "kafkalite": SYSTEM | {"kafkalite.sim"},
    # words, and the frame: no part of the system is known here
    "kafkalite.types": frozenset(),
    "kafkalite.errors": frozenset(),
    "kafkalite.config": frozenset({"kafkalite.types"}),
    "kafkalite.plain": WORDS,
    "kafkalite.node": WORDS,
    "kafkalite.facts": WORDS,
    "kafkalite.parts": WORDS,
    "kafkalite.storage": WORDS,
    # the log and the protocol do not know each other: a batch crosses as bytes
    "kafkalite.log": WORDS | {"kafkalite.storage"},
    "kafkalite.protocol": WORDS,
    "kafkalite.coordination": FRAME | {"kafkalite.protocol"},
    # what stands in ZooKeeper is a format, like a protocol: leaders write the ISR there, and know no controller
    "kafkalite.controller.znodes": WORDS | {"kafkalite.protocol"},
    "kafkalite.replication": PARTITION | {"kafkalite.controller.znodes"},
    "kafkalite.controller": FRAME - {"kafkalite.storage"}
    | {"kafkalite.coordination", "kafkalite.protocol", "kafkalite.controller.znodes"},
    "kafkalite.groups": PARTITION,
    "kafkalite.transactions": PARTITION,
    "kafkalite.broker": SERVER,
    "kafkalite.clients": PARTITION,  # never the broker
    "kafkalite.quorum": FRAME | {"kafkalite.protocol"},
    # the policies by name; the broker and the clients receive Parts and never look here
    "kafkalite.reference": SERVER | {"kafkalite.clients"},
    # the two ways to run anything, which never meet
    "kafkalite.sim": SYSTEM,
    "kafkalite.net": SYSTEM,
    "kafkalite.__main__": SYSTEM | {"kafkalite.sim", "kafkalite.net"},
    # the course uses what kafkalite shows to everyone
    "course": PUBLIC | {"course.build", "course.chapters", "course.checks", "course.diagrams"},
    "course.build": PUBLIC | {"course", "course.chapters", "course.checks", "course.diagrams"},
    "course.chapters": PUBLIC | {"course", "course.checks", "course.diagrams"},
    "course.checks": PUBLIC | {"course.diagrams"},
    "course.diagrams": PUBLIC,
    # the trusted side of the autograder runs the course's checks
    "autograder": PUBLIC
    | {"course", "course.chapters", "course.checks", "course.diagrams"}
    | {"autograder.box", "autograder.rpc", "autograder.worker"},
    "autograder.box": frozenset({"autograder.rpc"}),
    "autograder.rpc": WORDS | {"kafkalite.plain"},
    # in the box, beside code nobody trusts: neither checks nor reference
    "autograder.worker": WORDS | {"kafkalite.plain", "autograder.rpc"},
}

NAMES = frozenset(module.name for module in modules(*PACKAGES))


def row_of(module: str) -> str:
    """The row that governs `module`: the longest name in the table that is it or above it."""
    above = [module]
    while "." in above[-1]:
        above.append(above[-1].rpartition(".")[0])
    return next((name for name in above if name in MAY_IMPORT), above[-1])


def target_of(found: Import, names: Iterable[str]) -> str:
    """`from kafkalite import types` reaches the module kafkalite.types, not only the package."""
    longer = f"{found.module}.{found.name}"
    return longer if longer in names else found.module


def broken_rules(importer: str, found: Iterable[Import], names: Iterable[str]) -> Iterator[str]:
    """A sentence for every import among our own packages that the table does not allow."""
    row = row_of(importer)
    allowed = MAY_IMPORT.get(row, frozenset()) | {row}
    for one in found:
        target = target_of(one, names)
        if target.partition(".")[0] not in PACKAGES:
            continue
        if row_of(target) not in allowed:
            yield f"{importer}:{one.line} imports {target}, and {row} may not import {row_of(target)}"
        elif row_of(target) != row and one.name is not None and re.match(r"_(?!_)", one.name):
            yield f"{importer}:{one.line} imports {one.name}, which is private to {one.module}"


def test_every_import_among_our_packages_is_allowed_by_the_table() -> None:
    broken = [
        sentence
        for module in modules(*PACKAGES)
        for sentence in broken_rules(
            module.name, imports(module.parse(), module.name, is_package=module.is_package), NAMES
        )
    ]

    assert [] == broken


def test_every_top_level_part_of_kafkalite_and_the_autograders_box_has_a_row() -> None:
    """A new part must be given its place on purpose, not fall under its package's row."""
    parts = {".".join(name.split(".")[:2]) for name in NAMES if name.startswith("kafkalite.")}

    assert set() == parts - MAY_IMPORT.keys()


@pytest.mark.parametrize(
    ("importer", "source", "said"),
    [
        ("kafkalite.types", "import kafkalite.errors", "kafkalite.types may not import kafkalite.errors"),
        ("kafkalite.log.memory", "from kafkalite import sim", "kafkalite.log may not import kafkalite.sim"),
        ("kafkalite.clients.a", "from ..broker import node", "kafkalite.clients may not import kafkalite.broker"),
        ("kafkalite.sim.a", "def f():\n    from kafkalite.net import server", "may not import kafkalite.net"),
        ("kafkalite.broker", "from kafkalite.reference import REFERENCE", "may not import kafkalite.reference"),
        ("autograder.worker.a", "from course.checks import model", "may not import course.checks"),
        ("autograder.worker", "import course", "autograder.worker may not import course"),
        ("course.build.a", "import autograder.grade", "course.build may not import autograder"),
        ("course.learn", "from kafkalite.log.memory import _slot", "_slot, which is private to kafkalite.log.memory"),
    ],
)
def test_a_forbidden_import_is_found(importer: str, source: str, said: str) -> None:
    found = imports(ast.parse(source), importer, is_package=False)

    assert [True] == [said in sentence for sentence in broken_rules(importer, found, {"kafkalite.sim"})]


def third_party(package: str) -> dict[str, str]:
    """Imported top-level names that are neither Python's nor ours, each with one module that imports it."""
    ours = {*PACKAGES, "tests"}
    return {
        top: module.name
        for module in modules(package)
        for one in imports(module.parse(), module.name, is_package=module.is_package)
        if (top := one.module.partition(".")[0]) not in sys.stdlib_module_names and top not in ours
    }


def test_kafkalite_needs_nothing_but_python() -> None:
    assert {} == third_party("kafkalite")


@pytest.mark.parametrize(("package", "extras"), [("course", ()), ("autograder", ()), ("tests", ("test",))])
def test_every_third_party_import_is_a_declared_dependency(package: str, extras: tuple[str, ...]) -> None:
    """What arrives only because something else needs it may be gone with that something's next release."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [
        *project["dependencies"],
        *(line for one in extras for line in project["optional-dependencies"][one]),
    ]
    declared = {normalised(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in requirements}
    providers = packages_distributions()

    undeclared = {
        name: importer
        for name, importer in third_party(package).items()
        if not declared & {normalised(provider) for provider in providers.get(name, [name])}
    }

    assert {} == undeclared


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
