"""A solution cell's text, pulled from the reference by name: signatures and docstrings stay, bodies get marked.

nbgrader replaces what stands between BEGIN SOLUTION and END SOLUTION; without such a region it would replace the whole
cell, signature and docstring included. The markers go after each docstring, so a released stub is what the reference
is, except that every body raises NotImplementedError:

    def end(self) -> int:
        \"\"\"The offset that the next value will get.\"\"\"
        ### BEGIN SOLUTION
        return self._start + len(self._values)
        ### END SOLUTION

Comments inside a body are part of it. What stands in a class outside its methods (fields, constants) is given.
"""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from course.build.errors import BuildError
from course.checks.model import Exercise

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Region:
    """Lines `[first, past)` of a source, from 0, that are one function's body after its docstring."""

    first: int
    past: int
    indent: str


def reference_source(exercise: Exercise) -> str:
    """The reference's own definition. Raises BuildError if there is no such object, or no source of it."""
    try:
        return textwrap.dedent(inspect.getsource(exercise.object)).rstrip() + "\n"
    except (ImportError, AttributeError, TypeError, OSError) as error:
        raise BuildError(
            f"exercise {exercise.id}", f"its reference {exercise.reference} cannot be read: {error}"
        ) from None


def solution_source(exercise: Exercise) -> str:
    """The reference's definition with every body that the learner is to write between markers."""
    lines = reference_source(exercise).splitlines()
    for region in reversed(regions(exercise)):
        lines.insert(region.past, f"{region.indent}{END}")
        lines.insert(region.first, f"{region.indent}{BEGIN}")
    return "\n".join(lines)


def body_lines(exercise: Exercise) -> list[str]:
    """Every line that only the solution has."""
    lines = reference_source(exercise).splitlines()
    return [line for region in regions(exercise) for line in lines[region.first : region.past]]


def regions(exercise: Exercise) -> list[Region]:
    """The bodies that the learner is to write, in order. Raises BuildError if there are none."""
    source = reference_source(exercise)
    found = [_region(exercise, source, function) for function in learner_functions(exercise, ast.parse(source))]
    if not found:
        raise BuildError(f"exercise {exercise.id}", f"nothing of {exercise.reference} is left to write")
    return found


def learner_functions(exercise: Exercise, tree: ast.Module) -> Iterator[Function]:
    """The functions or methods of the reference's syntax tree whose bodies the learner is to write, in order."""
    (definition,) = tree.body
    if isinstance(definition, Function):
        yield definition
    elif isinstance(definition, ast.ClassDef):
        _check_given(exercise, definition)
        yield from _methods(definition, frozenset(exercise.given))
    else:
        raise BuildError(f"exercise {exercise.id}", f"expected {exercise.reference} to be a function or a class")


def _methods(definition: ast.ClassDef, given: frozenset[str]) -> Iterator[Function]:
    for statement in definition.body:
        if isinstance(statement, Function) and statement.name not in given:
            yield statement
        elif isinstance(statement, ast.ClassDef):
            yield from _methods(statement, given)


def _check_given(exercise: Exercise, definition: ast.ClassDef) -> None:
    names = {statement.name for statement in ast.walk(definition) if isinstance(statement, Function)}
    for name in exercise.given:
        if name not in names:
            raise BuildError(
                f"exercise {exercise.id}", f"`given` names {name!r}, and {exercise.name} has no such method"
            )


def _region(exercise: Exercise, source: str, function: Function) -> Region:
    lines = source.splitlines()
    header_line = _header_line(source, function)
    first_statement = function.body[0]
    if first_statement.lineno <= header_line:
        raise BuildError(
            f"exercise {exercise.id}",
            f"the body of `{function.name}` in {exercise.reference} stands on the line of its signature; "
            "put it on lines of its own, so that the stub can keep the signature",
        )
    documented = ast.get_docstring(function, clean=False) is not None
    first = (first_statement.end_lineno or first_statement.lineno) if documented else header_line
    past = function.end_lineno or first
    while past < len(lines) and _is_comment_within(lines[past], first_statement.col_offset):
        past += 1
    return Region(first, past, " " * first_statement.col_offset)


def _header_line(source: str, function: Function) -> int:
    """The line, from 1, of the colon that ends the signature."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.start < (function.lineno, function.col_offset) or token.type != tokenize.OP:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == ":" and depth == 0:
            return token.start[0]
    raise AssertionError(f"{function.name} parses, so its signature ends in a colon")


def _is_comment_within(line: str, column: int) -> bool:
    """A comment after the last statement that is still indented as the body is."""
    return line.lstrip().startswith("#") and len(line) - len(line.lstrip()) >= column
