"""`autograder grade`: one notebook, its points, and an exit code that a script can trust."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.box import Backend, NoWorkingBox, Unsandboxed, best_backend
from autograder.box.doctor import PROBES, REQUIRED, missing
from autograder.box.scene import Scene
from autograder.grade import grade as grade_submission
from autograder.manifest import BadRelease, Manifest, manifest_for, must_fit, read_manifest
from autograder.report import BoxReport, Report, make_report
from autograder.submission import BadSubmission, Submission, read_submission
from autograder.terminal import show
from course.learn import CannotLearn, released_notebooks
from course.secret import NoSecret, learners_secret

GRADED, BAD_INPUT, NO_BOX, INFRASTRUCTURE, INTERRUPTED = 0, 2, 3, 4, 130


class BadOption(Exception):
    """An option names something that cannot be used; the message says what was expected and what came."""


FAILURES: dict[type[Exception], int] = {
    BadSubmission: BAD_INPUT,
    BadOption: BAD_INPUT,
    NoWorkingBox: NO_BOX,
    BadRelease: INFRASTRUCTURE,
    CannotLearn: INFRASTRUCTURE,
    NoSecret: INFRASTRUCTURE,
}


def grade(
    notebook: Annotated[Path, typer.Argument(help="The notebook to grade, as it was handed in.", show_default=False)],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the whole report here, as JSON.")
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A text file with the class's secret, which hidden cases come from. Without it: your own secret, "
            "drawn once and kept outside the notebooks.",
        ),
    ] = None,
    release: Annotated[
        Path | None,
        typer.Option(metavar="NOTEBOOK", help="The released notebook to grade by, if not the installed course's."),
    ] = None,
    unsandboxed: Annotated[
        bool,
        typer.Option(
            "--unsandboxed",
            help="Run the answers without a sandbox: they can read your files and use the network. "
            "Only for answers you trust; it is written into the result.",
        ),
    ] = False,
) -> None:
    """Grade one notebook.

    The answers run in a sandbox, and everything that decides about points stays outside it. The notebook is only read.

    Exit codes:
      0    graded, whatever the score
      2    a bad notebook or option
      3    no sandbox works here; autograder doctor says why
      4    the grader itself failed, and the score is not final
      130  interrupted, and nothing was written

    Errors are one line on stderr.
    """
    try:
        _must_be_writable(json_file)
        report = _graded(notebook, secret_file, release, unsandboxed=unsandboxed)
    except tuple(FAILURES) as error:
        raise _stop(str(error), FAILURES[type(error)]) from None
    except KeyboardInterrupt:
        raise _stop("interrupted; nothing was written", INTERRUPTED) from None
    unwritten = _write(report, json_file)
    show(report, Console(highlight=False))
    if unwritten:
        raise _stop(unwritten, BAD_INPUT)
    if not report.complete:
        raise _stop("some checks could not be graded; the score is not final. Try again.", INFRASTRUCTURE)


def _graded(notebook: Path, secret_file: Path | None, release: Path | None, *, unsandboxed: bool) -> Report:
    submission = read_submission(notebook)
    manifest = _manifest(submission, release)
    secret = _teachers_secret(secret_file) if secret_file is not None else learners_secret()
    backend, box = _unsandboxed() if unsandboxed else _sandboxed()
    return make_report(submission, manifest, grade_submission(submission, manifest, backend, secret), box)


def _manifest(submission: Submission, release: Path | None) -> Manifest:
    try:
        manifest = manifest_for(submission, released_notebooks()) if release is None else read_manifest(release)
    except BadRelease as error:
        if release is not None:
            raise BadOption(str(error)) from None
        raise
    must_fit(submission, manifest)
    return manifest


def _teachers_secret(file: Path) -> str:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise BadOption(
            f"The secret cannot be read from {file}: {reason}. Expected a text file with the secret."
        ) from None
    if not secret:
        raise BadOption(f"{file} is empty; expected a text file with the secret, which may be any text.")
    return secret


def _sandboxed() -> tuple[Backend, BoxReport]:
    """The best sandbox of this machine, once it has held against what a graded run must be safe from (0.2 s)."""
    backend = best_backend()
    probes = [probe for probe in PROBES if probe.name in REQUIRED]
    with Scene() as scene, ThreadPoolExecutor(max_workers=4) as pool:
        findings = list(pool.map(lambda probe: probe.run(backend, scene), probes))
    if lacking := missing(findings):
        raise NoWorkingBox(
            f"{backend.name} does not enforce {', '.join(lacking)} here, and grading needs it. "
            "`autograder doctor --details` says what was tried."
        )
    return backend, BoxReport(backend.name, sandboxed=True, enforces={one.name: one.enforced for one in findings})


def _unsandboxed() -> tuple[Backend, BoxReport]:
    backend = Unsandboxed()
    return backend, BoxReport(backend.name, sandboxed=False, enforces={})


def _must_be_writable(json_file: Path | None) -> None:
    """Nobody should wait for a grading whose report has no place to go."""
    if json_file is None:
        return
    if json_file.is_dir() or not json_file.absolute().parent.is_dir():
        raise BadOption(f"The report cannot be written to {json_file}: expected a file in a folder that exists.")


def _write(report: Report, json_file: Path | None) -> str | None:
    """Write the report; if that fails, what to say of it."""
    try:
        if json_file is not None:
            report.write(json_file)
    except OSError as error:
        return f"The report cannot be written to {json_file}: {error.strerror}. Name another file."
    return None


def _stop(sentence: str, code: int) -> typer.Exit:
    typer.echo(f"autograder grade: {sentence}", err=True)
    return typer.Exit(code)
