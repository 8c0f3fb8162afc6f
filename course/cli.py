"""The `course` command: a table of what it can do. What each command does is in the module its row names."""

from __future__ import annotations

from course.lazy_commands import LazyCommand, command_line

COMMANDS = (
    LazyCommand("learn", "course.learn_command:learn", "Open JupyterLab on your own copy of the notebooks."),
    LazyCommand("build", "course.build_command:build", "Make the notebooks from the chapters, or check them."),
    LazyCommand("coverage", "course.coverage_command:show", "Which cell teaches a claim, which exercise practises it."),
    LazyCommand("teach", "course.teach_command:teach", "Lay out an nbgrader course for a class."),
    LazyCommand("canary", "course.canary_command:canary", "Before grading a batch: does grading work here?"),
)

app = command_line(COMMANDS, help_text="Learn Kafka by building it, chapter by chapter.")


def main() -> None:
    """Run the command line; the entry point of the installed `course` script."""
    app()
