"""No box at all: a plain process with limits, for a teacher who trusts the submissions or has no Linux sandbox.

It is never chosen for anyone; whoever asks for it has its name written into every result. What a submission can do
here: read the teacher's files, use the network, and leave a daemon behind. The doctor shows the whole list.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.box import advice, prologue
from autograder.box.backend import script_path
from autograder.box.boxed import Boxed, Launch
from autograder.box.interpreter import ENVIRONMENT, FLAGS, this_interpreter
from autograder.box.settings import prologue_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.box.limits import Limits


class Unsandboxed:
    """The worker as a child process of the grader, with limits and nothing else."""

    name = "unsandboxed"

    def problem(self) -> str | None:
        return None if sys.platform == "linux" else advice.NOT_LINUX

    def start(self, argv: Sequence[str], image: Path, limits: Limits) -> Boxed:
        script = script_path(argv, image)
        scratch = tempfile.mkdtemp(prefix="autograder-unsandboxed-")
        # RLIMIT_NPROC counts all processes of the teacher, so here it would limit the teacher.
        settings = prologue_settings(limits, tasks=0, die_with_parent=True)
        command = (
            *(str(this_interpreter().executable), *FLAGS, prologue.__file__),
            *(settings, str(image.resolve() / script), *argv[1:]),
        )
        environment = {**ENVIRONMENT, "HOME": scratch, "TMPDIR": scratch}
        return Boxed(Launch(command, environment, scratch=Path(scratch)), limits)
