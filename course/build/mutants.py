"""Machine-made wrong answers: the reference with one small thing changed, the second net under a chapter's rules.

    comparisons   <  to <=, >=        booleans     `not` dropped, `and` for `or`, a condition turned round
    arithmetic    +  to -             off by one   numbers, len(...), the bounds of a slice, a returned int
    statements    one dropped         returns      None instead of the value
    calls         min for max, add for discard, sorted dropped, two arguments exchanged

Only what the learner writes is changed. Not changed: annotations, docstrings, and what an error is raised with, since
errors are told apart by name. A mutant may behave as the reference does on every possible case; those a chapter lists
in `equivalent_mutants.py`, each with the reason.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from course.build.solution import Function, learner_functions, reference_source
from course.checks.model import Exercise

COMPARISONS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitAnd,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}
EXCHANGED_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "add": "discard", "discard": "add"}
COMMUTATIVE = frozenset({"min", "max"})
DROPPED_CALLS = frozenset({"sorted", "reversed", "set", "list", "dict", "tuple", "frozenset", "abs"})
DROPPED_STATEMENTS = (
    ast.Expr,
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Delete,
    ast.Raise,
    ast.If,
    ast.For,
    ast.While,
)
# In these fields nothing is changed: they do not decide what an answer does.
LEFT_ALONE = {(ast.Raise, "exc"), (ast.Raise, "cause"), (ast.AnnAssign, "annotation"), (ast.AnnAssign, "target")}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A whole answer in which one thing differs from the reference. `id` says what, and stays while the body stays."""

    id: str
    source: str
    description: str


@dataclass(frozen=True, slots=True)
class _Slot:
    """A place in the tree that holds a node."""

    parent: ast.AST
    field: str
    index: int | None

    @property
    def node(self) -> ast.AST:
        held: Any = getattr(self.parent, self.field)
        node: ast.AST = held if self.index is None else held[self.index]
        return node

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants_of(exercise: Exercise) -> list[Mutant]:
    """Every mutant of the exercise's reference, no two of them alike. Raises BuildError if it cannot be read."""
    source = reference_source(exercise)
    tree = ast.parse(source)
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    seen: Counter[str] = Counter()
    for function in learner_functions(exercise, tree):
        for statement, slot in _slots(function):
            for changed in list(_alternatives(slot, function)):
                mutated, description = _with(tree, statement, slot, changed)
                if mutated == original or mutated in found:
                    continue
                seen[f"{function.name}: {description}"] += 1
                again = seen[f"{function.name}: {description}"]
                name = f"{function.name}: {description}" + (f" ({again})" if again > 1 else "")
                found[mutated] = Mutant(name, mutated + "\n", description)
    return list(found.values())


def _with(tree: ast.Module, statement: _Slot, slot: _Slot, changed: ast.AST) -> tuple[str, str]:
    """The tree's source with one slot changed, and what changed in its statement."""
    node, before = slot.node, _first_line(statement.node)
    slot.put(changed)
    try:
        mutated, after = ast.unparse(ast.fix_missing_locations(tree)), _first_line(statement.node)
    finally:
        slot.put(node)
    return mutated, f"`{before}` -> `{after}`"


def _first_line(statement: ast.AST) -> str:
    return ast.unparse(statement).splitlines()[0]


def _slots(function: Function) -> Iterator[tuple[_Slot, _Slot]]:
    """Every place in the body, after the docstring, each with the innermost statement it belongs to."""
    documented = ast.get_docstring(function, clean=False) is not None
    for index in range(1 if documented else 0, len(function.body)):
        yield from _within(_Slot(function, "body", index), None)


def _within(slot: _Slot, statement: _Slot | None) -> Iterator[tuple[_Slot, _Slot]]:
    if statement is None or isinstance(slot.node, ast.stmt):
        statement = slot
    yield statement, slot
    for field, held in ast.iter_fields(slot.node):
        if (type(slot.node), field) in LEFT_ALONE:
            continue
        if isinstance(held, ast.AST):
            yield from _within(_Slot(slot.node, field, None), statement)
        elif isinstance(held, list):
            for index, item in enumerate(held):
                if isinstance(item, ast.AST):
                    yield from _within(_Slot(slot.node, field, index), statement)


# What a node can become -----------------------------------------------------------------------------------------------


def _alternatives(slot: _Slot, function: Function) -> Iterator[ast.AST]:
    node = slot.node
    for other in (*COMPARISONS.get(type(node), ()), *ARITHMETIC.get(type(node), ())):
        yield other()
    for kind, make in _BY_KIND:
        if isinstance(node, kind):
            yield from make(node)
    if isinstance(node, DROPPED_STATEMENTS):
        yield ast.Pass()
    if isinstance(slot.parent, ast.Slice) and isinstance(node, ast.expr):
        yield from _off_by_one(node)
    if isinstance(node, ast.Return) and node.value is not None and _returns_an_int(function):
        yield from (ast.Return(value) for value in _off_by_one(node.value))


def _returns_an_int(function: Function) -> bool:
    return isinstance(function.returns, ast.Name) and function.returns.id == "int"


def _off_by_one(node: ast.expr) -> Iterator[ast.expr]:
    yield ast.BinOp(copy.deepcopy(node), ast.Add(), ast.Constant(1))
    yield ast.BinOp(copy.deepcopy(node), ast.Sub(), ast.Constant(1))


def _constants(node: ast.Constant) -> Iterator[ast.expr]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node.value, str):
        yield ast.Constant(node.value + "?")


def _negations(node: ast.UnaryOp) -> Iterator[ast.expr]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _turned_round(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    turned = copy.copy(node)
    turned.test = ast.UnaryOp(ast.Not(), node.test)
    yield turned


def _returns(node: ast.Return) -> Iterator[ast.stmt]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield ast.Return(ast.Constant(None))


def _jumps(node: ast.Break | ast.Continue) -> Iterator[ast.stmt]:
    yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    called = node.func
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    if name in EXCHANGED_CALLS:
        other = copy.deepcopy(called)
        setattr(other, "id" if isinstance(other, ast.Name) else "attr", EXCHANGED_CALLS[name])
        yield ast.Call(other, node.args, node.keywords)
    if name in DROPPED_CALLS and len(node.args) == 1:
        yield node.args[0]
    if name == "len":
        yield from _off_by_one(node)
    if len(node.args) > 1 and name not in COMMUTATIVE:
        yield ast.Call(called, [node.args[1], node.args[0], *node.args[2:]], node.keywords)


_BY_KIND: tuple[tuple[type[ast.AST] | tuple[type[ast.AST], ...], Callable[[Any], Iterator[ast.AST]]], ...] = (
    (ast.Constant, _constants),
    (ast.UnaryOp, _negations),
    ((ast.If, ast.IfExp, ast.While), _turned_round),
    (ast.Return, _returns),
    ((ast.Break, ast.Continue), _jumps),
    (ast.Call, _calls),
)
