"""Load for a cluster that crashes, and a book in which every record is followed: sent, acknowledged, seen by the group.

Two idempotent producers write numbered records, a few keys in each partition; a group of three reads them and commits.
All are librdkafka, each in a thread of its own. A record is "producer key number", so that what is found in the end can
be held against the book: nothing acknowledged may be missing, twice, or in another order than its key's.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

TOPIC, GROUP = "orders", "readers"
PARTITIONS, KEYS_A_PARTITION = 6, 2
PRODUCERS, MEMBERS = 2, 3
PACE_S = 0.005  # between two records of a producer
UNACKNOWLEDGED_MAX = 20_000  # of a producer
GROUP_SESSION_MS = 20_000  # no member is taken for dead while a coordinator is being replaced
COMMIT_EVERY = 50  # records of a member
PATIENCE_S = 120.0

# A client tries again soon, and does not wait longer each time: what is measured is the cluster.
CLIENT = {
    "retry.backoff.ms": 50,
    "retry.backoff.max.ms": 100,
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 200,
    "topic.metadata.refresh.fast.interval.ms": 50,
    "log_level": 2,
}


@dataclass
class Book:
    """What has become of every record; its methods may be called from any thread."""

    acknowledged: dict[bytes, tuple[int, int]] = field(default_factory=dict)  # where it stands: partition, offset
    seen: Counter[bytes] = field(default_factory=Counter)  # by the group: how often
    troubles: list[str] = field(default_factory=list)  # what must not happen to a client
    first_ack_s: dict[int, float] = field(default_factory=dict)  # by partition, of records sent after the mark
    first_read_s: dict[int, float] = field(default_factory=dict)
    _sent_s: dict[bytes, float] = field(default_factory=dict)
    _mark_s: float = 0.0
    _news: threading.Condition = field(default_factory=threading.Condition)

    def mark(self) -> float:
        """From here on the first of each partition is looked for; the moment, in seconds of the monotonic clock."""
        with self._news:
            self.first_ack_s, self.first_read_s = {}, {}
            self._mark_s = time.monotonic()
            return self._mark_s

    def sent(self, value: bytes) -> None:
        """A producer was handed this one."""
        with self._news:
            self._sent_s[value] = time.monotonic()

    def delivered(self, error: KafkaError | None, message: Message) -> None:
        """A producer is done with a record."""
        value, partition, offset = message.value(), message.partition(), message.offset()
        assert value is not None
        assert partition is not None
        assert offset is not None
        with self._news:
            if error is not None:
                self.troubles.append(f"{value.decode()} was given up: {error}")
            else:
                self.acknowledged[value] = (partition, offset)
                self._first(self.first_ack_s, value, partition)
            self._news.notify_all()

    def read(self, message: Message) -> None:
        """A member of the group has this one."""
        value, partition = message.value(), message.partition()
        assert value is not None
        assert partition is not None
        with self._news:
            self.seen[value] += 1
            self._first(self.first_read_s, value, partition)
            self._news.notify_all()

    def _first(self, firsts: dict[int, float], value: bytes, partition: int) -> None:
        if self._sent_s[value] >= self._mark_s:
            firsts.setdefault(partition, time.monotonic())

    def trouble(self, what: str) -> None:
        """Something happened that must not."""
        with self._news:
            self.troubles.append(what)

    def wait_until(self, is_so: Callable[[], bool], what: str) -> None:
        """Raises AssertionError if it takes longer than a cluster may be without a leader."""
        with self._news:
            assert self._news.wait_for(is_so, PATIENCE_S), f"waited {PATIENCE_S:g} s for {what}"

    def is_under_way(self) -> bool:
        """Every partition has acknowledged a record that was sent after the mark, and the group has read one."""
        return len(self.first_ack_s) == len(self.first_read_s) == PARTITIONS

    def not_under_way(self) -> str:
        """Which partitions do not go on."""
        missing = {
            what: sorted(set(range(PARTITIONS)) - set(firsts))
            for what, firsts in (("written", self.first_ack_s), ("read", self.first_read_s))
        }
        return " and ".join(f"partitions {which} to be {what}" for what, which in missing.items() if which)

    def is_all_seen(self) -> bool:
        """The group has read whatever was acknowledged."""
        return self.acknowledged.keys() <= self.seen.keys()


class Load:
    """The clients. `stop_producers()` waits for every acknowledgement; `stop_members()` for the last commits."""

    def __init__(self, bootstrap: str, book: Book) -> None:
        self._bootstrap, self.book = bootstrap, book
        self._is_writing = self._is_reading = True
        self._producers = [threading.Thread(target=self._produce, args=(one,)) for one in range(PRODUCERS)]
        self._members = [threading.Thread(target=self._consume) for _ in range(MEMBERS)]

    def start(self) -> None:
        """Let all of them begin."""
        for thread in (*self._producers, *self._members):
            thread.start()

    def stop_producers(self) -> None:
        """No more records; the last one is acknowledged."""
        self._is_writing = False
        for thread in self._producers:
            thread.join()

    def stop_members(self) -> None:
        """They commit and leave."""
        self._is_reading = False
        for thread in self._members:
            thread.join()

    def _produce(self, number: int) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self._bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 2,
                "message.timeout.ms": int(PATIENCE_S * 1000),
                "error_cb": self._error,
                **CLIENT,
            }
        )
        count, due_s = 0, time.monotonic()
        while self._is_writing:
            if len(producer) < UNACKNOWLEDGED_MAX:
                key = count % (PARTITIONS * KEYS_A_PARTITION)
                value = b"%d %d %d" % (number, key, count)
                self.book.sent(value)
                producer.produce(TOPIC, value, b"%d" % key, partition=key % PARTITIONS, on_delivery=self.book.delivered)
                count += 1
            due_s = max(due_s + PACE_S, time.monotonic() - 1)  # what a stall has cost is made good, up to a second
            while (left_s := due_s - time.monotonic()) > 0:
                producer.poll(left_s)
            producer.poll(0)
        if producer.flush(PATIENCE_S):
            self.book.trouble(f"producer {number}: {len(producer)} records have no acknowledgement")

    def _consume(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": GROUP,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": GROUP_SESSION_MS,
                "heartbeat.interval.ms": 500,
                "fetch.wait.max.ms": 100,
                "error_cb": self._error,
                **CLIENT,
            }
        )
        consumer.subscribe([TOPIC])
        count = 0
        while self._is_reading:
            message = consumer.poll(0.1)
            if message is None or message.error() is not None:
                continue  # a broker is away, or its partition has no leader: librdkafka tells, and tries again
            self.book.read(message)
            count += 1
            if count % COMMIT_EVERY == 0:
                consumer.commit(asynchronous=True)
        consumer.close()

    def _error(self, error: KafkaError) -> None:
        if error.fatal():
            self.book.trouble(str(error))


@contextmanager
def load(bootstrap: str) -> Iterator[Load]:
    """Load while the `with` lasts, however it ends."""
    one = Load(bootstrap, Book())
    one.start()
    try:
        yield one
    finally:
        one.stop_producers()
        one.stop_members()


# What is there in the end -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What the logs hold against the book; everything but `records` should be empty."""

    records: int  # that were acknowledged
    lost: list[bytes]  # acknowledged, and not where the acknowledgement says
    doubled: list[bytes]  # there more than once
    out_of_order: list[bytes]  # after a later one of their key
    unseen: list[bytes]  # acknowledged, and the group has not read them
    troubles: list[str]

    def is_clean(self) -> bool:
        """Nothing went wrong."""
        return not (self.lost or self.doubled or self.out_of_order or self.unseen or self.troubles)

    def __str__(self) -> str:
        counts = (f"{len(getattr(self, what))} {what}" for what in ("lost", "doubled", "out_of_order", "unseen"))
        return f"{self.records:,} acknowledged: {', '.join(counts)}, {len(self.troubles)} troubles"


def judged(book: Book, found: dict[int, list[tuple[int, bytes]]]) -> Verdict:
    """Hold what the partitions hold (offset and value, in order) against the book."""
    there = {(partition, offset): value for partition, records in found.items() for offset, value in records}
    times = Counter(there.values())
    latest: dict[tuple[bytes, ...], int] = {}
    late = []
    for _, value in sorted((at, value) for at, value in there.items()):
        *key, number = value.split()
        if int(number) < latest.get(tuple(key), -1):
            late.append(value)
        latest[tuple(key)] = int(number)
    return Verdict(
        len(book.acknowledged),
        [value for value, at in book.acknowledged.items() if there.get(at) != value],
        [value for value, count in times.items() if count > 1],
        late,
        [value for value in book.acknowledged if value not in book.seen],
        book.troubles,
    )


def everything(bootstrap: str) -> dict[int, list[tuple[int, bytes]]]:
    """What every partition holds, read without a group."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "nobody", "enable.auto.commit": False, **CLIENT})
    partitions = [TopicPartition(TOPIC, partition, 0) for partition in range(PARTITIONS)]
    ends = {one.partition: consumer.get_watermark_offsets(one, PATIENCE_S)[1] for one in partitions}
    consumer.assign([one for one in partitions if ends[one.partition]])
    found: dict[int, list[tuple[int, bytes]]] = {one.partition: [] for one in partitions}
    while any(not records or records[-1][0] + 1 < ends[one] for one, records in found.items() if ends[one]):
        message: Any = consumer.poll(PATIENCE_S)
        assert message is not None, f"the logs end at {ends}, and nothing more comes"
        if message.error() is None:
            found[message.partition()].append((message.offset(), message.value()))
    consumer.close()
    return found
