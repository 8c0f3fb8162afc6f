"""A few brokers' data paths, scripted: the test is the controller and the client, and ZooKeeper is one small node.

rig = Rig(3)
rig.elect(1)                                   LeaderAndIsr to all: broker 1 leads topic "t", partition 0
answer = rig.produce("a", "b")                 a produce request; its answer is there once the simulator has run
rig.run(10)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from kafkalite.broker.fetch import FetchApi
from kafkalite.broker.offsets import OffsetsApi
from kafkalite.broker.produce import ProduceApi
from kafkalite.config import BrokerConfig
from kafkalite.controller.znodes import (
    LeaderAndIsr,
    decode_partition_state,
    encode_partition_state,
    partition_state_path,
)
from kafkalite.log.batch import encode_batch, split
from kafkalite.log.compression import records_of
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.node import Component, Node
from kafkalite.parts import Parts
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.fetch import FetchPartition, FetchRequest, FetchTopic, PartitionData
from kafkalite.protocol.inter_broker import (
    LeaderAndIsrLiveLeader,
    LeaderAndIsrPartitionState,
    LeaderAndIsrRequest,
    LeaderAndIsrTopicState,
    StopReplicaPartitionState,
    StopReplicaRequest,
    StopReplicaTopicState,
)
from kafkalite.protocol.offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kafkalite.protocol.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    TopicProduceData,
)
from kafkalite.protocol.topics import DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic
from kafkalite.protocol.zookeeper_frames import Reply
from kafkalite.reference import REFERENCE
from kafkalite.replication.partition import Partition
from kafkalite.replication.ports import TopicSettings
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.sim.network import Delays
from kafkalite.sim.simulator import Simulator
from kafkalite.sim.wire import through_the_codec
from kafkalite.storage.memory import MemoryStorage
from kafkalite.types import NodeName

TOPIC = "t"
KEY = (TOPIC, 0)
FactKind = TypeVar("FactKind")


class Znodes(Node):
    """The states of partitions, with compare-and-set; while `is_silent` it does what it is asked and says nothing."""

    def __init__(self) -> None:
        super().__init__("z1")
        self.states: dict[str, tuple[bytes, int]] = {}
        self.is_silent = False
        self.notes: list[bytes] = []  # to the controller, of which there is none here

    def on_get_data_request(self, source: NodeName, request: zk.GetDataRequest) -> None:
        data, version = self.states[str(request.path)]
        self.reply(source, Reply(0, 0, zk.ZooKeeperError.OK, zk.GetDataResponse(data, zk.Stat(version=version))))

    def on_create_request(self, source: NodeName, request: zk.CreateRequest) -> None:
        self.notes.append(bytes(request.data or b""))
        self.reply(source, Reply(0, 0, zk.ZooKeeperError.OK, zk.CreateResponse(request.path)))

    def on_set_data_request(self, source: NodeName, request: zk.SetDataRequest) -> None:
        _, version = self.states[str(request.path)]
        if request.version != version:
            self.reply(source, Reply(0, 0, zk.ZooKeeperError.BAD_VERSION, None))
            return
        self.states[str(request.path)] = bytes(request.data or b""), version + 1
        if not self.is_silent:
            answer = zk.SetDataResponse(zk.Stat(version=version + 1))
            self.reply(source, Reply(0, 0, zk.ZooKeeperError.OK, answer))


class FakeZooKeeper(Component):
    """A session that never expires: what it asks reaches the one znode server, or the connection breaks."""

    def __init__(self, node: Node) -> None:
        super().__init__(node, "zk")
        self._waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def ask(self, request: Any, then: Callable[..., None], *arguments: Any) -> None:
        self._waiting.append((then, arguments))
        self.node.request("z1#zk", request)

    def on_reply(self, source: NodeName, reply: Reply, request: Any) -> None:
        then, arguments = self._waiting.pop(0)
        then(reply, request, *arguments)

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        if peer == "z1#zk":
            waiting, self._waiting = self._waiting, []
            for request, (then, arguments) in zip(requests, waiting, strict=True):
                then(Reply(0, 0, zk.ZooKeeperError.CONNECTION_LOSS, None), request, *arguments)


class Knows:
    """What a broker knows of the cluster: the same for all of them, and the test changes it."""

    def __init__(self, settings: TopicSettings, brokers: int) -> None:
        self.settings = settings
        self.live = set(range(1, brokers + 1))

    def topic_settings(self, topic: str) -> TopicSettings:
        return self.settings

    def is_known(self, topic: str, partition: int) -> bool:
        return (topic, partition) == KEY

    def address_of(self, broker: int) -> NodeName | None:
        return f"b{broker}" if broker in self.live else None

    def rack_of(self, broker: int) -> str | None:
        return f"rack{broker}"


class DataBroker(Node):
    """A broker without a controller, metadata or a session of its own."""

    def __init__(self, config: BrokerConfig, parts: Parts, knows: Knows, storage: MemoryStorage) -> None:
        super().__init__(f"b{config.broker_id}")
        self.storage = storage
        self.replicas = ReplicaManager(self, config, FakeZooKeeper(self), parts, knows)
        for api in (ProduceApi, FetchApi, OffsetsApi):
            api(self, config, self.replicas)
        self.answers: list[Any] = []
        self.is_closed = False

    def on_start(self) -> None:
        self.replicas.start()

    def order(self, request: LeaderAndIsrRequest | StopReplicaRequest) -> None:
        is_stop = isinstance(request, StopReplicaRequest)
        self.answers.append(self.replicas.stop(request) if is_stop else self.replicas.become(request))  # type: ignore[arg-type]

    def change_settings(self) -> None:
        self.replicas.settings_changed(TOPIC)

    def shut_down(self) -> None:
        self.replicas.close(self.closed)

    def closed(self) -> None:
        self.is_closed = True


class Answer:
    """What came back, or None; and when."""

    def __init__(self) -> None:
        self.value: Any = None
        self.at_ms = -1.0
        self.was_lost = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Answer:
        return self

    @property
    def partition(self) -> Any:
        """The first partition of the response."""
        assert self.value is not None, "there is no answer yet"
        first = vars_of(self.value)[0][0]
        return vars_of(first)[0][0]

    @property
    def error(self) -> str:
        return str(self.partition.error_code.name)


def vars_of(message: Any) -> list[Any]:
    """The fields of a message that are lists of messages."""
    return [found for name in message.__slots__ if isinstance(found := getattr(message, name), tuple) and found]


class Client(Node):
    """Asks what the test says, each time on a connection of its own."""

    def __init__(self) -> None:
        super().__init__("c")
        self.open: dict[NodeName, Answer] = {}

    def ask(self, peer: NodeName, message: Any, answer: Answer) -> None:
        self.open[peer] = answer
        self.request(peer, message)

    def tell(self, peer: NodeName, message: Any, answer: Answer) -> None:
        self.open[peer] = answer
        self.send(peer, message)

    def _answered(self, source: NodeName, response: Any, request: Any) -> None:
        answer = self.open[source]
        answer.value, answer.at_ms = response, self.now_ms

    on_produce_response = on_fetch_response = on_list_offsets_response = _answered
    on_delete_records_response = on_offset_for_leader_epoch_response = _answered

    def on_peer_lost(self, peer: NodeName, requests: tuple[Any, ...]) -> None:
        self.open[peer].was_lost = True


class Rig:
    """Brokers 1 to n, all of them replicas of one partition."""

    def __init__(
        self,
        brokers: int = 3,
        *,
        seed: int = 1,
        settings: TopicSettings = TopicSettings(),  # noqa: B008 - frozen
        parts: Parts = REFERENCE,
        faults: Iterable[tuple[float, Any]] = (),
        **config: Any,
    ) -> None:
        self.knows = Knows(settings, brokers)
        self.replicas = tuple(range(1, brokers + 1))
        self.parts = parts
        self.config = BrokerConfig(0, ("z1",), **config)
        self.znodes = Znodes()
        nodes = [self._build(f"b{broker}", MemoryStorage()) for broker in self.replicas]
        self.sim = Simulator(
            [self.znodes, Client(), *nodes],
            seed,
            faults=faults,
            record=False,
            rebuild=self._build,
            wire=through_the_codec,
            delays=Delays(1.0, 1.5),
        )
        self.facts: list[tuple[float, NodeName, Any]] = []
        self.sim.observers.append(self._observe)
        self.leader, self.epoch = 0, -1
        self._asked = 0
        self.run(1)

    def _build(self, name: NodeName, storage: MemoryStorage) -> DataBroker:
        return DataBroker(replace(self.config, broker_id=int(name[1:])), self.parts, self.knows, storage)

    def _observe(self, now_ms: float, node: NodeName, fact: Any) -> None:
        self.facts.append((now_ms, node, fact))

    # What happens ---------------------------------------------------------------------------------------------------

    def run(self, for_ms: float) -> None:
        self.sim.run_for(for_ms)

    def elect(self, leader: int, isr: Iterable[int] | None = None, *, to: Iterable[int] | None = None) -> None:
        """Be the controller: a new epoch, written down, and told to all brokers (or to those alone) at once."""
        path = partition_state_path(*KEY)
        _, version = self.znodes.states.get(path, (b"", -1))
        self.leader, self.epoch = leader, self.epoch + 1
        members = tuple(isr) if isr is not None else self.replicas
        state = LeaderAndIsr(leader, self.epoch, members, controller_epoch=1)
        self.znodes.states[path] = encode_partition_state(state), version + 1
        self.tell(to)

    def tell(self, to: Iterable[int] | None = None) -> None:
        """The controller's order, as things stand in ZooKeeper."""
        state = self.state
        order = LeaderAndIsrPartitionState(
            0, 1, state.leader, state.leader_epoch, state.isr, state.zk_version, self.replicas
        )
        live = tuple(LeaderAndIsrLiveLeader(broker, f"b{broker}", 0) for broker in self.replicas)
        request = LeaderAndIsrRequest(0, 1, 1, (LeaderAndIsrTopicState(TOPIC, (order,)),), live)
        for broker in self.replicas if to is None else to:
            self.sim.call(f"b{broker}", "order", request)

    def stop(self, broker: int, *, delete: bool = False, epoch: int = -1) -> None:
        order = StopReplicaPartitionState(0, epoch, delete)
        self.sim.call(f"b{broker}", "order", StopReplicaRequest(0, 1, 1, (StopReplicaTopicState(TOPIC, (order,)),)))

    def ask(self, broker: int, message: Any, *, notice: bool = False) -> Answer:
        self._asked += 1
        answer = Answer()
        self.sim.call("c", "tell" if notice else "ask", f"b{broker}#{self._asked}", message, answer)
        return answer

    def produce(
        self, *values: str, to: int | None = None, acks: int = -1, timeout_ms: int = 1000, sequence: int = -1
    ) -> Answer:
        """One batch; with a sequence, of producer 7."""
        records = [Record(None, value.encode(), int(self.sim.now_ms), (), at) for at, value in enumerate(values)]
        ids = {"producer_id": 7, "producer_epoch": 0, "base_sequence": sequence} if sequence >= 0 else {}
        data = PartitionProduceData(0, encode_batch(records, **ids))
        request = ProduceRequest(None, acks, timeout_ms, (TopicProduceData(TOPIC, (data,)),))
        return self.ask(self.leader if to is None else to, request, notice=acks == 0)

    def produce_now(self, value: str) -> Answer:
        """One record with the time that the leader's wall clock shows."""
        return self._send(encode_batch([Record(None, value.encode(), self.broker(self.leader).wall_ms)]))

    def produce_keyed(self, key: bytes, value: bytes) -> Answer:
        return self._send(encode_batch([Record(key, value)]))

    def _send(self, batch: bytes) -> Answer:
        data = PartitionProduceData(0, batch)
        return self.ask(self.leader, ProduceRequest(None, -1, 1000, (TopicProduceData(TOPIC, (data,)),)))

    def fetch(self, offset: int = 0, *, broker: int | None = None, epoch: int = -1, **fields: Any) -> Answer:
        asked = FetchPartition(0, epoch, offset, -1, 1 << 20)
        request = replace(FetchRequest(topics=(FetchTopic(TOPIC, (asked,)),)), **fields)
        return self.ask(self.leader if broker is None else broker, request)

    def latest(self, broker: int, timestamp: int = -1, **fields: Any) -> Answer:
        asked = ListOffsetsPartition(0, -1, timestamp)
        request = ListOffsetsRequest(-1, 0, (ListOffsetsTopic(TOPIC, (asked,)),))
        return self.ask(broker, replace(request, **fields))

    def delete_before(self, offset: int, timeout_ms: int = 1000) -> Answer:
        topics = (DeleteRecordsTopic(TOPIC, (DeleteRecordsPartition(0, offset),)),)
        return self.ask(self.leader, DeleteRecordsRequest(topics, timeout_ms))

    # What there is --------------------------------------------------------------------------------------------------

    @property
    def state(self) -> LeaderAndIsr:
        """What ZooKeeper has of the partition."""
        path = partition_state_path(*KEY)
        data, version = self.znodes.states[path]
        return decode_partition_state(path, data, zk.Stat(version=version))

    def broker(self, broker: int) -> DataBroker:
        found = self.sim.nodes[f"b{broker}"]
        assert isinstance(found, DataBroker)
        return found

    def partition(self, broker: int) -> Partition:
        return self.broker(broker).replicas.partitions[KEY]

    def log(self, broker: int) -> PartitionLog:
        return self.broker(broker).replicas.logs.logs[KEY]

    def values(self, broker: int) -> list[str]:
        log = self.log(broker)
        found: list[str] = []
        offset = log.log_start_offset
        while offset < log.log_end_offset and (data := log.read(offset, 1 << 20)):
            found += values_in(data)
            offset = max(header.next_offset for header, _ in split(data))
        return found

    def facts_of(self, kind: type[FactKind], broker: int | None = None) -> list[FactKind]:
        return [fact for _, node, fact in self.facts if type(fact) is kind and broker in (None, int(node[1:]))]

    def times_of(self, kind: type) -> list[float]:
        return [at_ms for at_ms, _, fact in self.facts if type(fact) is kind]


def values_in(data: Any) -> list[str]:
    """The values in what was read."""
    return [(record.value or b"").decode() for _, batch in split(data) for record in records_of(bytes(batch)) or ()]


def produced(answer: Answer) -> PartitionProduceResponse:
    found = answer.partition
    assert isinstance(found, PartitionProduceResponse)
    return found


def fetched(answer: Answer) -> PartitionData:
    found = answer.partition
    assert isinstance(found, PartitionData)
    return found
