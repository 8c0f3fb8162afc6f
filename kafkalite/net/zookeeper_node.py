"""A ZooKeeper server of this process: its node, its files, and the ports that it listens on."""

from __future__ import annotations

from pathlib import Path

from kafkalite.config import ZooKeeperConfig
from kafkalite.coordination.server import ZooKeeperServer
from kafkalite.net.driver import NodeDriver, Peer
from kafkalite.net.ensemble_peers import EnsembleListener, EnsemblePeer
from kafkalite.net.nodes import Observe, Served, host_and_port
from kafkalite.net.stream import open_connection
from kafkalite.net.zookeeper_peers import ZooKeeperServerPeer
from kafkalite.parts import Parts
from kafkalite.storage.files import FileStorage
from kafkalite.types import NodeName

ENSEMBLE_PORT = 1  # servers of an ensemble talk to each other one port above that of their clients


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
