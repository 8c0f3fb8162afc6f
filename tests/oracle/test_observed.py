"""Every program against a served kafkalite, compared with what Apache Kafka 3.7 was seen to answer.

`make oracle ARGS=--record` asks Apache Kafka anew; here no Java is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracle.compare import OBSERVED, changed, is_as_known, observe, recorded_path, told
from tests.oracle.differences import DIFFERENCES
from tests.oracle.programs.registry import OF_THREE, PROGRAMS
from tests.oracle.served import one_broker


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One broker for all programs, as in `make oracle`."""
    folder: Path = tmp_path_factory.mktemp("served")
    with one_broker(folder) as address:
        yield address


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_client_sees_what_it_would_see_of_apache_kafka(bootstrap: str, name: str) -> None:
    expected = json.loads(recorded_path(name).read_text(encoding="utf-8"))

    found = observe(bootstrap, name)

    assert is_as_known(name, expected, found), told(expected, found)


def test_what_is_recorded_and_what_is_listed_are_programs_that_there_are() -> None:
    assert set(PROGRAMS) == {path.stem for path in OBSERVED.glob("*.json")}
    assert set(PROGRAMS) | set(OF_THREE) >= set(DIFFERENCES)


def test_each_known_difference_is_one_and_has_its_reason() -> None:
    assert all(one.lines and one.reason for one in DIFFERENCES.values())


def test_a_program_that_gave_up_is_not_what_was_meant() -> None:
    gave_up = [path.stem for path in OBSERVED.glob("*.json") if '"gave up"' in path.read_text(encoding="utf-8")]

    assert [] == gave_up


def test_a_difference_is_told_by_the_lines_that_differ() -> None:
    expected, found = [{"a": {"x": 1, "y": 2}}], [{"a": {"x": 1, "y": 3}}]

    assert () == changed(expected, expected)
    assert ('-"y": 2', '+"y": 3') == changed(expected, found)
    assert not is_as_known("a-program-that-is-not-listed", expected, found)
