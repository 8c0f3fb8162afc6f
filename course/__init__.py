"""How the course is made and used: chapters, checks, the build, and the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course.lab import Lab


def chapter(name: str) -> Lab:
    """The lab of a chapter: its checks, hints, scenes and figures. What every notebook begins with.

    Raises LookupError, which lists the chapters there are.
    """
    from course.chapters import catalog  # noqa: PLC0415 - `import course` must cost a command nothing
    from course.lab import Lab  # noqa: PLC0415

    return Lab(catalog.chapter(name))
