"""Compiles the functions that write messages: for each class and version one closure, made of one a field."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any

from kafkalite.errors import ProtocolError
from kafkalite.protocol.primitives import FAULTS, FORMATS, NUMBERS, Write, lengths, placed, sized_writer, write_uvarint
from kafkalite.protocol.schema import Array, Field, Kind, fields_of, runs


@cache
def record_writer(message: type, version: int, flexible: bool) -> Write:
    """The function that writes one message class, or a part of one, in one version."""
    fields = [field for field in fields_of(message) if version in field.versions]
    plain = [field for field in fields if field.tag is None]
    steps: list[tuple[str, Callable[[Any], Any], Write]] = []
    for group in runs(plain, version):
        name, shape = group[0].name, group[0].shape
        if shape in FORMATS:
            steps.append((name, *_run_writer(group)))
        else:
            steps.append((name, attrgetter(name), _value_writer(group[0], version, flexible)))
    if flexible:
        tags = [field for field in fields if field.tag is not None]
        steps.append(("tagged fields", lambda message: message, _tags_writer(tags, version)))

    def write(value: Any, out: bytearray) -> None:
        name = ""
        try:
            for name, get, write_value in steps:  # noqa: B007 - the name of the one that failed
                write_value(get(value), out)
        except FAULTS as fault:
            raise placed(fault, f".{name}") from None

    return write


def _run_writer(group: list[Field]) -> tuple[Callable[[Any], Any], Write]:
    """Takes the fields of a run from a message, and packs them; an error is an int, a UUID has its bytes."""
    pack = struct.Struct(">" + "".join(FORMATS[field.shape] for field in group)).pack  # type: ignore[index]
    names = [f"{field.name}.bytes" if field.shape is Kind.UUID else field.name for field in group]

    def write_one(value: Any, out: bytearray) -> None:
        out += pack(value)

    def write_run(values: Any, out: bytearray) -> None:
        out += pack(*values)

    return attrgetter(*names), (write_one if len(names) == 1 else write_run)


def _value_writer(field: Field, version: int, flexible: bool) -> Write:
    flexible = flexible and not field.classic
    null = field.null_since is not None and version >= field.null_since
    if isinstance(field.shape, Array):
        return _array_writer(field.shape.item, version, flexible, null=null)
    return _item_writer(field.shape, version, flexible, null=null)


def _item_writer(item: Kind | type, version: int, flexible: bool, *, null: bool = False) -> Write:
    if not isinstance(item, Kind):
        return record_writer(item, version, flexible)
    if item not in FORMATS:
        return sized_writer(item, flexible=flexible, null=null)
    pack = struct.Struct(">" + FORMATS[item]).pack

    def write(value: Any, out: bytearray) -> None:
        out += pack(value.bytes if item is Kind.UUID else value)

    return write


def _array_writer(item: Kind | type, version: int, flexible: bool, *, null: bool) -> Write:
    write_length = lengths(None, flexible=flexible)[1]
    write_one = _item_writer(item, version, flexible)
    number = FORMATS.get(item)  # type: ignore[arg-type]
    packs = [struct.Struct(f">{count}{FORMATS[item]}").pack for count in range(16)] if item in NUMBERS else None

    def write(items: Any, out: bytearray) -> None:
        if items is None:
            if not null:
                raise ProtocolError("None, where null is not allowed")
            write_length(-1, out)
            return
        count = len(items)
        write_length(count, out)
        if packs is not None:  # replicas are few
            out += packs[count](*items) if count < 16 else struct.pack(f">{count}{number}", *items)
            return
        place = 0
        try:
            for place, one in enumerate(items):  # noqa: B007 - the place of the one that failed
                write_one(one, out)
        except FAULTS as fault:
            raise placed(fault, f"[{place}]") from None

    return write


def _tags_writer(fields: list[Field], version: int) -> Write:
    known = [(field.tag, field.name, field.default, _value_writer(field, version, True)) for field in fields]

    def write_none(_message: Any, out: bytearray) -> None:
        out.append(0)

    def write(message: Any, out: bytearray) -> None:
        values = [(tag, getattr(message, name), default, write_value) for tag, name, default, write_value in known]
        present = [(tag, value, write_value) for tag, value, default, write_value in values if value != default]
        write_uvarint(len(present), out)
        for tag, value, write_value in present:
            body = bytearray()
            write_value(value, body)
            write_uvarint(tag or 0, out)
            write_uvarint(len(body), out)
            out += body

    return write if known else write_none
