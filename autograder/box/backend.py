"""What every kind of sandbox looks like from outside, and the choice among them.

Left out: Landlock, sandbox-exec. They will be further rows of `BACKENDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from autograder.box.boxed import Boxed
    from autograder.box.limits import Limits


class NoWorkingBox(Exception):
    """No sandbox works on this machine; the message says what is missing and what to do."""


class Backend(Protocol):
    """One kind of sandbox."""

    @property
    def name(self) -> str:
        """As written into results."""

    def problem(self) -> str | None:
        """Why it does not work here and what to do about it, found out by running it; None if it works."""

    def start(self, argv: Sequence[str], image: Path, limits: Limits) -> Boxed:
        """Start a worker and return when every limit is in force.

        `argv` is a script, as a path inside `image`, and its arguments; the worker sees `image` as /image (read-only),
        its script's folder first on `sys.path`, the standard library, an empty /tmp as its working folder, and
        nothing else. The interpreter is the one that runs the grader.

        Raises BoxFailed if the box could not be started, ValueError if `argv` or `image` cannot be used.
        """


def script_path(argv: Sequence[str], image: Path) -> str:
    """The script `argv[0]`, checked to be a file inside `image`."""
    script = argv[0] if argv else ""
    inside = (image / script).resolve()
    if not script or not inside.is_relative_to(image.resolve()) or not inside.is_file():
        raise ValueError(f"expected argv[0] to name a file inside {image}, such as 'worker.py'; got {script!r}")
    return script
