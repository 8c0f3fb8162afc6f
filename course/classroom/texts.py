"""The texts of a course folder: nbgrader's settings, and the teacher's README with every command in order."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template

from course.checks import limits
from course.classroom.differences import DIFFERENCES, NBGRADER_CELL_S
from course.classroom.settings import Settings

HERE = Path(__file__).resolve().parent
README_MARK = "Written by `course teach`"


def config_text(settings: Settings) -> str:
    """The course's nbgrader_config.py."""
    exchange = 'str(HERE / "exchange")' if settings.exchange is None else repr(str(settings.exchange))
    return _fill(
        "nbgrader_config.template",
        course_id=repr(settings.course_id),
        exchange=exchange,
        check_s=f"{limits.CHECK_S:g}",
        cell_s=str(NBGRADER_CELL_S),
    )


def readme_text(folder: Path, settings: Settings, releases: Mapping[str, str]) -> str:
    """The teacher's README. `releases` maps each assignment to its release."""
    names = sorted(releases)
    return _fill(
        "README.template",
        course_id=settings.course_id,
        folder=shlex.quote(str(folder.resolve())),
        exchange=shlex.quote(str(settings.exchange_in(folder.resolve()))),
        assignment=names[0],
        assignments=", ".join(f"`{name}`" for name in names),
        releases="\n".join(f"- `{name}`: {releases[name]}" for name in names),
        limits="\n".join(
            f"| {one.answer} | {one.notebook} | {one.nbgrader} | {one.autograder} |" for one in DIFFERENCES
        ),
    )


def _fill(name: str, **values: str) -> str:
    return Template((HERE / name).read_text(encoding="utf-8")).substitute(values)
