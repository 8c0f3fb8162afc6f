"""Compiles the functions that read messages: for each class and version one closure, made of one a field.

What is wrong with the data is found by the function that meets it and travels outwards; every level adds where it was,
so the error names the field without anything being counted on the way.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from dataclasses import make_dataclass
from functools import cache
from typing import Any

from kafkalite.errors import ErrorCode, ProtocolError
from kafkalite.protocol.primitives import (
    FAULTS,
    FORMATS,
    NUMBERS,
    Data,
    Read,
    lengths,
    placed,
    read_uvarint,
    sized_reader,
)
from kafkalite.protocol.schema import Array, Field, Kind, fields_of, runs

ReadItems = Callable[[Data, int, int, list[Any]], int]  # as Read, told how many

_CONVERT: dict[Kind, Callable[[Any], Any]] = {
    Kind.ERROR_CODE: ErrorCode.of,
    Kind.UUID: lambda raw: uuid.UUID(bytes=raw),
}


@cache
def record_reader(message: type, version: int, flexible: bool) -> Read:
    """The function that reads one message class, or a part of one, in one version."""
    fields = fields_of(message)
    plain = [field for field in fields if field.tag is None]
    steps = [step for group in runs(plain, version) for step in _readers(group, version, flexible)]
    if flexible:
        steps.append(_tags_reader([field for field in fields if field.tag is not None], version))
    else:
        steps += [_default_reader(field.default) for field in fields if field.tag is not None]
    names = [*(field.name for field in plain), "tagged fields"]
    make = _maker(message)

    def read(data: Data, at: int, into: list[Any]) -> int:
        values: list[Any] = []
        try:
            for step in steps:
                at = step(data, at, values)
        except FAULTS as fault:
            raise placed(fault, f".{names[len(values)]}") from None
        into.append(make(values))
        return at

    return read


def _maker(message: type) -> Callable[[list[Any]], Any]:
    """Makes a message of its values, three times as fast as its own `__init__`.

    A frozen dataclass sets each field through `object.__setattr__`. Here a twin with the same slots is made, which is
    not frozen, and then told that it is the message.
    """
    twin = make_dataclass("Twin", [field.name for field in fields_of(message)], slots=True, eq=False, repr=False)

    def make(values: list[Any]) -> Any:
        made = twin(*values)
        made.__class__ = message
        return made

    return make


def _readers(group: list[Field], version: int, flexible: bool) -> list[Read]:
    first = group[0]
    if version not in first.versions:
        return [_default_reader(first.default)]
    if first.shape in FORMATS:
        return [_run_reader([field.shape for field in group])]
    return [_value_reader(first, version, flexible)]


def _default_reader(default: Any) -> Read:
    def read(_data: Data, at: int, into: list[Any]) -> int:
        into.append(default)
        return at

    return read


def _run_reader(kinds: list[Any]) -> Read:
    run = struct.Struct(">" + "".join(FORMATS[kind] for kind in kinds))
    unpack_from, size = run.unpack_from, run.size
    converted = [(place, _CONVERT[kind]) for place, kind in enumerate(kinds) if kind in _CONVERT]

    def read(data: Data, at: int, into: list[Any]) -> int:
        into += unpack_from(data, at)
        return at + size

    def read_and_convert(data: Data, at: int, into: list[Any]) -> int:
        values = unpack_from(data, at)
        begin = len(into)
        into += values
        for place, convert in converted:
            into[begin + place] = convert(values[place])
        return at + size

    return read_and_convert if converted else read


def _value_reader(field: Field, version: int, flexible: bool) -> Read:
    flexible = flexible and not field.classic
    null = field.null_since is not None and version >= field.null_since
    shape = field.shape
    if isinstance(shape, Array):
        return _array_reader(shape.item, version, flexible, null=null)
    if isinstance(shape, Kind):
        return sized_reader(shape, flexible=flexible, null=null) if shape not in FORMATS else _run_reader([shape])
    return record_reader(shape, version, flexible)


def _array_reader(item: Kind | type, version: int, flexible: bool, *, null: bool) -> Read:
    read_length = lengths(None, flexible=flexible)[0]
    read_items = _numbers_reader(item) if item in NUMBERS else _items_reader(_item_reader(item, version, flexible))
    fewest_bytes = _fewest_bytes(item, version, flexible)

    def read(data: Data, at: int, into: list[Any]) -> int:
        count, at = read_length(data, at)
        if count * fewest_bytes > len(data) - at:
            raise ProtocolError(
                f"an array of {count} items, {fewest_bytes} bytes each or more, begins at byte {at}, "
                f"but only {len(data) - at} are left"
            )
        if count >= 0:
            return read_items(data, at, count, into)
        if not null or count != -1:
            raise ProtocolError(f"an array of {count} items at byte {at}, where null is not allowed")
        into.append(None)
        return at

    return read


def _numbers_reader(item: Any) -> ReadItems:
    arrays = [struct.Struct(f">{count}{FORMATS[item]}") for count in range(16)]  # replicas are few
    size = struct.calcsize(">" + FORMATS[item])

    def read(data: Data, at: int, count: int, into: list[Any]) -> int:
        numbers = arrays[count] if count < 16 else struct.Struct(f">{count}{FORMATS[item]}")
        into.append(numbers.unpack_from(data, at))
        return at + count * size

    return read


def _items_reader(read_one: Read) -> ReadItems:
    def read(data: Data, at: int, count: int, into: list[Any]) -> int:
        items: list[Any] = []
        try:
            for _ in range(count):
                at = read_one(data, at, items)
        except FAULTS as fault:
            raise placed(fault, f"[{len(items)}]") from None
        into.append(tuple(items))
        return at

    return read


def _item_reader(item: Kind | type, version: int, flexible: bool) -> Read:
    if isinstance(item, Kind):
        return _run_reader([item]) if item in FORMATS else sized_reader(item, flexible=flexible, null=False)
    return record_reader(item, version, flexible)


def _fewest_bytes(shape: Any, version: int, flexible: bool) -> int:
    """What a value of this shape takes at the very least, on the wire."""
    if isinstance(shape, Array):
        return lengths(None, flexible=flexible)[2]
    if isinstance(shape, Kind):
        if shape in FORMATS:
            return struct.calcsize(">" + FORMATS[shape])
        return lengths(shape, flexible=flexible)[2]
    present = [field for field in fields_of(shape) if field.tag is None and version in field.versions]
    return sum(_fewest_bytes(field.shape, version, flexible) for field in present) + (1 if flexible else 0)


def _tags_reader(fields: list[Field], version: int) -> Read:
    """The tagged fields (KIP-482): a count, then tag, size and value of each, in ascending order of tags."""
    known = {field.tag: (place, _value_reader(field, version, True)) for place, field in enumerate(fields)}
    defaults = [field.default for field in fields]

    def read(data: Data, at: int, into: list[Any]) -> int:
        if data[at] == 0:  # nearly always
            into += defaults
            return at + 1
        count, at = read_uvarint(data, at)
        values = defaults.copy()
        last = -1
        for _ in range(count):
            tag, at = read_uvarint(data, at)
            if tag <= last:
                raise ProtocolError(f"tag {tag} after tag {last}; tags must ascend")
            last = tag
            size, at = read_uvarint(data, at)
            end = at + size
            if end > len(data):
                raise ProtocolError(f"tag {tag} has {size} bytes from byte {at} on, but only {len(data) - at} are left")
            if tag in known:
                place, read_value = known[tag]
                found: list[Any] = []
                if read_value(data, at, found) != end:
                    raise ProtocolError(
                        f"tag {tag} says {size} bytes from byte {at} on, but its value has another size"
                    )
                values[place] = found[0]
            at = end
        into += values
        return at

    return read
