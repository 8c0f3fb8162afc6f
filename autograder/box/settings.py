"""How limits reach the prologue: as one word of its command line, read without imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.box.limits import Limits


def prologue_settings(limits: Limits, *, uid: int = 0, tasks: int | None = None, die_with_parent: bool = False) -> str:
    """The first argument of prologue.py; 0 for `uid` or `tasks` leaves it as it is."""
    settings = {
        "memory_bytes": limits.memory_bytes,
        "cpu_s": limits.cpu_s,
        "file_bytes": limits.file_bytes,
        "open_files": limits.open_files,
        "tasks": limits.tasks if tasks is None else tasks,
        "uid": uid,
        "die_with_parent": int(die_with_parent),
    }
    return ",".join(f"{name}={value}" for name, value in settings.items())
