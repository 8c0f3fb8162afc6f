"""Stand-ins for what the box has not: the course itself, numpy, the reference.

While the cells run, a stand-in takes part in everything and does nothing: a figure that is drawn, or a package that is
imported and not used by an answer, costs nothing, as it costs nothing beside the learner. Once answers are called
(`answers_are_called`), using one raises ImportError with the sentence that `check` says in the notebook.

A stand-in carries the name of its module as its class's `__module__`, which is where the import list looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Self

Sentence = Callable[[str, str], str]


class Stage:
    """Whether cells run or answers are called, and how to say that something is not there."""

    def __init__(self, sentence: Sentence) -> None:
        self._sentence = sentence
        self.answers_are_called = False

    def use(self, module: str, name: str) -> None:
        """Somebody uses a stand-in; raises ImportError if that is an answer."""
        if self.answers_are_called:
            raise ImportError(self._sentence(name, module))


class StandIn:
    """Takes part in everything and does nothing. Made by `stand_in`, which gives each module a class of its own."""

    _stage: Stage
    _name: str

    def __init__(self, *_: Any, **__: Any) -> None:
        """Made again by a class that a learner derived from one."""
        self._use()

    def _use(self) -> Self:
        self._stage.use(type(self).__module__, self._name)
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # protocols are asked for by such names, and the answer must be no
        return self

    def __call__(self, *args: Any, **_: Any) -> Any:
        self._use()
        # As a decorator it leaves what it decorates as it was: the learner's own code stays the learner's own.
        return args[0] if len(args) == 1 and callable(args[0]) and not isinstance(args[0], StandIn) else self

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        self._use()
        return (type(self),)

    def __iter__(self) -> Iterator[Any]:
        self._use()
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return False

    def __enter__(self) -> Self:
        return self._use()

    def __exit__(self, *_: object) -> None:
        self._use()

    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"<nothing: {type(self).__module__} is not here>"

    __hash__ = object.__hash__


def _does_nothing(self: StandIn, *_: Any) -> StandIn:
    return self._use()


def _takes_it(self: StandIn, *_: Any) -> None:
    self._use()


_ARITHMETIC = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()  # noqa: SIM905 - a table
for _operation in [
    *_ARITHMETIC,
    *(f"r{name}" for name in _ARITHMETIC),
    *("neg", "pos", "abs", "invert", "getitem", "lt", "le", "gt", "ge"),
]:
    setattr(StandIn, f"__{_operation}__", _does_nothing)
for _operation in ("setitem", "delitem"):
    setattr(StandIn, f"__{_operation}__", _takes_it)


class StandInModule(ModuleType):
    """A module whose every attribute is a stand-in."""

    def __init__(self, name: str, stage: Stage) -> None:
        super().__init__(name)
        self.__path__: list[str] = []  # so that its submodules may be imported
        self._stage = stage

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return stand_in(self.__name__, name, self._stage)


def stand_in(module: str, name: str, stage: Stage) -> StandIn:
    """A stand-in for `name` of that module."""
    # `course` may be imported, and its lab may not be leaned on: beside the learner, that is a class of course.lab.
    home = "course.lab" if module == "course" else module
    kind = type("StandIn", (StandIn,), {"__module__": home, "_stage": stage, "_name": name})
    made: StandIn = object.__new__(kind)
    return made
