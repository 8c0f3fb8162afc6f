"""The port to an answer in a box: `course.checks.port.Port`, over the pipe.

Every way in which a worker can fail is one of the closed set of outcomes, and none of them is a score. What the
worker says of itself (`ended`) may only make things worse for the answer.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.box import Boxed, Ending
from autograder.box import Outcome as BoxOutcome
from autograder.budget import GRACE_S, Budget
from autograder.rpc import Channel, Gone, Late, ProtocolError
from course.checks import allowed, limits
from course.checks.port import AnswerLost, AnswerRaised, Outcome
from kafkalite import plain
from kafkalite.errors import NotPlainData

MESSAGE_LENGTH_MAX = 2_000
NOTES_MAX = 20
DYING_S = 5.0
"""A worker that has closed its pipe is dying, and how it died is what there is to say; on a busy machine that takes."""
HOW_A_CELL_ENDS = ("ok", "error", "timeout", "output")
ENDED = {"TIMEOUT": Outcome.TIMEOUT, "OUTPUT_LIMIT": Outcome.OUTPUT_LIMIT}
"""The ends a worker may declare itself."""


@dataclass(frozen=True, slots=True)
class CellEnd:
    """How one cell ended; `error` and `message` are the submission's own words."""

    how: str
    error: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()


class Remote:
    """One worker: it runs cells, then it is the port to one answer.

    Every method raises AnswerLost once the worker cannot be asked any more, and from then on the same one.
    """

    def __init__(self, box: Boxed, budget: Budget, why_missing: Callable[[str], AnswerLost]) -> None:
        """`why_missing(name)` says why there is no answer of that name."""
        self._box, self._budget, self._why_missing = box, budget, why_missing
        self._channel = Channel(box.requests, box.replies)
        self._left_s = budget.check_s
        self._handles = 0
        self._printed_before = 0
        self._lost: AnswerLost | None = None
        self.changed_arguments = False
        self.has_ended_itself = False
        """The worker was well and said of the answer that it did not come to an end, or printed too much."""

    def run(self, number: int, source: str) -> CellEnd:
        """Run a cell of the notebook."""
        limit_s = self._budget.cell_s
        reply = self._ask({"do": "run", "cell": number, "source": source, "limit_s": limit_s}, limit_s)
        how, error, message = (_text(reply, key) for key in ("how", "error", "message"))
        notes = reply.get("notes")
        if set(reply) != {"how", "error", "message", "notes"} or how not in HOW_A_CELL_ENDS or type(notes) is not list:
            raise self._lose(Outcome.PROTOCOL, "it sent a malformed report about a cell")
        texts = tuple(note[:MESSAGE_LENGTH_MAX] for note in notes[:NOTES_MAX] if type(note) is str)
        return CellEnd(how, error, message, texts)

    # The port --------------------------------------------------------------------------------------------------------

    def open(self, name: str) -> None:
        """Make sure that the cells left an answer of that name that is acceptable; AnswerLost says why not."""
        self._printed_before = len(self._box.printed)
        reply = self._ask({"do": "open", "name": name, "limit_s": self._budget.call_s}, self._budget.call_s)
        if "found" not in reply:
            self._value(reply)  # the look at it took too long, or raised
            raise self._lose(Outcome.PROTOCOL, "it did not say whether there is an answer")
        found, what = _text(reply, "found"), _text(reply, "what")
        if found == "no":
            raise self._why_missing(name)
        if found == "refused":
            raise AnswerLost(Outcome.REJECTED, allowed.sentence(name, what))
        if found == "uncallable":
            raise AnswerLost(Outcome.ERROR, f"`{name}` is a {what}, where a function or a class was expected")
        if found != "yes":
            raise self._lose(Outcome.PROTOCOL, "it did not say whether there is an answer")

    def construct(self, name: str, args: tuple[Any, ...]) -> int:
        """Make an instance; return its handle."""
        handle = self._handles
        self._handles += 1
        self._called({"do": "construct", "handle": handle, "name": name, "args": plain.encode(args)})
        return handle

    def call(self, handle: int | None, name: str, args: tuple[Any, ...]) -> Any:
        """Call a method of that instance, or the function."""
        return self._called({"do": "call", "handle": handle, "name": name, "args": plain.encode(args)})

    def printed(self) -> str:
        """What came from the box since `open`; opaque."""
        return self._box.printed[self._printed_before :].decode("utf-8", "replace")

    # How it is asked -------------------------------------------------------------------------------------------------

    def _called(self, request: dict[str, Any]) -> Any:
        if self._left_s <= 0 and self._lost is None:  # also if no single call was slow
            self.has_ended_itself = True
            raise self._lose(Outcome.TIMEOUT, self._too_slow())
        limit_s = min(self._budget.call_s, max(0.001, self._left_s))
        began_s = time.monotonic()
        try:
            return self._value(self._ask({**request, "limit_s": limit_s}, limit_s))
        finally:
            self._left_s -= time.monotonic() - began_s

    def _value(self, reply: dict[str, Any]) -> Any:
        changed = reply.pop("changed", False)
        if len(reply) == 1 and type(changed) is bool:
            self.changed_arguments = changed
            ((kind, content),) = reply.items()
            if kind == "value":
                return self._decoded(content)
            if type(content) is list and len(content) == 2 and all(type(text) is str for text in content):
                name, message = content
                if kind == "error" and name in plain.ERROR_NAMES:
                    raise AnswerRaised(name, message[:MESSAGE_LENGTH_MAX])
                if kind == "ended" and name in ENDED:
                    self.has_ended_itself = True
                    raise self._lose(ENDED[name], self._too_slow() or message[:MESSAGE_LENGTH_MAX])
        raise self._lose(Outcome.PROTOCOL, "it sent a reply that is neither a value nor an error")

    def _decoded(self, content: Any) -> Any:
        try:
            return plain.decode(content)
        except NotPlainData as error:
            raise self._lose(Outcome.PROTOCOL, f"it sent what is not plain data: {error}") from None

    def _ask(self, request: dict[str, Any], limit_s: float) -> dict[str, Any]:
        if self._lost is not None:
            raise self._lost
        try:
            return self._channel.ask(request, limits.PATIENCE * limit_s + GRACE_S)
        except Late:
            raise self._lose(Outcome.TIMEOUT, self._too_slow() or f"did not come back within {limit_s:g} s") from None
        except ProtocolError as error:
            raise self._lose(Outcome.PROTOCOL, f"it sent {error}") from None
        except Gone:
            outcome, message = _in_words(self._box.wait(timeout_s=DYING_S))
            raise self._lose(outcome, message) from None

    def _too_slow(self) -> str:
        """What to say if each call was in time and all together were not."""
        if self._left_s >= self._budget.call_s:
            return ""
        return f"all its calls together took longer than {self._budget.check_s:g} s"

    def _lose(self, outcome: Outcome, message: str) -> AnswerLost:
        self._lost = AnswerLost(outcome, message)
        self._box.kill()
        return self._lost


def _text(reply: dict[str, Any], key: str) -> str:
    found = reply.get(key, "")
    return found[:MESSAGE_LENGTH_MAX] if type(found) is str else ""


def _in_words(ending: Ending) -> tuple[Outcome, str]:
    """A box's end as an outcome of the check, and what to say of it."""
    if ending.outcome is BoxOutcome.MEMORY:
        return Outcome.MEMORY, "its process reached the memory limit"
    if ending.outcome is BoxOutcome.OUTPUT_LIMIT:
        return Outcome.OUTPUT_LIMIT, "it printed too much, or made too many files"
    if ending.outcome is BoxOutcome.TIMEOUT:
        return Outcome.TIMEOUT, "its process did not come to an end"
    if ending.outcome is BoxOutcome.KILLED:
        return Outcome.INFRA, "grading was interrupted"
    if ending.signal is not None:
        return Outcome.CRASH, f"its process was ended by {_signal_name(ending.signal)}"
    return Outcome.CRASH, f"its process ended by itself, with exit code {ending.exit_code}"


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
