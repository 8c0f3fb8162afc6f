"""Three brokers of Apache Kafka's, as processes that can be stopped and started again.

They need memory and some seconds each to begin; so the heaps are small, and all begin at once.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from kafkalite.protocol.metadata import MetadataRequest
from tests.kafkalite.net.ports import free_ports
from tests.oracle.apache import HOST, KAFKA_MAIN, SETTINGS, NoJudge
from tests.oracle.cluster_session import ALL
from tests.oracle.session import Closed, Connection

HEAP = "-Xmx256m"
BEGINS_WITHIN_S = 90.0

OF_THREE = {
    "default.replication.factor": 3,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "auto.leader.rebalance.enable": "false",
    "zookeeper.session.timeout.ms": 6000,  # a broker that begins on a busy machine is silent for seconds
}


class ApacheBrokers:
    """See `cluster_session.Brokers`."""

    def __init__(self, jars: str, folder: Path, zookeeper: str) -> None:
        self._jars, self._folder = jars, folder
        self._ports = dict(zip(ALL, free_ports(len(ALL)), strict=True))
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.addresses: dict[int, str] = {}
        for broker, port in self._ports.items():
            settings = {
                **SETTINGS,
                **OF_THREE,
                "broker.id": broker,
                "listeners": f"PLAINTEXT://{HOST}:{port}",
                "zookeeper.connect": zookeeper,
                "log.dirs": folder / str(broker),
            }
            lines = "".join(f"{name}={value}\n" for name, value in settings.items())
            self._settings(broker).write_text(lines, encoding="utf-8")

    def start_all(self) -> None:
        """Start all three. Raises NoJudge."""
        for broker in ALL:
            self._begin(broker)
        for broker in ALL:
            self._wait(broker)

    def start(self, broker: int) -> None:
        """Start one, and wait until it serves. Raises NoJudge."""
        self._begin(broker)
        self._wait(broker)

    def stop(self, broker: int) -> None:
        """In order."""
        del self.addresses[broker]
        self._processes[broker].terminate()
        self._processes[broker].wait()

    def kill(self, broker: int) -> None:
        """As `kill -9`."""
        self.addresses.pop(broker, None)
        self._processes[broker].kill()
        self._processes[broker].wait()

    def kill_all(self) -> None:
        """What they have written is thrown away."""
        for broker in self._processes:
            self.kill(broker)

    def _begin(self, broker: int) -> None:
        command = ["java", HEAP, "-cp", self._jars, KAFKA_MAIN, str(self._settings(broker))]
        with self._log(broker).open("a", encoding="utf-8") as log:
            self._processes[broker] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _wait(self, broker: int) -> None:
        """Until it is one of the brokers that it tells of."""
        address = f"{HOST}:{self._ports[broker]}"
        end = time.monotonic() + BEGINS_WITHIN_S
        while time.monotonic() < end and self._processes[broker].poll() is None:
            with suppress(OSError, Closed):
                connection = Connection(address)
                connection.send(MetadataRequest((), False))
                known = connection.receive().brokers
                connection.close()
                if broker in {one.node_id for one in known}:
                    self.addresses[broker] = address
                    return
            time.sleep(0.1)
        said = self._log(broker).read_text(encoding="utf-8")[-1000:]
        raise NoJudge(f"broker {broker} did not begin; it said last: {said}")

    def _settings(self, broker: int) -> Path:
        return self._folder / f"{broker}.properties"

    def _log(self, broker: int) -> Path:
        return self._folder / f"{broker}.log"


@contextmanager
def three_of_apache(jars: str, folder: Path, zookeeper: str) -> Iterator[ApacheBrokers]:
    """Three brokers of Apache's while the `with` lasts. Raises NoJudge."""
    folder.mkdir(parents=True, exist_ok=True)
    brokers = ApacheBrokers(jars, folder, zookeeper)
    with ExitStack() as stack:
        stack.callback(brokers.kill_all)
        brokers.start_all()
        yield brokers
