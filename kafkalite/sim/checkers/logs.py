"""Invariants of what replicas hold: logs agree on what is committed, and a new leader has all of it."""

from __future__ import annotations

from kafkalite.facts import BatchAppended, BecameLeader, HighWatermarkAdvanced, LogLoaded
from kafkalite.sim.checkers.violation import Announced, Invariant
from kafkalite.sim.checkers.world import FOREVER, Loss, PartitionView


class LostCommitted(Invariant):
    """A new leader has every record that was below a watermark: whatever was committed stays."""

    name = "lost-committed"

    def on_became_leader(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: BecameLeader = at.fact
        if fact.leader_epoch >= view.newest_epoch:
            self._judge(view, view.loss_by(broker, fact.leader_epoch), at)

    def on_high_watermark_advanced(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: HighWatermarkAdvanced = at.fact
        if fact.is_leader:
            self._judge(view, view.exposed_by_deposed(broker, fact), at, *view.newest_leader())

    def _judge(self, view: PartitionView, loss: Loss | None, at: Announced, *earlier: Announced) -> None:
        if loss is None or loss.excuse:
            return
        self.violated(
            f"b{loss.leader} leads and does not have offset {loss.batch.base_offset} as it was committed"
            f" (epoch {loss.batch.leader_epoch})",
            at,
            view.log(loss.leader).last_fact,
            *earlier,
        )


class Divergence(Invariant):
    """Below the watermark the logs of the ISR agree: one offset, one batch."""

    name = "divergence"

    def on_high_watermark_advanced(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: HighWatermarkAdvanced = at.fact
        role = view.leading(broker)
        if role is None or not fact.is_leader or fact.leader_epoch < view.newest_epoch or view.is_compacted:
            return
        logs = [view.committed, *(view.log(member) for member in sorted(role.isr) if member != broker)]
        for batch in view.log(broker).between(fact.was, fact.high_watermark):
            for log in logs:
                other = log.at(batch.base_offset)
                if other is not None and other != batch and batch.last_offset >= log.start:
                    self.violated(
                        f"offset {batch.base_offset} is committed in epoch {batch.leader_epoch};"
                        f" elsewhere in the ISR, or before, it was of epoch {other.leader_epoch}",
                        at,
                        log.last_fact,
                    )
                    return


class LogOrder(Invariant):
    """Batches are appended at the end of the log (a leader's leave no gap), in epochs that never go back."""

    name = "log-order"

    def on_batch_appended(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: BatchAppended = at.fact
        log = view.log(broker)
        last = log.last()
        if fact.base_offset < log.end or (fact.is_leader and fact.base_offset > log.end):
            self.violated(f"offset {fact.base_offset} is appended to a log that ends at {log.end}", at, log.last_fact)
        elif last is not None and fact.leader_epoch < last.leader_epoch:
            self.violated(
                f"a batch of epoch {fact.leader_epoch} stands behind one of epoch {last.leader_epoch}",
                at,
                log.last_fact,
            )


class GrewWhileDown(Invariant):
    """A replica that begins again finds no more in its log than it had, and whole batches only."""

    name = "grew-while-down"

    def on_log_loaded(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: LogLoaded = at.fact
        log = view.logs.get(broker)
        if log is None or fact.end == fact.start:
            return
        cut = log.containing(fact.end - 1)
        if fact.end > log.end or (cut is not None and cut.last_offset >= fact.end):
            self.violated(f"{at.node} found {fact.end} as its end; it was {log.end}", at, log.last_fact)


class CleanLogLost(Invariant):
    """A log that was closed in order is found as it was."""

    name = "clean-log-lost"

    def on_log_loaded(self, at: Announced) -> None:
        view, broker = self.world.of(at)
        fact: LogLoaded = at.fact
        log = view.logs.get(broker)
        # One that is made anew, because its disk is, has no end; nothing was closed there.
        if log is not None and fact.was_clean and 0 < fact.end < log.end and log.between(fact.end, FOREVER):
            self.violated(f"{at.node} closed its log at {log.end} and found it ends at {fact.end}", at, log.last_fact)
