"""Which brokers hold which partition: decided once, when a topic is made or grows.

    brokers     101  102  103  104  105        start 0, shift 0; partition p has its first replica on p + start
    replica 1    p0   p1   p2   p3   p4        ... its others behind the first, leaving out `shift` brokers
    replica 2    p4   p0   p1   p2   p3
    replica 3    p3   p4   p0   p1   p2
    replica 1    p5   p6   p7   p8   p9        the second round: shift + 1, so that the partitions which broker 101
    replica 2    p8   p9   p5   p6   p7        leads are not all followed by 102: when 101 dies, its load is spread
    replica 3    p7   p8   p9   p5   p6

With racks (KIP-36) the brokers are put in an order in which racks alternate, and a replica skips a rack that has one
already while another rack has none.

`start` and `shift` are drawn by whoever asks (the chance belongs to a node), so the same arguments place alike.
Left out: moving replicas afterwards (reassignment), weights, disks.
Source: kafka.admin.AdminUtils.assignReplicasToBrokers. There, a topic that grows begins with a shift of its own; here
the shift follows from the partition's number alone, so that it goes on as it began.
"""

from __future__ import annotations

from itertools import zip_longest

from kafkalite.errors import InvalidPlacement


def assign_replicas(
    partitions: int,
    replication_factor: int,
    brokers: list[int],
    racks: dict[int, str | None],
    start: int,
    shift: int,
    first_partition: int,
) -> dict[int, list[int]]:
    """The brokers of each of so many partitions from `first_partition` on, the preferred leader first.

    `racks` is each broker's rack; either every broker has one, or none has. Raises InvalidPlacement.

    >>> assign_replicas(3, 2, [101, 102, 103], {}, start=0, shift=0, first_partition=0)
    {0: [101, 102], 1: [102, 103], 2: [103, 101]}
    >>> assign_replicas(2, 2, [1, 2, 3, 4], {1: "a", 2: "a", 3: "b", 4: "b"}, start=0, shift=0, first_partition=0)
    {0: [1, 3], 1: [3, 2]}
    """
    _check(partitions, replication_factor, brokers, racks)
    in_order = in_alternating_racks(brokers, racks)
    rack_of = {broker: racks.get(broker) for broker in in_order}
    rack_count = len(set(rack_of.values()))
    count = len(in_order)
    placed = {}
    for partition in range(first_partition, first_partition + partitions):
        first = (partition + start) % count
        round_shift = (shift + partition // count) * rack_count
        others = [in_order[(first + 1 + (round_shift + k) % (count - 1)) % count] for k in range(count - 1)]
        placed[partition] = _spread(in_order[first], others, replication_factor, rack_of, rack_count)
    return placed


def pattern_of(replicas: list[int], brokers: list[int], racks: dict[int, str | None]) -> tuple[int, int]:
    """The start and shift with which partition 0 got these replicas; a topic that grows goes on with them.

    Where the brokers are others now, the start is that of its first replica, or of the broker that stands there now.

    >>> pattern_of([102, 104], [101, 102, 103, 104], {})
    (1, 1)
    """
    in_order = in_alternating_racks(brokers, racks)
    start = next((at for at, broker in enumerate(in_order) if broker == replicas[0]), replicas[0] % len(in_order))
    if len(replicas) <= len(in_order):
        for shift in range(len(in_order)):
            if assign_replicas(1, len(replicas), brokers, racks, start, shift, 0)[0] == replicas:
                return start, shift
    return start, start


def _spread(
    leader: int, others: list[int], replication_factor: int, rack_of: dict[int, str | None], rack_count: int
) -> list[int]:
    """The leader, and of the others in turn: those in a rack that has none yet, until every rack has one."""
    replicas = [leader]
    racks = {rack_of[leader]}
    waiting = others
    while len(replicas) < replication_factor:
        skipped = []
        for broker in waiting:
            if len(replicas) < replication_factor and (rack_of[broker] not in racks or len(racks) == rack_count):
                replicas.append(broker)
                racks.add(rack_of[broker])
            else:
                skipped.append(broker)
        waiting = skipped
    return replicas


def in_alternating_racks(brokers: list[int], racks: dict[int, str | None]) -> list[int]:
    """The brokers in an order in which neighbours stand in different racks, as far as that goes.

    >>> in_alternating_racks([1, 2, 3, 4, 5], {1: "a", 2: "a", 3: "b", 4: "b", 5: "c"})
    [1, 3, 5, 2, 4]
    >>> in_alternating_racks([3, 1, 2], {})
    [1, 2, 3]
    """
    by_rack: dict[str, list[int]] = {}
    for broker in sorted(brokers):
        by_rack.setdefault(racks.get(broker) or "", []).append(broker)
    rows = zip_longest(*(by_rack[rack] for rack in sorted(by_rack)))
    return [broker for row in rows for broker in row if broker is not None]


def _check(partitions: int, replication_factor: int, brokers: list[int], racks: dict[int, str | None]) -> None:
    if partitions < 1:
        raise InvalidPlacement("partitions", f"expected at least 1 partition, {partitions} were asked for")
    if replication_factor < 1:
        raise InvalidPlacement(
            "replication_factor", f"expected at least 1 replica of each, {replication_factor} were asked for"
        )
    if replication_factor > len(brokers):
        raise InvalidPlacement(
            "replication_factor",
            f"{replication_factor} replicas were asked for and {len(brokers)} brokers are alive: no broker may hold a "
            "partition twice",
        )
    without = [broker for broker in sorted(brokers) if racks.get(broker) is None]
    if without and len(without) < len(brokers):
        raise InvalidPlacement("racks", f"expected a rack of every broker or of none; brokers {without} have none")
