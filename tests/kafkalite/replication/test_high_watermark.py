"""The high watermark's rule of Kafka 3.7, on drawn replicas."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kafkalite.replication.high_watermark import high_watermark, readable_end


@given(st.data())
def test_no_replica_of_the_maximal_isr_lacks_what_lies_below_a_watermark_that_moved(data: st.DataObject) -> None:
    ends = data.draw(st.dictionaries(st.integers(1, 5), st.integers(0, 30), min_size=1))
    members = st.sets(st.sampled_from(sorted(ends)), min_size=1).map(frozenset)
    isr = data.draw(members)
    maximal = isr | data.draw(members)
    previous, min_isr = data.draw(st.integers(0, 30)), data.draw(st.integers(1, 5))
    watermark = high_watermark(ends, isr, maximal, previous, min_isr)

    assert watermark >= previous
    if watermark > previous:
        assert all(ends[replica] >= watermark for replica in maximal)
        assert len(isr) >= min(min_isr, len(ends))


def test_below_min_isr_it_stays_where_it_was() -> None:
    """KAFKA-15583: what is already below it stays readable, nothing new becomes so."""
    assert 3 == high_watermark({1: 9, 2: 9, 3: 4}, frozenset({1}), frozenset({1}), previous=3, min_isr=2)


def test_a_replica_that_may_join_holds_it_back() -> None:
    """KIP-497: the change of the ISR may have been made already, so its members to be count too."""
    assert 4 == high_watermark({1: 9, 2: 4}, frozenset({1}), frozenset({1, 2}), previous=0, min_isr=1)


def test_min_isr_above_the_replication_factor_does_not_freeze_it() -> None:
    assert 9 == high_watermark({1: 9}, frozenset({1}), frozenset({1}), previous=0, min_isr=2)


def test_a_consumer_reads_below_the_watermark_only() -> None:
    """R3: what the leader alone has may be lost with it."""
    assert 3 == readable_end(log_end=5, high_watermark=3)


def test_a_consumer_reads_no_further_than_the_log_goes() -> None:
    """A replica may have heard of a watermark before it has the records."""
    assert 3 == readable_end(log_end=3, high_watermark=5)
