"""What a program observes of a cluster, and how two observations differ."""

from __future__ import annotations

import difflib
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.oracle.cluster_session import Brokers, cluster_session
from tests.oracle.differences import DIFFERENCES
from tests.oracle.programs import registry
from tests.oracle.session import Closed, Session, session

OBSERVED = Path(__file__).parent / "observed"
OBSERVED_OF_THREE = OBSERVED / "three"

S = TypeVar("S", bound=Session)


def observe(bootstrap: str, name: str) -> list[Any]:
    """Run a program; its notes, as JSON would have them."""
    with session(bootstrap, name) as one:
        return _run(registry.PROGRAMS[name], one)


def observe_three(brokers: Brokers, name: str) -> list[Any]:
    """Run a program for three brokers; its notes likewise."""
    with cluster_session(brokers, name) as one:
        return _run(registry.OF_THREE[name], one)


def _run(program: Callable[[S], None], one: S) -> list[Any]:
    try:
        program(one)
    except (OSError, AssertionError, AttributeError, Closed) as error:  # an answer none of its next lines expected
        steps = traceback.extract_tb(error.__traceback__)
        [*_, step] = (step for step in steps if "programs" in step.filename)
        one.say("gave up", f"{type(error).__name__} at `{step.line}`")
    observed: list[Any] = json.loads(json.dumps(one.observed))
    return observed


def recorded_path(name: str) -> Path:
    """Where Apache Kafka's answers to a program are kept."""
    return (OBSERVED_OF_THREE if name in registry.OF_THREE else OBSERVED) / f"{name}.json"


def told(expected: list[Any], found: list[Any]) -> str:
    """The difference, for people: lines of Apache Kafka's answers with a minus, ours with a plus."""
    return "\n".join(_diff(expected, found, 6))


def changed(expected: list[Any], found: list[Any]) -> tuple[str, ...]:
    """The same without anything around it: how `differences` lists what is known."""
    lines = [line for line in _diff(expected, found, 0) if line[:2] not in ("--", "++", "@@")]
    return tuple(line[0] + line[1:].strip().rstrip(",") for line in lines)


def is_as_known(name: str, expected: list[Any], found: list[Any]) -> bool:
    """Whether the two are the same, or differ in just the way that is listed."""
    known = DIFFERENCES.get(name)
    return changed(expected, found) == (known.lines if known else ())


def _diff(expected: list[Any], found: list[Any], context: int) -> list[str]:
    theirs, ours = (json.dumps(one, indent=1).splitlines() for one in (expected, found))
    return list(difflib.unified_diff(theirs, ours, "Apache Kafka", "kafkalite", lineterm="", n=context))
