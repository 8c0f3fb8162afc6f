"""`course canary`: grade two submissions whose scores are known, before a batch of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from course.classroom import CannotTeach
from course.classroom.canary import CanaryDied, grade_canaries


def canary(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the nbgrader course.")],
    assignment: Annotated[str, typer.Argument(help="The assignment that is about to be graded.")],
) -> None:
    """Have stock nbgrader grade the instructor's solution and the untouched release of an assignment.

    Exit code 0: they have all automatic points and none. 1: they have not, or could not be graded; the message says
    why, and no batch should be graded. Takes a few seconds and leaves nothing in the course.
    """
    try:
        found = grade_canaries(folder, assignment)
    except (CannotTeach, CanaryDied) as error:
        typer.echo(f"course canary: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{assignment}: the instructor's solution has {found.solved:g} of {found.points:g} automatic points, "
        f"the untouched release {found.released:g}. Grading can begin."
    )
