"""Wrong answers to chapter 1, each with the exact rules it breaks. The ids of misconceptions are the curriculum's."""

from __future__ import annotations

from course.checks.wrong import wrong
from kafkalite.errors import OffsetOutOfRange
from kafkalite.types import Hand, Left, Published, Ready, Subscribed, Topic

# class Log ----------------------------------------------------------------------------------------------------------


@wrong(
    "log",
    misconception="M1",
    breaks={"log-read": {"values", "kept", "range", "deleting"}},
    asks="`search` reads offset 0 after `email` has read it. What should it find there?",
)
class LogThatPops:
    """A queue: reading takes the values away."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        taken = self.values[offset - self.first : offset - self.first + max_records]
        del self.values[: offset - self.first + max_records]
        self.first += offset - self.first + len(taken)
        return taken

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    misconception="M4",
    breaks={"log-append": {"end"}, "log-read": {"range", "deleting"}},
    asks="The log holds one value, at offset 0. Which offset does the next one get, and what would `end()` say of an empty log?",
)
class LogWhoseEndIsTheLastOffset:
    """The end is taken for the last offset written."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.first + len(self.values)
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values) - 1

    def delete_before(self, offset: int) -> int:
        if offset > self.first + len(self.values):
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    misconception="M3",
    breaks={
        "log-append": {"base-offset", "empty-batch", "end", "start"},
        "log-read": {"values", "range", "deleting"},
    },
    asks="A log begins at offset 40, or has lost what stood below. Where in your list is the value with offset 42?",
)
class LogWhoseOffsetIsAListIndex:
    """An offset is used as an index into the list, as if every log began at 0 and stayed whole."""

    def __init__(self, start: int = 0) -> None:
        self.values: list[str] = []

    def append(self, values: list[str]) -> int:
        self.values.extend(values)
        return len(self.values) - len(values)

    def read(self, offset: int, max_records: int) -> list[str]:
        if not 0 <= offset <= len(self.values):
            raise OffsetOutOfRange(offset, 0, len(self.values))
        return self.values[offset : offset + max_records]

    def start(self) -> int:
        return 0

    def end(self) -> int:
        return len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > len(self.values):
            raise OffsetOutOfRange(offset, 0, len(self.values))
        del self.values[:offset]
        return 0


@wrong(
    "log",
    breaks={"log-append": {"base-offset", "empty-batch"}},
    asks="A producer sent three values and got one number back. Which of the three does it need to know?",
)
class LogThatReturnsTheLastOffset:
    """A slip: `append` returns the offset of the last value of the batch."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        self.values.extend(values)
        return self.end() - 1

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    breaks={"log-read": {"range", "deleting"}},
    asks="A reader asks for offset 9 of a log that ends at 4. Why is an empty answer worse for it than an error?",
)
class LogWithoutARange:
    """A slip: outside the log there is silence instead of an error."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if offset < self.first:
            return []
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        gone = max(0, offset - self.first) if offset <= self.end() else 0
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    breaks={"log-read": {"values", "deleting"}},
    asks="`read(2, max_records=2)` of a log of nine values: how many values should come back, and does your slice depend on it?",
)
class LogThatReadsUpToAnOffset:
    """A slip: `max_records` is used as the offset to stop at."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        return self.values[offset - self.first : max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    breaks={"log-append": {"base-offset", "empty-batch", "end"}, "log-read": {"values", "range", "deleting"}},
    asks="Two logs are made, one after the other, and one value is appended to the first. What does the second hold?",
)
class LogWithASharedList:
    """A slip: the list belongs to the class, so all logs share it, and a new one is not empty."""

    values: list[str] = []  # noqa: RUF012 - the slip itself

    def __init__(self, start: int = 0) -> None:
        self.first = start

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    breaks={"log-append": {"base-offset"}},
    asks="The log was empty, and `append` has just put three values into it. At which offset does the first of them stand?",
)
class LogThatReturnsTheEnd:
    """A slip: `append` returns the end after appending, where the base offset was asked for."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        self.values.extend(values)
        return self.end()

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    misconception="M3",
    breaks={"log-read": {"deleting"}},
    asks="A log begins at 40 and holds four values. `delete_before(42)`: how many elements of your list have to go?",
)
class LogThatDeletesByOffset:
    """The offset is taken for a number of list elements to delete."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        if offset > self.first:
            del self.values[:offset]
            self.first = offset
        return self.first


@wrong(
    "log",
    breaks={
        "log-append": {"base-offset", "empty-batch", "end", "start"},
        "log-read": {"values", "kept", "range", "deleting"},
    },
    asks="`self.start = 0` and `def start(self)` have one name between them. Which of the two does `log.start()` find?",
)
class LogWhoseAttributeHidesItsMethod:
    """A slip: an attribute is called like a method, and hides it."""

    def __init__(self, start: int = 0) -> None:
        self.start, self.values = start, []  # type: ignore[method-assign,assignment,var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.start() <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.start(), self.end())
        return self.values[offset - self.start() : offset - self.start() + max_records]

    def start(self) -> int:
        return self.start  # type: ignore[return-value]

    def end(self) -> int:
        return self.start() + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.start(), self.end())
        del self.values[: max(0, offset - self.start())]
        return self.start()


@wrong(
    "log",
    misconception="M1",
    breaks={"log-read": {"values", "kept", "range", "deleting"}},
    asks="`email` has read offset 0. Which value stands at offset 0 for `search`, and who may move it?",
)
class LogThatTakesAway:
    """A queue again: what was read is cut out, and everything behind it moves to other offsets."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        taken = self.values[offset - self.first : offset - self.first + max_records]
        del self.values[offset - self.first : offset - self.first + max_records]
        return taken

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    breaks={"log-append": {"base-offset", "empty-batch", "end"}, "log-read": {"values", "kept", "range", "deleting"}},
    asks="A producer keeps one list, fills it, hands it to `append`, and empties it for its next batch. What is in your log?",
)
class LogThatKeepsTheCallersList:
    """A slip: the list that was handed over becomes the log's own, and the caller still has it."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        if self.values:
            self.values.extend(values)
        else:
            self.values = values
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


@wrong(
    "log",
    breaks={"log-read": {"values", "kept", "range", "deleting"}},
    asks="A reader sorts the list that `read` gave it, and then empties it. What does the next reader get?",
)
class LogThatHandsOutItsList:
    """A slip: who reads everything gets the log's own list, and may change what others will read."""

    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []  # type: ignore[var-annotated]

    def append(self, values: list[str]) -> int:
        base_offset = self.end()
        self.values.extend(values)
        return base_offset

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.first <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        if offset == self.first and max_records >= len(self.values):
            return self.values
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.first, self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first


# class Cursor -------------------------------------------------------------------------------------------------------


@wrong(
    "cursor",
    misconception="M1",
    breaks={"cursor-check": {"independent", "reset"}},
    asks="The mail service has read up to 6, the search service up to 2. How many positions is that, and where do they live?",
)
class CursorSharedByAll:
    """One position for all readers, as if the log kept it: what one has read, the others miss."""

    position = 0

    def __init__(self, position: int = 0) -> None:
        CursorSharedByAll.position = position

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        first = self.position if start <= self.position <= end else start
        CursorSharedByAll.position = min(end, first + max_records)
        return first, CursorSharedByAll.position

    def seek(self, offset: int) -> None:
        CursorSharedByAll.position = offset

    def lag(self, end: int) -> int:
        return max(0, end - CursorSharedByAll.position)


@wrong(
    "cursor",
    breaks={"cursor-check": {"range", "seek", "reset"}},
    asks="The log ends at 5 and the cursor stands at 4. If it takes three more, which offsets are those, and who wrote them?",
)
class CursorThatRunsPastTheEnd:
    """A slip: the range goes on beyond the end, and what is written there later is never read."""

    def __init__(self, position: int = 0) -> None:
        self.position = position

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        first = self.position if start <= self.position <= end else start
        self.position = first + max_records
        return first, self.position

    def seek(self, offset: int) -> None:
        self.position = offset

    def lag(self, end: int) -> int:
        return max(0, end - self.position)


@wrong(
    "cursor",
    misconception="M4",
    breaks={"cursor-check": {"lag"}},
    asks="A reader stands at the end of the log. How many values are waiting for it?",
)
class CursorThatCountsFromTheLastOffset:
    """The end is taken for the last offset, so the lag is one too small, and -1 for who has caught up."""

    def __init__(self, position: int = 0) -> None:
        self.position = position

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        first = self.position if start <= self.position <= end else start
        self.position = min(end, first + max_records)
        return first, self.position

    def seek(self, offset: int) -> None:
        self.position = offset

    def lag(self, end: int) -> int:
        return end - 1 - self.position


@wrong(
    "cursor",
    misconception="M3",
    breaks={"cursor-check": {"reset"}},
    asks="Retention has deleted everything below offset 4 while your reader slept at offset 1. What can it still read?",
)
class CursorThatTrustsItsPosition:
    """The log is taken to begin where it always began: a deleted position is asked for again and again."""

    def __init__(self, position: int = 0) -> None:
        self.position = position

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        first = self.position
        self.position = max(first, min(end, first + max_records))
        return first, self.position

    def seek(self, offset: int) -> None:
        self.position = offset

    def lag(self, end: int) -> int:
        return max(0, end - self.position)


@wrong(
    "cursor",
    misconception="M1",
    breaks={"cursor-check": {"seek", "reset"}},
    asks="What was read is still in the log. Why should a reader not be allowed to read it again?",
)
class CursorThatOnlyGoesForward:
    """What was read counts as gone: seeking back is ignored."""

    def __init__(self, position: int = 0) -> None:
        self.position = position

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        first = self.position if start <= self.position <= end else start
        self.position = min(end, first + max_records)
        return first, self.position

    def seek(self, offset: int) -> None:
        self.position = max(self.position, offset)

    def lag(self, end: int) -> int:
        return max(0, end - self.position)


@wrong(
    "cursor",
    breaks={"cursor-check": {"range", "independent", "seek", "reset", "lag"}},
    asks="`range(0, 3)` holds three numbers. Which is the last of them, and where does the next range begin?",
)
class CursorWithAnInclusiveRange:
    """A slip: `past` is taken for the last offset of the range, where it is the first one after it."""

    def __init__(self, position: int = 0) -> None:
        self.position = position

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        first = self.position if start <= self.position <= end else start
        past = min(first + max_records, end) - 1
        self.position = past + 1
        return first, past

    def seek(self, offset: int) -> None:
        self.position = offset

    def lag(self, end: int) -> int:
        return max(0, end - self.position)


@wrong(
    "cursor",
    breaks={"cursor-check": {"reset"}},
    asks="A reader slept for a day and its place was deleted. Which of the values that are still there does it get?",
)
class CursorThatSkipsToTheEnd:
    """`latest`, which is Kafka's own default: what is still there is skipped."""

    def __init__(self, position: int = 0) -> None:
        self.position = position

    def poll(self, start: int, end: int, max_records: int) -> tuple[int, int]:
        first = self.position if start <= self.position <= end else end
        self.position = min(end, first + max_records)
        return first, self.position

    def seek(self, offset: int) -> None:
        self.position = offset

    def lag(self, end: int) -> int:
        return max(0, end - self.position)


# deliver ------------------------------------------------------------------------------------------------------------


@wrong(
    "deliver",
    misconception="M1",
    breaks={"deliver-check": {"nobody-waits", "order", "late"}},
    asks="The mail service was handed `a`. Does the search service still get it?",
)
def deliver_like_a_queue(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    """Each value goes to one sink, whoever is free first."""
    values, positions, idle = state.values, dict(state.positions), set(state.idle)
    if isinstance(event, Published):
        values = (*values, event.value)
    elif isinstance(event, Subscribed):
        positions[event.sink] = event.offset
        idle.add(event.sink)
    elif isinstance(event, Ready):
        idle.add(event.sink)
    else:
        positions.pop(event.sink, None)
        idle.discard(event.sink)
    hands = []
    for sink in sorted(idle):
        taken = max(positions.values())
        if taken < len(values):
            hands.append(Hand(sink, taken, values[taken:]))
            positions[sink] = len(values)
            idle.discard(sink)
    return Topic(values, positions, frozenset(idle)), hands


@wrong(
    "deliver",
    breaks={"deliver-check": {"nobody-waits", "late"}},
    asks="The search service works for an hour on one value. What do the others get in that hour?",
)
def deliver_when_all_are_ready(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    """A slow sink holds the others: nothing is handed out until everybody is idle."""
    values, positions, idle = state.values, dict(state.positions), set(state.idle)
    if isinstance(event, Published):
        values = (*values, event.value)
    elif isinstance(event, Subscribed):
        positions[event.sink] = event.offset
        idle.add(event.sink)
    elif isinstance(event, Ready):
        idle.add(event.sink)
    else:
        positions.pop(event.sink, None)
        idle.discard(event.sink)
    hands = []
    if len(idle) == len(positions):
        for sink in sorted(idle):
            if positions[sink] < len(values):
                hands.append(Hand(sink, positions[sink], values[positions[sink] :]))
                positions[sink] = len(values)
                idle.discard(sink)
    return Topic(values, positions, frozenset(idle)), hands


@wrong(
    "deliver",
    breaks={"deliver-check": {"one-at-a-time"}},
    asks="A sink takes a minute for each value and ten come in a second. Where do the values wait, and whose memory is that?",
)
def deliver_by_pushing(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    """Pushes every value to every sink at once, busy or not: the pipes again."""
    values, positions = state.values, dict(state.positions)
    if isinstance(event, Published):
        values = (*values, event.value)
    elif isinstance(event, Subscribed):
        positions[event.sink] = event.offset
    elif isinstance(event, Left):
        positions.pop(event.sink, None)
    hands = []
    for sink in sorted(positions):
        if positions[sink] < len(values):
            hands.append(Hand(sink, positions[sink], values[positions[sink] :]))
            positions[sink] = len(values)
    return Topic(values, positions, frozenset(positions)), hands


@wrong(
    "deliver",
    misconception="M1",
    breaks={"deliver-check": {"late", "order"}},
    asks="The audit service is new and wants to see last week. Why can it, although everybody else has read all of it?",
)
def deliver_only_what_is_new(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    """A sink gets what is published after it came, wherever it asked to begin."""
    values, positions, idle = state.values, dict(state.positions), set(state.idle)
    if isinstance(event, Published):
        values = (*values, event.value)
    elif isinstance(event, Subscribed):
        positions[event.sink] = len(values)
        idle.add(event.sink)
    elif isinstance(event, Ready):
        idle.add(event.sink)
    else:
        positions.pop(event.sink, None)
        idle.discard(event.sink)
    hands = []
    for sink in sorted(idle):
        if positions[sink] < len(values):
            hands.append(Hand(sink, positions[sink], values[positions[sink] :]))
            positions[sink] = len(values)
            idle.discard(sink)
    return Topic(values, positions, frozenset(idle)), hands


@wrong(
    "deliver",
    breaks={"deliver-check": {"gone"}},
    asks="The connection to a sink is gone. Where would a value go that you hand to it now?",
)
def deliver_to_who_has_left(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    """A slip: leaving is not noticed, so values are handed to nobody."""
    values, positions, idle = state.values, dict(state.positions), set(state.idle)
    if isinstance(event, Published):
        values = (*values, event.value)
    elif isinstance(event, Subscribed):
        positions[event.sink] = event.offset
        idle.add(event.sink)
    elif isinstance(event, Ready):
        idle.add(event.sink)
    hands = []
    for sink in sorted(idle):
        if positions[sink] < len(values):
            hands.append(Hand(sink, positions[sink], values[positions[sink] :]))
            positions[sink] = len(values)
            idle.discard(sink)
    return Topic(values, positions, frozenset(idle)), hands


@wrong(
    "deliver",
    breaks={"deliver-check": {"nobody-waits"}},
    asks="A sink was away for an hour and lacks a thousand values. How many trips do they need if each carries one?",
)
def deliver_one_value_at_a_time(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    """A slip: each sink gets the next value, and not all that there is."""
    values, positions, idle = state.values, dict(state.positions), set(state.idle)
    if isinstance(event, Published):
        values = (*values, event.value)
    elif isinstance(event, Subscribed):
        positions[event.sink] = event.offset
        idle.add(event.sink)
    elif isinstance(event, Ready):
        idle.add(event.sink)
    else:
        positions.pop(event.sink, None)
        idle.discard(event.sink)
    hands = []
    for sink in sorted(idle):
        at = positions[sink]
        if at < len(values):
            hands.append(Hand(sink, at, values[at : at + 1]))
            positions[sink] = at + 1
            idle.discard(sink)
    return Topic(values, positions, frozenset(idle)), hands


@wrong(
    "deliver",
    breaks={"deliver-check": {"pure"}},
    asks="Somebody kept the state from before the event, to compare. What does its `positions` say now?",
)
def deliver_in_place(state: Topic, event: Published | Subscribed | Ready | Left) -> tuple[Topic, list[Hand]]:
    """A slip: the dict of the state that was given is changed, and shared with the state that is returned."""
    values, positions, idle = state.values, state.positions, set(state.idle)
    if isinstance(event, Published):
        values = (*values, event.value)
    elif isinstance(event, Subscribed):
        positions[event.sink] = event.offset
        idle.add(event.sink)
    elif isinstance(event, Ready):
        idle.add(event.sink)
    else:
        positions.pop(event.sink, None)
        idle.discard(event.sink)
    hands = []
    for sink in sorted(idle):
        at = positions[sink]
        if at < len(values):
            hands.append(Hand(sink, at, values[at:]))
            positions[sink] = len(values)
            idle.discard(sink)
    return Topic(values, positions, frozenset(idle)), hands
