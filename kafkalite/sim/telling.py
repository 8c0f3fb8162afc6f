"""Facts as lines of text: a run that can be read.

        12.3 ms  b101   leads orders-0 in epoch 0, from offset 0; in sync: 101, 102, 103

Every fact of a cluster has a line. `STORY` are the kinds that tell a story; what happens all the time (batches that are
copied, watermarks that follow) is told only if asked for. Left out: colours, pictures (the course draws those).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafkalite import facts
from kafkalite.sim import faults
from kafkalite.sim.shell import ZnodeChanged
from kafkalite.sim.telling_groups import GROUP_DETAILS, GROUP_LINES
from kafkalite.sim.telling_transactions import TRANSACTION_DETAILS, TRANSACTION_LINES
from kafkalite.types import NodeName

Line = Callable[[Any], str]


def ids(brokers: tuple[int, ...]) -> str:
    """Brokers, in one line.

    >>> ids((101, 102)), ids(())
    ('101, 102', 'nobody')
    """
    return ", ".join(map(str, brokers)) or "nobody"


def _where(fact: Any) -> str:
    return f"{fact.topic}-{fact.partition}"


def _records(numbers: tuple[int, ...]) -> str:
    if len(numbers) == 1:
        return f"record {numbers[0]}"
    if numbers == tuple(range(numbers[0], numbers[-1] + 1)):
        return f"records {numbers[0]} to {numbers[-1]}"
    return "records " + ", ".join(map(str, numbers))


def _be(fact: Any) -> str:
    return "is" if len(fact.records) == 1 else "are"


def _offsets(first: int, last: int) -> str:
    return f"offset {first}" if first == last else f"offsets {first} to {last}"


def text(value: bytes | None) -> str:
    """A key or a value as it is read.

    >>> text(b"5 apples"), text(None)
    ('5 apples', 'null')
    """
    return "null" if value is None else value.decode(errors="backslashreplace")


def _sent(fact: facts.RecordSent) -> str:
    key = f" with key {text(fact.key)}" if fact.key is not None else ""
    return f"puts record {fact.record} ({text(fact.value)}{key}) in {_where(fact)}"


def _batch_sent(fact: facts.BatchSent) -> str:
    again = f", attempt {fact.attempt}" if fact.attempt > 1 else ""
    return f"sends {_records(fact.records)} of {_where(fact)} to {fact.to}{again}"


def _acknowledged(fact: facts.RecordsAcknowledged) -> str:
    if fact.base_offset < 0:
        return f"counts {_records(fact.records)} of {_where(fact)} as sent: with acks=0 nobody answers"
    return f"is told that {_records(fact.records)} of {_where(fact)} {_be(fact)} at {_offsets_of(fact)}"


def _offsets_of(fact: facts.RecordsAcknowledged) -> str:
    return _offsets(fact.base_offset, fact.base_offset + len(fact.records) - 1)


def _failed(fact: facts.RecordsFailed) -> str:
    sure = "in no log, for sure" if fact.is_definite else "perhaps in the log all the same"
    return f"gives up on {_records(fact.records)} of {_where(fact)}: {fact.error}; {sure}"


def _polled(fact: facts.RecordsPolled) -> str:
    if not fact.offsets:
        return f"finds nothing to read in {_where(fact)} up to offset {fact.position}"
    shown = ", ".join(text(value) for value in fact.values[:5]) + (", ..." if len(fact.values) > 5 else "")
    return f"reads {_offsets(fact.offsets[0], fact.offsets[-1])} of {_where(fact)}: {shown}"


def _elected(fact: facts.LeaderElected) -> str:
    if fact.leader < 0:
        return f"finds no leader for {_where(fact)}; epoch {fact.leader_epoch}, last in sync: {ids(fact.isr)}"
    if fact.reason == "isr":
        return f"lets {fact.leader} lead {_where(fact)} on, in epoch {fact.leader_epoch}; in sync: {ids(fact.isr)}"
    unclean = ", UNCLEAN" if fact.is_unclean else ""
    return (
        f"elects {fact.leader} to lead {_where(fact)} in epoch {fact.leader_epoch} ({fact.reason}{unclean}); "
        f"in sync: {ids(fact.isr)}"
    )


def _target(fact: facts.ReplicasReassigned) -> tuple[int, ...]:
    return tuple(broker for broker in fact.replicas if broker not in fact.removing)


def _moves(fact: facts.ReplicasReassigned) -> str:
    new = f"; new: {ids(fact.adding)}" if fact.adding else ""
    return new + (f"; to go: {ids(fact.removing)}" if fact.removing else "")


def _led(fact: facts.BecameLeader) -> str:
    return f"leads {_where(fact)} in epoch {fact.leader_epoch}, from offset {fact.end}; in sync: {ids(fact.isr)}"


def _appended(fact: facts.BatchAppended) -> str:
    verb = "appends" if fact.is_leader else "copies"
    return f"{verb} {_offsets(fact.base_offset, fact.last_offset)} of {_where(fact)}"


_LINES: dict[type, Line] = {
    facts.ServerElected: lambda f: f"leads the ensemble in epoch {f.epoch}",
    facts.ServerStoppedServing: lambda f: f"has no majority any more (epoch {f.epoch}) and serves nobody",
    facts.SessionExpired: lambda f: (
        f"ends session {f.session_id:#x}: {'closed' if f.was_closed else 'not heard of in time'}"
    ),
    facts.BrokerRegistered: lambda f: f"is registered as broker {f.broker}",
    facts.BrokerFenced: lambda f: f"learns that its session is over: for the others, broker {f.broker} is gone",
    facts.BrokerStopped: lambda f: f"stops broker {f.broker} in order",
    facts.ControllerElected: lambda f: f"is the controller, epoch {f.controller_epoch}",
    facts.ControllerResigned: lambda f: f"is controller no longer (epoch {f.controller_epoch})",
    facts.BrokersChanged: lambda f: f"sees brokers {ids(f.live)}" + _changes(f),
    facts.TopicCreated: lambda f: (
        f"creates {f.topic}: " + "; ".join(f"{i} on {ids(r)}" for i, r in enumerate(f.assignment))
    ),
    facts.PartitionsAdded: lambda f: f"adds to {f.topic} the partitions from {f.first_new} on",
    facts.TopicDeleted: lambda f: f"deletes {f.topic}",
    facts.ReplicasReassigned: lambda f: f"{_where(f)} is to be on {ids(_target(f))}{_moves(f)}",
    facts.LeaderElected: _elected,
    facts.ControllerRequestRefused: lambda f: f"does not obey {f.api}: {f.error}",
    facts.ControllerObeyed: lambda f: f"obeys the controller of epoch {f.controller_epoch}",
    facts.ChangeCommitted: lambda f: f"has applied change {f.zxid:#x}",
    facts.LogLoaded: lambda f: f"opens its log of {_where(f)}: {f.start} to {f.end}",
    facts.LogDeleted: lambda f: f"deletes its log of {_where(f)}",
    facts.BecameLeader: _led,
    facts.BecameFollower: lambda f: (
        f"follows {f.leader if f.leader >= 0 else 'nobody'} in {_where(f)}, epoch {f.leader_epoch}"
    ),
    facts.LogTruncated: lambda f: f"cuts its log of {_where(f)} from {f.was_end} back to {f.end} ({f.reason})",
    facts.LogStartMoved: lambda f: f"forgets what stands below {f.start} in {_where(f)}",
    facts.IsrShrinkProposed: lambda f: f"finds {ids(f.lagging)} lagging in {_where(f)}",
    facts.IsrExpandProposed: lambda f: f"finds {ids(f.joining)} caught up in {_where(f)}",
    facts.IsrChanged: lambda f: f"in sync in {_where(f)}: {ids(f.was)} -> {ids(f.isr)}",
    facts.IsrChangeRefused: lambda f: f"may not change who is in sync in {_where(f)}: somebody else has",
    facts.DuplicateFound: lambda f: f"has this batch of {_where(f)} already, at offset {f.base_offset}: a retry",
    facts.RequestRefused: lambda f: f"refuses {f.api} for {_where(f)}: {f.error}",
    facts.LogDirectoryFailed: lambda f: f"loses its log directory: {f.error}",
    facts.MetadataRefreshed: lambda f: f"has metadata from {f.source} ({f.reason}); brokers {ids(f.brokers)}",
    facts.RecordSent: _sent,
    facts.RecordsAcknowledged: _acknowledged,
    facts.RecordsFailed: _failed,
    facts.RecordsPolled: _polled,
    facts.PollFailed: lambda f: f"cannot go on from {f.position} in {_where(f)}: {f.error}",
    facts.PositionReset: lambda f: f"goes on from {f.position} in {_where(f)}: {f.reason}",
    facts.RequestAnswered: lambda f: f"{f.api}: {f.error if f.error != 'NONE' else f.answer or 'done'}",
    ZnodeChanged: lambda f: f"is told: {f.event} {f.path}",
    facts.PartFailed: lambda f: f"part {f.part} raised {f.error}",
    facts.BatchAppended: _appended,
    facts.BatchSent: _batch_sent,
    facts.HighWatermarkAdvanced: lambda f: f"high watermark of {_where(f)}: {f.was} -> {f.high_watermark}",
    facts.SessionOpened: lambda f: f"opens session {f.session_id:#x}, {f.timeout_ms} ms",
    facts.WatchFired: lambda f: f"tells session {f.session_id:#x}: {f.event} {f.path}",
    **GROUP_LINES,
    **TRANSACTION_LINES,
}

# What is told only if asked for: it happens all the time, or to many, and the story is told without it.
_DETAILS = frozenset(
    {
        facts.ControllerObeyed,
        facts.ChangeCommitted,
        facts.BatchAppended,
        facts.BatchSent,
        facts.HighWatermarkAdvanced,
        facts.SessionOpened,
        facts.WatchFired,
        facts.LogLoaded,
        facts.BecameFollower,
        facts.MetadataRefreshed,
        facts.IsrShrinkProposed,
        facts.IsrExpandProposed,
        facts.RecordsPolled,
        facts.PositionReset,
        facts.RequestRefused,
    }
)
STORY = frozenset(_LINES) - _DETAILS - GROUP_DETAILS - TRANSACTION_DETAILS

# What a node does over and over while it waits: told again only when one of these has changed since it was told last.
_SAME: dict[type, Callable[[Any], Any]] = {
    facts.MetadataRefreshed: lambda f: (f.reason, f.brokers),
    facts.BatchSent: lambda f: (f.records, f.to, min(f.attempt, 2)),
    facts.RequestRefused: lambda f: f,
}


def gist(fact: Any) -> Any:
    """What makes a fact worth telling again: None for most, which always are."""
    same = _SAME.get(type(fact))
    return None if same is None else same(fact)


def _changes(fact: facts.BrokersChanged) -> str:
    came = f"; {ids(fact.started)} came" if fact.started else ""
    return came + (f"; {ids(fact.died)} gone" if fact.died else "")


def told(now_ms: float, node: NodeName, fact: Any) -> str | None:
    """The line for one fact; None for those that belong to no cluster."""
    line = _LINES.get(type(fact))
    return None if line is None else f"{now_ms:10.1f} ms  {node:6} {line(fact)}"


_FAULTS: dict[type, Line] = {
    faults.BreakConnection: lambda f: f"the connections of {f.one} and {f.other} break",
    faults.SlowLink: lambda f: f"from {f.source} to {f.to} everything takes {f.factor:g} times as long",
    faults.Cut: lambda f: f"nothing gets from {f.source} to {f.to} for {_duration(f.for_ms)}",
    faults.Freeze: lambda f: f"{f.node} stands still for {_duration(f.for_ms)}",
    faults.Kill: lambda f: f"{f.node} is killed; its files stay",
    faults.KillAfter: lambda f: f"{f.node} is to die when it has sent {f.messages} more messages",
    faults.PowerLoss: lambda f: f"{f.node} loses power; of what was not synced, some may be left",
    faults.LoseDisk: lambda f: f"{f.node} is lost with its disk",
    faults.Restart: lambda f: f"{f.node} is started again",
    faults.SkewClock: lambda f: f"the wall clock of {f.node} jumps by {_duration(f.by_ms)}",
    faults.FillDisk: lambda f: f"the disk of {f.node} is full for {_duration(f.for_ms)}",
    faults.SlowDisk: lambda f: f"the disk of {f.node} takes {f.factor:g} times as long",
}


def _duration(for_ms: float) -> str:
    return f"{for_ms / 1000:g} s" if abs(for_ms) >= 1000 else f"{for_ms:g} ms"


def told_fault(now_ms: float, fault: faults.Fault, last: faults.Fault | None = None) -> str:
    """The line for a fault; `last` is the one told before, of which it may be the other direction.

    >>> told_fault(12.5, faults.Freeze("b101", 20_000))
    '      12.5 ms  !      b101 stands still for 20 s'
    """
    line = _FAULTS[type(fault)](fault) if last is None or last != _reversed(fault) else "and the other way round"
    return f"{now_ms:10.1f} ms  !      {line}"


def _reversed(fault: faults.Fault) -> faults.Fault | None:
    match fault:
        case faults.Cut(source, to, for_ms):
            return faults.Cut(to, source, for_ms)
        case faults.SlowLink(source, to, factor):
            return faults.SlowLink(to, source, factor)
    return None
