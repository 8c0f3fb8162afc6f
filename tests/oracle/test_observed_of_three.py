"""Every program for three brokers against a served kafkalite, compared with what Apache Kafka 3.7 was seen to answer.

Brokers are stopped and killed meanwhile, so this takes longer than `test_observed`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.oracle.cluster_session import Brokers
from tests.oracle.compare import OBSERVED_OF_THREE, is_as_known, observe_three, recorded_path, told
from tests.oracle.programs.registry import OF_THREE, PROGRAMS
from tests.oracle.served import three_brokers


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """One cluster for all programs; each leaves it whole."""
    with three_brokers(tmp_path_factory.mktemp("three")) as served:
        yield served


@pytest.mark.parametrize("name", OF_THREE)
def test_a_client_of_three_brokers_sees_what_it_would_see_of_apache_kafka(brokers: Brokers, name: str) -> None:
    expected = json.loads(recorded_path(name).read_text(encoding="utf-8"))

    found = observe_three(brokers, name)

    assert is_as_known(name, expected, found), told(expected, found)


def test_what_is_recorded_of_three_brokers_are_programs_that_there_are() -> None:
    assert set(OF_THREE) == {path.stem for path in OBSERVED_OF_THREE.glob("*.json")}
    assert not set(OF_THREE) & set(PROGRAMS), "their names are those of files and of differences"


def test_a_program_of_three_that_gave_up_is_not_what_was_meant() -> None:
    recorded = {path.stem: path.read_text(encoding="utf-8") for path in OBSERVED_OF_THREE.glob("*.json")}

    assert [] == [name for name, text in recorded.items() if '"gave up"' in text]
