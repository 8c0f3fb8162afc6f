"""What a cluster is made of, as data: how each node is made, at the start and after each restart; what it was asked.

Brokers are nodes b101, b102, ...; ZooKeeper servers z1, z2, ... Left out: clients, which a cluster gets as it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kafkalite.broker.broker import Broker
from kafkalite.config import BrokerConfig, ZooKeeperConfig
from kafkalite.coordination.server import ZooKeeperServer
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.storage.memory import MemoryStorage
from kafkalite.types import NodeName

FIRST_BROKER_ID = 101


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How each node is made, at the beginning and after each restart."""

    brokers: tuple[BrokerConfig, ...]
    zookeepers: tuple[ZooKeeperConfig, ...]
    parts: Parts

    def __call__(self, name: NodeName, storage: MemoryStorage) -> Node:
        for broker in self.brokers:
            if broker_name(broker.broker_id) == name:
                return Broker(name, broker, self.parts, storage)
        for server in self.zookeepers:
            if server.name == name:
                return ZooKeeperServer(name, server, self.parts, storage)
        raise KeyError(f"{name!r} is a client; only brokers and ZooKeeper servers are restarted")


@dataclass(frozen=True, slots=True)
class Input:
    """Something the world did to the simulator, and when: a run is its seed and these."""

    ticks: int
    now_ms: float
    method: str
    arguments: tuple[Any, ...]


def broker_name(broker_id: int) -> NodeName:
    """The node of a broker.

    >>> broker_name(101)
    'b101'
    """
    return f"b{broker_id}"


def broker_id_of(name: NodeName) -> int:
    """The id of a broker's node.

    >>> broker_id_of("b101")
    101
    """
    return int(name[1:])
