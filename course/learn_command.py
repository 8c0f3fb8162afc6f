"""`course learn`: lay out the learner's copy of the notebooks, say what happened, open JupyterLab on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from course.lab_server import LabOptions, NoJupyterLab, require_jupyterlab, serve
from course.learn import CannotLearn, Outcome, Placed, lay_out, released_notebooks


def learn(
    folder: Annotated[Path, typer.Argument(help="Where your own copy of the notebooks is, or will be.")] = Path(
        "my-notebooks"
    ),
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to serve on, if 8888 does not suit.")] = None,
    ip: Annotated[str | None, typer.Option(help="Address to serve on, if this machine alone does not suit.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    prepare_only: Annotated[bool, typer.Option("--prepare-only", help="Lay out the notebooks and stop.")] = False,
) -> None:
    """Open JupyterLab on your own copy of the notebooks.

    The first run copies them; later runs keep every answer, and add the chapters you do not have yet.
    Ctrl-C in this terminal stops JupyterLab; notebooks are saved as you work.
    """
    try:
        if not prepare_only:
            require_jupyterlab()
        placed = lay_out(released_notebooks(), folder)
    except (CannotLearn, NoJupyterLab) as error:
        typer.echo(f"course learn: {error}", err=True)
        raise typer.Exit(1) from None
    _report(folder, placed)
    if not prepare_only:
        serve(LabOptions(folder, _first_page(placed), port, ip, browser))


def _report(folder: Path, placed: list[Placed]) -> None:
    copied = [one.path.name for one in placed if one.outcome is Outcome.COPIED]
    if copied:
        typer.echo(f"Copied to {folder}: {', '.join(copied)}")
    else:
        typer.echo(f"Your notebooks are in {folder}, as you left them.")
    for one in placed:
        if one.remark:
            typer.echo(f"Note: {one.remark}", err=True)


def _first_page(placed: list[Placed]) -> str:
    """The first chapter when everything is new; afterwards JupyterLab reopens what was open."""
    everything_is_new = all(one.outcome is Outcome.COPIED for one in placed)
    return f"/lab/tree/{placed[0].path.name}" if placed and everything_is_new else "/lab"
