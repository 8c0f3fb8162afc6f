"""Attacks are not tests: pytest must not even import them, for most never come back. The tests beside them run them."""

from __future__ import annotations

import pytest

from autograder.box import Backend
from tests.autograder.box.sandbox import sandbox_or_skip

collect_ignore = ["box"]


@pytest.fixture(scope="session")
def backend() -> Backend:
    """The sandbox of this machine."""
    return sandbox_or_skip()
