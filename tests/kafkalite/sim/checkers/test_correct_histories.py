"""A little sequential model of one partition, always right, with crashes: checkers find nothing in what it tells.

The model knows nothing of the checkers: it keeps real lists of records, elects from the ISR, truncates to what the new
leader has, and loses unsynced tails of at most one replica at a time.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from kafkalite.facts import (
    BatchAppended,
    BecameFollower,
    BecameLeader,
    DuplicateFound,
    HighWatermarkAdvanced,
    IsrChanged,
    IsrExpandProposed,
    IsrShrinkProposed,
    LeaderElected,
    LogLoaded,
    LogTruncated,
    RecordsAcknowledged,
    RecordSent,
    RecordsFailed,
    RecordsPolled,
)
from kafkalite.sim.checkers import Checker, Expectations, TopicPromise, value_of

ORDERS = ("orders", 0)
BROKERS = (1, 2, 3)
LAG_MS = 100.0


class Model:
    """Three replicas, one producer that sends one batch after another, one reader."""

    def __init__(self, seed: int, expectations: Expectations, *, min_isr: int) -> None:
        self.rng = Random(seed)
        self.checker = Checker(expectations)
        self.min_isr = min_isr
        self.now_ms = 0.0
        self.logs: dict[int, list[tuple[int, int]]] = {broker: [] for broker in BROKERS}  # (record, epoch) by offset
        self.watermarks = dict.fromkeys(BROKERS, 0)
        self.told_epoch = dict.fromkeys(BROKERS, -1)
        self.epoch, self.version, self.leader = -1, 0, 1
        self.isr: set[int] = set(BROKERS)
        self.isr_since_ms = dict.fromkeys(BROKERS, 0.0)
        self.record, self.waiting = 0, 0  # the record that is not acknowledged, if any
        self.position = 0
        for broker in BROKERS:
            self.tell(broker, LogLoaded(*ORDERS, 0, 0, False))
        self.elect(1, "new")

    def tell(self, who: int | str, fact: Any) -> None:
        self.now_ms += self.rng.uniform(0, 3)
        self.checker.observe(self.now_ms, who if isinstance(who, str) else f"b{who}", fact)

    def elect(self, leader: int, reason: str) -> None:
        self.epoch += 1
        self.version += 1
        self.leader = leader
        self.tell("b9", LeaderElected(*ORDERS, leader, self.epoch, tuple(sorted(self.isr)), False, reason))
        self.told_epoch[leader] = self.epoch
        end = len(self.logs[leader])
        self.tell(leader, BecameLeader(*ORDERS, self.epoch, end, tuple(sorted(self.isr)), BROKERS))
        self.isr_since_ms = dict.fromkeys(BROKERS, self.now_ms)

    def append(self, broker: int, offset: int, record: int, epoch: int) -> None:
        self.logs[broker].append((record, epoch))
        crc = record * 31 + epoch
        self.tell(broker, BatchAppended(*ORDERS, offset, offset, epoch, crc, broker == self.leader))

    def followers(self) -> list[int]:
        return [broker for broker in BROKERS if broker != self.leader]

    # What may happen ------------------------------------------------------------------------------------------------

    def do_send(self) -> None:
        if not self.waiting:
            self.record += 1
            self.waiting = self.record
            self.tell("p1", RecordSent(self.record, *ORDERS, None, value_of("p1", self.record)))
        log = self.logs[self.leader]
        if len(self.isr) < self.min_isr:
            return
        if any(record == self.waiting for record, _ in log):
            offset = next(offset for offset, (record, _) in enumerate(log) if record == self.waiting)
            self.tell(self.leader, DuplicateFound(*ORDERS, 1, self.waiting, offset))
        else:
            self.append(self.leader, len(log), self.waiting, self.epoch)

    def do_replicate(self) -> None:
        follower, log = self.rng.choice(self.followers()), self.logs[self.leader]
        if self.told_epoch[follower] < self.epoch:
            self.told_epoch[follower] = self.epoch
            self.tell(follower, BecameFollower(*ORDERS, self.epoch, self.leader))
            self.truncate(follower)
        for offset in range(len(self.logs[follower]), min(len(log), len(self.logs[follower]) + 2)):
            self.append(follower, offset, *log[offset])
        watermark = min(self.watermarks[self.leader], len(self.logs[follower]))
        self.raise_watermark(follower, watermark)

    def truncate(self, follower: int) -> None:
        mine, theirs = self.logs[follower], self.logs[self.leader]
        same = next(
            (i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs))
        )
        if same < len(mine):
            self.tell(follower, LogTruncated(*ORDERS, len(mine), same, "epoch"))
            del mine[same:]
            self.watermarks[follower] = min(self.watermarks[follower], same)

    def raise_watermark(self, broker: int, now: int) -> None:
        was = self.watermarks[broker]
        if now > was:
            self.watermarks[broker] = now
            self.tell(broker, HighWatermarkAdvanced(*ORDERS, was, now, self.epoch, broker == self.leader))

    def do_commit(self) -> None:
        if len(self.isr) >= self.min_isr:
            told = [b for b in self.isr if b == self.leader or self.told_epoch[b] == self.epoch]
            if len(told) == len(self.isr):
                self.raise_watermark(self.leader, min(len(self.logs[broker]) for broker in self.isr))

    def do_answer(self) -> None:
        for offset, (record, _) in enumerate(self.logs[self.leader][: self.watermarks[self.leader]]):
            if record == self.waiting and record:
                self.waiting = 0
                self.tell("p1", RecordsAcknowledged(*ORDERS, (record,), offset))

    def do_give_up(self) -> None:
        if self.waiting and self.rng.random() < 0.2:
            self.tell("p1", RecordsFailed(*ORDERS, (self.waiting,), "REQUEST_TIMED_OUT", False))
            self.waiting = 0

    def do_poll(self) -> None:
        end = min(self.watermarks[self.leader], self.position + self.rng.randint(1, 3))
        if end > self.position:
            records = [record for record, _ in self.logs[self.leader][self.position : end]]
            values = tuple(value_of("p1", record) for record in records)
            self.tell("c1", RecordsPolled(*ORDERS, tuple(range(self.position, end)), values, end))
            self.position = end

    def do_shrink(self) -> None:
        for follower in sorted(self.isr - {self.leader}):
            is_late = self.now_ms - self.isr_since_ms[follower] > LAG_MS
            if is_late and len(self.logs[follower]) < len(self.logs[self.leader]):
                was, isr = tuple(sorted(self.isr)), tuple(sorted(self.isr - {follower}))
                self.tell(self.leader, IsrShrinkProposed(*ORDERS, isr, (follower,)))
                self.change_isr(was, isr)

    def do_expand(self) -> None:
        log = self.logs[self.leader]
        for follower in sorted(set(BROKERS) - self.isr):
            if self.told_epoch[follower] == self.epoch and len(self.logs[follower]) == len(log):
                was, isr = tuple(sorted(self.isr)), tuple(sorted(self.isr | {follower}))
                self.tell(self.leader, IsrExpandProposed(*ORDERS, isr, (follower,)))
                self.isr_since_ms[follower] = self.now_ms
                self.change_isr(was, isr)

    def change_isr(self, was: tuple[int, ...], isr: tuple[int, ...]) -> None:
        self.version += 1
        self.isr = set(isr)
        self.tell(self.leader, IsrChanged(*ORDERS, was, isr, self.epoch, self.version))

    def do_kill_leader(self) -> None:
        """Its files stay. The next one is elected from the ISR, and it comes back as a follower."""
        others = sorted(self.isr - {self.leader})
        if others:
            old = self.leader
            self.isr.discard(old)
            self.elect(self.rng.choice(others), "offline")
            self.restart(old, len(self.logs[old]))

    def do_power_loss(self) -> None:
        """A follower's tail goes; it is out of the ISR before it is back."""
        follower = self.rng.choice(self.followers())
        if self.isr - {follower}:
            self.isr.discard(follower)
            self.elect(self.leader, "offline")
            self.restart(follower, self.rng.randint(0, len(self.logs[follower])))

    def restart(self, broker: int, end: int) -> None:
        del self.logs[broker][end:]
        self.watermarks[broker] = self.rng.randint(0, min(end, self.watermarks[broker]))
        self.told_epoch[broker] = -1
        self.tell(broker, LogLoaded(*ORDERS, 0, end, False))

    def run(self, steps: int) -> None:
        usual = [self.do_send, self.do_replicate, self.do_replicate, self.do_commit, self.do_answer, self.do_poll]
        rare = [
            self.do_shrink,
            self.do_expand,
            self.do_expand,
            self.do_kill_leader,
            self.do_power_loss,
            self.do_give_up,
        ]
        for _ in range(steps):
            self.rng.choice(usual if self.rng.random() < 0.85 else rare)()
        self.settle()

    def settle(self) -> None:
        for _ in range(3):
            for _ in range(40):
                self.do_replicate()
            self.do_expand()
            self.do_commit()
        self.do_answer()
        while self.position < self.watermarks[self.leader]:
            self.do_poll()
        self.checker.finish(self.now_ms)


@pytest.mark.parametrize("min_isr", [1, 2])
def test_a_correct_history_raises_no_alarm(min_isr: int) -> None:
    acknowledged = 0
    for seed in range(150):
        expectations = Expectations(
            topic=TopicPromise(min_insync_replicas=min_isr),
            replica_lag_time_max_ms=LAG_MS,
            disks_keep_everything=True,  # no leader of the model ever lost anything
            reads_everything=True,
        )
        model = Model(seed, expectations, min_isr=min_isr)
        model.run(500)

        assert [] == model.checker.violations, seed
        acknowledged += model.checker.coverage.facts["RecordsAcknowledged"]

    assert acknowledged > 150 * 8  # the histories say something


def test_the_model_made_wrong_in_one_place_is_caught() -> None:
    """The test above can fail: whoever leads without having been in the ISR loses what was committed."""
    found: set[str] = set()
    for seed in range(40):
        model = Model(seed, Expectations(replica_lag_time_max_ms=LAG_MS, reads_everything=True), min_isr=1)
        model.isr = {1, 2}
        model.change_isr((1, 2, 3), (1, 2))
        model.run(60)
        for record in range(900, 906):  # 3 never gets these
            model.waiting = model.record = record
            model.isr = {model.leader}
            model.do_send()
            model.do_commit()
        model.isr = {1, 2, 3}
        model.elect(model.followers()[-1], "offline")
        found |= {violation.name for violation in model.checker.violations}

    assert "lost-committed" in found
