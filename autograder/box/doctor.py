"""What a sandbox enforces on this machine, found out by attacking it.

Each probe runs a hostile script in a box, and looks from outside whether it got anywhere: did our socket hear a call,
is our process still alive, is there a file. What a script says of itself counts too, because these scripts are ours.
A probe that did not get to run proves nothing, and counts as not enforced.

Left out: showing it to a person; that is the command's part.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.box import hostile
from autograder.box.boxed import BoxFailed
from autograder.box.ending import Ending, Outcome
from autograder.box.limits import Limits
from autograder.box.scene import LIMITS, SCRIPT, Scene, processes_with

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograder.box.backend import Backend

REQUIRED = frozenset({"net", "read", "write", "pids"})
"""What must be enforced for a graded run. The others keep a class running smoothly; these keep it honest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a sandbox should enforce, and whether it does."""

    name: str
    enforced: bool
    detail: str
    """What came of the attack, for a person."""


def examine(backend: Backend) -> list[Finding]:
    """Try everything, a few probes at a time; takes some three seconds, two of them of processor time."""
    with Scene() as scene, ThreadPoolExecutor(max_workers=4) as pool:
        return _merged(pool.map(lambda probe: probe.run(backend, scene), PROBES))


def missing(findings: Iterable[Finding]) -> list[str]:
    """What a graded run needs and does not have, by name; empty if it may go ahead."""
    return sorted(REQUIRED - {finding.name for finding in findings if finding.enforced})


def median_start_ms(backend: Backend, starts: int = 20) -> float:
    """From `start` to the end of an empty script, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="autograder-doctor-") as folder:
        image = Path(folder)
        image.chmod(0o755)
        (image / "empty.py").touch(mode=0o644)
        return statistics.median(_start_ms(backend, image) for _ in range(starts))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to see after an attack."""

    scene: Scene
    ending: Ending
    lines: tuple[str, ...]
    """What the script said."""
    processes_left: int

    @property
    def is_complete(self) -> bool:
        """The script got to its end."""
        return hostile.DONE in self.lines

    def said(self, word: str) -> list[str]:
        """The rest of each line that starts with `word`."""
        return [line.removeprefix(word).strip() for line in self.lines if line.startswith(word)]


Judge = Callable[[Evidence], str | None]
"""What the attack achieved; None if nothing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One attack of `hostile`, and how its success is noticed."""

    name: str
    attack: Callable[[dict[str, Any]], None]
    judge: Judge

    def run(self, backend: Backend, scene: Scene) -> Finding:
        """Run it in a box and look around afterwards."""
        mark = secrets.token_hex(8)
        try:
            with backend.start(
                [SCRIPT, self.attack.__name__, json.dumps(scene.told()), mark], scene.image, LIMITS
            ) as box:
                ending = box.wait()
        except BoxFailed as error:
            return Finding(self.name, enforced=False, detail=f"the probe did not run: {error}")
        lines = tuple(line.strip() for line in ending.printed.decode(errors="replace").splitlines())
        evidence = Evidence(scene, ending, lines, _clear_away(mark))
        achieved = self.judge(evidence) or _anything_broken(evidence)
        return Finding(
            self.name, achieved is None, achieved or "; ".join(evidence.said(hostile.REFUSED)) or ending.outcome
        )


def _in_vain(evidence: Evidence) -> str:
    refused = "; ".join(evidence.said(hostile.REFUSED))
    return refused or ("nothing found" if evidence.is_complete else f"ended as {evidence.ending.outcome}")


def _attempts_refused(evidence: Evidence) -> str | None:
    if not evidence.is_complete:
        return f"the probe did not finish: {evidence.ending.outcome}, {' '.join(evidence.lines[-1:])}"
    return None


def _anything_broken(evidence: Evidence) -> str | None:
    achieved = evidence.said(hostile.BROKEN)
    if evidence.processes_left:
        achieved.append(f"{evidence.processes_left} processes outlived the box")
    return "; ".join(achieved) or None


def _net(evidence: Evidence) -> str | None:
    reached = evidence.scene.calls_received()
    return f"our sockets were reached: {', '.join(reached)}" if reached else _attempts_refused(evidence)


def _write(evidence: Evidence) -> str | None:
    left = evidence.scene.files_left()
    return f"written: {', '.join(map(str, left))}" if left else _attempts_refused(evidence)


def _pids(evidence: Evidence) -> str | None:
    made = evidence.said(hostile.MADE)
    if made and int(made[0]) > LIMITS.tasks:
        return f"{made[0]} processes, where {LIMITS.tasks} are allowed"
    return _attempts_refused(evidence)


def _disk(evidence: Evidence) -> str | None:
    wrote = evidence.said(hostile.MADE)
    if wrote and int(wrote[0]) > LIMITS.tmp_bytes:
        return f"{wrote[0]} bytes in temporary files, where {LIMITS.tmp_bytes} are allowed"
    return _attempts_refused(evidence)


def _signals(evidence: Evidence) -> str | None:
    if evidence.scene.victim.poll() is not None:
        return "a process of the teacher was killed"
    return _attempts_refused(evidence)


def _ends_as(outcome: Outcome) -> Judge:
    def judge(evidence: Evidence) -> str | None:
        if evidence.ending.outcome is outcome:
            return None
        return f"expected {outcome}, got {evidence.ending.outcome} {' '.join(evidence.lines[-1:])}"

    return judge


PROBES = (
    Probe("cpu", hostile.cpu, _ends_as(Outcome.TIMEOUT)),  # the slowest first
    Probe("cpu", hostile.cpu_in_c, _ends_as(Outcome.TIMEOUT)),
    Probe("net", hostile.net, _net),
    Probe("read", hostile.read, _attempts_refused),
    Probe("write", hostile.write, _write),
    Probe("pids", hostile.pids, _pids),
    Probe("memory", hostile.memory, _ends_as(Outcome.MEMORY)),
    Probe("output", hostile.output, _ends_as(Outcome.OUTPUT_LIMIT)),
    Probe("disk", hostile.disk, _disk),
    Probe("disk", hostile.files, _ends_as(Outcome.OUTPUT_LIMIT)),
    Probe("environ", hostile.environ, _attempts_refused),
    Probe("signals", hostile.signals, _signals),
    Probe("fds", hostile.fds, _attempts_refused),
    Probe("daemon", hostile.daemon, _attempts_refused),
)


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a name: enforced if each of its probes says so. The required ones first."""
    by_name: dict[str, Finding] = {}
    for new in findings:
        old = by_name.get(new.name, Finding(new.name, enforced=True, detail=""))
        detail = "; ".join(filter(None, (old.detail, new.detail)))
        by_name[new.name] = Finding(new.name, old.enforced and new.enforced, detail)
    return sorted(by_name.values(), key=lambda finding: finding.name not in REQUIRED)


def _clear_away(mark: str) -> int:
    """How many processes outlived a box; they do not outlive this."""
    left = processes_with(mark)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(left)


def _start_ms(backend: Backend, image: Path) -> float:
    began = time.perf_counter()
    with backend.start(["empty.py"], image, Limits()) as box:
        box.wait()
    return (time.perf_counter() - began) * 1000
