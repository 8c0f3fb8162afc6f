"""kafkalite as it is compared with Apache Kafka: served, with the settings that both are given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafkalite.net.serve import ServedCluster, ServedProcess, serve
from tests.kafkalite.net.ports import free_ports
from tests.kafkalite.net.sessions import end_session_of_broker
from tests.oracle.cluster_session import ALL

# As `apache.SETTINGS` says of the other one. Nothing that is observed depends on it: programs only wait less.
QUICKLY = ("transaction.abort.timed.out.transaction.cleanup.interval.ms=500",)
OF_THREE = (
    "offsets.topic.num.partitions=5",
    "transaction.state.log.num.partitions=5",
    "auto.leader.rebalance.enable=false",  # a program decides when leaders go home
)
SESSION_TIMEOUT_MS = 2000  # after which a dead broker is missed
LONG_SESSION_MS = 24_000  # where nobody waits for its end: none is missed who is only slow


@contextmanager
def one_broker(folder: Path) -> Iterator[str]:
    """Where one broker of ours is, while the `with` lasts."""
    with serve(folder, port=first_port(), settings=QUICKLY) as served:
        yield served.bootstrap


def first_port() -> int:
    """The first of the ports of a cluster, all of which are free."""
    return free_ports(110)[0]


class ServedBrokers:
    """Three brokers of ours that can be stopped; see `cluster_session.Brokers`."""

    def __init__(self, cluster: ServedCluster) -> None:
        self._cluster = cluster
        first = cluster.plan.port
        self._all = {broker: f"{cluster.plan.host}:{first + index}" for index, broker in enumerate(ALL)}
        self.addresses = dict(self._all)

    def stop(self, broker: int) -> None:
        """In order."""
        del self.addresses[broker]
        process = self._process(broker)
        process.begin_to_stop()
        process.wait_until_stopped()

    def kill(self, broker: int) -> None:
        """As `kill -9`; and its session is over at once."""
        del self.addresses[broker]
        self._process(broker).kill()
        end_session_of_broker(",".join(self._cluster.plan.ensemble), broker)

    def start(self, broker: int) -> None:
        """Again."""
        self._process(broker).start()
        self._process(broker).wait_until_ready()
        self.addresses[broker] = self._all[broker]

    def _process(self, broker: int) -> ServedProcess:
        return self._cluster.processes[f"broker-{broker}"]


@contextmanager
def three_brokers(folder: Path) -> Iterator[ServedBrokers]:
    """Three brokers of ours, and one ZooKeeper server, while the `with` lasts."""
    with serve(
        folder, port=first_port(), brokers=3, session_timeout_ms=LONG_SESSION_MS, settings=QUICKLY + OF_THREE
    ) as served:
        yield ServedBrokers(served)
