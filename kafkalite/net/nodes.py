"""A broker, or a ZooKeeper server, of this process: its node, its files, and the ports it listens on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kafkalite.broker.broker import Broker
from kafkalite.config import BrokerConfig, ZooKeeperConfig
from kafkalite.coordination.server import ZooKeeperServer
from kafkalite.net.driver import NodeDriver, Peer
from kafkalite.net.ensemble_peers import EnsembleListener, EnsemblePeer
from kafkalite.net.kafka_peers import KafkaClientPeer, KafkaServerPeer
from kafkalite.net.stream import open_connection
from kafkalite.net.zookeeper_peers import ZooKeeperClientPeer, ZooKeeperServerPeer
from kafkalite.parts import Parts
from kafkalite.storage.files import FileStorage
from kafkalite.types import NodeName, node_of

ZOOKEEPER_CHANNEL = "zk"
ENSEMBLE_PORT = 1  # servers of an ensemble talk to each other one port above that of their clients

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


async def serve_broker(
    config: BrokerConfig, parts: Parts, folder: Path, observe: Observe | None = None, host: str = "127.0.0.1"
) -> Served:
    """Start a broker; it listens on the address that it tells its clients. Raises OSError if the port is taken."""
    storage = FileStorage(folder)
    name = f"{config.host}:{config.port}"
    driver = NodeDriver(Broker(name, config, parts, storage), _connect_from_broker, observe)
    loop = driver.loop
    server = await loop.create_server(lambda: KafkaServerPeer(driver).stream, host, config.port)
    driver.start()
    return Served(driver, storage, [server])


def _connect_from_broker(driver: NodeDriver, name: NodeName) -> Peer:
    is_zookeeper = name.endswith(f"#{ZOOKEEPER_CHANNEL}")
    peer = ZooKeeperClientPeer(driver, name) if is_zookeeper else KafkaClientPeer(driver, name)
    open_connection(driver.loop, peer.stream, *host_and_port(name))
    return peer


async def serve_zookeeper(
    config: ZooKeeperConfig, parts: Parts, folder: Path, observe: Observe | None = None, host: str = "127.0.0.1"
) -> Served:
    """Start a server of the coordination service. Raises OSError if a port is taken."""
    storage = FileStorage(folder)
    driver = NodeDriver(ZooKeeperServer(config.name, config, parts, storage), _connect_to_ensemble, observe)
    loop = driver.loop
    _, port = host_and_port(config.name)
    servers = [await loop.create_server(lambda: ZooKeeperServerPeer(driver).stream, host, port)]
    if len(config.servers) > 1:
        servers.append(
            await loop.create_server(
                lambda: EnsembleListener(driver, config.servers).stream, host, port + ENSEMBLE_PORT
            )
        )
    driver.start()
    return Served(driver, storage, servers)


def _connect_to_ensemble(driver: NodeDriver, name: NodeName) -> Peer:
    _, _, channel = name.partition("#")
    peer = EnsemblePeer(driver, name, f"{driver.node.name}#{channel}")
    host, port = host_and_port(name)
    open_connection(driver.loop, peer.stream, host, port + ENSEMBLE_PORT)
    return peer
