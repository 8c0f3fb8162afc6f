"""Attacks are not tests: pytest must not even import them, for most never come back. The tests beside them run them."""

from __future__ import annotations

import pytest

from autograder.box import Backend, NoWorkingBox, best_backend

collect_ignore = ["box"]


@pytest.fixture(scope="session")
def backend() -> Backend:
    """The sandbox of this machine."""
    try:
        return best_backend()
    except NoWorkingBox as error:
        pytest.skip(str(error))
