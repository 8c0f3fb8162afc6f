"""What replication is handed by the broker it lives in: what it must know of the cluster, and a way to ask ZooKeeper.

Replication knows neither the broker's other components nor the coordination service; it says here what it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from kafkalite.log.settings import LogConfig
from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """The settings of one topic, as values."""

    log: LogConfig = field(default_factory=LogConfig)
    min_insync_replicas: int = 1
    unclean_leader_election_enable: bool = False


class ClusterView(Protocol):
    """What a broker knows of the cluster and its topics."""

    def topic_settings(self, topic: str, /) -> TopicSettings:
        """What holds for a topic; the defaults for one that is not known."""
        ...

    def is_known(self, topic: str, partition: int, /) -> bool:
        """Whether there is such a partition, on whatever broker."""
        ...

    def address_of(self, broker: int, /) -> NodeName | None:
        """Where a broker is reached; None if it is not known to be alive."""
        ...

    def rack_of(self, broker: int, /) -> str | None:
        """Where a broker stands, if it says so."""
        ...


class ZooKeeper(Protocol):
    """A session with the coordination service. `then(reply, request, *arguments)` is called once, in order."""

    def ask(self, request: Any, then: Callable[..., None], /, *arguments: Any) -> None:
        """Ask once: if the connection breaks, the reply says CONNECTION_LOSS, and it may have happened."""
        ...
