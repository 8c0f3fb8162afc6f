"""Facts and errors are counted, and what was reached too seldom is named."""

from __future__ import annotations

import pickle

from kafkalite.facts import LogDirectoryFailed, RecordsFailed, RequestAnswered, RequestRefused
from kafkalite.sim.checkers import Checker, Coverage
from kafkalite.sim.checkers.coverage import FACTS


def test_every_fact_and_every_error_that_a_run_meets_is_counted() -> None:
    checker = Checker()
    for fact in (
        RequestRefused("Produce", "orders", 0, "NOT_ENOUGH_REPLICAS"),
        RecordsFailed("orders", 0, (1,), "NOT_ENOUGH_REPLICAS", True),
        RequestAnswered(1, "create_topic", "NONE", ""),
        LogDirectoryFailed("disk full"),
    ):
        checker.observe(0.0, "b1", fact)

    assert {"NOT_ENOUGH_REPLICAS": 2, "NONE": 1} == dict(checker.coverage.errors)
    assert 1 == checker.coverage.facts["LogDirectoryFailed"]


def test_what_was_reached_too_seldom_is_named_with_how_often_it_was() -> None:
    coverage = Coverage()
    coverage.count(RequestRefused("Produce", "orders", 0, "REQUEST_TIMED_OUT"), times=3)

    missing = coverage.missing(3, errors=["REQUEST_TIMED_OUT", "NOT_CONTROLLER"])

    assert (FACTS - {"RequestRefused"}) | {"NOT_CONTROLLER"} == set(missing)
    assert {"RequestRefused": 3} == coverage.missing(4, facts_wanted=["RequestRefused"])


def test_the_counts_of_runs_in_other_processes_add_up() -> None:
    coverage = Coverage()
    coverage.count(LogDirectoryFailed("disk full"))

    assert 2 == (coverage + pickle.loads(pickle.dumps(coverage))).facts["LogDirectoryFailed"]
