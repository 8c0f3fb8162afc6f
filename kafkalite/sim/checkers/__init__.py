"""Checkers: what must hold at every step, and what clients must never see; they read facts and nothing else.

Read `violation` and `expectations` first, then `world`, then the invariants, then `history` and `anomalies`; of groups
`group_world`, then `group_invariants` and `commits`; of transactions `transaction_world`, then `transactions`; of the
world outside `effects`.
"""

from kafkalite.sim.checkers.checker import GROUP_CHECKS, INVARIANTS, NAMES, POLL_CHECKS, Checker
from kafkalite.sim.checkers.coverage import Coverage
from kafkalite.sim.checkers.expectations import Expectations, GroupPromise, TopicPromise
from kafkalite.sim.checkers.history import History, value_of
from kafkalite.sim.checkers.violation import Announced, Violation

__all__ = [
    "GROUP_CHECKS",
    "INVARIANTS",
    "NAMES",
    "POLL_CHECKS",
    "Announced",
    "Checker",
    "Coverage",
    "Expectations",
    "GroupPromise",
    "History",
    "TopicPromise",
    "Violation",
    "value_of",
]
