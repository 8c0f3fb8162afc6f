"""What transactional producers announce, as lines of text; the others are in `telling`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite import facts


def _failed(fact: facts.TransactionFailed) -> str:
    if fact.is_fatal:
        return f"is no producer for {fact.transactional_id} any more: {fact.error}"
    return f"can only abort transaction {fact.transaction} of {fact.transactional_id}: {fact.error}"


def _ended(fact: facts.TransactionEnded) -> str:
    how = "committed" if fact.is_commit else "aborted"
    return f"is told that transaction {fact.transaction} of {fact.transactional_id} is {how}"


TRANSACTION_LINES: dict[type, Callable[[Any], str]] = {
    facts.ProducerIdentified: lambda f: f"writes for {f.transactional_id} as producer {f.producer_id}, epoch {f.epoch}",
    facts.TransactionBegun: lambda f: f"begins transaction {f.transaction} of {f.transactional_id}",
    facts.TransactionEnded: _ended,
    facts.TransactionFailed: _failed,
    facts.TransactionCallRefused: lambda f: f"may not {f.call.replace('_', ' ')} now: it is in state '{f.state}'",
}

# Told only if asked for.
TRANSACTION_DETAILS: frozenset[type] = frozenset()
