"""A run with everything in it, from its seed: run as a program it prints the digest of every step."""

from __future__ import annotations

import sys
from hashlib import sha256

from kafkalite.sim.cluster import Cluster
from kafkalite.sim.faults import BreakConnection


def run(seed: int, *, through_codec: bool = False) -> Cluster:
    """Two topics, a producer, a consumer; a leader dies and comes back, connections break."""
    cluster = Cluster(brokers=3, zookeepers=3, seed=seed, through_codec=through_codec)
    cluster.topic("orders", partitions=3, replicas=3).topic("alarms", partitions=2, replicas=2)
    producer = cluster.producer()
    cluster.consumer(auto_offset_reset="earliest").assign(("orders", 0, 0), ("orders", 1, 0), ("alarms", 0, 0))
    for number in range(30):
        producer.send("orders", b"%d" % number, key=b"k%d" % (number % 7))
        cluster.run_for(20)
    cluster.kill("b102").inject(BreakConnection("b101", "b103"))
    for number in range(30):
        producer.send("alarms", b"%d" % number)
        cluster.run_for(500)
    return cluster.restart("b102").run_for(30_000)


def digest(cluster: Cluster) -> str:
    """Of every step."""
    return sha256("\n".join(map(repr, cluster.steps)).encode()).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(digest(run(int(sys.argv[1]))))
