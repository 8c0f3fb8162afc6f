"""A whole cluster in one line, and straight-line code to drive it: what notebooks, scenarios and tests are written in.

    cluster = Cluster(brokers=3, zookeepers=3, seed=1).topic("orders", partitions=4, replicas=3)
    producer = cluster.producer("p1", acks="all")
    offset = producer.send("orders", b"5 apples", key=b"alice").result()
    cluster.kill("b101").run_for(20_000)

Nothing here reaches into a node: what is known of the cluster is read from facts (`cluster.view`), and what is asked of
it goes through the simulator. So every run is its seed and its inputs, and `cluster.at(step)` makes it again, up to any
step: going on from there repeats it, or forks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Self

from kafkalite.clients.admin import Admin
from kafkalite.clients.consumer import Consumer
from kafkalite.clients.group_consumer import GroupConsumer
from kafkalite.clients.pipeline import Pipeline
from kafkalite.clients.producer import Producer
from kafkalite.config import BrokerConfig, ClientConfig, ConsumerConfig, GroupConfig, ProducerConfig, ZooKeeperConfig
from kafkalite.errors import SimulationStuck
from kafkalite.node import Node
from kafkalite.parts import Parts
from kafkalite.reference import REFERENCE
from kafkalite.sim import faults
from kafkalite.sim.blueprint import FIRST_BROKER_ID, Blueprint, Input, broker_id_of, broker_name
from kafkalite.sim.collecting import without_collecting
from kafkalite.sim.facades import (
    EARLIEST,
    AdminFacade,
    ConsumerFacade,
    MemberFacade,
    ProducerFacade,
    TransactionalFacade,
)
from kafkalite.sim.known import Known
from kafkalite.sim.network import Delays
from kafkalite.sim.outside import IdempotentSink, Sink, pipeline_configs
from kafkalite.sim.shell import Shell, ShellFacade
from kafkalite.sim.simulator import Simulator
from kafkalite.sim.view import Polled, View
from kafkalite.sim.wire import through_the_codec
from kafkalite.storage.memory import MemoryStorage
from kafkalite.types import NodeName

PATIENCE_MS = 120_000  # virtual time that waiting for something may take, unless told otherwise


class Cluster(Known):
    """Brokers b101, b102, ...; ZooKeeper servers z1, z2, ...; clients as they are asked for."""

    def __init__(  # noqa: PLR0913 - all but three by name, each with what most runs want
        self,
        brokers: int = 3,
        zookeepers: int = 1,
        seed: int = 0,
        *,
        parts: Parts = REFERENCE,
        racks: tuple[str, ...] = (),
        broker: dict[str, Any] | None = None,
        zookeeper: dict[str, Any] | None = None,
        client: dict[str, Any] | None = None,
        delays: Delays = Delays(),  # noqa: B008 - frozen
        record: bool = True,
        through_codec: bool = False,
    ) -> None:
        """`broker`, `zookeeper` and `client` change settings of `kafkalite.config`; `racks` are dealt out in turn.

        `record=False` keeps no steps; `through_codec` sends every message as bytes.
        """
        servers = tuple(f"z{number}" for number in range(1, zookeepers + 1))
        ids = range(FIRST_BROKER_ID, FIRST_BROKER_ID + brokers)
        self.blueprint = Blueprint(
            brokers=tuple(
                BrokerConfig(
                    **{
                        "broker_id": broker_id,
                        "zookeepers": servers,
                        "host": broker_name(broker_id),
                        "rack": racks[index % len(racks)] if racks else None,
                        **(broker or {}),
                    }
                )
                for index, broker_id in enumerate(ids)
            ),
            zookeepers=tuple(
                ZooKeeperConfig(**{"name": name, "servers": servers, **(zookeeper or {})}) for name in servers
            ),
            parts=parts,
        )
        self.seed = seed
        self._how: dict[str, Any] = {
            "delays": delays,
            "record": record,
            "wire": through_the_codec if through_codec else None,
        }
        self.client = ClientConfig(**{"bootstrap_servers": self.brokers, **(client or {})})
        self.inputs: list[Input] = []
        self._numbers: dict[NodeName, int] = {}
        self.view = View()
        self.sim = self._new_simulator()

    def _rebuild(self, name: NodeName, storage: MemoryStorage) -> Node:
        """A client that is restarted knows nothing of its earlier life."""
        if name in self.clients:
            kind, arguments = self.clients[name]
            return kind(*arguments)
        return self.blueprint(name, storage)

    def _new_simulator(self) -> Simulator:
        self.clients: dict[NodeName, tuple[type[Node], tuple[Any, ...]]] = {}  # how each was made
        sim = Simulator((), self.seed, rebuild=self._rebuild, **self._how)
        sim.observers.append(self.view.observe)
        for name in (*self.zookeepers, *self.brokers):
            sim.add(self.blueprint(name, MemoryStorage()))
        return sim

    # Who is there ---------------------------------------------------------------------------------------------------

    @property
    def brokers(self) -> tuple[NodeName, ...]:
        """The names of the brokers."""
        return tuple(broker_name(config.broker_id) for config in self.blueprint.brokers)

    @property
    def zookeepers(self) -> tuple[NodeName, ...]:
        """The names of the ZooKeeper servers."""
        return tuple(config.name for config in self.blueprint.zookeepers)

    # What is done to it ---------------------------------------------------------------------------------------------

    def _do(self, method: str, *arguments: Any) -> None:
        """Give the simulator an input, and remember it."""
        self.inputs.append(Input(self.sim.ticks, self.sim.now_ms, method, arguments))
        getattr(self.sim, method)(*arguments)

    def call(self, name: NodeName, method: str, *arguments: Any) -> Self:
        """Ask something of a node."""
        self._do("call", name, method, *arguments)
        return self

    def call_at(self, at_ms: float, name: NodeName, method: str, *arguments: Any) -> Self:
        """Ask something of a node later."""
        self._do("call_at", at_ms, name, method, *arguments)
        return self

    def inject(self, fault: faults.Fault, at_ms: float | None = None) -> Self:
        """Let a fault happen, now or at a time."""
        self._do("inject", fault, at_ms)
        return self

    def kill(self, name: NodeName) -> Self:
        """The process dies; its files stay."""
        return self.inject(faults.Kill(name))

    def power_off(self, name: NodeName) -> Self:
        """The machine dies; files keep what was synced, and perhaps some of the rest."""
        return self.inject(faults.PowerLoss(name))

    def restart(self, name: NodeName) -> Self:
        """The node begins again on its storage."""
        return self.inject(faults.Restart(name))

    def freeze(self, name: NodeName, for_ms: float) -> Self:
        """The node does nothing for a while."""
        return self.inject(faults.Freeze(name, for_ms))

    def cut(self, one: NodeName, other: NodeName, for_ms: float) -> Self:
        """Nothing goes between the two, in either direction, for a while."""
        return self.inject(faults.Cut(one, other, for_ms)).inject(faults.Cut(other, one, for_ms))

    def isolate(self, name: NodeName, others: Iterable[NodeName], for_ms: float) -> Self:
        """Nothing goes between the node and the others, in either direction, for a while."""
        for other in others:
            self.cut(name, other, for_ms)
        return self

    def slow_down(self, one: NodeName, other: NodeName, factor: float) -> Self:
        """Messages between the two take `factor` times as long, from now on; 1 heals it."""
        return self.inject(faults.SlowLink(one, other, factor)).inject(faults.SlowLink(other, one, factor))

    def shut_down(self, name: NodeName) -> Self:
        """Stop a broker in order, which takes it a while."""
        return self.call(name, "shutdown")

    def stop(self, name: NodeName) -> Self:
        """Stop a broker in order and wait for its end; it can be restarted."""
        self.shut_down(name)
        self.run_until(lambda: broker_id_of(name) in self.view.stopped, f"the end of {name}")
        return self.kill(name)

    def next_number(self, client: NodeName) -> int:
        """Number what a client is asked: its records, its requests."""
        self._numbers[client] = self._numbers.get(client, 0) + 1
        return self._numbers[client]

    # Time -----------------------------------------------------------------------------------------------------------

    def run_for(self, for_ms: float) -> Self:
        """Let so much time pass."""
        self.sim.run_for(for_ms)
        return self

    def run_until(
        self, true: Callable[[], bool], what: str = "what was waited for", timeout_ms: float = PATIENCE_MS
    ) -> Self:
        """Go on until `true()`. Raises SimulationStuck, which says what has not come, after `timeout_ms` (virtual)."""
        end_ms = self.sim.now_ms + timeout_ms
        with without_collecting():
            while not true():
                if self.sim.is_idle or self.sim.now_ms > end_ms:
                    at = f"after {timeout_ms:,.0f} ms, at {self.sim.now_ms:,.1f} ms"
                    raise SimulationStuck(f"{at}: {what} has not come")
                self.sim.step()
        return self

    def start(self) -> Self:
        """Go on until a broker is controller and has seen them all; without brokers, until the ensemble is led."""
        if not self.brokers:
            return self.run_until(lambda: self.view.zookeeper_leader is not None, "a leader of the ensemble")
        ids = {config.broker_id for config in self.blueprint.brokers}
        return self.run_until(lambda: ids <= self.view.seen and self.view.controller is not None, "the start")

    # Topics and clients ---------------------------------------------------------------------------------------------

    def topic(
        self,
        name: str,
        partitions: int = 1,
        replicas: int = 1,
        *,
        assignment: tuple[tuple[int, ...], ...] | None = None,
        **configs: Any,
    ) -> Self:
        """Create a topic and wait until every partition of it has a leader.

        `assignment` names the brokers of each partition, the preferred leader first, instead of numbers of partitions
        and replicas. Configs are Kafka's with underscores: `min_insync_replicas=2`.
        """
        self.start()
        settings = tuple((key.replace("_", "."), str(value)) for key, value in configs.items())
        self.admin().create_topic(name, partitions, replicas, settings, assignment)
        count = partitions if assignment is None else len(assignment)
        return self.run_until(
            lambda: all(self.view.leads((name, partition)) for partition in range(count)), f"leaders of {name}"
        )

    def producer(self, name: NodeName = "p1", **settings: Any) -> ProducerFacade:
        """A producer of that name; settings are those of `ProducerConfig` and `ClientConfig`, `acks="all"` included."""
        if name not in self.sim.nodes:
            client, own = self._settings(settings, ProducerConfig)
            if own.get("acks") == "all":
                own["acks"] = -1
            self._add(Producer, name, client, ProducerConfig(**own))
        return ProducerFacade(self, name)

    def transactional_producer(
        self, name: NodeName = "p1", transactional_id: str = "t1", **settings: Any
    ) -> TransactionalFacade:
        """A producer with a transactional id; `init` it before its first transaction. Settings as of `producer`."""
        self.producer(name, transactional_id=transactional_id, **settings)
        return TransactionalFacade(self, name)

    def consumer(self, name: NodeName = "c1", **settings: Any) -> ConsumerFacade:
        """A consumer of that name; settings are those of `ConsumerConfig` and `ClientConfig`."""
        if name not in self.sim.nodes:
            client, own = self._settings(settings, ConsumerConfig)
            self._add(Consumer, name, client, ConsumerConfig(**own))
        return ConsumerFacade(self, name)

    def member(self, name: NodeName, group: str, *topics: str, **settings: Any) -> MemberFacade:
        """A member of a group that reads these topics; settings are those of `GroupConfig`, or a consumer's."""
        if name not in self.sim.nodes:
            of_group = {key: settings.pop(key) for key in GroupConfig.__dataclass_fields__.keys() & settings.keys()}
            client, own = self._settings(settings, ConsumerConfig)
            self._add(GroupConsumer, name, client, ConsumerConfig(**own), GroupConfig(group, **of_group))
            self.call(name, "subscribe", *topics)
        return MemberFacade(self, name)

    def pipeline(self, name: NodeName = "pipeline", **settings: Any) -> MemberFacade:
        """A program that reads, and writes what comes of it, from now on; it can be killed and restarted.

        Settings are those of `PipelineConfig`, and of all that it is made of: `semantics="exactly once"`.
        """
        if name not in self.sim.nodes:
            self._add(Pipeline, name, *pipeline_configs(self.client, name, settings))
        return MemberFacade(self, name)

    def sink(self, name: NodeName = "sink", *, is_idempotent: bool = False) -> Self:
        """Somebody in the world outside, who does what pipelines ask; an idempotent one does nothing twice."""
        if name not in self.sim.nodes:
            self.join(IdempotentSink if is_idempotent else Sink, name)
        return self

    def admin(self, name: NodeName = "admin") -> AdminFacade:
        """An administrator's client."""
        if name not in self.sim.nodes:
            self.join(Admin, name, self.client)
        return AdminFacade(self, name)

    def shell(self, name: NodeName = "shell", servers: tuple[NodeName, ...] = ()) -> ShellFacade:
        """A program that talks to these ZooKeeper servers, or to any."""
        if name not in self.sim.nodes:
            self.join(Shell, name, servers or self.zookeepers)
        return ShellFacade(self, name)

    def _settings(self, settings: dict[str, Any], own: type) -> tuple[ClientConfig, dict[str, Any]]:
        of_client = {key: value for key, value in settings.items() if key not in own.__dataclass_fields__}  # type: ignore[attr-defined]  # a dataclass
        of_own = {key: value for key, value in settings.items() if key not in of_client}
        return replace(self.client, **of_client), of_own

    def _add(self, kind: type[Node], name: NodeName, client: ClientConfig, *configs: Any) -> None:
        self.join(kind, name, client, *configs, self.blueprint.parts)

    def join(self, kind: type[Node], *arguments: Any) -> None:
        """A client of that class joins. The arguments, its name first, make another one for a rewound cluster."""
        self.clients[arguments[0]] = (kind, arguments)
        self.inputs.append(Input(self.sim.ticks, self.sim.now_ms, "join", (kind, *arguments)))
        self.sim.add(kind(*arguments))

    # What stands in it ------------------------------------------------------------------------------------------------

    def read(self, topic: str, partition: int = 0, isolation_level: str = "read_uncommitted") -> list[Polled]:
        """What a new consumer finds in a partition, from its beginning up to its high watermark.

        With read_committed it waits for the end of every transaction that is open there.
        """
        reader = f"reader{self.next_number('reader')}"
        consumer = self.consumer(reader, auto_offset_reset="earliest", isolation_level=isolation_level)
        consumer.assign((topic, partition, EARLIEST))
        position = (reader, topic, partition)
        self.run_until(
            lambda: self.view.positions.get(position, 0) >= self.view.high_watermarks.get((topic, partition), 0),
            f"the end of {topic}-{partition} at a new reader",
        )
        consumer.assign()
        return consumer.records

    def values(self, topic: str, partition: int = 0, isolation_level: str = "read_uncommitted") -> list[bytes | None]:
        """The values alone of what `read` finds."""
        return [one.value for one in self.read(topic, partition, isolation_level)]

    # Rewinding ------------------------------------------------------------------------------------------------------

    def at(self, step: int) -> Cluster:
        """The same cluster just before `step`, made again from its seed and its inputs.

        Raises IndexError outside [0, steps so far]; a cluster that records no steps has none.
        """
        if not 0 <= step <= len(self.steps):
            raise IndexError(f"the run has steps 0 to {len(self.steps)}; there is no step {step} to rewind to")
        twin = object.__new__(Cluster)
        twin.blueprint, twin.seed, twin._how, twin.client = self.blueprint, self.seed, self._how, self.client
        twin.inputs, twin.view, twin._numbers = [], View(), dict(self._numbers)
        twin.sim = twin._new_simulator()
        waiting = iter(self.inputs)
        following = next(waiting, None)
        while len(twin.steps) < step:
            while following is not None and following.ticks == twin.sim.ticks:
                twin._redo(following)
                following = next(waiting, None)
            if len(twin.steps) < step:
                twin.sim.step()
        return twin

    def _redo(self, one: Input) -> None:
        self.sim.now_ms = one.now_ms
        if one.method == "join":
            self.join(*one.arguments)
        else:
            self._do(one.method, *one.arguments)


def schedule(cluster: Cluster, timed: Iterable[tuple[float, faults.Fault]]) -> Cluster:
    """Give the cluster a schedule of faults, in ms from now."""
    now_ms = cluster.now_ms
    for at_ms, fault in timed:
        cluster.inject(fault, now_ms + at_ms)
    return cluster
