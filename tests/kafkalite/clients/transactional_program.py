"""A program with a transactional producer, written as it would be, on a scripted cluster."""

from __future__ import annotations

from typing import Any

from kafkalite.clients.consumer import Consumer
from kafkalite.clients.transaction_states import State
from kafkalite.config import ClientConfig, ConsumerConfig
from kafkalite.facts import (
    RecordsPolled,
)
from kafkalite.protocol.produce import ProduceRequest
from kafkalite.protocol.transactions import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    TxnOffsetCommitRequest,
)
from kafkalite.reference import REFERENCE
from tests.kafkalite.clients.fake_cluster import Run, producer
from tests.kafkalite.clients.fake_transactions import TransactionalBroker, TransactionalTruth

GROUP = ("billing", 3, "c1-abc", None)
TRANSACTIONAL = (
    InitProducerIdRequest,
    AddPartitionsToTxnRequest,
    AddOffsetsToTxnRequest,
    TxnOffsetCommitRequest,
    EndTxnRequest,
    ProduceRequest,
)


class Program:
    """A program with a transactional producer, written as it would be."""

    def __init__(self, *leaders: int, **settings: Any) -> None:
        leaders = leaders or (101,)
        self.truth = TransactionalTruth(tuple(sorted({101, *leaders})))
        self.truth.topic("orders", *leaders)
        self.settings = {"transactional_id": "t1", "linger_ms": 0, **settings}
        self.run = Run(self.truth, producer(self.truth, **self.settings), broker=TransactionalBroker)

    def call(self, method: str, *arguments: Any, node: str = "p1") -> None:
        self.run.sim.call(node, method, *arguments)

    def state(self, node: str = "p1") -> State:
        client: Any = self.run.sim.nodes[node]
        state: State = client.transactions.state
        return state

    def until(self, *states: State, node: str = "p1") -> Program:
        self.run.sim.step()
        self.run.sim.run(lambda: self.state(node) in states)
        return self

    def ready(self, node: str = "p1") -> Program:
        self.call("init_transactions", node=node)
        return self.until(State.READY, node=node)

    def begun(self, count: int = 2, node: str = "p1", **settings: Any) -> Program:
        self.call("begin_transaction", node=node)
        self.run.produce(count, node=node, **settings)
        return self

    def asked(self) -> list[str]:
        """The requests, in order, without those of discovery."""
        return [
            type(request).__name__.removesuffix("Request")
            for _, _, request in self.truth.asked
            if isinstance(request, TRANSACTIONAL)
        ]

    def seen(self, partition: int = 0, level: str = "read_committed") -> list[bytes | None]:
        """What a new consumer is handed until nothing more comes."""
        name = f"c{len(self.run.sim.nodes)}"
        config = ConsumerConfig(auto_offset_reset="earliest", isolation_level=level)
        self.run.sim.add(Consumer(name, ClientConfig(("b101",)), config, REFERENCE))
        self.run.sim.call(name, "assign", (("orders", partition, 0),))
        self.run.sim.run_for(3000)
        return [value for fact in self.run.of(RecordsPolled, name) for value in fact.values]
