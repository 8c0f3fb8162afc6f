"""A sandbox, and images to run in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.box import Backend

from .sandbox import sandbox_or_skip

ImageOf = Callable[[str], Path]


@pytest.fixture(scope="session")
def backend() -> Backend:
    """The sandbox of this machine."""
    return sandbox_or_skip()


@pytest.fixture
def image_of(tmp_path: Path) -> ImageOf:
    """An image whose worker.py is the given text."""

    def image_of(source: str) -> Path:
        (tmp_path / "worker.py").write_text(source)
        (tmp_path / "worker.py").chmod(0o644)
        tmp_path.chmod(0o755)
        return tmp_path

    return image_of
