"""What programs have done in the world outside, for each record of a topic: once at least, and by some only once.

doubled-effect   somebody who does nothing twice has done a thing twice

lost-effect      a record was read, and in the end nothing has been done for it (found when the run has ended)

Without an idempotent sink twice is no violation: at least once doubles, and nothing in Kafka can prevent that outside.
Nor is it one if nothing was done for what is lost together with a disk, or was deleted before the programs came to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kafkalite.facts import EffectApplied
from kafkalite.sim.checkers.history import History
from kafkalite.sim.checkers.violation import Announced, Invariant, Report, Violation
from kafkalite.sim.checkers.world import World


def key_of(topic: str, partition: int, offset: int) -> str:
    """What a program calls that which is to be done for a record: the record's place.

    >>> key_of("orders", 0, 17)
    'orders-0@17'
    """
    return f"{topic}-{partition}@{offset}"


def _place(key: str) -> tuple[str, str]:
    """The topic of a key, and its partition as violations name it."""
    place = key.rpartition("@")[0]
    return place.rpartition("-")[0], place


class Effects:
    """All that was done. `on_effect_applied` takes it in."""

    def __init__(self) -> None:
        self.first: dict[str, Announced] = {}  # key -> the first time
        self.done: set[tuple[str, bytes | None]] = set()  # keys, each with the value of which it was done

    def on_effect_applied(self, at: Announced) -> None:
        fact: EffectApplied = at.fact
        self.first.setdefault(fact.key, at)
        self.done.add((fact.key, fact.value))


class DoubledEffect(Invariant):
    """An idempotent sink does nothing twice, whoever asks for it, and how often."""

    name = "doubled-effect"

    def __init__(self, world: World, report: Report, effects: Effects) -> None:
        super().__init__(world, report)
        self.effects = effects

    def on_effect_applied(self, at: Announced) -> None:
        fact: EffectApplied = at.fact
        topic, place = _place(fact.key)
        first = self.effects.first.get(fact.key)
        if first is not None and self.world.expectations.dispatched.get(topic, False):
            sentence = f"{at.node} has done for {fact.key} what was done before"
            self._report(Violation(self.name, sentence, at.now_ms, (first, at), place))


INVARIANTS = (DoubledEffect,)
NAMES = ("lost-effect",)


def found(effects: Effects, history: History, world: World) -> Iterator[Violation]:
    """Records for which nothing was done, though the run has come to its end and the disks have kept everything."""
    if not world.expectations.disks_keep_everything:
        return
    for (topic, partition), seen in sorted(history.partitions.items()):
        if topic not in world.expectations.dispatched or topic in world.deleted:
            continue
        view = world.partition(topic, partition)
        for offset in sorted(seen.values):
            key = key_of(topic, partition, offset)
            is_promised = view.start <= offset < view.forgiven_from
            if is_promised and (key, value := seen.value_at(offset)) not in effects.done:
                at = seen.values[offset]
                sentence = f"nothing was done for {key}, where {at.node} read {value!r}"
                yield Violation("lost-effect", sentence, at.now_ms, (at,), f"{topic}-{partition}")
