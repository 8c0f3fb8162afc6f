"""Plain data crosses unchanged, types included, and nothing else crosses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite import plain
from kafkalite.errors import NotPlainData
from kafkalite.types import Hand, Published, Topic

_atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8")),
    st.binary(),
    st.builds(Published, st.text(st.characters(codec="utf-8"))),
)
_hashable = st.recursive(_atoms, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4)
_plain = st.recursive(
    _atoms,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(_hashable, inner, max_size=3)
        | st.frozensets(_hashable, max_size=3)
    ),
    max_leaves=12,
)


def _typed(value: Any) -> Any:
    """A picture of a value in which True and 1, or [1] and (1,), look different."""
    if isinstance(value, dict):
        return ("dict", [(_typed(k), _typed(v)) for k, v in value.items()])
    if isinstance(value, list | tuple):
        return (type(value).__name__, [_typed(item) for item in value])
    if isinstance(value, frozenset):
        return ("frozenset", sorted(map(repr, map(_typed, value))))
    return (type(value).__name__, repr(value))


@given(_plain)
def test_a_plain_value_comes_out_of_the_pipe_as_it_went_in(value: Any) -> None:
    """Through real JSON text, so nothing rests on Python objects being shared."""
    crossed = plain.decode(json.loads(json.dumps(plain.encode(value))))

    assert _typed(value) == _typed(crossed)
    assert _typed(plain.copy(value)) == _typed(crossed)


def test_a_copy_shares_nothing_with_the_original() -> None:
    original = {"a": [1]}
    copied = plain.copy(original)
    copied["a"].append(2)

    assert {"a": [1]} == original


class _Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@pytest.mark.parametrize(
    "value",
    [
        _Liar(3),
        object(),
        {1, 2},
        bytearray(b"x"),
        float("nan"),
        "\ud800",
        10**5000,
        iter([1]),
        [[[object()]]],
        len,
        list(range(100_001)),
        ["x" * 1000] * 301,
        b"x" * 300_001,
        [10**3999] * 100,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_data_is_refused_both_ways(value: object) -> None:
    with pytest.raises(NotPlainData):
        plain.copy(value)
    with pytest.raises(NotPlainData):
        plain.encode(value)


def test_a_value_nested_too_deep_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]

    with pytest.raises(NotPlainData, match="levels deep"):
        plain.copy(deep)
    with pytest.raises(NotPlainData, match="levels deep"):
        plain.decode(deep)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"tuple": 1},
        {"tuple": [1], "list": []},
        {"record": ["os.system", "true"]},
        {"record": ["Hand", "email"]},
        {"record": []},
        {"bytes": "not base64!"},
        {"float": "nan"},
        {"dict": [[[1], 2]]},
        {"dict": [[1, 2, 3]]},
        {"dict": 3},
        {"frozenset": [[1]]},
        {"handle": 1},
        {3: 4},
        float("nan"),
        ["x" * 1000] * 301,
        {"bytes": "AAAA" * 100_001},
        [10**3999] * 100,
    ],
    ids=lambda data: repr(data)[:40],
)
def test_what_encode_would_not_make_is_refused(data: object) -> None:
    """The other side of the pipe may be hostile."""
    with pytest.raises(NotPlainData):
        plain.decode(data)


def test_records_are_rebuilt_as_the_values_they_were() -> None:
    topic = Topic(("a",), {"email": 1}, frozenset({"email"}))

    assert (topic, [Hand("email", 0, ("a",))]) == plain.decode(plain.encode((topic, [Hand("email", 0, ("a",))])))


def test_an_error_crosses_by_the_name_the_other_side_knows() -> None:
    class MyError(KeyError):
        pass

    class Nasty(ValueError):
        def __str__(self) -> str:
            raise RuntimeError

    assert ("KeyError", "'a'") == plain.error_name(MyError("a"))
    assert ("ValueError", "(its message cannot be shown)") == plain.error_name(Nasty())
    assert ("ValueError", "x" * 500) == plain.error_name(ValueError("x" * 9999))
