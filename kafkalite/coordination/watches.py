"""Watches: who wants to be told once that a znode has changed.

A watch is set together with a read, so nothing can happen between the two; it fires once and is gone. What is told is
that something changed, not what: whoever wants to know reads again, and watches again with that read.

Each server keeps the watches of its own clients, in memory: after a reconnection the client sets them anew.

Left out: persistent and recursive watches. Source: ZooKeeper's WatchManager, DataTree.setWatches.
"""

from __future__ import annotations

from kafkalite.protocol.zookeeper import EventType
from kafkalite.types import NodeName

DATA, CHILDREN = "data", "children"

# Which watches at the path a change fires. One that waits for a znode to come stands among those for its data.
FIRED_BY = {
    EventType.NODE_CREATED: (DATA,),
    EventType.NODE_DATA_CHANGED: (DATA,),
    EventType.NODE_DELETED: (DATA, CHILDREN),
    EventType.NODE_CHILDREN_CHANGED: (CHILDREN,),
}


class Watches:
    """The watches of one server's clients.

    >>> watches = Watches()
    >>> watches.add(DATA, "/controller", "b1")
    >>> watches.fire("/controller", EventType.NODE_DELETED), watches.fire("/controller", EventType.NODE_CREATED)
    (['b1'], [])
    """

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str], dict[NodeName, None]] = {}  # (kind, path) -> in the order they were set

    def add(self, kind: str, path: str, client: NodeName) -> None:
        """Tell this client once; asking twice changes nothing."""
        self._clients.setdefault((kind, path), {})[client] = None

    def fire(self, path: str, event: EventType) -> list[NodeName]:
        """The clients to tell, each of them once; their watches are gone."""
        told: dict[NodeName, None] = {}
        for kind in FIRED_BY[event]:
            told |= self._clients.pop((kind, path), {})
        return list(told)

    def forget(self, client: NodeName) -> None:
        """The client's connection is gone, and its watches with it."""
        for key in [key for key, clients in self._clients.items() if client in clients]:
            del self._clients[key][client]
            if not self._clients[key]:
                del self._clients[key]

    def __len__(self) -> int:
        return sum(map(len, self._clients.values()))
