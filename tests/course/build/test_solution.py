"""The solution cell: markers after each docstring, and a stub that is the reference without its bodies."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from course.build import BuildError
from course.build.solution import body_lines, regions, solution_source
from course.chapters.catalog import chapter, names
from course.checks.model import Exercise

from .seam import seam

SHAPES = "tests.course.build.references.shapes"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def exercise(reference: str, given: tuple[str, ...] = ()) -> Exercise:
    return replace(seam().exercises[0], reference=reference, given=given)


def stub(one: Exercise) -> str:
    """What nbgrader makes of a solution cell."""
    lines: list[str] = []
    inside = False
    for line in solution_source(one).splitlines():
        if "BEGIN SOLUTION" in line:
            indent = " " * (len(line) - len(line.lstrip()))
            lines += [indent + part for part in STUB.splitlines()]
        inside = "BEGIN SOLUTION" in line or (inside and "END SOLUTION" not in line)
        if not inside and "END SOLUTION" not in line:
            lines.append(line)
    return "\n".join(lines)


def test_a_function_without_a_docstring_keeps_its_signature_and_no_comment() -> None:
    expected = (
        "def undocumented(\n    first: dict[str, int],\n    last: int = 3,\n) -> int:\n"
        "    # YOUR CODE HERE\n    raise NotImplementedError()"
    )

    assert expected == stub(exercise(f"{SHAPES}:undocumented"))


def test_a_function_that_is_only_documented_gets_a_body_to_write() -> None:
    expected = (
        'def only_documented() -> None:\n    """There is nothing more to it."""\n'
        "    # YOUR CODE HERE\n    raise NotImplementedError()"
    )

    assert expected == stub(exercise(f"{SHAPES}:only_documented"))


def test_a_class_is_marked_method_by_method_and_what_is_given_stays() -> None:
    found = stub(exercise(f"{SHAPES}:Counter", given=("reset",)))

    assert found.startswith('@dataclass\nclass Counter:\n    """Counts.\n\n    >>> Counter(3).add(2)\n')
    assert "    LIMIT: ClassVar[int] = 10\n    count: int = 0\n" in found
    assert 2 == found.count("raise NotImplementedError()")
    assert '"""Count more of them."""\n        # YOUR CODE HERE\n' in found
    assert '"""Begin again."""\n        self.count = 0' in found
    assert "capped" not in found


def test_the_bodies_are_the_reference_again_when_the_markers_are_taken_out() -> None:
    source = solution_source(exercise(f"{SHAPES}:Counter"))
    unmarked = "\n".join(line for line in source.splitlines() if "SOLUTION" not in line)

    names_ = {"dataclass": lambda kind: kind, "ClassVar": list}
    exec(compile(source, "<marked>", "exec"), names_)

    assert ast.dump(ast.parse(unmarked)) == ast.dump(ast.parse(source))
    assert ["        return self.LIMIT - self.count"] == body_lines(exercise(f"{SHAPES}:Counter"))[:1]


@pytest.mark.parametrize(
    ("reference", "given", "said"),
    [
        (f"{SHAPES}:on_one_line", (), "stands on the line of its signature"),
        (f"{SHAPES}:Counter", ("add", "left", "reset"), "is left to write"),
        (f"{SHAPES}:Counter", ("subtract",), "has no such method"),
        (f"{SHAPES}:NUMBER", (), "cannot be read"),
        (f"{SHAPES}:nothing", (), "cannot be read"),
        ("tests.course.build.references.none:nothing", (), "cannot be read"),
    ],
)
def test_a_reference_of_which_no_exercise_can_be_made_is_refused(
    reference: str, given: tuple[str, ...], said: str
) -> None:
    with pytest.raises(BuildError, match=said) as error:
        regions(exercise(reference, given))

    assert "exercise high_watermark" == error.value.where


@pytest.mark.parametrize("name", names())
def test_every_stub_of_the_course_raises_in_every_body_and_keeps_every_docstring(name: str) -> None:
    for one in chapter(name).exercises:
        solution, released = ast.parse(solution_source(one)), ast.parse(stub(one))

        bodies = [
            node for node in ast.walk(released) if isinstance(node, ast.FunctionDef) and node.name not in one.given
        ]
        assert bodies
        assert ["raise NotImplementedError()"] * len(bodies) == [ast.unparse(node.body[-1]) for node in bodies]
        assert docstrings(solution) == docstrings(released)


def docstrings(tree: ast.Module) -> list[tuple[str, str | None]]:
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [(node.name, ast.get_docstring(node)) for node in ast.walk(tree) if isinstance(node, kinds)]
