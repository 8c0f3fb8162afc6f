"""What is served is summed by the fastest means there is, and by our own where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import crc32c as package
import pytest

from kafkalite.log import crc
from kafkalite.net.checksums import use_fast_checksums

DATA = bytes(range(256)) * 9


@pytest.fixture(autouse=True)
def chosen_before() -> Iterator[None]:
    crc.use(crc.crc32c_by_table)
    yield
    crc.use(crc.crc32c_by_table)


def test_what_is_served_is_summed_by_the_package_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    computed = package.crc32c

    def counted(data: bytes) -> int:
        asked.append(data)
        return computed(data)

    monkeypatch.setattr(package, "crc32c", counted)

    assert use_fast_checksums()
    assert crc.crc32c_by_table(DATA) == crc.crc32c(DATA)
    assert DATA in asked


def test_without_the_package_the_table_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crc32c", None)

    assert not use_fast_checksums()
    assert crc.crc32c_by_table(DATA) == crc.crc32c(DATA)


def test_a_package_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "crc32c", lambda _data: 7)

    with pytest.raises(ValueError, match="is not CRC32C"):
        use_fast_checksums()
