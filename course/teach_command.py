"""`course teach`: lay out an nbgrader course for a cohort, and say what was done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from course.build import BuildError
from course.chapters import catalog
from course.classroom import CannotTeach
from course.classroom.layout import LaidOut, lay_out
from course.classroom.settings import COURSE_ID


def teach(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the course is, or will be.")],
    course_id: Annotated[str | None, typer.Option(help=f"nbgrader's name of the course, if not {COURSE_ID}.")] = None,
    exchange: Annotated[
        Path | None, typer.Option(help="Where assignments go out and submissions come in, if not DIR/exchange.")
    ] = None,
    chapter: Annotated[
        list[str] | None, typer.Option(help="A chapter by name or number; may be repeated. All if none is given.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write settings and notebooks anew. Secrets and gradebook stay.")
    ] = False,
) -> None:
    """Lay out an nbgrader course in DIR: notebooks, settings, secrets, and a README with every command in order.

    Run again it adds what is missing and overwrites nothing. Exit code 1: it could not, and nothing was changed.
    """
    try:
        chapters = [catalog.chapter(name) for name in chapter or catalog.names()]
        done = lay_out(folder, chapters, course_id=course_id, exchange=exchange, force=force)
    except (CannotTeach, BuildError, LookupError) as error:
        typer.echo(f"course teach: {error.args[0] if isinstance(error, LookupError) else error}", err=True)
        raise typer.Exit(1) from None
    _report(folder, done)


def _report(folder: Path, done: LaidOut) -> None:
    for word, files in (("New", done.written), ("Written anew", done.rewritten)):
        if files:
            typer.echo(f"{word} in {folder}: {', '.join(files)}")
    if not done.written and not done.rewritten:
        typer.echo(f"The course in {folder} is complete; nothing was changed.")
    for remark in done.remarks:
        typer.echo(f"Note: {remark}", err=True)
    typer.echo(f"What to do with it is in {folder / 'README.md'}")
