"""The worker's loop: read a request, do it, reply. One request at a time, over the descriptors the box began with.

    {"id": 1, "do": "run", "cell": 3, "source": "...", "limit_s": 10}   {"id": 1, "how": "ok", "error": "", ...}
    {"id": 2, "do": "open", "name": "Log", "limit_s": 2}                {"id": 2, "found": "yes"}
    {"id": 3, "do": "construct", "handle": 0, "args": ..., ...}         {"id": 3, "value": null, "changed": false}
    {"id": 4, "do": "call", "handle": 0, "name": "append", ...}         {"id": 4, "value": 0, "changed": false}
    {"id": 5, "do": "call", "handle": null, "name": "deliver", ...}     {"id": 5, "error": ["KeyError", "'a'"], ...}
    {"id": 6, ...}                                                      {"id": 6, "ended": ["TIMEOUT", "..."]}

Values are `kafkalite.plain`'s. A frame is four bytes of length, most significant first, then JSON in UTF-8.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from autograder.worker.cells import Notebook
from autograder.worker.imports import Imports
from autograder.worker.output import Counted, TooMuchPrinted
from autograder.worker.stand_ins import Stage, stand_in
from autograder.worker.watch import Endless, Watch, is_own
from kafkalite import plain
from kafkalite.errors import NotPlainData

FRAME_BYTES_MAX = 4 << 20
_to_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class ImportList(Protocol):
    """What the worker uses of `course.checks.allowed`."""

    is_allowed: Callable[[str], bool]
    refused_module: Callable[[Any], str | None]
    sentence: Callable[[str, str], str]


def serve(allowed: ImportList) -> None:
    """Answer requests until there are no more."""
    requests, replies = _take_pipes()
    (settings,) = (json.loads(argument) for argument in sys.argv[1:])
    printed = Counted(2, settings["output_bytes"])
    sys.stdout = sys.stderr = printed
    worker = Worker(allowed, printed)
    while header := requests.read(4):
        request = json.loads(requests.read(*struct.unpack(">I", header)))
        reply = _to_json({"id": request["id"], **worker.reply(request)}).encode()
        if len(reply) > FRAME_BYTES_MAX:
            error = ["NotPlainData", f"a value of more than {FRAME_BYTES_MAX >> 20} MB"]
            reply = _to_json({"id": request["id"], "error": error, "changed": False}).encode()
        replies.write(struct.pack(">I", len(reply)) + reply)
        replies.flush()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes out of the way: `input()` finds nothing, and `print` goes where errors go."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(requests, "rb"), os.fdopen(replies, "wb")


class Worker:
    """The learner's names, the instances made of them, and what may be asked."""

    def __init__(self, allowed: ImportList, printed: Counted) -> None:
        self._allowed, self._printed = allowed, printed
        self._stage = Stage(allowed.sentence)
        self._watch = Watch()
        self._notebook = Notebook(plain.error_name, stand_in("IPython", "get_ipython", self._stage))
        self._answer: Any = None
        self._instances: dict[int, Any] = {}
        self._changed = False  # the call has changed what it was given
        Imports(allowed.is_allowed, self._stage).install()

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """What to say to one request, without its id."""
        if request["do"] == "run":
            self._printed.size = 0
            end = self._notebook.run(request["cell"], request["source"], self._watch, request["limit_s"])
            return {"how": end.how, "error": end.error, "message": end.message, "notes": end.notes}
        if request["do"] == "open":
            return self._guarded(self._open, (request["name"],), request["limit_s"])
        self._changed = False
        ask = self._construct if request["do"] == "construct" else self._call
        reply = self._guarded(ask, (request["handle"], request["name"], request["args"]), request["limit_s"])
        return reply if "ended" in reply else {**reply, "changed": self._changed}

    def _guarded(self, function: Callable[..., Any], args: tuple[Any, ...], limit_s: float) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._watch.call(function, args, limit_s)
        except MemoryError:
            raise  # the box has reached its limit: that ends the worker, as it would anybody
        except Endless as endless:
            return {"ended": ["TIMEOUT", str(endless)]}
        except TooMuchPrinted:
            return {"ended": ["OUTPUT_LIMIT", f"printed more than {self._printed.limit_bytes:,} bytes"]}
        except BaseException as error:  # noqa: BLE001 - SystemExit too: it is the answer's doing
            return {"error": list(plain.error_name(error, is_own))}
        return found

    def _open(self, name: str) -> dict[str, Any]:
        self._printed.size = 0
        self._stage.answers_are_called = True
        if name not in self._notebook.names:
            return {"found": "no"}
        self._answer = self._notebook.names[name]
        refused = self._allowed.refused_module(self._answer)
        if refused is not None:
            return {"found": "refused", "what": refused}
        if not callable(self._answer):
            return {"found": "uncallable", "what": type(self._answer).__name__}
        return {"found": "yes"}

    def _construct(self, handle: int, _name: str, given: Any) -> dict[str, Any]:
        arguments = plain.decode(given)
        self._instances[handle] = self._called(self._answer, arguments, given)
        plain.spoil(arguments)
        return {"value": None}

    def _call(self, handle: int | None, name: str, given: Any) -> dict[str, Any]:
        function = self._answer if handle is None else getattr(self._instances[handle], name)
        arguments = plain.decode(given)
        value = self._called(function, arguments, given)
        reply = {"value": plain.encode(value)}
        plain.spoil((arguments, value))
        return reply

    def _called(self, function: Callable[..., Any], arguments: Any, given: Any) -> Any:
        value = function(*arguments)
        try:
            self._changed = plain.encode(arguments) != given
        except NotPlainData:
            self._changed = True
        return value
