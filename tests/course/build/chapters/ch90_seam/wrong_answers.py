"""Wrong answers to the seam's exercises."""

from __future__ import annotations

from course.checks.wrong import wrong


@wrong(
    "high_watermark",
    misconception="M5",
    breaks={"high-watermark-check": {"least", "frozen"}},
    asks="The leader has written up to 9 and dies. Who else has the record at 8?",
)
def the_leaders_end(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """Whatever the longest log has counts as committed. It never shrinks, so it never goes back."""
    return max(previous, *end_offsets.values())


@wrong(
    "high_watermark",
    misconception="M5",
    breaks={"high-watermark-check": {"least", "never-back", "frozen"}},
    asks="Three of five brokers have the record, and the ISR is all five. One of the other two is elected: what does it have?",
)
def a_majority_of_the_replicas(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """As a quorum would count."""
    ends = sorted(end_offsets.values(), reverse=True)
    return ends[len(ends) // 2]


@wrong(
    "high_watermark",
    misconception="M5",
    breaks={"high-watermark-check": {"least"}},
    asks="The leader has asked to add broker 3, and may learn any moment that it is in. What does broker 3 have?",
)
def the_least_end_of_the_committed_isr(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """Who is being added does not count yet."""
    if len(isr) < min(min_isr, len(end_offsets)):
        return previous
    return max(previous, min(end_offsets[replica] for replica in isr))


@wrong(
    "high_watermark",
    misconception="M5",
    breaks={"high-watermark-check": {"least"}},
    asks="Broker 3 hangs, and the ISR went on without it. For how long should every consumer wait for broker 3?",
)
def the_least_end_of_all_replicas(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """Replicas that nobody waits for hold everybody up."""
    if len(isr) < min(min_isr, len(end_offsets)):
        return previous
    return max(previous, min(end_offsets.values()))


@wrong(
    "high_watermark",
    breaks={"high-watermark-check": {"never-back"}},
    asks="A consumer has read the record at 5. Then a follower that is behind comes back. Was the record ever committed?",
)
def one_that_goes_back(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """The rule without its memory."""
    if len(isr) < min(min_isr, len(end_offsets)):
        return previous
    return min(end_offsets[replica] for replica in maximal_isr)


@wrong(
    "high_watermark",
    misconception="M10",
    breaks={"high-watermark-check": {"frozen"}},
    asks="The leader is the only one left in the ISR, and min.insync.replicas is 2. How many copies has what it writes now?",
)
def one_that_ignores_min_isr(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """As Kafka was before 3.7."""
    return max(previous, min(end_offsets[replica] for replica in maximal_isr))


@wrong(
    "high_watermark",
    misconception="M10",
    breaks={"high-watermark-check": {"least"}},
    asks="A partition has one replica and min.insync.replicas is 2. Will anybody ever read from it?",
)
def one_that_forgets_the_replication_factor(
    end_offsets: dict[int, int], isr: frozenset[int], maximal_isr: frozenset[int], previous: int, min_isr: int
) -> int:
    """Frozen for ever where there are fewer replicas than `min_isr`."""
    if len(isr) < min_isr:
        return previous
    return max(previous, min(end_offsets[replica] for replica in maximal_isr))


@wrong("log", misconception="M4", breaks={"log-append": {"end"}}, asks="Which offset does the next value get?")
class LogWhoseEndIsTheLastOffset:
    """The end is taken for the last offset written."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.count = start, 0

    def append(self, values: list[str]) -> int:
        self.count += len(values)
        return self.first + self.count - len(values)

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + self.count - 1


@wrong("log", breaks={"log-append": {"base-offset", "empty-batch"}}, asks="Which of the three values has this offset?")
class LogThatReturnsTheLastOffset:
    """A slip: the last offset of the batch, not the base offset."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.count = start, 0

    def append(self, values: list[str]) -> int:
        self.count += len(values)
        return self.first + self.count - 1

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + self.count


@wrong("log", breaks={"log-append": {"start"}}, asks="Ten values were appended. Is the first of them gone?")
class LogWhoseStartMoves:
    """The start is taken for the offset of the newest value."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.count = start, 0

    def append(self, values: list[str]) -> int:
        self.count += len(values)
        return self.first + self.count - len(values)

    def start(self) -> int:
        return self.first + max(0, self.count - 1)

    def end(self) -> int:
        return self.first + self.count
