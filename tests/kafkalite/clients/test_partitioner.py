"""Keys go where Java's clients put them, and records without a key make whole batches."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.clients.partitioner import RoundRobin, StickyPartitioner, murmur2, partition_for


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
        (bytes([12, 42, 56, 24, 109, 111]), 274204207),  # from a JVM client of Kafka 1.0.0
        (b"", 275646681),
    ],
)
def test_murmur2_gives_what_javas_client_gives(key: bytes, expected: int) -> None:
    """P5. The first six are those of Kafka's own UtilsTest."""
    assert expected == murmur2(key)


@given(key=st.binary(max_size=70))
def test_murmur2_is_a_signed_32_bit_number(key: bytes) -> None:
    assert -(1 << 31) <= murmur2(key) < 1 << 31


@given(key=st.binary(max_size=20), partitions=st.integers(1, 50))
def test_a_key_always_goes_to_the_same_partition_of_so_many(key: bytes, partitions: int) -> None:
    """T5, P5."""
    first = partition_for(key, partitions)

    assert first == partition_for(bytes(key), partitions)
    assert first is not None
    assert 0 <= first < partitions


def test_a_negative_hash_is_masked_and_not_made_positive() -> None:
    assert (1357151166 % 7, 790332482 % 7) == (partition_for(b"foobar", 7), abs(murmur2(b"foobar")) % 7)
    assert 1357151166 % 7 != 790332482 % 7


def test_an_empty_key_is_a_key_and_no_key_is_none() -> None:
    assert (275646681 % 8, None) == (partition_for(b"", 8), partition_for(None, 8))


def test_more_partitions_move_keys() -> None:
    """T8. From 4 partitions to 5, four keys of five move."""
    keys = [b"truck-%d" % number for number in range(10_000)]
    moved = sum(partition_for(key, 4) != partition_for(key, 5) for key in keys)

    assert 7_800 < moved < 8_200


def test_a_sticky_partitioner_gives_every_partition_as_many_bytes() -> None:
    """T5. KIP-794: uniform by bytes, whatever the sizes of the records."""
    rng, sticky, sent_bytes = Random(1), StickyPartitioner(1_000), Counter[int]()
    for _ in range(200_000):
        size_bytes = rng.randrange(1, 300)
        sent_bytes[sticky.partition([0, 1, 2, 3], size_bytes, rng.random())] += size_bytes
    share = {partition: size / sum(sent_bytes.values()) for partition, size in sent_bytes.items()}

    assert {0, 1, 2, 3} == share.keys()
    assert all(0.24 < part < 0.26 for part in share.values()), share


def test_a_sticky_partitioner_changes_when_a_batch_is_full_and_round_robin_with_every_record() -> None:
    """T5, P5. 1,000 records of 100 bytes, ten to a batch."""
    rng = Random(2)
    changes = {}
    for partitioner in (StickyPartitioner(1_000), RoundRobin(1_000)):
        chosen = [partitioner.partition(list(range(8)), 100, rng.random()) for _ in range(1_000)]
        changes[type(partitioner)] = sum(one != other for one, other in pairwise(chosen))

    assert 999 == changes[RoundRobin]
    assert 70 < changes[StickyPartitioner] < 100  # 99 stays, one in eight draws the same partition again


def test_a_sticky_partitioner_leaves_a_partition_that_has_lost_its_leader() -> None:
    sticky = StickyPartitioner(1_000)
    first = sticky.partition([0, 1, 2], 10, 0.5)

    assert (1, 2) == (first, sticky.partition([0, 2], 10, 0.5))


def test_a_record_larger_than_a_batch_stays_where_a_batch_is_empty() -> None:
    sticky = StickyPartitioner(100)

    assert [3, 0] == [sticky.partition([0, 1, 2, 3], 500, draw) for draw in (0.9, 0.1)]


def test_a_record_that_fits_exactly_stays_and_the_next_one_goes() -> None:
    sticky = StickyPartitioner(100)

    assert [1, 1, 3, 3, 0] == [sticky.partition([0, 1, 2, 3], 50, draw) for draw in (0.3, 0.9, 0.9, 0.0, 0.0)]


def test_round_robin_begins_with_the_first_partition() -> None:
    robin = RoundRobin(100)

    assert [0, 1, 2, 0] == [robin.partition([0, 1, 2], 10, 0.9) for _ in range(4)]
