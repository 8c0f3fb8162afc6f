"""Mutants of chapter 1's references that no case can tell from the reference, each with the reason."""

from __future__ import annotations

_STATE_IS_OPAQUE = (
    "only `deliver` reads its state, what is handed out is what counts, and a sink that is not idle is handed nothing; "
    "when it subscribes again it names its offset anew"
)

EQUIVALENT: dict[str, dict[str, str]] = {
    "cursor": {
        "poll: `first = self._position if start <= self._position <= end else start` -> "
        "`first = self._position if start < self._position <= end else start`": (
            "a cursor at the start goes on from the start either way"
        ),
    },
    "deliver": {
        "deliver: `positions.pop(event.sink, None)` -> `pass`": _STATE_IS_OPAQUE,
        "deliver: `positions.pop(event.sink, None)` -> `positions.pop(None, event.sink)`": _STATE_IS_OPAQUE,
    },
}
