"""A program of many trucks and one dashboard, for any Kafka: it knows an address and nothing else.

    python docs/trucks.py 127.0.0.1:9092                                       # kafkalite, on this machine
    python docs/trucks.py broker-1.example.com:9093 --set security.protocol=SSL --set ssl.ca.location=ca.pem

It makes a topic, writes what the trucks report, reads it as a group, remembers how far it came, and goes on from there.
`--set` takes any setting of the client (librdkafka's names). It needs `pip install confluent-kafka`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # they are there

PARTITIONS = 3
BROKERS_DEFAULT = -1  # how many replicas: the cluster's affair, not this program's
PATIENCE_S = 30.0

Settings = dict[str, str]


def main() -> int:
    """Run it against the cluster at an address."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bootstrap", metavar="HOST:PORT,...", help="one broker or several; the others are found")
    parser.add_argument("--topic", default="truck_gps")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the client")
    options = parser.parse_args()
    settings: Settings = dict(one.split("=", 1) for one in options.set)
    settings["bootstrap.servers"] = options.bootstrap
    make_topic(settings, options.topic)
    report(settings, options.topic, range(4))
    show("the dashboard reads", read(settings, options.topic, 12))
    report(settings, options.topic, range(4, 6))
    show("it goes on from where it was", read(settings, options.topic, 6))
    return 0


def make_topic(settings: Settings, topic: str) -> None:
    """Have the topic, made now or by an earlier run."""
    admin = AdminClient(settings)
    try:
        admin.create_topics([NewTopic(topic, PARTITIONS, BROKERS_DEFAULT)])[topic].result(PATIENCE_S)
    except Exception as error:
        if "TOPIC_ALREADY_EXISTS" not in str(error):
            raise


def report(settings: Settings, topic: str, seconds: range) -> None:
    """Each truck says each second where it is; acknowledged by all replicas in sync, once and in order."""
    producer = Producer(settings | {"enable.idempotence": "true"})
    for second in seconds:
        for truck in ("truck-1", "truck-2", "truck-3"):
            producer.produce(topic, key=truck, value=f"kilometre {second}")
    left = producer.flush(PATIENCE_S)
    assert left == 0, f"{left} records were not acknowledged within {PATIENCE_S:g} s"


def read(settings: Settings, topic: str, count: int) -> list[Message]:
    """The next records for the group `dashboard`, which remembers how far it has come."""
    group = {"group.id": "dashboard", "auto.offset.reset": "earliest", "enable.auto.commit": "false"}
    consumer = Consumer(settings | group)
    consumer.subscribe([topic])
    found: list[Message] = []
    for message in _messages(consumer):
        found.append(message)
        if len(found) == count:
            break
    consumer.commit(asynchronous=False)
    consumer.close()
    return found


def _messages(consumer: Any) -> Iterator[Message]:
    while True:
        message = consumer.poll(PATIENCE_S)
        assert message is not None, f"nothing came within {PATIENCE_S:g} s"
        if message.error() is not None:
            raise RuntimeError(message.error())
        yield message


def show(title: str, messages: list[Message]) -> None:
    """What each truck has reported, in the order in which it came."""
    print(f"{title} {len(messages)} records")
    for truck in sorted({str((message.key() or b"").decode()) for message in messages}):
        said = [(message.value() or b"").decode() for message in messages if message.key() == truck.encode()]
        print(f"  {truck}: {', '.join(said)}")


if __name__ == "__main__":
    sys.exit(main())
