"""What can be asked of a running cluster about groups and logs, without disturbing it."""

from __future__ import annotations

from kafkalite.sim.cluster import Cluster


def cluster_with_a_group() -> Cluster:
    """Two partitions, three records in the first; one member that has committed two of them."""
    settings = {"offsets_topic_num_partitions": 1, "offsets_topic_replication_factor": 1}
    cluster = Cluster(brokers=1, seed=1, broker=settings).topic("orders", partitions=2)
    cluster.member("c1", "g", "orders", auto_offset_reset="earliest", enable_auto_commit=False)
    for number in range(2):
        cluster.producer().send("orders", b"v%d" % number, partition=0).result()
    cluster.run_until(lambda: len(cluster.view.polled.get("c1", [])) == 2, "two records")
    cluster.member("c1", "g").commit()
    cluster.run_until(lambda: cluster.committed("g", "orders", 0) == 2, "the commit")
    cluster.producer().send("orders", b"v2", partition=0).result()
    return cluster


def test_a_group_is_as_far_as_it_has_committed_and_lags_by_what_was_written_since() -> None:
    """C5, O1."""
    cluster = cluster_with_a_group()

    assert (2, 1) == (cluster.committed("g", "orders", 0), cluster.lag("g", "orders", 0))
    assert 0 == cluster.lag("g", "orders", 1)


def test_a_group_that_has_never_committed_lags_by_all_there_is() -> None:
    cluster = cluster_with_a_group()

    assert (None, 3) == (cluster.committed("nobody", "orders", 0), cluster.lag("nobody", "orders", 0))


def test_the_reader_of_a_partition_is_known_until_the_group_is_empty() -> None:
    """C2."""
    cluster = cluster_with_a_group()
    assert ["c1", "c1"] == [cluster.reader("g", "orders", partition) for partition in (0, 1)]
    assert cluster.reader("nobody", "orders", 0) is None

    cluster.member("c1", "g").close()
    cluster.run_for(1000)

    assert cluster.reader("g", "orders", 0) is None


def test_the_records_on_a_disk_are_those_that_were_written() -> None:
    cluster = cluster_with_a_group()

    assert [b"v0", b"v1", b"v2"] == [one.value for one in cluster.records_on("b101", "orders", 0)]
    assert [0, 1, 2] == [one.offset for one in cluster.records_on("b101", "orders", 0)]
    assert [] == cluster.records_on("b101", "orders", 1)
