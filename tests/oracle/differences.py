"""Where kafkalite is known to answer otherwise than Apache Kafka 3.7: in which programs, how, and why.

What is listed is the whole difference: its lines as `compare.changed` tells them, Apache Kafka's with a minus, ours
with a plus. More or less than that is a failure, in `make oracle` as in `make test`.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """What differs, and the reason."""

    lines: tuple[str, ...]
    reason: str


FENCED_LATER = ('-"log_start_offset": -1', '+"log_start_offset": 0')
FENCED_WHY = """Kafka asks the transaction's coordinator before a batch goes to the log (KIP-890), and the coordinator
knows no log start. Our log fences the zombie itself, with the same error."""

DIFFERENCES: dict[str, Difference] = {
    "topics-placed-on-brokers-that-are-not-there": Difference(
        ('-"error_code": "REQUEST_TIMED_OUT"', '+"error_code": "INVALID_REPLICA_ASSIGNMENT"') * 2,
        "Kafka's controller on ZooKeeper writes such an assignment down, and the topic never has a leader. Ours "
        "refuses it at once, in the words of Kafka's controller on KRaft.",
    ),
    "offset-commit-of-the-first-version": Difference(
        ('-"committed_offset": -1', '+"committed_offset": 5'),
        "Version 0 kept offsets in ZooKeeper, where version 1 of OffsetFetch does not look. We have one place.",
    ),
    "no-records-at-all": Difference(
        (
            '-"error_code": "UNKNOWN_SERVER_ERROR"',
            '+"error_code": "INVALID_RECORD"',
            '-"log_start_offset": 0',
            '+"log_start_offset": -1',
        ),
        "Null records are a null pointer to Kafka. To us they are no batch, as empty ones are to both.",
    ),
    "what-does-not-decompress": Difference(
        (
            '-"error_code": "UNKNOWN_SERVER_ERROR"',
            '-"base_offset": -1',
            '+"error_code": "NONE"',
            '+"base_offset": 0',
        ),
        "Kafka opens every compressed batch and looks at each record. Here a batch passes through as it came, except "
        "on a compacted topic: whoever wrote it so reads it so.",
    ),
    "a-compression-that-there-is-not": Difference(
        (
            '-"error_code": "UNKNOWN_SERVER_ERROR"',
            '+"error_code": "INVALID_RECORD"',
            '-"log_start_offset": 0',
            '+"log_start_offset": -1',
        ),
        "An exception that Kafka's broker does not foresee; ours says what is wrong.",
    ),
    "a-control-batch-of-a-client": Difference(
        (
            '-"error_code": "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"',
            '+"error_code": "INVALID_RECORD"',
            '-"log_start_offset": -1',
            '+"log_start_offset": 0',
            '-"error_code": "NONE"',
            '-"base_offset": 0',
            '+"error_code": "INVALID_RECORD"',
            '+"base_offset": -1',
        ),
        "A transactional batch without a transactional id is to Kafka one that nobody is authorized for; we authorize "
        "nobody and look at the batch. A batch that claims the broker's time Kafka writes anew; ours are never opened.",
    ),
    "an-operation-that-there-is-not": Difference(
        ('-"error_code": "UNKNOWN_SERVER_ERROR"', '+"error_code": "INVALID_REQUEST"') * 2,
        "An exception that Kafka's broker does not foresee; ours says which operations there are.",
    ),
    "settings-of-a-broker": Difference(
        ('-"error_code": "NONE"', '+"error_code": "INVALID_REQUEST"'),
        "Kafka changes some settings of a broker while it runs. Ours has its settings from the day it begins.",
    ),
    "a-transaction-that-times-out": Difference(FENCED_LATER, FENCED_WHY),
    "a-zombie-is-fenced": Difference(FENCED_LATER, FENCED_WHY),
    # Of three brokers
    "a-consumer-may-read-from-a-follower": Difference(
        (
            '-"from 0, in epoch -1": "NONE 2 1"',
            '+"from 0, in epoch -1": "NOT_LEADER_OR_FOLLOWER -1 0"',
            '-"from 1, in epoch -1": "NONE 2 1"',
            '+"from 1, in epoch -1": "NOT_LEADER_OR_FOLLOWER -1 0"',
            '-"from 2, in epoch -1": "NONE 2 0"',
            '+"from 2, in epoch -1": "NOT_LEADER_OR_FOLLOWER -1 0"',
            '-"from 9, in epoch -1": "OFFSET_OUT_OF_RANGE -1 0"',
            '+"from 9, in epoch -1": "NOT_LEADER_OR_FOLLOWER -1 0"',
            '-"from 0, in epoch 0": "NONE 2 1"',
            '+"from 0, in epoch 0": "NOT_LEADER_OR_FOLLOWER -1 0"',
        ),
        "From version 11 of Fetch on Kafka's followers serve any consumer that comes, though by default no leader "
        "sends one there. Ours do so only where leaders do (replica.selector); others are told to look for the leader.",
    ),
    "replicas-move-to-other-brokers": Difference(
        (
            *('-"leader_epoch": 3', '+"leader_epoch": 2') * 3,
            *('-"epoch": 3', '+"epoch": 2'),
            *('-"leader_epoch": 5', '+"leader_epoch": 4') * 3,
        ),
        "In Kafka a new leader is elected in one write and the old one leaves the in-sync set in the next, each with "
        "an epoch; here both are one write. Epochs rise in both, and nobody counts them.",
    ),
}
