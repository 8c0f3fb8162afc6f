"""Plain data: what may cross between a part and the cluster it is plugged into, and how it looks on a pipe.

Plain data is None, bool, int, float, str, bytes, list, tuple, dict, frozenset and the frozen dataclasses of
`kafkalite.types`. A part that speaks only plain data works alike beside the learner and behind a pipe in a sandbox.

`copy` is what crossing does to a value in one process, `encode` and `decode` are the two halves of crossing a pipe;
for every plain value `decode(encode(value)) == copy(value)`, types included. Left out: subclasses (a subclass of int
could lie about `==`), NaN (it differs from itself) and cycles.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import linecache
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from math import isnan
from typing import Any

from kafkalite import types
from kafkalite.errors import BY_NAME, NotPlainData

DEPTH_MAX = 24  # deeper than any part needs; shallow enough that no walk meets Python's recursion limit
ITEMS_MAX = 100_000  # of one value, all levels together
TEXT_MAX = 300_000  # characters, bytes and digits of one value: in JSON they may be twelve times as long
DIGITS_MAX = 4_000  # of one int; Python itself refuses to read more than 4,300

RECORDS: dict[str, type] = {
    name: kind for name, kind in vars(types).items() if isinstance(kind, type) and is_dataclass(kind)
}
_FIELDS = {kind: tuple(f.name for f in fields(kind)) for kind in RECORDS.values()}
_ATOMS = (type(None), bool, str)
_INSTEAD = {"set": "frozenset", **dict.fromkeys(("deque", "generator", "islice", "range", "map", "filter"), "list")}
_INT_LIMIT = 10**DIGITS_MAX


def copy(value: object) -> Any:
    """The same plain value, sharing nothing with the original.

    Raises NotPlainData, which names the value's type, if any part of it is not plain data.

    >>> copy({"a": [1, (2, b"x")]})
    {'a': [1, (2, b'x')]}
    """
    return _walk(value, _Copier())


def differs(crossed: object, original: object) -> bool:
    """Has somebody changed the copy, so that it is not what the original is any more, or no plain data at all?

    >>> differs([1, 2], [1]), differs([1], [1])
    (True, False)
    """
    try:
        return bool(encode(crossed) != encode(original))
    except NotPlainData:
        return True


def spoil(value: Any) -> None:
    """Empty every list and dict in a value that has crossed: whoever kept it instead of a copy will notice.

    A caller may reuse what it handed over, and a reader may change what it was given.
    """
    if type(value) in (list, tuple, dict):
        for item in list(value.values() if isinstance(value, dict) else value):
            spoil(item)
    elif type(value) in _FIELDS:
        for name in _FIELDS[type(value)]:
            spoil(getattr(value, name))
    if type(value) in (list, dict):
        value.clear()


def encode(value: object) -> Any:
    """The value as JSON-able data, tagged so that nothing changes its type on the way. Raises NotPlainData.

    >>> encode((1, "a"))
    {'tuple': [1, 'a']}
    """
    return _walk(value, _Encoder())


def decode(data: object) -> Any:
    """The value that `encode` made `data` from. Raises NotPlainData on anything `encode` would not have made.

    Safe on hostile input: it builds values of the types listed above and nothing else.

    >>> decode({"tuple": [1, "a"]})
    (1, 'a')
    """
    return _decode(data, _Budget(), 0)


class _Budget:
    """Counts the items and the text of one value; an endless one is stopped early."""

    def __init__(self) -> None:
        self.left, self.text_left = ITEMS_MAX, TEXT_MAX

    def spend_text(self, length: int) -> None:
        self.text_left -= length
        if self.text_left < 0:
            raise NotPlainData(f"more than {TEXT_MAX:,} characters in one value")

    def spend(self, count: int, depth: int) -> None:
        self.left -= count
        if self.left < 0:
            raise NotPlainData(f"more than {ITEMS_MAX:,} items in one value")
        if depth > DEPTH_MAX:
            raise NotPlainData(f"nested more than {DEPTH_MAX} levels deep")


class _Copier:
    """Builds the containers of a copy."""

    def atom(self, value: Any) -> Any:
        return value

    def list_(self, items: list[Any]) -> Any:
        return items

    def tuple_(self, items: list[Any]) -> Any:
        return tuple(items)

    def frozenset_(self, items: list[Any]) -> Any:
        return frozenset(items)

    def dict_(self, pairs: list[tuple[Any, Any]]) -> Any:
        return dict(pairs)

    def record(self, kind: type, items: list[Any]) -> Any:
        return kind(*items)


class _Encoder:
    """Builds the tagged JSON of a value. Lists stay lists; everything else that JSON lacks becomes a one-key object."""

    def atom(self, value: Any) -> Any:
        if type(value) is bytes:
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if type(value) is float and value in (float("inf"), float("-inf")):
            return {"float": repr(value)}
        return value

    def list_(self, items: list[Any]) -> Any:
        return items

    def tuple_(self, items: list[Any]) -> Any:
        return {"tuple": items}

    def frozenset_(self, items: list[Any]) -> Any:
        return {"frozenset": items}

    def dict_(self, pairs: list[tuple[Any, Any]]) -> Any:
        return {"dict": [[key, value] for key, value in pairs]}

    def record(self, kind: type, items: list[Any]) -> Any:
        return {"record": [kind.__name__, *items]}


def _walk(value: Any, make: _Copier | _Encoder) -> Any:
    return _walk_into(value, make, _Budget(), 0)


def _walk_into(value: Any, make: _Copier | _Encoder, budget: _Budget, depth: int) -> Any:
    kind = type(value)
    if kind in _ATOMS or kind in (bytes, int, float):
        return make.atom(_checked(value, budget))
    if kind in (list, tuple, frozenset):
        budget.spend(len(value), depth)
        # A frozenset is put in one order, so that the same value makes the same bytes in every process.
        ordered = sorted(value, key=lambda item: (type(item).__name__, repr(item))) if kind is frozenset else value
        items = [_walk_into(item, make, budget, depth + 1) for item in ordered]
        return make.list_(items) if kind is list else make.tuple_(items) if kind is tuple else make.frozenset_(items)
    if kind is dict:
        budget.spend(2 * len(value), depth)
        return make.dict_(
            [(_walk_into(k, make, budget, depth + 1), _walk_into(v, make, budget, depth + 1)) for k, v in value.items()]
        )
    if kind in _FIELDS:
        budget.spend(len(_FIELDS[kind]), depth)
        return make.record(kind, [_walk_into(getattr(value, f), make, budget, depth + 1) for f in _FIELDS[kind]])
    article = "an" if kind.__name__[:1] in "aeiou" else "a"
    instead = f" (make it a {_INSTEAD[kind.__name__]})" if kind.__name__ in _INSTEAD else ""
    raise NotPlainData(
        f"{article} {kind.__name__}{instead}; "
        "plain data is None, bool, int, float, str, bytes, list, tuple, dict, frozenset"
    )


def _checked(value: Any, budget: _Budget) -> Any:
    """The same atom, if it can cross."""
    kind = type(value)
    if kind is str or kind is bytes:
        budget.spend_text(len(value))
    if kind is str and not _is_text(value):
        raise NotPlainData("a str with lone surrogates, which no encoding can carry")
    if kind is int:
        if not -_INT_LIMIT < value < _INT_LIMIT:
            raise NotPlainData(f"an int of more than {DIGITS_MAX:,} digits")
        budget.spend_text(value.bit_length() // 3)
    if kind is float and isnan(value):
        raise NotPlainData("a float that is not a number (nan)")
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decode(data: Any, budget: _Budget, depth: int) -> Any:
    kind = type(data)
    if kind in _ATOMS or kind is int or kind is float:
        return _checked(data, budget)
    if kind is list:
        return _decode_items(data, budget, depth)
    if kind is not dict or len(data) != 1:
        raise NotPlainData(f"expected one tag and its content, got a {kind.__name__} of {len(data)} entries")
    ((tag, content),) = data.items()
    try:
        return _decode_tag(tag, content, budget, depth)
    except (TypeError, ValueError, binascii.Error) as error:  # unhashable keys, bad base64, wrong counts
        raise NotPlainData(f"malformed content under the tag {str(tag)[:40]!r}: {str(error)[:80]}") from None


def _decode_items(items: Any, budget: _Budget, depth: int) -> list[Any]:
    if type(items) is not list:
        raise NotPlainData(f"expected a list, got a {type(items).__name__}")
    budget.spend(len(items), depth)
    return [_decode(item, budget, depth + 1) for item in items]


def _decode_tag(tag: str, content: Any, budget: _Budget, depth: int) -> Any:
    if tag == "tuple":
        return tuple(_decode_items(content, budget, depth))
    if tag == "frozenset":
        return frozenset(_decode_items(content, budget, depth))
    if tag == "dict":
        pairs = [_decode_items(pair, budget, depth + 1) for pair in content]
        return dict(pairs)
    if tag == "bytes" and type(content) is str:
        budget.spend_text(len(content) // 4 * 3 - content[-2:].count("="))
        return base64.b64decode(content, validate=True)
    if tag == "float" and content in ("inf", "-inf"):
        return float(content)
    if tag == "record" and type(content) is list and content and type(content[0]) is str:
        if content[0] not in RECORDS or len(content) != len(_FIELDS[RECORDS[content[0]]]) + 1:
            raise NotPlainData(f"no record of that name and number of fields: {content[0][:40]!r}")
        return RECORDS[content[0]](*_decode_items(content[1:], budget, depth))
    raise NotPlainData(f"an unknown tag {str(tag)[:40]!r}")


ERROR_NAMES = frozenset({*BY_NAME, "FrozenInstanceError"}) | {
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
}
"""The names under which errors cross."""


def error_name(
    error: BaseException, is_own: Callable[[str], bool] = lambda _: False, message_length_max: int = 500
) -> tuple[str, str]:
    """How an error crosses: a name the other side knows, and its message, cut to `message_length_max`.

    `is_own(filename)` tells whose code a line is: the last own line that raised it is told with the message, unless it
    is one of the errors a part answers with.

    The name is that of the nearest class in the error's ancestry that is built in or in `kafkalite.errors`, so a
    learner's own subclass of ValueError crosses as ValueError.

    >>> error_name(KeyError("a"))
    ('KeyError', "'a'")
    """
    name = next(c.__name__ for c in type(error).__mro__ if c.__name__ in ERROR_NAMES)
    try:
        message = str(error)[:message_length_max].encode("utf-8", "replace").decode()
    except BaseException:  # noqa: BLE001 - a learner's __str__ may raise anything
        message = "(its message cannot be shown)"
    return name, message if name in BY_NAME else message + _place_of(error, is_own)


def _place_of(error: BaseException, is_own: Callable[[str], bool]) -> str:
    last, trace = None, error.__traceback__
    while trace is not None:  # an endless recursion has thousands of frames; only one is looked at closely
        if is_own(trace.tb_frame.f_code.co_filename):
            last = trace
        trace = trace.tb_next
    if last is None:
        return ""
    line = linecache.getline(last.tb_frame.f_code.co_filename, last.tb_lineno, last.tb_frame.f_globals).strip()
    code = f": `{line[:80]}`" if line else ""
    return f" [line {last.tb_lineno} of `{last.tb_frame.f_code.co_name}`{code}]"
