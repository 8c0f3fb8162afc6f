"""Where cases come from: fixed seeds for those everybody sees, a secret for those that grading adds.

The hidden cases of a check derive from HMAC(secret, release, check id): not guessable, the same for a whole class, the
same on regrade.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from random import Random
from typing import Any

from course.checks.model import Check

SEARCHED = 60  # public cases looked through for one that shows what a hidden case found


def shown_cases(check: Check) -> list[Any]:
    """The directed cases, then the drawn ones that everybody sees."""
    return [*check.directed, *_drawn(check, "shown", check.shown)]


def hidden_cases(check: Check, secret: str, release: str) -> list[Any]:
    """The cases that grading adds. Whoever has not the secret cannot tell them."""
    key = hmac.new(secret.encode(), f"{release}/{check.id}".encode(), "sha256").hexdigest()
    return list(_drawn(check, key, check.hidden))


def searched_cases(check: Check) -> Iterator[Any]:
    """More public cases, to find one that shows the same failure as a hidden case did."""
    return _drawn(check, "searched", SEARCHED)


def _drawn(check: Check, key: str, count: int) -> Iterator[Any]:
    for index in range(count):
        yield check.draw(Random(f"{check.id}/{key}/{index}"))
