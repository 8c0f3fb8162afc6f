"""Where Kafka keeps what in ZooKeeper, and as which bytes: every path, and a pair of functions for every content.

    /brokers/ids/101                          ephemeral: broker 101 is alive; its czxid is the broker's epoch (KIP-380)
    /brokers/topics/orders                    which brokers hold which partition
    /brokers/topics/orders/partitions/0/state who leads it, since which epoch, and who is in sync
    /controller                               ephemeral: who is controller
    /controller_epoch                         how often there was a new one; its version fences every write of it
    /config/topics/orders                     the topic's settings
    /admin/delete_topics/orders               is to be deleted
    /isr_change_notification/isr_change_...   sequential: leaders have changed the ISR of these partitions
    /latest_producer_id_block                 the last block of producer ids that a broker took

The contents are JSON as Kafka writes it, so Kafka's own tools could read this tree.
Left out: consumers, ACLs, quotas, /admin/reassign_partitions, log directories, topic ids (version 3 of a topic).
Source: kafka.zk.ZkData.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafkalite.errors import ProtocolError
from kafkalite.protocol.zookeeper import Stat
from kafkalite.types import TopicPartition

BROKER_IDS = "/brokers/ids"
TOPICS = "/brokers/topics"
CONTROLLER = "/controller"
CONTROLLER_EPOCH = "/controller_epoch"
TOPIC_CONFIGS = "/config/topics"
CONFIG_CHANGES = "/config/changes"
DELETE_TOPICS = "/admin/delete_topics"
PRODUCER_ID_BLOCK = "/latest_producer_id_block"
ISR_CHANGES = "/isr_change_notification"
ISR_CHANGE_PREFIX = f"{ISR_CHANGES}/isr_change_"
CLUSTER_ID = "/cluster/id"

# Made by whichever broker comes first, parents before children; that they exist already is no error.
PERSISTENT_PATHS = (
    *("/brokers", BROKER_IDS, TOPICS),
    *("/config", TOPIC_CONFIGS, "/config/brokers", CONFIG_CHANGES),
    *("/admin", DELETE_TOPICS),
    *(ISR_CHANGES, PRODUCER_ID_BLOCK, "/cluster"),
)

NO_LEADER = -1
LEADER_DURING_DELETE = -2  # to brokers, not in ZooKeeper: the topic is going
EPOCH_DURING_DELETE = -2  # a StopReplica of a topic that goes is obeyed whatever the replica's leader epoch
_ENDPOINT = re.compile(r"(?P<listener>.+)://\[?(?P<host>[0-9a-zA-Z\-%._:]*?)\]?:(?P<port>-?[0-9]+)")


def broker_path(broker: int) -> str:
    """A live broker."""
    return f"{BROKER_IDS}/{broker}"


def topic_path(topic: str) -> str:
    """A topic and where its replicas are."""
    return f"{TOPICS}/{topic}"


def partitions_path(topic: str) -> str:
    """The parent of a topic's partitions."""
    return f"{TOPICS}/{topic}/partitions"


def partition_path(topic: str, partition: int) -> str:
    """The parent of one partition's state."""
    return f"{TOPICS}/{topic}/partitions/{partition}"


def partition_state_path(topic: str, partition: int) -> str:
    """Who leads a partition, and who is in sync.

    >>> partition_state_path("orders", 0)
    '/brokers/topics/orders/partitions/0/state'
    """
    return f"{TOPICS}/{topic}/partitions/{partition}/state"


def is_partition_state(path: str) -> bool:
    """Is it the state of a partition? A topic may be called "state", too.

    >>> is_partition_state("/brokers/topics/state/partitions/0/state"), is_partition_state("/brokers/topics/state")
    (True, False)
    """
    return path.startswith(TOPICS) and "/partitions/" in path and path.endswith("/state")


def partition_of(path: str) -> TopicPartition:
    """Whose state stands there.

    >>> partition_of("/brokers/topics/orders/partitions/0/state")
    ('orders', 0)
    """
    topic, _, partition, _ = path.removeprefix(f"{TOPICS}/").split("/")
    return topic, int(partition)


def topic_config_path(topic: str) -> str:
    """A topic's settings."""
    return f"{TOPIC_CONFIGS}/{topic}"


def delete_topic_path(topic: str) -> str:
    """The mark that a topic is to be deleted."""
    return f"{DELETE_TOPICS}/{topic}"


@dataclass(frozen=True, slots=True)
class LiveBroker:
    """A broker as its znode shows it. `epoch` tells this life of it from the earlier ones."""

    id: int
    host: str
    port: int
    rack: str | None = None
    epoch: int = -1  # the czxid of its znode


@dataclass(frozen=True, slots=True)
class LeaderAndIsr:
    """Who leads a partition, since which epoch, who is in sync; and which version of the znode said so.

    Kafka's LeaderIsrAndControllerEpoch. Whoever changes it names `zk_version`, and so learns of every other change.
    """

    leader: int
    leader_epoch: int
    isr: tuple[int, ...]
    controller_epoch: int  # of the controller that made this leader
    zk_version: int = -1  # not in the JSON: ZooKeeper counts it
    # The change that wrote it: who registered later has begun anew since.
    zxid: int = field(default=-1, compare=False, repr=False)


def encode_broker(broker: LiveBroker, timestamp_ms: int) -> bytes:
    """Version 5 (KIP-584), with one listener; 4 is the same without features.

    >>> encode_broker(LiveBroker(101, "b101", 9092), 7).decode()[:76]
    '{"version":5,"host":"b101","port":9092,"endpoints":["PLAINTEXT://b101:9092"]'
    """
    content: dict[str, Any] = {"version": 5, "host": broker.host, "port": broker.port}
    content["endpoints"] = [f"PLAINTEXT://{broker.host}:{broker.port}"]
    content |= {"jmx_port": -1, "timestamp": str(timestamp_ms)}
    if broker.rack is not None:
        content["rack"] = broker.rack
    return _encode(content | {"listener_security_protocol_map": {"PLAINTEXT": "PLAINTEXT"}, "features": {}})


def decode_broker(broker: int, data: bytes | None, stat: Stat) -> LiveBroker:
    """A broker of any version from 2 on; raises ProtocolError."""
    path = broker_path(broker)
    content = _decode(path, data)
    endpoint = _ENDPOINT.fullmatch(str(content["endpoints"][0])) if content.get("endpoints") else None
    if endpoint is None:
        raise ProtocolError(f"{path}: expected endpoints like PLAINTEXT://host:9092, found {content.get('endpoints')}")
    return LiveBroker(broker, endpoint["host"], int(endpoint["port"]), content.get("rack"), stat.czxid)


Moves = Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]]  # by partition: who is being added, who is to go


def encode_topic(assignment: dict[int, list[int]], moves: Moves | None = None) -> bytes:
    """Version 2 (KIP-455): the brokers of each partition, the preferred leader first, and which of them come and go.

    >>> encode_topic({0: [101, 102]}).decode()
    '{"version":2,"partitions":{"0":[101,102]},"adding_replicas":{},"removing_replicas":{}}'
    """
    partitions = {str(partition): brokers for partition, brokers in assignment.items()}
    adding = {str(partition): list(added) for partition, (added, _) in (moves or {}).items()}
    removing = {str(partition): list(removed) for partition, (_, removed) in (moves or {}).items()}
    return _encode({"version": 2, "partitions": partitions, "adding_replicas": adding, "removing_replicas": removing})


def decode_topic(topic: str, data: bytes | None) -> dict[int, list[int]]:
    """The brokers of each partition, by partition; raises ProtocolError."""
    partitions = _decode(topic_path(topic), data)["partitions"]
    return {int(index): list(partitions[index]) for index in sorted(partitions, key=int)}


def decode_topic_moves(topic: str, data: bytes | None) -> dict[int, tuple[tuple[int, ...], tuple[int, ...]]]:
    """The partitions that are on their way to other brokers: who is being added, who is to go; raises ProtocolError."""
    content = _decode(topic_path(topic), data)
    adding, removing = content.get("adding_replicas", {}), content.get("removing_replicas", {})
    return {
        int(index): (tuple(adding.get(index, ())), tuple(removing.get(index, ())))
        for index in sorted({*adding, *removing}, key=int)
    }


def encode_partition_state(state: LeaderAndIsr) -> bytes:
    """Version 1.

    >>> encode_partition_state(LeaderAndIsr(101, 3, (101, 102), controller_epoch=1)).decode()
    '{"controller_epoch":1,"leader":101,"version":1,"leader_epoch":3,"isr":[101,102]}'
    """
    head = {"controller_epoch": state.controller_epoch, "leader": state.leader, "version": 1}
    return _encode(head | {"leader_epoch": state.leader_epoch, "isr": list(state.isr)})


def decode_partition_state(path: str, data: bytes | None, stat: Stat) -> LeaderAndIsr:
    """The state, with the version of the znode that a change of it must name; raises ProtocolError."""
    content = _decode(path, data)
    isr = tuple(content["isr"])
    leader, leader_epoch, controller_epoch = content["leader"], content["leader_epoch"], content["controller_epoch"]
    return LeaderAndIsr(leader, leader_epoch, isr, controller_epoch, stat.version, stat.mzxid)


def encode_controller(broker: int, timestamp_ms: int) -> bytes:
    """Version 1.

    >>> encode_controller(101, 7).decode()
    '{"version":1,"brokerid":101,"timestamp":"7"}'
    """
    return _encode({"version": 1, "brokerid": broker, "timestamp": str(timestamp_ms)})


def decode_controller(data: bytes | None) -> int:
    """The broker that is controller; raises ProtocolError."""
    return int(_decode(CONTROLLER, data)["brokerid"])


def encode_controller_epoch(epoch: int) -> bytes:
    """A number, not JSON."""
    return str(epoch).encode()


def decode_controller_epoch(data: bytes | None) -> int:
    """How many controllers there have been; raises ProtocolError."""
    try:
        return int(data or b"")
    except ValueError:
        raise ProtocolError(f"{CONTROLLER_EPOCH}: expected a number, found {data!r}") from None


def encode_topic_config(settings: dict[str, str]) -> bytes:
    """Version 1: what the topic says itself, without defaults.

    >>> encode_topic_config({"retention.ms": "1000"}).decode()
    '{"version":1,"config":{"retention.ms":"1000"}}'
    """
    return _encode({"version": 1, "config": settings})


def decode_topic_config(topic: str, data: bytes | None) -> dict[str, str]:
    """The topic's own settings, by Kafka's names; raises ProtocolError. No data at all is no settings."""
    return dict(_decode(topic_config_path(topic), data)["config"]) if data else {}


def encode_config_change(entity: str) -> bytes:
    """What a /config/changes/config_change_0000000001 says: the settings of "topics/orders" are new. Version 2."""
    return _encode({"version": 2, "entity_path": entity})


def decode_config_change(path: str, data: bytes | None) -> str:
    """Whose settings are new, like "topics/orders"; raises ProtocolError."""
    return str(_decode(path, data)["entity_path"])


def encode_isr_change(partitions: Iterable[TopicPartition]) -> bytes:
    """The ISR of these is another: what a leader tells the controller, so that clients are told, too. Version 1.

    >>> encode_isr_change([("orders", 0)]).decode()
    '{"version":1,"partitions":[{"topic":"orders","partition":0}]}'
    """
    return _encode({"version": 1, "partitions": [{"topic": topic, "partition": index} for topic, index in partitions]})


def decode_isr_change(path: str, data: bytes | None) -> list[TopicPartition]:
    """The partitions whose ISR is another; raises ProtocolError."""
    return [(one["topic"], one["partition"]) for one in _decode(path, data)["partitions"]]


def encode_producer_id_block(broker: int, first: int, last: int) -> bytes:
    """The producer ids that a broker has taken for itself, both ends included; longs are strings here. Version 1.

    >>> encode_producer_id_block(101, 0, 999).decode()
    '{"version":1,"broker":101,"block_start":"0","block_end":"999"}'
    """
    return _encode({"version": 1, "broker": broker, "block_start": str(first), "block_end": str(last)})


def decode_producer_id_block(data: bytes | None) -> tuple[int, int, int] | None:
    """The broker, the first and the last id of the block taken last; None: none yet. Raises ProtocolError."""
    if not data:
        return None
    content = _decode(PRODUCER_ID_BLOCK, data)
    return int(content["broker"]), int(content["block_start"]), int(content["block_end"])


def encode_cluster_id(cluster_id: str) -> bytes:
    """The cluster's name, given once. Its version is a string, here alone."""
    return _encode({"version": "1", "id": cluster_id})


def decode_cluster_id(data: bytes | None) -> str:
    """The cluster's name; raises ProtocolError."""
    return str(_decode(CLUSTER_ID, data)["id"])


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


class _Content(dict[str, Any]):
    """A znode's content. What is missing in it is named together with the znode."""

    path: str

    def __missing__(self, key: str) -> Any:
        raise ProtocolError(f"{self.path}: expected {key!r} in the znode's JSON, found only {[*self]}")


def _decode(path: str, data: bytes | None) -> _Content:
    try:
        content = json.loads(data or b"")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ProtocolError(f"{path}: expected a JSON object, found {data!r}")
    found = _Content(content)
    found.path = path
    return found
