"""Scenarios: named runs, each showing one thing that was claimed of Kafka. `python -m kafkalite scenario --list`.

One file a theme; each has a tuple `SCENARIOS`. A scenario asserts what it says, so it is a test as well: the recorded
tellings of the first seed are kept with the tests.
"""

from __future__ import annotations

from importlib import import_module

from kafkalite.sim.stage import Scenario

THEMES = (
    *("topics", "costs", "brokers", "replication", "failover", "producers"),
    *("groups", "rebalancing", "offsets", "transactions", "discovery", "zookeeper"),
)


def catalogue() -> dict[str, Scenario]:
    """All scenarios by name, in the order in which they are best read."""
    found = [one for theme in THEMES for one in import_module(f"{__name__}.{theme}").SCENARIOS]
    return {scenario.name: scenario for scenario in found}
