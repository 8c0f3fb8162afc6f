"""Checkers: what must hold at every step, and what clients must never see; they read facts and nothing else.

Read `violation` and `expectations` first, then `world`, then the invariants, then `history` and `anomalies`.
"""

from kafkalite.sim.checkers.checker import INVARIANTS, NAMES, POLL_CHECKS, Checker
from kafkalite.sim.checkers.coverage import Coverage
from kafkalite.sim.checkers.expectations import Expectations, TopicPromise
from kafkalite.sim.checkers.history import History, value_of
from kafkalite.sim.checkers.violation import Announced, Violation

__all__ = [
    "INVARIANTS",
    "NAMES",
    "POLL_CHECKS",
    "Announced",
    "Checker",
    "Coverage",
    "Expectations",
    "History",
    "TopicPromise",
    "Violation",
    "value_of",
]
