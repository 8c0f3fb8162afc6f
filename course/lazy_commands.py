"""Commands that are named at once and loaded when called.

`course --help` must answer in a blink, and `course learn` must not wait for what `course build` imports. So a command
line is a table of rows, a name, a home and a sentence; the home is imported only when its command is the one called.
To add a command, write `course/<name>_command.py` and add one row to the table in `course/cli.py`.

Left out: commands found by scanning the package. The table is the list of what exists.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

try:
    import typer
    from typer.core import TyperGroup
except ModuleNotFoundError as missing:  # installed with --no-deps, which is how a broker alone is installed
    raise SystemExit(
        f"The commands need the course's dependencies, and {missing.name} is not installed for {sys.executable}. "
        f'Install them: "{sys.executable}" -m pip install kafkalite-course'
    ) from None


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """One row: `home` is `module:name` of a typed function, or of a `typer.Typer` with commands of its own."""

    name: str
    home: str
    help: str

    def load(self) -> Any:
        """Import the home and return the command typer makes of it."""
        module_name, _, attribute = self.home.partition(":")
        found = getattr(import_module(module_name), attribute)
        if not isinstance(found, typer.Typer):
            function, found = found, typer.Typer(add_completion=False)
            found.command(self.name)(function)
        return typer.main.get_command(found)


def command_line(rows: Sequence[LazyCommand], *, help_text: str) -> typer.Typer:
    """A typer app that lists `rows` without importing any of their homes."""
    homes = {row.name: row for row in rows}

    class LazyGroup(TyperGroup):
        """Swaps the listed stand-in for the real command at the moment it is called."""

        # Any: typer has had two homes for these classes (click, then its own copy), and neither is public.
        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, _stand_in, rest = super().resolve_command(ctx, args)
            return name, homes[str(name)].load(), rest

    app = typer.Typer(
        cls=LazyGroup,
        help=help_text,
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # our own mistakes show as Python shows them; a person's get a sentence
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    # The callback keeps one row a group: typer turns an app with a single command into that command.
    app.callback()(_nothing)
    for row in rows:
        app.command(row.name, help=row.help)(_nothing)
    return app


def _nothing() -> None:
    """Stands in the list for a command that has not been loaded."""
