"""`course coverage`: the claims the course makes, and where each is taught and practised."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from course.build.coverage import coverage
from course.build.errors import BuildError
from course.chapters import catalog


def show(
    chapters: Annotated[
        list[str] | None, typer.Argument(help="Chapters by name or number; all if none is given.")
    ] = None,
) -> None:
    """List every claim with the cells that teach it and the exercises that practise it."""
    try:
        found = coverage(catalog.chapter(name) for name in chapters or catalog.names())
    except (LookupError, BuildError) as error:
        typer.echo(f"course coverage: {error.args[0] if isinstance(error, LookupError) else error}", err=True)
        raise typer.Exit(1) from None
    table = Table("claim", "taught in", "practised in")
    for one in found:
        table.add_row(one.claim, "\n".join(one.taught) or "nowhere", "\n".join(one.practised) or "nowhere")
    Console().print(table)
