"""Compressed batches: they pass through untouched, byte for byte.

Each is eight records with the keys k0 to k7 and the times 1,000 to 1,007, as librdkafka has compressed them.
"""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from tests.oracle.programs.registry import program
from tests.oracle.programs.saying import EARLIEST, LATEST, fetch, list_offsets, produce
from tests.oracle.session import Session

BATCHES = {
    "gzip": b64decode(
        "AAAAAAAAAAAAAACc/////wIqsw0pAAEAAAAHAAAAAAAAA+gAAAAAAAAD7///////////////////AAAACB+LCAAAAAAAAAPz"
        "YWBgYMk2sCnJSFUoTsxNVSjPL0opVkhMT8zMU0jMS4GwGHwYmJhYsg0JK2NhYck2IqyMjY0l25iwMg4OlmwTwsq4uFiyTQkr"
        "4+FhyTYjrIyPjyXbnJAyAKjkjQg4AQAA"
    ),
    "snappy": b64decode(
        "AAAAAAAAAAAAAACY/////wLZl8jOAAIAAAAHAAAAAAAAA+gAAAAAAAAD7///////////////////AAAACLgCfEwAAAAEazA8"
        "dGhlIHNhbWUgd29yZHMgYWdhaW4gYW5kCQocAEwAAgIEazGGJwAQBAQEazKGJwAQBgYEazOGJwAQCAgEazSGJwAQCgoEazWG"
        "JwAQDAwEazaGJwAQDg4Eazd+JwA="
    ),
    "lz4": b64decode(
        "AAAAAAAAAAAAAACs/////wLf608kAAMAAAAHAAAAAAAAA+gAAAAAAAAD7///////////////////AAAACAQiTRhgQIJsAAAA"
        "8hFMAAAABGswPHRoZSBzYW1lIHdvcmRzIGFnYWluIGFuZAoAjwBMAAICBGsxJwAPXwQEBGsyJwAPXwYGBGszJwAPXwgIBGs0"
        "JwAPXwoKBGs1JwAPXwwMBGs2JwAPXw4OBGs3JwAIUGdhaW4AAAAAAA=="
    ),
    "zstd": b64decode(
        "AAAAAAAAAAAAAACW/////wKiCJZFAAQAAAAHAAAAAAAAA+gAAAAAAAAD7///////////////////AAAACCi1L/0AWOUCAGQE"
        "TAAAAARrMDx0aGUgc2FtZSB3b3JkcyBhZ2FpbiBhbmQATAACAgRrMQQEBGsyBgYEazMICARrNAoKBGs1DAwEazYODgRrNwgA"
        "ANfA0cDRwNHA0cDRSjmODuUJ"
    ),
}


@program
def batches_in_every_compression(one: Session) -> None:
    for compression, data in BATCHES.items():
        topic = one.topic()
        one.ask(produce(topic, data))
        one.ask(produce(topic, data))
        answer = one.ask(fetch(topic))
        found = bytes(answer.responses[0].partitions[0].records)
        one.say(f"{compression} as it came", sha256(found).hexdigest())


@program
def times_within_compressed_batches(one: Session) -> None:
    topic = one.topic()
    for compression in ("gzip", "zstd", "lz4", "snappy"):
        one.ask(produce(topic, BATCHES[compression]))
    for time_ms in (EARLIEST, 0, 1003, 1007, 1008, LATEST):
        one.ask(list_offsets(topic, time_ms))


@program
def zstd_by_versions(one: Session) -> None:
    topic = one.topic()
    for version in range(3, 10):
        one.ask(produce(topic, BATCHES["zstd"]), version)
    for version in range(4, 12):
        one.ask(fetch(topic), version)


@program
def compressed_batches_on_a_compacted_topic(one: Session) -> None:
    topic = one.topic(cleanup_policy="compact")
    for data in BATCHES.values():
        one.ask(produce(topic, data))


@program
def what_does_not_decompress(one: Session) -> None:
    one.ask(produce(one.topic(), encode_batch([Record(None, b"in the clear")], attributes=1)))


@program
def a_compression_that_there_is_not(one: Session) -> None:
    one.ask(produce(one.topic(), encode_batch([Record(None, b"in the clear")], attributes=7)))
