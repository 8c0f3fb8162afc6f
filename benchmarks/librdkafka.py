"""The C client at the speed of C: the librdkafka inside of confluent-kafka, called without a step in Python a record.

Records are handed over ten thousand at a time. They are taken by a function that librdkafka calls for each, and that
one is in C, too: `rd_kafka_version`, which looks at nothing and returns. So what is timed is the client's work and the
server's, and not Python's. Linux alone, which tells where a process has its libraries from.

Source: rdkafka.h.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping
from pathlib import Path

import confluent_kafka  # noqa: F401 - brings the library

AT_ONCE = 10_000  # records handed over by one call
QUEUED_MAX = 200_000  # records that wait in the client
PATIENCE_S = 60.0
_PRODUCER, _CONSUMER = 0, 1
_COPY = 2  # RD_KAFKA_MSG_F_COPY: as a program has it whose buffers change


class Stuck(Exception):
    """A client did not come to its end."""


class _Message(ctypes.Structure):
    _fields_ = (
        ("err", ctypes.c_int),
        ("rkt", ctypes.c_void_p),
        ("partition", ctypes.c_int32),
        ("payload", ctypes.c_void_p),
        ("len", ctypes.c_size_t),
        ("key", ctypes.c_void_p),
        ("key_len", ctypes.c_size_t),
        ("offset", ctypes.c_int64),
        ("_private", ctypes.c_void_p),
    )


def _library() -> ctypes.CDLL:
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    path = next(line.split()[-1] for line in maps.splitlines() if "librdkafka" in line)
    library = ctypes.CDLL(path)
    for name in ("conf_new", "new", "topic_new", "queue_new"):
        getattr(library, f"rd_kafka_{name}").restype = ctypes.c_void_p
    library.rd_kafka_consume_callback_queue.restype = ctypes.c_ssize_t
    return library


LIBRARY = _library()


class Client:
    """A client of librdkafka's."""

    def __init__(self, kind: int, bootstrap: str, settings: Mapping[str, object]) -> None:
        conf = ctypes.c_void_p(LIBRARY.rd_kafka_conf_new())
        said = ctypes.create_string_buffer(500)
        for name, value in {"bootstrap.servers": bootstrap, "log_level": 0, **settings}.items():
            if LIBRARY.rd_kafka_conf_set(conf, name.encode(), str(value).encode(), said, len(said)):
                raise ValueError(said.value.decode())
        self._client = ctypes.c_void_p(LIBRARY.rd_kafka_new(kind, conf, said, len(said)))
        if not self._client:
            raise ValueError(said.value.decode())
        self._topics: dict[str, ctypes.c_void_p] = {}

    def topic(self, name: str) -> ctypes.c_void_p:
        """The client's handle of a topic."""
        if name not in self._topics:
            made = LIBRARY.rd_kafka_topic_new(self._client, name.encode(), None)
            self._topics[name] = ctypes.c_void_p(made)
        return self._topics[name]

    def close(self) -> None:
        """Let go of everything."""
        for topic in self._topics.values():
            LIBRARY.rd_kafka_topic_destroy(topic)
        LIBRARY.rd_kafka_destroy(self._client)


class Producer(Client):
    """Sends records of one size."""

    def __init__(self, bootstrap: str, record_bytes: int) -> None:
        settings = {"acks": "all", "linger.ms": 5, "queue.buffering.max.messages": 2 * QUEUED_MAX}
        super().__init__(_PRODUCER, bootstrap, settings)
        self._payload = ctypes.create_string_buffer(b"x" * record_bytes, record_bytes)
        self._messages = (_Message * AT_ONCE)()
        for message in self._messages:
            message.payload, message.len = ctypes.addressof(self._payload), record_bytes

    def send(self, topic: str, partition: int, count: int) -> None:
        """Send so many records and wait until all are acknowledged. Raises Stuck."""
        self.hand_over(topic, partition, count)
        self.flush()

    def hand_over(self, topic: str, partition: int, count: int) -> None:
        """Send so many records. Raises Stuck."""
        handle, end_s = self.topic(topic), time.monotonic() + PATIENCE_S
        sent = 0
        while sent < count:
            while LIBRARY.rd_kafka_outq_len(self._client) > QUEUED_MAX:
                LIBRARY.rd_kafka_poll(self._client, 1)
                if time.monotonic() > end_s:
                    raise Stuck(f"{sent} of {count} records of {topic} are handed over, and no more are taken")
            some = min(AT_ONCE, count - sent)
            taken = LIBRARY.rd_kafka_produce_batch(handle, partition, _COPY, self._messages, some)
            if taken != some:
                raise Stuck(f"{taken} of {some} records of {topic} were taken: error {self._messages[taken].err}")
            sent += some

    def flush(self) -> None:
        """Wait until all is acknowledged. Raises Stuck."""
        LIBRARY.rd_kafka_flush(self._client, int(PATIENCE_S * 1000))
        if left := LIBRARY.rd_kafka_outq_len(self._client):
            raise Stuck(f"{left} records are not acknowledged after {PATIENCE_S:g} s")


class Consumer(Client):
    """Reads partitions from their beginnings."""

    def __init__(self, bootstrap: str) -> None:
        ahead = {"queued.min.messages": 10_000_000, "queued.max.messages.kbytes": 2_000_000}
        super().__init__(_CONSUMER, bootstrap, {"fetch.wait.max.ms": 10, "fetch.queue.backoff.ms": 0, **ahead})
        self._queue = ctypes.c_void_p(LIBRARY.rd_kafka_queue_new(self._client))
        self._reading: list[tuple[ctypes.c_void_p, int]] = []

    def read(self, partitions: list[tuple[str, int]], count: int) -> None:
        """Read so many records, which is what these partitions have. Raises Stuck."""
        for name, partition in partitions:
            topic = self.topic(name)
            LIBRARY.rd_kafka_consume_start_queue(topic, partition, ctypes.c_int64(0), self._queue)
            self._reading.append((topic, partition))
        # The answer to each start is counted as if it were a record.
        end_s, found = time.monotonic() + PATIENCE_S, -len(partitions)
        while found < count:
            found += LIBRARY.rd_kafka_consume_callback_queue(self._queue, 100, LIBRARY.rd_kafka_version, None)
            if time.monotonic() > end_s:
                raise Stuck(f"{found} of {count} records of {partitions[0][0]} and so on were read")
        if found != count:
            raise Stuck(f"{found} records of {partitions[0][0]} and so on were read, where there are {count}")

    def close(self) -> None:
        for topic, partition in self._reading:
            LIBRARY.rd_kafka_consume_stop(topic, partition)
        LIBRARY.rd_kafka_queue_destroy(self._queue)
        super().close()
