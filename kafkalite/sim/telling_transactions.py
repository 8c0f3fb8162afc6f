"""What transactional producers and their coordinators announce, as lines of text; the others are in `telling`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite import facts
from kafkalite.sim.telling_groups import partitions_text


def _failed(fact: facts.TransactionFailed) -> str:
    if fact.is_fatal:
        return f"is no producer for {fact.transactional_id} any more: {fact.error}"
    return f"can only abort transaction {fact.transaction} of {fact.transactional_id}: {fact.error}"


def _ended(fact: facts.TransactionEnded) -> str:
    how = "committed" if fact.is_commit else "aborted"
    return f"is told that transaction {fact.transaction} of {fact.transactional_id} is {how}"


def _ids(ids: tuple[str, ...]) -> str:
    return "1 transactional id" if len(ids) == 1 else f"{len(ids)} transactional ids"


def _turned(fact: facts.TransactionTurned) -> str:
    where = f", {partitions_text(fact.partitions)}" if fact.partitions else ""
    return f"{fact.transactional_id} is {fact.state} (producer {fact.producer_id}, epoch {fact.epoch}{where})"


def _fenced(fact: facts.TransactionFenced) -> str:
    why = "its time is up" if fact.reason == "timeout" else "another producer begins"
    return f"aborts what {fact.transactional_id} has open and fences its producer: {why}; epoch {fact.epoch}"


def _marker(fact: facts.MarkerWritten) -> str:
    end = "commit" if fact.is_commit else "abort"
    return f"{fact.topic}-{fact.partition}: marker at {fact.offset}, {end} of producer {fact.producer_id}"


def _pending(fact: facts.OffsetsPending) -> str:
    offsets = ", ".join(f"{topic}-{partition} at {offset}" for topic, partition, offset in sorted(fact.offsets))
    return f"group {fact.group}: {offsets}, if producer {fact.producer_id} commits"


TRANSACTION_LINES: dict[type, Callable[[Any], str]] = {
    facts.EffectApplied: lambda f: f"does for {f.key}: {(f.value or b'').decode(errors='backslashreplace')}",
    facts.ProducerIdentified: lambda f: f"writes for {f.transactional_id} as producer {f.producer_id}, epoch {f.epoch}",
    facts.TransactionBegun: lambda f: f"begins transaction {f.transaction} of {f.transactional_id}",
    facts.TransactionEnded: _ended,
    facts.TransactionFailed: _failed,
    facts.TransactionCallRefused: lambda f: f"may not {f.call.replace('_', ' ')} now: it is in state '{f.state}'",
    facts.TransactionsLoaded: lambda f: f"coordinates {_ids(f.ids)}, of __transaction_state-{f.partition}",
    facts.TransactionsUnloaded: lambda f: f"coordinates __transaction_state-{f.partition} no more",
    facts.TransactionTurned: _turned,
    facts.TransactionFenced: _fenced,
    facts.TransactionRefused: lambda f: f"refuses {f.api} of {f.transactional_id}: {f.error}",
    facts.MarkerWritten: _marker,
    facts.MarkerRefused: lambda f: f"{f.topic}-{f.partition}: no marker for producer {f.producer_id}: {f.error}",
    facts.LastStableOffsetAdvanced: lambda f: f"{f.topic}-{f.partition}: last stable offset {f.was} -> {f.offset}",
    facts.OffsetsPending: _pending,
}

# Told only if asked for.
TRANSACTION_DETAILS: frozenset[type] = frozenset()
