"""`course build`: make the notebooks of the chapters, or check that they are what they should be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

import course
from course.build import BuildError, write_release
from course.build.verify import Problem, steps, stray
from course.chapters import catalog
from course.chapters.catalog import Chapter

CHECKOUT = Path(course.__file__).resolve().parent.parent


def build(
    chapters: Annotated[
        list[str] | None, typer.Argument(help="Chapters by name or number; all if none is given.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; list every problem, and fail if there is one.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="With --check: leave out what needs a kernel.")] = False,
    notebooks: Annotated[
        Path | None, typer.Option(help="The folder of released notebooks, if not the checkout's.")
    ] = None,
) -> None:
    """Make the released notebooks from the chapters' texts, or with --check say what is wrong with them.

    Exit code 0: all is well. 1: a chapter cannot be built, or a check found a problem. 2: the command was mistyped.
    """
    if fast and not check:
        raise typer.BadParameter(
            "--fast leaves something out of --check; without --check there is nothing to leave out"
        )
    folder = notebooks if notebooks is not None else _checkouts_notebooks()
    try:
        found = [catalog.chapter(name) for name in chapters or catalog.names()]
    except LookupError as error:
        typer.echo(f"course build: {error.args[0]}", err=True)
        raise typer.Exit(1) from None
    if check:
        _check(found, folder, everything=not chapters, kernels=not fast)
    else:
        _build(found, folder)


def _checkouts_notebooks() -> Path:
    if not (CHECKOUT / "pyproject.toml").is_file():
        typer.echo(
            f"course build: expected a checkout of the course around {CHECKOUT}, and this is an installed one, where "
            "notebooks are not built. Work in a checkout, or name a folder: --notebooks FOLDER",
            err=True,
        )
        raise typer.Exit(1)
    return CHECKOUT / "notebooks"


def _build(chapters: list[Chapter], folder: Path) -> None:
    for chapter in chapters:
        try:
            path = write_release(chapter, folder)
        except (BuildError, OSError) as error:
            typer.echo(f"course build: {error}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{path}: {chapter.points:g} points, {len(chapter.exercises)} exercises")


def _check(chapters: list[Chapter], folder: Path, *, everything: bool, kernels: bool) -> None:
    problems = stray(folder, catalog.names()) if everything else []
    for chapter in chapters:
        problems += _problems(chapter, folder, kernels=kernels)
    for problem in problems:
        typer.echo(str(problem))
    left_out = "" if kernels else " Left out: what needs a kernel (run without --fast before a release)."
    checked, found = _counted(len(chapters), "chapter"), _counted(len(problems), "problem")
    typer.echo(f"{checked} checked, {found}.{left_out}", err=bool(problems))
    if problems:
        raise typer.Exit(1)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _problems(chapter: Chapter, folder: Path, *, kernels: bool) -> list[Problem]:
    """Check one chapter, showing how far it has come."""
    found: list[Problem] = []
    todo = steps(chapter, folder, kernels=kernels)
    # Nothing is drawn while a step runs: checks turn stderr aside, and a drawing thread would write into theirs.
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        task = progress.add_task(chapter.name, total=len(todo))
        for step in todo:
            progress.update(task, description=f"{chapter.name}: {step.name}", refresh=True)
            found += step.run()
            progress.advance(task)
    return found
