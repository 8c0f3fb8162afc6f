"""The exercises of chapter 1: what is written, what it is worth, how long it takes, and the hints.

The rules and their cases are in `log_checks`, `cursor_checks` and `deliver_checks`.
"""

from __future__ import annotations

from course.chapters.ch01_why_a_log.cursor_checks import CURSOR
from course.chapters.ch01_why_a_log.deliver_checks import DELIVER
from course.chapters.ch01_why_a_log.log_checks import APPEND, READ
from course.checks.model import Exercise, Written

EXERCISES = (
    Exercise(
        id="log",
        title="A log",
        reference="kafkalite.log.memory:Log",
        checks=(APPEND, READ),
        hints=(
            (
                "Which one number do you need to remember, besides the values themselves, so that an offset "
                "still names the same value after older ones were deleted?"
            ),
            (
                "Keep the values in a list and the offset of the list's first element beside it. The end is then "
                "a sum, and a place in the list is a difference."
            ),
            (
                "`append`: note the end, extend the list, return what you noted. `read`: check the range first, "
                "then slice from `offset - first`. `delete_before`: cut the list and move the first offset by as "
                "much."
            ),
        ),
        minutes=35,
        claims=("T1", "T3", "C6"),
    ),
    Exercise(
        id="cursor",
        title="A cursor",
        reference="kafkalite.clients.cursor:Cursor",
        checks=(CURSOR,),
        hints=(
            ("Who has to know how far a reader has come: the log, or the reader?"),
            (
                "One number per cursor is enough. `poll` returns a range and then stands at its far side; where "
                "does that number live if two readers must not share it?"
            ),
            (
                "In `poll`: if the position is not within [start, end], take start; the far side is the smaller "
                "of end and position plus max_records. Store it on self, return both."
            ),
        ),
        minutes=25,
        claims=("C6", "T3"),
    ),
    Exercise(
        id="deliver",
        title="A topic instead of pipes",
        reference="course.chapters.ch01_why_a_log.reference:deliver",
        checks=(DELIVER,),
        hints=(
            (
                "After any event, which sinks should be handed something? Say it in one sentence about one sink, "
                "without mentioning the others."
            ),
            (
                "First apply the event to copies of the state's fields; then, whatever the event was, go over the "
                "idle sinks and hand each what it lacks."
            ),
            (
                "A sink that is handed something leaves `idle` and its position becomes `len(values)`. `Ready` "
                "and `Subscribed` put it into `idle`; `Left` takes it out of both."
            ),
        ),
        minutes=40,
        claims=("K2", "T1", "C6"),
        core=False,
    ),
)

WRITTEN = (Written("explain", "In your own words", points=4, minutes=15, claims=("C6",)),)
