"""Somebody's own parts in a served cluster: `serve --parts mine.py` puts them where the reference's were.

The file is a Python module; each name in it that is the name of a part (see `kafkalite.parts.Parts`) is plugged in:

    def high_watermark(end_offsets, isr, maximal_isr, previous, min_isr):
        return min(end_offsets[broker] for broker in isr)

It is looked at before anything starts (names, numbers of arguments), and copied with its hash into the data folder;
every process runs the copy, so that editing the file changes nothing under a running cluster. A part that raises costs
the request that needed it: whoever asked gets UNKNOWN_SERVER_ERROR and loses its connection, the log has the traceback,
and the broker goes on. What runs here is trusted as any program of yours is: it has no box around it, and a part that
never returns stands still with its broker, which the others then count as dead.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import logging
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from kafkalite.errors import KafkaliteError, PartFailed
from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE

log = logging.getLogger("kafkalite")

# Who runs a part, in a cluster that is served. `log` is the log of one broker that stands alone: those here have files.
OF_BROKERS = (
    *("high_watermark", "readable_end", "progress", "lagging", "may_join", "enough_replicas", "truncate_to"),
    *("read_replica", "assign_replicas", "elect_leader", "group", "offsets"),
    *("fenced", "transaction_state", "last_stable_offset"),
)
OF_ZOOKEEPERS = ("quorum",)
OF_CLIENTS = (
    *("cursor", "partition_for", "sticky_partitioner", "accumulator"),
    *("range_assign", "round_robin_assign", "sticky_assign", "reconcile"),
)
OF_ONE_BROKER_ALONE = ("log",)
SERVED = (*OF_BROKERS, *OF_ZOOKEEPERS)


class PartsRefused(KafkaliteError):
    """A module cannot be plugged in; the message says why, and what can be."""


def keep_copy(module: Path, folder: Path) -> Path:
    """Look at somebody's module and copy it into the data folder, as `parts-<hash>.py`. Raises PartsRefused."""
    try:
        source = module.read_bytes()
    except OSError as error:
        raise PartsRefused(f"{module} cannot be read: {error.strerror}") from error
    found = names(_load(module))
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"parts-{hashlib.sha256(source).hexdigest()[:12]}.py"
    copy.write_bytes(source)
    log.info("%s: own parts: %s", copy.name, ", ".join(found))
    return copy


def load(copy: Path) -> Parts:
    """The reference with somebody's parts in it. What they raise is told, and becomes PartFailed."""
    module = _load(copy)
    guarded = {name: _Guard(name).around(getattr(module, name)) for name in names(module)}
    return replace(REFERENCE, **guarded)


def names(module: ModuleType) -> list[str]:
    """Which parts a module has. Raises PartsRefused if it has none, a client's, or one that takes other arguments."""
    parts = [field.name for field in fields(Parts)]
    found = [name for name in parts if hasattr(module, name)]
    if not found:
        raise PartsRefused(f"{module.__file__} has no part; a part is a name among: {', '.join(SERVED)}")
    for name in found:
        if name in OF_CLIENTS:
            raise PartsRefused(
                f"{name} is a client's part: a broker never runs it; plug it into a producer or a consumer of yours"
            )
        if name in OF_ONE_BROKER_ALONE:
            raise PartsRefused(f"{name} is the part of a broker without a cluster; a served one keeps its log in files")
        _check_arguments(name, getattr(module, name))
    return found


def _check_arguments(name: str, part: Any) -> None:
    reference = getattr(REFERENCE, name)
    if not callable(part):
        raise PartsRefused(f"{name} is {type(part).__name__}; expected something that can be called")
    expected = inspect.signature(reference)
    required = [one for one in expected.parameters.values() if one.default is inspect.Parameter.empty]
    try:
        inspect.signature(part).bind(*required)
    except TypeError:
        raise PartsRefused(
            f"{name}{inspect.signature(part)} does not take what a part of that name is given: {name}{expected}"
        ) from None
    if inspect.isclass(reference):
        methods = [one for one in _methods(reference) if not callable(getattr(part, one, None))]
        if inspect.isclass(part) and methods:
            raise PartsRefused(f"{name} has no method {' and no method '.join(methods)}")


def _methods(kind: type) -> list[str]:
    """What a part that is a class must have: the methods of its protocol in `kafkalite.parts`."""
    import kafkalite.parts  # noqa: PLC0415 - looked up by name

    protocol = getattr(kafkalite.parts, f"{kind.__name__}Part")
    return [name for name, value in vars(protocol).items() if inspect.isfunction(value) and not name.startswith("_")]


def _load(path: Path) -> ModuleType:
    name = re.sub(r"\W", "_", path.stem)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PartsRefused(f"{path} is no Python module: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for their module there
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise PartsRefused(f"{path}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        raise PartsRefused(f"{path} could not be imported: {type(error).__name__}: {error}") from error
    return module


class _Guard:
    """Around one part, or around what a part makes: whatever it raises is told once, and counted from then on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._times: Counter[str] = Counter()

    def around(self, part: Callable[..., Any]) -> Callable[..., Any]:
        """The part; what it makes, if it is a class, is guarded as well."""
        makes = inspect.isclass(getattr(REFERENCE, self._name))

        @wraps(part, updated=())
        def guarded(*arguments: Any) -> Any:
            made = self.call(part, arguments)
            return _GuardedObject(made, self) if makes else made

        return guarded

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Its result. Raises PartFailed; errors that are the part's answer (`OffsetOutOfRange`) pass."""
        try:
            return function(*arguments)
        except KafkaliteError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            self._tell(said, error)
            raise PartFailed(f"the part {self._name} raised {said}") from error

    def _tell(self, said: str, error: Exception) -> None:
        self._times[said] += 1
        times = self._times[said]
        if times == 1:
            log.error("the part %s raised", self._name, exc_info=error)
        elif str(times).rstrip("0") == "1":  # 10, 100, 1000, ...
            log.error("the part %s raised %s, for the %dth time", self._name, said, times)


class _GuardedObject:
    """What a part made; each of its methods is guarded."""

    def __init__(self, made: Any, guard: _Guard) -> None:
        self._made, self._guard = made, guard

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._made, name)
        if not callable(value):
            return value
        return lambda *arguments: self._guard.call(value, arguments)
