"""The consumer: it reads the partitions it is assigned, in the order of their offsets, and finds their brokers.

    assign() -> position -> fetcher -> records -> the program

It polls by itself: what was fetched is handed over at once, at most `max_poll_records` at a time; RecordsPolled says
so. Inside a partition order holds; which partition's records come first is chance.

Left out: groups, which assign partitions and remember positions; they stand on `fetcher` as this does.
Source: KafkaConsumer with `assign`.
"""

from __future__ import annotations

from collections.abc import Iterable

from kafkalite.clients.discovery import Discovery
from kafkalite.clients.fetcher import Fetcher
from kafkalite.config import ClientConfig, ConsumerConfig
from kafkalite.facts import RecordsPolled
from kafkalite.log.record import Record
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.types import NodeName, TopicPartition


class Consumer(Node):
    """A consumer of assigned partitions. The world calls `assign`, `seek`, `pause`, `resume` and `stop`."""

    def __init__(self, name: NodeName, client: ClientConfig, config: ConsumerConfig, parts: Parts) -> None:
        super().__init__(name)
        self._config = config
        self.discovery = Discovery(self, client, self, creates_topics=True)
        self.fetcher = Fetcher(self, self.discovery, (client, config), self)

    def on_start(self) -> None:
        self.discovery.start()

    # What the world asks --------------------------------------------------------------------------------------------

    def assign(self, partitions: Iterable[tuple[str, int, int | None]]) -> None:
        """Read these partitions, and no others: each from its offset; -1 the end, -2 the beginning, None as configured.

        A partition that was assigned already begins anew.
        """
        was = dict.fromkeys(topic for topic, _ in self.fetcher.positions)
        self.fetcher.positions.clear()
        for topic, partition, offset in partitions:
            self.fetcher.assign((topic, partition), offset)
            was.pop(topic, None)
        for topic in was:
            self.discovery.forget(topic)
        self.fetcher.pump()

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Go on from this offset; -1 the end, -2 the beginning."""
        self.fetcher.seek((topic, partition), offset)
        self.fetcher.pump()

    def seek_to_time(self, topic: str, partition: int, timestamp_ms: int) -> None:
        """Go on from the first record that is not older; from the end if all are."""
        self.fetcher.positions[topic, partition].look_up(timestamp_ms, "time")
        self.fetcher.pump()

    def pause(self, *partitions: TopicPartition) -> None:
        """Hand over nothing of these partitions for now, and fetch no more of them."""
        for partition in partitions:
            self.fetcher.positions[partition].is_paused = True

    def resume(self, *partitions: TopicPartition) -> None:
        """Go on with these partitions."""
        for partition in partitions:
            self.fetcher.positions[partition].is_paused = False
        self._poll()
        self.fetcher.pump()

    def stop(self) -> None:
        """Read nothing any more."""
        self.fetcher.positions.clear()
        self.discovery.stop()

    # What comes -----------------------------------------------------------------------------------------------------

    def on_routes_changed(self) -> None:
        """Metadata came, or a broker may be tried again."""
        self.fetcher.pump()

    def on_fetched(self) -> None:
        """There may be something to hand over."""
        self._poll()

    def on_poll(self) -> None:
        """The program is done with what it was handed, and wants more."""
        self._poll()
        self.fetcher.pump()

    def _poll(self) -> None:
        """Hand over what was fetched, up to the limit; the rest comes with the next poll."""
        room = self._config.max_poll_records
        for position in list(self.fetcher.positions.values()):
            if not position.buffer or position.is_paused:
                continue
            if room <= 0:
                self.set_timer("poll", 0)
                return
            records = position.take(room)
            room -= len(records)
            self.hand_over(position.partition, records, position.offset)
            if position.buffer:
                self.set_timer("poll", 0)

    def hand_over(self, partition: TopicPartition, records: list[Record], position: int) -> None:
        """The program is handed these, and will go on at `position`."""
        offsets, values = tuple(one.offset for one in records), tuple(one.value for one in records)
        self.note(RecordsPolled(*partition, offsets, values, position))
