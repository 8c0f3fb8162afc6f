"""Run every step of `make test`, also after one has failed, and end with the minutes each took.

The order is the order of cost: style and types answer in seconds, the tests take minutes and come last, so that
their slowest twenty and this table are what one sees at the end. The exit code is 0 only if every step's was.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Step:
    """A name for people, and a command whose exit code is the verdict."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Result:
    """`minutes` of wall time; `code` is the exit code, 0 for success."""

    step: Step
    minutes: float
    code: int


STEPS = (
    Step("style: layout", (str(BIN / "ruff"), "format", "--check", ".")),
    Step("style: rules", (str(BIN / "ruff"), "check", ".")),
    Step("types", (str(BIN / "mypy"),)),
    Step("build: wheel", (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist")),
    Step("build: course", (str(BIN / "course"), "build", "--check")),
    # Two workers: the suite mostly waits for kernels, boxes and a browser, and the smallest machine has two cores.
    # loadfile keeps a file, and so its module's fixtures, on one worker. loadgroup would be finer, but with pytest 9.2
    # it groups nothing and does not say so.
    Step("tests", (sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile")),
)


def main() -> int:
    """Run the steps; 0 if all passed, 1 if any failed, 130 if interrupted."""
    results: list[Result] = []
    try:
        for step in STEPS:
            results.append(run(step))  # noqa: PERF401 - a list comprehension would lose the results when interrupted
    except KeyboardInterrupt:
        report(results)
        print("interrupted")
        return 130
    report(results)
    return 0 if all(result.code == 0 for result in results) else 1


def run(step: Step) -> Result:
    """One step, its output going straight to the terminal."""
    print(f"\n=== {step.name}", flush=True)
    started = time.monotonic()
    code = subprocess.run(step.command, cwd=ROOT, check=False).returncode
    return Result(step, (time.monotonic() - started) / 60, code)


def report(results: Sequence[Result]) -> None:
    """The table at the end, then one line with the sum."""
    print("\n=== minutes")
    for result in results:
        print(
            f"{result.minutes:6.2f}  {result.step.name:<14} {'ok' if result.code == 0 else f'FAILED ({result.code})'}"
        )
    print(f"{sum(result.minutes for result in results):6.2f}  all, without making .venv")


if __name__ == "__main__":
    sys.exit(main())
