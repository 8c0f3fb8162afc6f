"""The `autograder` command: a table of what it can do. What each command does is in the module its row names."""

from __future__ import annotations

from course.lazy_commands import LazyCommand, command_line

COMMANDS = (
    LazyCommand("grade", "autograder.grade_command:grade", "Grade one notebook, its answers in a sandbox."),
    LazyCommand("doctor", "autograder.doctor_command:doctor", "Say what this machine's sandbox enforces."),
)

app = command_line(COMMANDS, help_text="Grade submissions that nobody has to trust.")


def main() -> None:
    """Run the command line; the entry point of the installed `autograder` script."""
    app()
