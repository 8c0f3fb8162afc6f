"""Calls a second across the box.

A call goes from the grader through the pipe to the answer and back: `Log.end()`, which does next to nothing, so this is
the price of the boundary. The two processes take turns and never work at the same time; on one processor handing over
is a switch, on two it is a wake-up. Medians of interleaved rounds, and ratios from this one run.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from time import perf_counter

from autograder.box import Backend, best_backend
from autograder.budget import Budget
from autograder.image import image
from autograder.manifest import Manifest, read_manifest
from autograder.remote import Remote
from autograder.selection import Runnable
from autograder.session import Place, session
from course.checks.local import LocalPort
from course.checks.port import Port
from course.learn import released_notebooks

ROUNDS = 7
CALLS = 5_000
FOR_EVER = Budget(check_s=600)


def calls_a_second(port: Port) -> float:
    """`end()` of one log, over and over."""
    port.open("Log")
    handle = port.construct("Log", (0,))
    port.call(handle, "append", (["a"],))
    began_s = perf_counter()
    for _ in range(CALLS):
        port.call(handle, "end", ())
    return CALLS / (perf_counter() - began_s)


@contextmanager
def remote(backend: Backend, manifest: Manifest, source: str) -> Iterator[Remote]:
    """The port to a log in a box."""
    cells = [*(Runnable(0, cell.source) for cell in manifest.setup), Runnable(1, source, "log")]
    with image() as folder, session(Place(backend, folder, FOR_EVER), cells, "log") as port:
        yield port


def in_a_box(backend: Backend, manifest: Manifest, source: str, processors: set[int]) -> float:
    """Calls a second with both processes on these processors."""

    def measured() -> float:
        os.sched_setaffinity(0, processors)  # of this thread, and of what it starts
        with remote(backend, manifest, source) as port:
            return calls_a_second(port)

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(measured).result()


def beside(source: str, manifest: Manifest) -> float:
    """Calls a second of the guarded call in a notebook's own process."""
    names = {"__name__": "__main__"}
    for cell in (*manifest.setup, None):
        exec(source if cell is None else cell.source, names)  # noqa: S102 - our own sources
    with LocalPort({"Log": names["Log"]}) as port:
        return calls_a_second(port)


def medians(measures: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each, measured one after the other, round after round."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            found[name].append(measure())
    return {name: median(values) for name, values in found.items()}


def main() -> None:
    """Print the figures."""
    backend = best_backend()
    (path,) = released_notebooks().glob("01_*.ipynb")
    manifest = read_manifest(path)
    source = inspect.getsource(manifest.chapter.exercises[0].object)
    usable = sorted(os.sched_getaffinity(0))
    rates = {
        "box, one processor": lambda: in_a_box(backend, manifest, source, set(usable[:1])),
        "box, any processor": lambda: in_a_box(backend, manifest, source, set(usable)),
        "beside the learner": lambda: beside(source, manifest),
    }
    found = medians(rates)
    one = found["box, one processor"]
    print(f"calls a second, JSON, median of {ROUNDS} interleaved rounds of {CALLS:,} calls of end() ({backend.name})")
    for name, rate in found.items():
        print(f"  {name:<22} {rate:>10,.0f}   {rate / one:.2f} of one processor")


if __name__ == "__main__":
    main()
