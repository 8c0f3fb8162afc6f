"""The same message as an object of kafka-python, which reads Apache Kafka's schemas when it is imported."""

from __future__ import annotations

import dataclasses
import importlib
import warnings
from typing import Any

from kafkalite.protocol.schema import NO_UUID, fields_of

# What the client may do, as a set of bits.
OPERATIONS = {f"{what}authorized_operations" for what in ("", "topic_", "cluster_")}

with warnings.catch_warnings():  # it reads its schemas by a call that Python 3.11 advises against
    warnings.simplefilter("ignore", DeprecationWarning)
    for _family in ("admin", "consumer", "metadata", "producer"):  # a class exists once its module is imported
        importlib.import_module(f"kafka.protocol.{_family}")
    _messages = importlib.import_module("kafka.protocol.api_message")
_CLASSES = {each.__name__: each for each in _messages.ApiMessage.__subclasses__()}


def message_class(message: type) -> Any:
    """kafka-python's class of that message; None where it has none."""
    return _CLASSES.get(message.__name__)


def encode(value: Any, version: int) -> bytes:
    return bytes(object_of(value, message_class(type(value))).encode(version=version))


def decode(message: type, data: bytes, version: int) -> Any:
    # Not their ApiVersionsResponse.decode, which reads version 0 wherever there is an error code (KIP-511).
    return _messages.ApiMessage.decode.__func__(message_class(message), data, version=version)


def object_of(value: Any, kind: Any) -> Any:
    """Our message as theirs: the same names, lists for tuples, tagged fields only where they are not the default."""
    known = kind._struct.fields
    fields = {}
    ours: type = type(value)
    for field in fields_of(ours):
        one = getattr(value, field.name)
        name = _their_name(field.name)
        if name in known and (field.tag is None or one != field.default):
            fields[name] = _converted(field.name, one, known[name])
    return kind(**fields)


def _their_name(name: str) -> str:
    return "authorized_operations" if name in OPERATIONS else name


def _converted(name: str, value: Any, field: Any) -> Any:
    if name in OPERATIONS:
        return _bits(value)
    if isinstance(value, tuple):
        return [object_of(each, field.data_class) if dataclasses.is_dataclass(each) else each for each in value]
    return value


def _bits(operations: int) -> set[int] | None:
    """Operations are a set of bits to them, and None where ours are "not asked"."""
    bits = {bit for bit in range(32) if operations >> bit & 1}
    return None if bits == {31} else bits


def same(ours: Any, theirs: Any) -> bool:
    """Whether their object has the values of our message, in every field that they read."""
    if dataclasses.is_dataclass(ours):
        names = {field.name: _their_name(field.name) for field in dataclasses.fields(ours)}
        read = {name: theirs_name for name, theirs_name in names.items() if theirs_name in theirs.to_dict()}
        assert len(read) == len(theirs.to_dict())
        return all(_same(name, getattr(ours, name), getattr(theirs, read[name])) for name in read)
    return bool(ours == theirs)


def _same(name: str, ours: Any, theirs: Any) -> bool:
    if name in OPERATIONS:
        return bool(_bits(ours) == theirs)
    if isinstance(ours, tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if ours == NO_UUID and theirs is None:
        return True
    return bool(ours == theirs)
