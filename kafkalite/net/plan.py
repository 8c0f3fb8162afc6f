"""Which processes a served cluster has, where each listens, and which folder is whose: data, made from few numbers.

    DIR/broker-101, broker-102, ...       a broker's logs, under Kafka's file names
    DIR/zookeeper-1, ...                  a ZooKeeper server's log and snapshots

Ports follow from the first: brokers from there on, ZooKeeper's clients from 100 above, two apart (the servers talk to
each other on the port between). Another first port on the same folder is the same cluster.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from kafkalite.config import BrokerConfig, ZooKeeperConfig
from kafkalite.net.broker_settings import broker_settings

FIRST_BROKER_ID = 101
ZOOKEEPER_PORTS = 100  # above the first broker's
TICKS_A_SESSION = 24  # a session's end is noticed up to a tick late: half of it until told, half of it until looked at
FOLLOWER_TICKS = 10  # so long may a follower be silent: two fifths of a session


@dataclass(frozen=True, slots=True)
class Process:
    """One process: what it is, under which name it is spoken of, and how it is configured."""

    name: str
    kind: str  # "broker" or "zookeeper"
    config: BrokerConfig | ZooKeeperConfig
    parts: str | None = None  # a module of somebody's own parts; None: the reference

    def to_data(self) -> dict[str, Any]:
        """As JSON-able data: what the process is given."""
        return {"name": self.name, "kind": self.kind, "config": asdict(self.config), "parts": self.parts}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Process:
        """The process that `to_data` was made from."""
        config: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data["config"].items()
        }
        kind = BrokerConfig if data["kind"] == "broker" else ZooKeeperConfig
        return cls(data["name"], data["kind"], kind(**config), data["parts"])


@dataclass(frozen=True, slots=True)
class ServePlan:
    """A whole cluster; `zookeeper` is an ensemble of somebody else's to use instead of our own."""

    brokers: int = 1
    zookeepers: int = 1
    host: str = "127.0.0.1"
    port: int = 9092
    zookeeper: tuple[str, ...] = ()
    session_timeout_ms: int = 6000  # after which a broker that is not heard of is dead to the others
    parts: str | None = None  # a module of somebody's own parts (kafkalite.net.own_parts)
    settings: tuple[str, ...] = ()  # of every broker, NAME=VALUE under Kafka's names (kafkalite.net.broker_settings)

    @property
    def bootstrap(self) -> str:
        """What clients are told."""
        return ",".join(f"{self.host}:{self.port + index}" for index in range(self.brokers))

    @property
    def ensemble(self) -> tuple[str, ...]:
        """The servers of the coordination service."""
        first = self.port + ZOOKEEPER_PORTS
        return self.zookeeper or tuple(f"{self.host}:{first + 2 * index}" for index in range(self.zookeepers))

    def processes(self, parts: str | None = None) -> list[Process]:
        """The ensemble first, unless it is somebody else's; `parts` is the copy of somebody's own that they run.

        Raises SettingRefused.
        """
        own = () if self.zookeeper else self.ensemble
        return [
            *(Process(f"zookeeper-{n}", "zookeeper", self._server(name), parts) for n, name in enumerate(own, start=1)),
            *(
                Process(f"broker-{FIRST_BROKER_ID + index}", "broker", self._broker(index), parts)
                for index in range(self.brokers)
            ),
        ]

    def _server(self, name: str) -> ZooKeeperConfig:
        tick_ms = self.session_timeout_ms // TICKS_A_SESSION
        return ZooKeeperConfig(
            name,
            self.ensemble,
            tick_ms=tick_ms,
            init_limit=2 * FOLLOWER_TICKS,
            sync_limit=FOLLOWER_TICKS,
            min_session_timeout_ms=4 * tick_ms,
        )

    def _broker(self, index: int) -> BrokerConfig:
        replicas = min(3, self.brokers)
        ours = BrokerConfig(
            FIRST_BROKER_ID + index,
            self.ensemble,
            host=self.host,
            port=self.port + index,
            default_replication_factor=replicas,
            offsets_topic_replication_factor=replicas,
            transaction_state_log_replication_factor=replicas,
            transaction_state_log_min_isr=min(2, replicas),
            group_initial_rebalance_delay_ms=0,  # as Kafka's own settings for one machine have it
            zookeeper_session_timeout_ms=self.session_timeout_ms,
            controlled_shutdown_retry_backoff_ms=500,
            replica_fetch_backoff_ms=100,  # a follower is often told of its new leader before the leader is
        )
        return replace(ours, **broker_settings(self.settings))
