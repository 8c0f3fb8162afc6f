"""The sandbox: where a learner's code runs, and where nothing it does matters to anyone else.

    with best_backend().start(["worker.py"], image, Limits()) as box:
        ...  # talk over box.requests and box.replies
        ending = box.wait(timeout_s=5.0)

Left out: what is said over the pipes, and what an answer is worth.
"""

from __future__ import annotations

from autograder.box.backend import Backend, NoWorkingBox
from autograder.box.boxed import Boxed, BoxFailed
from autograder.box.bubblewrap import Bubblewrap
from autograder.box.ending import Ending, Outcome
from autograder.box.limits import Limits
from autograder.box.unsandboxed import Unsandboxed

__all__ = [
    "Backend",
    "BoxFailed",
    "Boxed",
    "Bubblewrap",
    "Ending",
    "Limits",
    "NoWorkingBox",
    "Outcome",
    "Unsandboxed",
    "best_backend",
]

BACKENDS: tuple[type[Backend], ...] = (Bubblewrap,)
"""The strongest first. `Unsandboxed` is not among them: it has to be asked for by name."""


def best_backend() -> Backend:
    """The strongest sandbox that works on this machine, found by running it (0.05 s).

    Raises NoWorkingBox if none does, saying what is missing and what to do.
    """
    problems = []
    for kind in BACKENDS:
        backend = kind()
        problem = backend.problem()
        if problem is None:
            return backend
        problems.append(f"{backend.name}: {problem}")
    raise NoWorkingBox("No sandbox works here. " + ". ".join(problems) + ".")
