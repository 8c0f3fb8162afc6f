"""The rules of `high_watermark`, and those of chapter 1 about appending, for the seam."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from course.chapters.ch01_why_a_log.log_checks import APPEND
from course.checks.model import UNJUDGED, Check, Exercise, Rule, Run, Unjudged, Violation, Written
from course.checks.plug import Call, Returned
from course.checks.rules import numbered, violation

from .stage import PartitionCase, PartitionState, play_partition

Expect = Callable[[Call], str | None]


def _rule(applies: Callable[[Call], bool], expect: Expect) -> Callable[[Run], Violation | Unjudged | None]:
    """A rule about the calls it applies to: `expect` says what one must do where it did not, and None if it did."""

    def judge(run: Run) -> Violation | Unjudged | None:
        judged = False
        for index, call in numbered(run, "high_watermark"):
            if not applies(call):
                continue
            judged = True
            expected = expect(call)
            if expected is not None:
                return violation(run, index, expected)
        return None if judged else UNJUDGED

    return judge


def _value(call: Call) -> int | None:
    """What came back; None if the call raised, which no rule forgives."""
    return int(call.outcome.value) if isinstance(call.outcome, Returned) else None


def _is_frozen(call: Call) -> bool:
    end_offsets, isr, _, _, min_isr = call.args
    return bool(len(isr) < min(min_isr, len(end_offsets)))


def _may_move(call: Call) -> bool:
    return not _is_frozen(call)


def _is_the_least_end(call: Call) -> str | None:
    end_offsets, _, maximal_isr, previous, _ = call.args
    least, value = min(end_offsets[replica] for replica in maximal_isr), _value(call)
    if value == max(least, previous):
        return None
    if value is not None and least < previous and value < previous:
        return None  # it went back, which is another rule's business
    if least < previous:
        return f"stay at {previous}: the maximal ISR has everything below {least} only, so nothing more is committed"
    return f"return {least}: that is how far every member of the maximal ISR has come"


def _never_goes_back(call: Call) -> str | None:
    previous, value = call.args[3], _value(call)
    if value is not None and value >= previous:
        return None
    return f"not fall below {previous}: what was committed stays committed"


def _stays_while_the_isr_is_too_small(call: Call) -> str | None:
    end_offsets, isr, _, previous, min_isr = call.args
    if _value(call) == previous:
        return None
    return f"stay at {previous}: {len(isr)} in sync, and {min(min_isr, len(end_offsets))} are needed to commit more"


def _state(ends: dict[int, int], isr: set[int], joining: set[int] | None = None) -> PartitionState:
    return PartitionState(tuple(sorted(ends.items())), frozenset(isr), frozenset(isr | (joining or set())))


def _draw(rng: Random) -> PartitionCase:
    """Replicas that copy at their own pace; members leave the ISR, come back, and join while they are behind."""
    brokers = rng.sample([1, 2, 3, 4, 5, 101, 102], rng.choice([1, 2, 3, 3, 5]))
    leader, followers = brokers[0], brokers[1:]
    ends = dict.fromkeys(brokers, rng.choice([0, 0, 7, 500]))
    isr, begin = set(brokers), ends[leader]
    states = []
    for _ in range(rng.randint(8, 16)):
        ends[leader] += rng.choice([0, 1, 3, 10])
        for broker in followers:
            ends[broker] = min(ends[leader], ends[broker] + rng.choice([0, 0, 1, 5]))
            if rng.random() < 0.25:
                isr ^= {broker}
        joining = {broker for broker in followers if broker not in isr and rng.random() < 0.3}
        states.append(_state(ends, isr, joining))
    return PartitionCase("replicas at their own pace", tuple(states), rng.choice([1, 1, 2, 2, 3]), begin)


HIGH_WATERMARK = Check(
    id="high-watermark-check",
    rules=(
        Rule(
            "least",
            "the high watermark is the least end offset of the maximal ISR",
            5,
            _rule(_may_move, _is_the_least_end),
        ),
        Rule("never-back", "the high watermark never goes back", 2, _rule(_may_move, _never_goes_back)),
        Rule(
            "frozen",
            "while the ISR is smaller than min(min_isr, replicas) it stays where it was",
            3,
            _rule(_is_frozen, _stays_while_the_isr_is_too_small),
        ),
    ),
    directed=(
        PartitionCase(
            "followers copy what the leader has",
            (
                _state({1: 3, 2: 0, 3: 0}, {1, 2, 3}),
                _state({1: 3, 2: 3, 3: 1}, {1, 2, 3}),
                _state({1: 9, 2: 5, 3: 4}, {1, 2, 3}),
            ),
        ),
        PartitionCase(
            "a slow follower is no longer in sync",
            (
                _state({1: 4, 2: 4, 3: 2}, {1, 2, 3}),
                _state({1: 9, 2: 7, 3: 2}, {1, 2}),
                _state({1: 9, 2: 9, 3: 3}, {1, 2}),
            ),
        ),
        PartitionCase(
            "a follower is being added",
            (
                _state({1: 5, 2: 5, 3: 5}, {1, 2}),
                _state({1: 9, 2: 8, 3: 6}, {1, 2}, {3}),
                _state({1: 9, 2: 9, 3: 9}, {1, 2}, {3}),
            ),
        ),
        PartitionCase(
            "a follower that is behind comes back",
            (
                _state({1: 6, 2: 6, 3: 2}, {1, 2}),
                _state({1: 7, 2: 7, 3: 4}, {1, 2}, {3}),
                _state({1: 8, 2: 7, 3: 4}, {1, 2, 3}),
            ),
        ),
        PartitionCase(
            "a new leader, and a follower that is behind",
            (_state({1: 9, 2: 5, 3: 5}, {1}, {2, 3}), _state({1: 9, 2: 8, 3: 8}, {1, 2, 3})),
            high_watermark=7,
        ),
        PartitionCase(
            "the leader is alone, and two are needed",
            (
                _state({1: 4, 2: 4, 3: 4}, {1, 2, 3}),
                _state({1: 9, 2: 4, 3: 4}, {1}),
                _state({1: 12, 2: 12, 3: 4}, {1, 2}),
            ),
            min_isr=2,
        ),
        PartitionCase(
            "alone, with one that may join",
            (_state({1: 4, 2: 4}, {1, 2}), _state({1: 9, 2: 6}, {1}, {2}), _state({1: 9, 2: 9}, {1, 2})),
            min_isr=2,
        ),
        PartitionCase(
            "two are needed of a partition with one replica",
            (_state({1: 4}, {1}), _state({1: 7}, {1})),
            min_isr=2,
        ),
    ),
    draw=_draw,
    play=play_partition,
)

EXERCISES = (
    Exercise(
        id="high_watermark",
        title="The high watermark",
        reference="kafkalite.replication.high_watermark:high_watermark",
        checks=(HIGH_WATERMARK,),
        hints=(
            "Which records would be lost if the leader died now?",
            "What every replica that may become leader has, cannot be lost.",
            "Take the least end offset over the maximal ISR; then think of what may never happen.",
        ),
        minutes=15,
        claims=("R3",),
    ),
    Exercise(
        id="log",
        title="A log",
        reference="kafkalite.log.memory:Log",
        checks=(APPEND,),
        hints=(
            "Which number do you need?",
            "Keep the values in a list.",
            "Note the end, extend the list, return the note.",
        ),
        minutes=10,
        claims=("T3",),
        given=("read", "delete_before"),
    ),
)

WRITTEN = (Written("why", "Why not the majority?", points=2, minutes=5),)
