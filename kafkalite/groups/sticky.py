"""The sticky assignor: balanced first, and among the balanced assignments one that moves the least (KIP-54).

Moving a partition is dear: its old owner must finish, its new one begins cold. But balance goes first, or a member that
came when all was given away would stay idle.

    balanced        no member could give a partition to one that has at least two fewer, not even by a chain in which
                    others pass partitions on: then the sum of the squared loads is the least there is
    least movement  of all such assignments, one in which the most partitions stay with their owner

Where all members want the same topics, both come from counting (`_alike`). Where they do not, it is a problem of flows
(`_Flow`): first pass partitions along chains while that balances, then around cycles while that brings some home.

Both are exact, where Kafka's own assignor is exact for alike subscriptions and a good guess otherwise.
Source: Kafka's AbstractStickyAssignor; Harvey et al., Semi-matchings for bipartite graphs and load balancing (2006).
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heapreplace

from kafkalite.groups.assignors import Assignment, in_demand, in_order
from kafkalite.types import Subscription, TopicPartition


def sticky_assign(members: list[Subscription], partitions: dict[str, int]) -> Assignment:
    """Balanced, and as little moved as that allows.

    >>> one = Subscription("c1", ("A",), owned=(("A", 0), ("A", 1), ("A", 2)), generation=1)
    >>> sticky_assign([one, Subscription("c2", ("A",))], {"A": 3})
    {'c1': [('A', 0), ('A', 1)], 'c2': [('A', 2)]}
    """
    order = in_order(members)
    homes = rightful(order, partitions)
    wanted = in_demand(order, partitions)
    if len({frozenset(one.topics) for one in order}) <= 1:
        found = _alike([one.member for one in order], homes, wanted)
    else:
        found = _Flow(order, homes, wanted).solve()
    return {one.member: sorted(found[one.member]) for one in members}


def rightful(members: list[Subscription], partitions: dict[str, int]) -> dict[TopicPartition, str]:
    """The owner of each partition that has one: a member that still wants it, and whose claim is the newest.

    A member that was away claims what it held in an older generation; of two claims the newer one holds, and of two
    equally new ones neither.
    """
    claims: dict[TopicPartition, tuple[int, str | None]] = {}
    for one in members:
        for partition in dict.fromkeys(one.owned):
            topic, index = partition
            if topic in one.topics and index < partitions.get(topic, 0):
                newest = claims.get(partition, (-2, None))[0]
                if one.generation > newest:
                    claims[partition] = one.generation, one.member
                elif one.generation == newest:
                    claims[partition] = newest, None
    return {partition: member for partition, (_, member) in claims.items() if member is not None}


def _alike(order: list[str], homes: dict[TopicPartition, str], wanted: list[TopicPartition]) -> Assignment:
    """Everyone keeps its share at most; what that leaves goes to whoever has least."""
    found: Assignment = {member: [] for member in order}
    for partition in wanted:
        if partition in homes:
            found[homes[partition]].append(partition)
    share, larger_shares = divmod(len(wanted), len(order)) if order else (0, 0)
    for kept in found.values():
        is_larger = len(kept) > share and larger_shares > 0
        larger_shares -= is_larger
        del kept[share + is_larger :]
    stays = {partition for kept in found.values() for partition in kept}
    loads = [(len(found[member]), position) for position, member in enumerate(order)]
    heapify(loads)
    for partition in wanted:
        if partition not in stays:
            load, position = loads[0]
            found[order[position]].append(partition)
            heapreplace(loads, (load + 1, position))
    return found


_Place = tuple[str, str | int]  # ("member", id), ("topic", name) or ("load", n)


class _Flow:
    """Partitions at members, and the ways on which one may be passed on.

        member  -> topic    it holds a partition of that topic; costs 1 if that one is at home here
        topic   -> member   that subscribes to it
        member  -> owner    it holds a partition whose home that is: costs -1
        member  -> load n   of load n - 1, and from there to a member of load n: that one gives, this one takes, and the
                            balance is as before

    A cycle of negative cost brings home more than it takes from home.
    """

    def __init__(
        self, order: list[Subscription], homes: dict[TopicPartition, str], wanted: list[TopicPartition]
    ) -> None:
        self._homes = homes
        self._readers: dict[str, list[str]] = {}
        for one in order:
            for topic in dict.fromkeys(one.topics):
                self._readers.setdefault(topic, []).append(one.member)
        self._held: dict[str, dict[str, set[int]]] = {one.member: {} for one in order}
        self._load = {one.member: 0 for one in order}
        for partition in wanted:
            if partition in homes:
                self._put(partition, homes[partition])
        for partition in sorted(wanted, key=lambda one: len(self._readers[one[0]])):
            if partition not in homes:
                self._put(partition, min(self._readers[partition[0]], key=self._load.__getitem__))

    def solve(self) -> Assignment:
        """Balance, then bring home."""
        while self._balance():
            pass
        while (cycle := self._cycle()) is not None:
            self._pass_on(cycle)
        return {
            member: [(topic, index) for topic, indexes in held.items() for index in indexes]
            for member, held in self._held.items()
        }

    def _put(self, partition: TopicPartition, member: str) -> None:
        self._held[member].setdefault(partition[0], set()).add(partition[1])
        self._load[member] += 1

    def _move(self, partition: TopicPartition, source: str, target: str) -> None:
        topic, index = partition
        self._held[source][topic].remove(index)
        if not self._held[source][topic]:
            del self._held[source][topic]
        self._load[source] -= 1
        self._put(partition, target)

    def _choose(self, source: str, topic: str, target: str) -> TopicPartition:
        """Of what `source` holds of the topic: what is at home at `target`, or else not at home where it is."""
        rank = {target: 0, source: 2}
        return topic, min(
            self._held[source][topic], key=lambda index: (rank.get(self._homes.get((topic, index), ""), 1), index)
        )

    def _balance(self) -> bool:
        """Pass partitions on from those who have most, by the shortest chains; was there anything to pass on?"""
        has_passed = False
        spent: set[str] = set()  # who is reached from a giver without a chain has none either: it has no more than that
        for giver in sorted(self._load, key=self._load.__getitem__, reverse=True):
            while giver not in spent and (chain := self._chain(giver, spent)) is not None:
                self._pass_on(chain)
                has_passed = True
        return has_passed

    def _chain(self, giver: str, spent: set[str]) -> list[_Place] | None:
        """The shortest way to somebody who has at least two partitions fewer; without one, all are `spent`."""
        came_from: dict[_Place, _Place] = {}
        ahead = deque([giver])
        seen, seen_topics = {giver}, set[str]()
        while ahead:
            member = ahead.popleft()
            for topic in sorted(self._held[member].keys() - seen_topics):
                seen_topics.add(topic)
                came_from["topic", topic] = ("member", member)
                new = [reader for reader in self._readers[topic] if reader not in seen and reader not in spent]
                came_from.update(dict.fromkeys([("member", reader) for reader in new], ("topic", topic)))
                taker = min(new, key=self._load.__getitem__, default=giver)
                if self._load[taker] <= self._load[giver] - 2:
                    return _way_back(came_from, ("member", taker), ("member", giver))
                seen.update(new)
                ahead.extend(new)
        spent |= seen
        return None

    def _pass_on(self, way: list[_Place]) -> None:
        """Every member on the way gives one partition to the next; in a cycle the first stands last, too."""
        for position, (kind, source) in enumerate(way[:-1]):
            if kind != "member":
                continue
            next_kind, topic = way[position + 1]
            if next_kind == "topic":
                target = way[position + 2][1]
                self._move(self._choose(str(source), str(topic), str(target)), str(source), str(target))
            elif next_kind == "member":
                self._move(self._away_from(str(topic), str(source)), str(source), str(topic))

    def _away_from(self, home: str, member: str) -> TopicPartition:
        """What a member holds that is at home elsewhere."""
        return min(one for one in self._strays(member) if self._homes[one] == home)

    def _strays(self, member: str) -> list[TopicPartition]:
        held = [(topic, index) for topic, indexes in self._held[member].items() for index in indexes]
        return [partition for partition in held if self._homes.get(partition, member) != member]

    # Bringing home ---------------------------------------------------------------------------------------------------

    def _ways(self) -> list[tuple[_Place, _Place, int]]:
        """Every way there is now, and its cost."""
        ways: list[tuple[_Place, _Place, int]] = []
        for topic, readers in self._readers.items():
            ways += [(("topic", topic), ("member", reader), 0) for reader in readers]
        for member, held in self._held.items():
            here: _Place = ("member", member)
            for topic, indexes in held.items():
                is_all_home = all(self._homes.get((topic, index)) == member for index in indexes)
                ways.append((here, ("topic", topic), int(is_all_home)))
            ways += [(here, ("member", self._homes[stray]), -1) for stray in self._strays(member)]
            ways.append((here, ("load", self._load[member] + 1), 0))
            ways.append((("load", self._load[member]), here, 0))
        return ways

    def _cycle(self) -> list[_Place] | None:
        """A cycle of negative cost (Bellman and Ford), or None: then no assignment as balanced moves less."""
        ways = self._ways()
        if all(cost >= 0 for _, _, cost in ways):
            return None
        ways.sort(key=lambda way: way[2])
        cost_of: dict[_Place, int] = {}
        came_from: dict[_Place, _Place] = {}
        is_settled = False
        while not is_settled:
            is_settled = True
            for source, target, cost in ways:
                if cost_of.get(source, 0) + cost < cost_of.get(target, 0):
                    cost_of[target] = cost_of.get(source, 0) + cost
                    came_from[target] = source
                    is_settled = False
            cycle = _cycle_in(came_from)
            if cycle is not None:
                return cycle
        return None


def _way_back(came_from: dict[_Place, _Place], end: _Place, start: _Place) -> list[_Place]:
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]


def _cycle_in(came_from: dict[_Place, _Place]) -> list[_Place] | None:
    """A cycle among those pointers, if there is one: in walking order, from a member round to the same again."""
    done: set[_Place] = set()
    for place in came_from:
        way: dict[_Place, None] = {}
        at: _Place | None = place
        while at is not None and at not in done and at not in way:
            way[at] = None
            at = came_from.get(at)
        if at is not None and at in way:
            while at[0] != "member":
                at = came_from[at]
            return [*_way_back(came_from, came_from[at], at), at]
        done.update(way)
    return None
