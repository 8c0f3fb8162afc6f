"""What a program observes of a cluster, and how two observations differ."""

from __future__ import annotations

import difflib
import json
import traceback
from pathlib import Path
from typing import Any

from tests.oracle.programs import registry
from tests.oracle.session import Closed, session

OBSERVED = Path(__file__).parent / "observed"


def observe(bootstrap: str, name: str) -> list[Any]:
    """Run a program; its notes, as JSON would have them."""
    with session(bootstrap, name) as one:
        try:
            registry.PROGRAMS[name](one)
        except (OSError, AssertionError, AttributeError, Closed) as error:  # an answer none of its next lines expected
            steps = traceback.extract_tb(error.__traceback__)
            [*_, step] = (step for step in steps if "programs" in step.filename)
            one.say("gave up", f"{type(error).__name__} at `{step.line}`")
        observed: list[Any] = json.loads(json.dumps(one.observed))
        return observed


def recorded_path(name: str) -> Path:
    """Where Apache Kafka's answers to a program are kept."""
    return OBSERVED / f"{name}.json"


def told(expected: list[Any], found: list[Any]) -> str:
    """The difference, for people: lines of Apache Kafka's answers with a minus, ours with a plus."""
    theirs, ours = (json.dumps(one, indent=1).splitlines() for one in (expected, found))
    return "\n".join(difflib.unified_diff(theirs, ours, "Apache Kafka", "kafkalite", lineterm="", n=6))
