"""Apache Kafka and Apache ZooKeeper as processes of their own, where a JDK and Maven are found.

Both come from their published artifacts (pom.xml); Maven keeps them where it keeps everything. ZooKeeper is taken from
Debian's package as well, where that is installed. Nothing of this is needed by the tests of `make test`.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
BROKER_ID = 101  # as kafkalite counts, so that answers can be compared
BEGINS_WITHIN_S = 60.0

DEBIAN_ZOOKEEPER = Path("/usr/share/java/zookeeper.jar")  # names the other jars it needs itself
ZOOKEEPER_MAIN, KAFKA_MAIN = "org.apache.zookeeper.server.ZooKeeperServerMain", "kafka.Kafka"

# What kafkalite does, too, where Kafka's default is meant for a large cluster.
SETTINGS = {
    "broker.id": BROKER_ID,
    "auto.create.topics.enable": "true",
    "num.partitions": 1,
    "default.replication.factor": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 5,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 5,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
    "group.initial.rebalance.delay.ms": 0,
    "log.message.timestamp.before.max.ms": str(2**63 - 1),
    "zookeeper.connection.timeout.ms": 30_000,
}


class NoJudge(Exception):
    """Apache Kafka cannot be run here; the message says what is missing."""


def classpath(folder: Path) -> str:
    """Every jar of Apache Kafka, fetched if need be. Raises NoJudge."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise NoJudge(f"there is no `{tool}` here; Apache Kafka needs a JDK, and Maven to fetch it")
    out = folder / "classpath"
    command = ["mvn", "-q", "-B", "-f", str(Path(__file__).with_name("pom.xml")), "dependency:build-classpath"]
    done = subprocess.run([*command, f"-Dmdep.outputFile={out}"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoJudge(f"Maven could not fetch Apache Kafka:\n{done.stdout[-1500:]}")
    return out.read_text(encoding="utf-8").strip()


def debian_zookeeper() -> str:
    """The classpath of Debian's package `zookeeper`. Raises NoJudge."""
    if shutil.which("java") is None or not DEBIAN_ZOOKEEPER.exists():
        raise NoJudge("Debian's package `zookeeper` is not installed: apt-get install zookeeper")
    return str(DEBIAN_ZOOKEEPER)


@contextmanager
def apache_zookeeper(jars: str, folder: Path, port: int) -> Iterator[str]:
    """A ZooKeeper server of Apache's on that port, as `host:port`."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "dataDir": folder / "data",
        "clientPort": port,
        "clientPortAddress": HOST,
        "tickTime": 500,  # no session may be shorter than two ticks
        "admin.enableServer": "false",
    }
    with _java(jars, ZOOKEEPER_MAIN, settings, folder, port) as address:
        yield address


@contextmanager
def apache_kafka(
    jars: str, folder: Path, port: int, zookeeper: str, more: Mapping[str, object] | None = None
) -> Iterator[str]:
    """A broker of Apache's on that port, as `host:port`; `more` are settings of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        **SETTINGS,
        **(more or {}),
        "listeners": f"PLAINTEXT://{HOST}:{port}",
        "zookeeper.connect": zookeeper,
        "log.dirs": folder / "data",
    }
    with _java(jars, KAFKA_MAIN, settings, folder, port) as address:
        yield address


@contextmanager
def _java(jars: str, main: str, settings: Mapping[str, object], folder: Path, port: int) -> Iterator[str]:
    config = folder / "settings.properties"
    config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    with (folder / "log").open("w", encoding="utf-8") as log:
        command = ["java", "-Xmx512m", "-cp", jars, main, str(config)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_it_listens(process, port, folder / "log")
        yield f"{HOST}:{port}"
    finally:
        process.kill()  # what it has written is thrown away
        process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + BEGINS_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise NoJudge(f"it did not begin; it said last: {log.read_text(encoding='utf-8')[-1000:]}")
