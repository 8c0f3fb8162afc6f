"""`autograder doctor`: what the sandbox of this machine enforces, for a person, and as an exit code for a script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from autograder.box import NoWorkingBox, best_backend
from autograder.box.doctor import REQUIRED, Finding, examine


def doctor(
    details: Annotated[bool, typer.Option("--details", help="Say of everything what was tried.")] = False,
) -> None:
    """Say what this machine's sandbox enforces, found out by attacking it.

    Exit code 0: a graded run is possible here. 3: something it needs is not enforced, or there is no sandbox.
    """
    try:
        backend = best_backend()
    except NoWorkingBox as error:
        typer.echo(f"autograder doctor: {error}", err=True)
        raise typer.Exit(3) from None
    findings = examine(backend)
    typer.echo(f"Sandbox: {backend.name}")
    for finding in findings:
        typer.echo(_line(finding, details=details))
    lacking = _lacking(findings)
    if lacking:
        typer.echo(f"autograder doctor: a graded run needs {', '.join(lacking)}, not enforced here.", err=True)
        raise typer.Exit(3)
    typer.echo("A graded run is possible on this machine.")


def _line(finding: Finding, *, details: bool) -> str:
    needed = "needed" if finding.name in REQUIRED else "wanted"
    verdict = "enforced" if finding.enforced else "NOT ENFORCED"
    tried = f": {finding.detail}" if details or not finding.enforced else ""
    return f"  {finding.name:<8} {needed}  {verdict}{tried}"


def _lacking(findings: Sequence[Finding]) -> list[str]:
    """What is required and was not seen to be enforced; a thing nobody examined counts as lacking."""
    return sorted(REQUIRED - {finding.name for finding in findings if finding.enforced})
