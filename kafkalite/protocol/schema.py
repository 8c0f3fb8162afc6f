"""The notation in which the messages of this package are written down.

A message is a frozen dataclass whose fields stand in the order of the wire, under Kafka's names in Python's case. What
a field looks like in bytes is its type, and what changes from version to version stands beside it:

    replica_id: Int32 = -1                                          four bytes in every version
    rack_id: Annotated[String, since(11)] = ""                      in version 11 and later
    topics: Annotated[tuple[Topic, ...] | None, nullable(1)] = ()   an array, which may be null from version 1 on
    features: Annotated[tuple[Feature, ...], tagged(0)] = ()        in the tagged fields of a flexible version

A field that a version lacks is not written, and is read as its default. Kafka's own schemas are JSON, one file a
message; their names, orders, ranges and defaults are kept.

Left out: `ignorable` (Kafka refuses to send some values to versions that lack the field; here they are dropped), and
what Kafka's generator needs but the wire does not show (entity types, map keys).
"""

from __future__ import annotations

import dataclasses
import types
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import groupby
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from kafkalite.errors import ErrorCode

VERSION_MAX = 32_767  # a version is an int16


class Kind(Enum):
    """What a value without parts looks like in bytes. Fixed sizes are `struct` formats, all of them big-endian."""

    BOOL = "?"
    INT8 = "b"
    INT16 = "h"
    INT32 = "i"
    INT64 = "q"
    ERROR_CODE = "an int16 that names an error"
    UUID = "16 bytes"
    STRING = "a length, then UTF-8"
    JUTE_STRING = "a length of four bytes, then UTF-8: ZooKeeper's strings"
    BYTES = "a length, then bytes"
    RECORDS = "a length, then record batches, which the protocol does not open"


FIXED = frozenset((Kind.BOOL, Kind.INT8, Kind.INT16, Kind.INT32, Kind.INT64, Kind.ERROR_CODE, Kind.UUID))

Bool = Annotated[bool, Kind.BOOL]
Int8 = Annotated[int, Kind.INT8]
Int16 = Annotated[int, Kind.INT16]
Int32 = Annotated[int, Kind.INT32]
Int64 = Annotated[int, Kind.INT64]
Error = Annotated[ErrorCode, Kind.ERROR_CODE]
Uuid = Annotated[uuid.UUID, Kind.UUID]
String = Annotated[str, Kind.STRING]
JuteString = Annotated[str, Kind.JUTE_STRING]
Bytes = Annotated[bytes, Kind.BYTES]
Records = Annotated[bytes | bytearray | memoryview, Kind.RECORDS]

NO_UUID = uuid.UUID(int=0)  # "no topic id": brokers that have none send zeros


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions that have a field, both ends included."""

    first: int
    last: int

    def __contains__(self, version: int) -> bool:
        return self.first <= version <= self.last


@dataclass(frozen=True, slots=True)
class Nullable:
    """The first version in which a field may be null."""

    since: int


@dataclass(frozen=True, slots=True)
class Tag:
    """The number of a tagged field (KIP-482): written only when it differs from its default."""

    number: int


@dataclass(frozen=True, slots=True)
class Classic:
    """The field's length is never compact, not even in a flexible version."""


def since(version: int) -> Versions:
    """The field came with this version."""
    return Versions(version, VERSION_MAX)


def until(version: int) -> Versions:
    """The field left after this version."""
    return Versions(0, version)


def between(first: int, last: int) -> Versions:
    """The field came with `first` and left after `last`."""
    return Versions(first, last)


def nullable(version: int) -> Nullable:
    """Before this version, a null was not allowed. Without this note, a type with `| None` always allows it."""
    return Nullable(version)


def tagged(number: int) -> Tag:
    """The field is a tagged one. Tagged fields stand last in their class."""
    return Tag(number)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one message, as the engine reads it. `shape` is a Kind, a dataclass, or an array of either."""

    name: str
    shape: Kind | type | Array
    versions: Versions
    null_since: int | None  # None: never null
    tag: int | None
    classic: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Array:
    """A count, then so many values of one shape."""

    item: Kind | type


@cache
def fields_of(message: type) -> tuple[Field, ...]:
    """The fields of a message class, in the order of the wire.

    >>> @dataclass(frozen=True, slots=True)
    ... class Broker:
    ...     node_id: Int32 = 0
    ...     rack: Annotated[String | None, since(1)] = None
    >>> [(field.name, field.shape.name, field.versions.first) for field in fields_of(Broker)]
    [('node_id', 'INT32', 0), ('rack', 'STRING', 1)]
    """
    hints = get_type_hints(message, include_extras=True)
    found = tuple(_field(each.name, hints[each.name], each.default) for each in dataclasses.fields(message))
    tags = [each.tag is not None for each in found]
    assert tags == sorted(tags), f"the tagged fields of {message.__name__} must stand last"
    return found


def runs(fields: Iterable[Field], version: int) -> list[list[Field]]:
    """Neighbours of fixed size that are in this version together, every other field alone."""

    def key(numbered: tuple[int, Field]) -> int:
        number, field = numbered
        return -1 if field.shape in FIXED and version in field.versions else number

    return [[field for _, field in group] for _, group in groupby(enumerate(fields), key)]


def _field(name: str, hint: Any, default: Any) -> Field:
    assert default is not dataclasses.MISSING, f"{name} needs a default: older versions may lack it"
    base, notes, null = _unwrapped(hint)
    versions = next((note for note in notes if isinstance(note, Versions)), since(0))
    null_note = next((note for note in notes if isinstance(note, Nullable)), Nullable(0))
    tag = next((note.number for note in notes if isinstance(note, Tag)), None)
    kind = next((note for note in notes if isinstance(note, Kind)), None)
    classic = Classic() in notes
    null_since = null_note.since if null else None
    return Field(name, kind or _shape(base), versions, null_since, tag, classic, default)


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """The type itself, everything noted beside it, and whether None is one of its values."""
    if get_origin(hint) is Annotated:
        base, notes, null = _unwrapped(hint.__origin__)
        return base, (*hint.__metadata__, *notes), null
    if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
        (rest,) = (one for one in get_args(hint) if one is not type(None))
        return *_unwrapped(rest)[:2], True
    return hint, (), False


def _shape(base: Any) -> Kind | type | Array:
    if get_origin(base) is not tuple:
        assert dataclasses.is_dataclass(base), f"{base} is neither a type of this module, a message, nor a tuple"
        return base  # type: ignore[return-value]  # the line above says that it is a class
    inner, notes, _ = _unwrapped(get_args(base)[0])
    item = next((note for note in notes if isinstance(note, Kind)), None) or _shape(inner)
    assert not isinstance(item, Array), "an array of arrays has no place in Kafka's protocol"
    return Array(item)
