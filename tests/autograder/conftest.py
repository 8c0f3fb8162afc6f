"""The sandbox of this machine, for the autograder's tests."""

from __future__ import annotations

import pytest

from autograder.box import Backend
from tests.autograder.box.sandbox import sandbox_or_skip


@pytest.fixture(scope="session")
def backend() -> Backend:
    """The sandbox of this machine."""
    return sandbox_or_skip()
