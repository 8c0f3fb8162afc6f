"""The soak of memory loads a served cluster with every kind of client, looks, and judges what it has seen.

Whether memory grows is judged by `make memory`, which takes its time.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .memory import KINDS, Growth, Look, growth_of, look, soaked


@pytest.mark.slow
def test_a_soak_begins_all_kinds_of_clients_and_judges_every_process(tmp_path: Path) -> None:
    said: list[str] = []
    with soaked(tmp_path, brokers=1, zookeepers=1) as one:
        found = one.run(5.0, said.append)

    assert [] == one.load.troubles
    assert [(name, kind) for name in ("zookeeper-1", "broker-101") for kind in KINDS] == [
        (growth.process, growth.kind) for growth in found
    ]
    assert all(growth.was_kb > 0 and growth.is_kb > 0 for growth in found)
    assert {"warming up for 1 s", "looking for 5 s"} == {line.partition(",")[0] for line in said}


def looks(*sizes_kb: int) -> list[Look]:
    return [{"RssAnon": size, "VmRSS": size + 10_000} for size in sizes_kb]


def test_a_growth_is_from_the_median_of_the_first_fifth_to_that_of_the_last() -> None:
    seen = looks(100, 99, 101, *[500] * 9, 106, 104, 900)

    [anonymous, resident] = growth_of("broker-101", seen)

    assert Growth("broker-101", "RssAnon", 100, 106) == anonymous
    assert Growth("broker-101", "VmRSS", 10_100, 10_106) == resident
    assert pytest.approx(6.0) == anonymous.percent


@pytest.mark.parametrize(("is_kb", "is_too_much"), [(90, False), (100, False), (105, False), (106, True)])
def test_over_five_percent_is_too_much(is_kb: int, is_too_much: bool) -> None:
    growth = Growth("broker-101", "RssAnon", 100, is_kb)

    assert is_too_much == growth.is_too_much
    assert is_too_much == str(growth).endswith("too much")


def test_what_was_hardly_looked_at_is_not_judged() -> None:
    with pytest.raises(ValueError, match="broker-101 was looked at 4 times; a growth takes at least 5"):
        growth_of("broker-101", looks(1, 2, 3, 4))


def test_a_look_sees_what_a_process_takes() -> None:
    before = look(os.getpid())
    taken = bytearray(os.urandom(64 << 20))

    after = look(os.getpid())

    assert {*KINDS} == after.keys()
    assert all(after[kind] - before[kind] > len(taken) / 1024 / 2 for kind in KINDS)
