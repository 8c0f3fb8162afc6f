"""A broker of this process: its node, its files, and the port that it listens on."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from kafkalite.broker.broker import Broker
from kafkalite.config import BrokerConfig
from kafkalite.net.driver import NodeDriver, Peer
from kafkalite.net.kafka_peers import KafkaClientPeer, KafkaServerPeer
from kafkalite.net.nodes import Observe, Served, host_and_port
from kafkalite.net.stream import open_connection
from kafkalite.net.zookeeper_peers import ZooKeeperClientPeer
from kafkalite.parts import Parts
from kafkalite.storage.files import FileStorage
from kafkalite.types import NodeName

ZOOKEEPER_CHANNEL = "zk"


async def serve_broker(
    config: BrokerConfig, parts: Parts, folder: Path, observe: Observe | None = None, host: str = "127.0.0.1"
) -> Served:
    """Start a broker; it listens on the address that it tells its clients. Raises OSError if the port is taken."""
    storage = FileStorage(folder, aside=partial(asyncio.get_running_loop().run_in_executor, None))
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
