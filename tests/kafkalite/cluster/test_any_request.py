"""Whatever a client sends, a broker answers it or closes the connection, and goes on."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.facts import LogDirectoryFailed
from kafkalite.log.batch import encode_batch
from kafkalite.log.record import Record
from kafkalite.protocol.registry import ENTRIES
from kafkalite.protocol.schema import NO_UUID, Array, Kind, fields_of
from kafkalite.sim.cluster import Cluster

from .reading import Asker, facts

BELIEVED = {"LeaderAndIsr", "StopReplica", "UpdateMetadata", "ControlledShutdown"}  # what brokers tell each other
REQUESTS = [entry.request for entry in ENTRIES.values() if entry.api.name not in BELIEVED]
BATCH = encode_batch([Record(b"k", b"v", 1_700_000_000_000)])

# For each kind values that often mean something here, and some that mean nothing anywhere.
VALUES: dict[Kind, tuple[Any, ...]] = {
    Kind.BOOL: (False, True),
    Kind.INT8: (-1, 0, 1, 2, 4, 0x7F, -0x80),
    Kind.INT16: (-1, 0, 1, 3, 0x7FFF, -0x8000),
    Kind.INT32: (-1, 0, 0, 1, 2, 101, 102, 500, 0x7FFF_FFFF, -0x8000_0000),
    Kind.INT64: (-2, -1, 0, 0, 1, 5, 1_700_000_000_000, 2**63 - 1, -(2**63)),
    Kind.ERROR_CODE: (ErrorCode.NONE,),
    Kind.UUID: (NO_UUID,),
    Kind.STRING: ("orders", "orders", "alarms", "new", "", "..", "a/b", "é" * 300, "101", "retention.ms"),
    Kind.BYTES: (b"", b"xyz"),
    Kind.RECORDS: (b"", bytes(61), BATCH, BATCH + BATCH, BATCH[:-1], BATCH[:30] + b"?" + BATCH[31:], b"?" * 80),
}


def drawn(rng: Random, shape: Any) -> Any:
    """A value of this shape."""
    if isinstance(shape, Array):
        return tuple(drawn(rng, shape.item) for _ in range(rng.choice((0, 1, 1, 2))))
    if isinstance(shape, Kind):
        return rng.choice(VALUES[shape])
    return shape(**{field.name: drawn_or_null(rng, field) for field in fields_of(shape)})


def drawn_or_null(rng: Random, field: Any) -> Any:
    if field.null_since is not None and rng.random() < 0.3:
        return None
    return drawn(rng, field.shape)


@pytest.mark.parametrize("seed", range(8))
def test_brokers_live_through_requests_that_make_no_sense(seed: int) -> None:
    cluster = Cluster(brokers=2, zookeepers=1, seed=seed, through_codec=True)
    cluster.topic("orders", partitions=2, replicas=2).topic("alarms")
    rng = Random(seed)
    strangers = []
    for number in range(300):
        request = drawn(rng, rng.choice(REQUESTS))
        strangers.append(Asker(f"s{number}", rng.choice(cluster.brokers), request))
        cluster.sim.add(strangers[-1])
        cluster.run_for(rng.choice((0, 1, 50)))

    cluster.run_for(60_000)
    cluster.topic("last", partitions=2, replicas=2)

    assert 0 == cluster.producer().send("last", b"still here", partition=0).result()
    assert [] == facts(cluster, LogDirectoryFailed)
    unanswered = [one._request for one in strangers if not one.is_done]
    assert all(may_wait_for_long(one) for one in unanswered), unanswered


def may_wait_for_long(request: Any) -> bool:
    """It says itself how long it waits; or nobody answers it."""
    patience_ms = max(getattr(request, name, 0) for name in ("timeout_ms", "max_wait_ms"))
    return patience_ms > 60_000 or getattr(request, "acks", -1) == 0
