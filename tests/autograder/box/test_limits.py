"""Limits are numbers above zero."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.box import Limits


@pytest.mark.parametrize("wrong", [{"cpu_s": 0}, {"wall_s": 0.0}, {"memory_bytes": -1}, {"tasks": 0}])
def test_a_limit_of_nothing_is_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong

    with pytest.raises(ValueError, match=rf"Limits\.{name}: expected a number above 0"):
        Limits(**wrong)
