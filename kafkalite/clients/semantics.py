"""At most once, at least once, exactly once: three orders of the same steps.

    at most once     commit the offsets    write what comes of the records      a crash between the two loses
    at least once    write                 commit the offsets                   a crash between the two doubles
    exactly once     begin    write    add the offsets    commit the lot        both are in one transaction

There is no fourth order, and no way to have two systems change at the same moment. Exactly once is from Kafka to Kafka:
the offsets and what was written are both records, and the transaction makes them one. What is done in the world outside
is in no transaction. There it takes at least once, and somebody who does a thing that was asked for twice once.

Source: "Message Delivery Semantics", kafka.apache.org/documentation/#semantics.
"""

from __future__ import annotations

from enum import Enum


class Step(Enum):
    """What a program does with the records it was handed."""

    BEGIN = "begin a transaction"
    WRITE = "write what comes of each record, and wait until it is there"
    COMMIT = "commit the offsets, and wait until they are"
    ADD_OFFSETS = "let the offsets be committed with the transaction"
    END = "commit the transaction"


ORDERS: dict[str, tuple[Step, ...]] = {
    "at most once": (Step.COMMIT, Step.WRITE),
    "at least once": (Step.WRITE, Step.COMMIT),
    "exactly once": (Step.BEGIN, Step.WRITE, Step.ADD_OFFSETS, Step.END),
}
