"""What any node of this process is: driven, with files, listening. `broker_node` and `zookeeper_node` serve one each.

They are apart because a process of its own needs one of them: what it does not import, nobody waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from kafkalite.net.driver import NodeDriver
from kafkalite.storage.files import FileStorage
from kafkalite.types import NodeName, node_of

Observe = Callable[[NodeName, Any], None]


def host_and_port(address: NodeName) -> tuple[str, int]:
    """Where a node listens.

    >>> host_and_port("127.0.0.1:9092#fetch")
    ('127.0.0.1', 9092)
    """
    host, _, port = node_of(address).rpartition(":")
    return host, int(port)


class Served:
    """A node that is being served. `stop()` leaves its files as they are; nothing is said to anybody."""

    def __init__(self, driver: NodeDriver, storage: FileStorage, servers: list[asyncio.Server]) -> None:
        self.driver, self.storage, self._servers = driver, storage, servers

    def stop(self) -> None:
        """Stop listening, close every connection, let go of the files."""
        for server in self._servers:
            server.close()
        self.driver.stop()
        self.storage.close()
