"""Invariants of the high watermark: where it may stand, and that nobody sees or promises what lies above it."""

from __future__ import annotations

from kafkalite.facts import (
    HighWatermarkAdvanced,
    IsrExpandProposed,
    IsrShrinkProposed,
    LogTruncated,
    RecordsAcknowledged,
    RecordsPolled,
)
from kafkalite.sim.checkers.replica_log import Batch
from kafkalite.sim.checkers.violation import Announced, Invariant
from kafkalite.sim.checkers.world import FOREVER, PartitionView


class WatermarkRetreat(Invariant):
    """A replica's high watermark never retreats while the replica lives and is not truncated below it."""

    name = "watermark-retreat"

    def on_high_watermark_advanced(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: HighWatermarkAdvanced = at.fact
        before = view.watermarks.get(broker)
        was = fact.was if before is None else max(fact.was, before.fact.high_watermark)
        if fact.high_watermark < was or (before is not None and fact.was < before.fact.high_watermark):
            self.violated(f"the watermark of {at.node} was {was} and went to {fact.high_watermark}", at, before)


class WatermarkAhead(Invariant):
    """A leader's high watermark moves only to what every member of its maximal ISR has, itself included."""

    name = "watermark-ahead"

    def on_high_watermark_advanced(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: HighWatermarkAdvanced = at.fact
        if not fact.is_leader:
            if fact.high_watermark > view.high_watermark:
                self.violated(
                    f"follower {at.node} took {fact.high_watermark} for committed;"
                    f" no leader's watermark was above {view.high_watermark}",
                    at,
                )
            return
        own = view.log(broker)
        if fact.high_watermark > own.end:
            self.violated(f"the watermark is {fact.high_watermark}, its own log ends at {own.end}", at, own.last_fact)
            return
        role = view.leading(broker)
        for member in sorted(role.maximal_isr if role is not None else ()):
            log = view.log(member)
            if log.end < fact.high_watermark:
                last = own.containing(fact.high_watermark - 1)
                if last is None or not log.lost_to_disk(last, by_offset=view.is_compacted):
                    self.violated(
                        f"the watermark went to {fact.high_watermark}; b{member} is in the ISR and ends at {log.end}",
                        at,
                        role.fact if role is not None else None,
                        log.last_fact,
                    )
                    return


class WatermarkBelowMinimum(Invariant):
    """A leader's watermark stands still while the ISR has fewer members than min(min.insync.replicas, replicas)."""

    name = "watermark-below-min-isr"

    def on_high_watermark_advanced(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        role = view.leading(broker)
        if role is not None and at.fact.is_leader and view.is_thin(role):
            self.violated(
                f"the watermark went to {at.fact.high_watermark} with the ISR {sorted(role.isr)}", at, role.fact
            )


class UncommittedRead(Invariant):
    """A consumer is handed nothing from above the highest watermark that was ever announced."""

    name = "uncommitted-read"

    def on_records_polled(self, at: Announced) -> None:
        fact: RecordsPolled = at.fact
        if fact.offsets:
            view = self.world.partition(fact.topic, fact.partition)
            if fact.offsets[-1] >= view.high_watermark:
                self.violated(
                    f"{at.node} read up to offset {fact.offsets[-1]}; the highest watermark was {view.high_watermark}",
                    at,
                )


class AcknowledgedUncommitted(Invariant):
    """With acks=all, records are acknowledged only once a leader's watermark has passed them."""

    name = "acknowledged-uncommitted"

    def on_records_acknowledged(self, at: Announced) -> None:
        fact: RecordsAcknowledged = at.fact
        if self.world.expectations.of_producer(at.node).acks != -1 or fact.base_offset < 0:
            return
        view = self.world.partition(fact.topic, fact.partition)
        end = fact.base_offset + len(fact.records)
        if end > view.high_watermark:
            self.violated(f"acknowledged up to {end}; the highest watermark was {view.high_watermark}", at)


class AcknowledgedBelowMinimum(Invariant):
    """With acks=all, nothing is taken and acknowledged while the ISR is under its minimum."""

    name = "acknowledged-below-min-isr"

    def on_records_acknowledged(self, at: Announced) -> None:
        fact: RecordsAcknowledged = at.fact
        if self.world.expectations.of_producer(at.node).acks != -1:
            return
        view = self.world.partition(fact.topic, fact.partition)
        if view.thin:
            batch = view.committed.containing(fact.base_offset)
            taken = view.thin.get(batch.base_offset) if batch is not None else None
            if taken is not None and taken.fact.crc == (batch.crc if batch is not None else None):
                self.violated("records were acknowledged that were taken with too few in sync", at, taken)


class TruncatedCommitted(Invariant):
    """A replica throws away only what differs from what is committed, or what compaction has left nothing of."""

    name = "truncated-committed"

    def on_log_truncated(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: LogTruncated = at.fact
        if view.committed.end <= max(fact.end, view.start):
            return
        for batch in view.log(broker).between(fact.end, FOREVER):
            is_committed = batch.last_offset >= view.start and view.committed.at(batch.base_offset) == batch
            if is_committed and not self._is_replaced(view, broker, batch):
                self.violated(
                    f"{at.node} cut its log from {fact.was_end} to {fact.end}; offset {batch.base_offset} is committed",
                    at,
                    view.log(broker).last_fact,
                )
                return

    def _is_replaced(self, view: PartitionView, broker: int, batch: Batch) -> bool:
        """Has the leader, which has come further, nothing left of that epoch but what took its place?

        One that copied its log when all of the epoch was compacted away does not know the epoch, nor does one that
        crashed since. Asked where it ended, they say where the one before did, and the follower goes back as far
        (KIP-279).
        """
        role = view.roles.get(broker)
        if role is None or role.is_leader or not view.is_compacted:
            return False
        log = view.log(role.fact.fact.leader)
        epochs = {held.leader_epoch for held in log.between(0, FOREVER)}
        return batch.last_offset < log.end and (log.is_recovered or batch.leader_epoch not in epochs)


class JoinedEarly(Invariant):
    """A replica joins the ISR only with everything that is committed."""

    name = "joined-early"

    def on_isr_expand_proposed(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: IsrExpandProposed = at.fact
        role = view.leading(broker)
        if role is None or role.leader_epoch < view.newest_epoch:
            return  # a deposed leader's proposal is refused
        committed = view.committed.between(0, FOREVER)
        for member in fact.joining:
            log = view.log(member)
            batch = log.missing(committed, view.start, is_compacted=view.is_compacted)
            if batch is not None and not log.lost_to_disk(batch, by_offset=view.is_compacted):
                self.violated(
                    f"b{member} is let in without offset {batch.base_offset}, which is committed", at, log.last_fact
                )


class ShrunkEarly(Invariant):
    """A replica is put out of the ISR only after replica.lag.time.max.ms without having caught up."""

    name = "shrunk-early"

    def on_isr_shrink_proposed(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: IsrShrinkProposed = at.fact
        role = view.leading(broker)
        if role is None:
            return
        for member in fact.lagging:
            late_ms = at.now_ms - role.caught_up_ms.get(member, float("-inf"))
            if late_ms < self.world.expectations.replica_lag_time_max_ms:
                self.violated(f"b{member} is put out {late_ms:.0f} ms after it was caught up", at, role.fact)
