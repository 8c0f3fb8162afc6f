"""Straight-line code over simulated clients: each waits for an answer by letting the simulator go on.

    offset = cluster.producer().send("orders", b"v").result()

The clients themselves are nodes and know nothing of this. Left out: clients over TCP, which await the same things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafkalite import facts
from kafkalite.clients.admin_answers import GroupDescription, Reassignment, TopicDescription
from kafkalite.errors import KafkaliteError
from kafkalite.facts import RequestAnswered
from kafkalite.protocol.reassignment import PREFERRED, UNCLEAN
from kafkalite.sim.view import Outcome, Polled
from kafkalite.types import NodeName, TopicPartition

if TYPE_CHECKING:
    from kafkalite.sim.cluster import Cluster

EARLIEST, LATEST = -2, -1  # as in ListOffsets


class RequestFailed(KafkaliteError):
    """A client gave up. If `is_definite`, what it asked has not happened and never will."""

    def __init__(self, error: str, *, is_definite: bool) -> None:
        super().__init__(error, is_definite)
        self.error, self.is_definite = error, is_definite

    def __str__(self) -> str:
        return f"{self.error}; it {'has not' if self.is_definite else 'may have'} happened"


@dataclass(frozen=True, slots=True)
class Pending:
    """A record that was handed to a producer."""

    cluster: Cluster
    producer: NodeName
    record: int

    @property
    def outcome(self) -> Outcome | None:
        """What came of it so far."""
        return self.cluster.view.outcomes.get((self.producer, self.record))

    def wait(self) -> Outcome:
        """Let the cluster go on until it is decided; return what came of it."""
        self.cluster.run_until(
            lambda: self.outcome is not None, f"an answer to record {self.record} of {self.producer}"
        )
        assert self.outcome is not None, "the line above waited for it"
        return self.outcome

    def result(self) -> int:
        """Wait; return the record's offset, -1 with acks=0. Raises RequestFailed."""
        outcome = self.wait()
        if outcome.error != "NONE":
            raise RequestFailed(outcome.error, is_definite=outcome.is_definite)
        return outcome.offset


class ProducerFacade:
    """A producer to write with."""

    def __init__(self, cluster: Cluster, name: NodeName) -> None:
        self.cluster, self.name = cluster, name

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Pending:
        """Hand over one record; it is sent when its batch is full or old enough."""
        record = self.cluster.next_number(self.name)
        self.cluster.call(self.name, "produce", record, topic, key, value, timestamp_ms, partition)
        return Pending(self.cluster, self.name, record)


class TransactionalFacade(ProducerFacade):
    """A producer whose records belong to transactions. What it is told waits for its end, and raises RequestFailed."""

    def init(self) -> TransactionalFacade:
        """Fence whoever had the transactional id before, and end what it left open."""
        return self._ask("init_transactions", facts.ProducerIdentified)

    def begin(self) -> TransactionalFacade:
        """What is sent from now on belongs together."""
        return self._ask("begin_transaction", facts.TransactionBegun)

    def send_offsets(self, group: str, offsets: dict[TopicPartition, int], *member: Any) -> TransactionalFacade:
        """Commit offsets of a group with the transaction; `member` are generation, member id and instance id."""
        rows = tuple((*partition, offset) for partition, offset in offsets.items())
        self.cluster.call(self.name, "send_offsets_to_transaction", rows, group, *member)
        return self

    def commit(self) -> TransactionalFacade:
        """End it: everything in it becomes visible."""
        return self._ask("commit_transaction", facts.TransactionEnded)

    def abort(self) -> TransactionalFacade:
        """End it: nothing in it has ever been."""
        return self._ask("abort_transaction", facts.TransactionEnded)

    def _ask(self, call: str, wanted: type) -> TransactionalFacade:
        said = self.cluster.view.transactions.setdefault(self.name, [])
        before = len(said)
        self.cluster.call(self.name, call)
        ends = (wanted, facts.TransactionFailed, facts.TransactionCallRefused)
        self.cluster.run_until(lambda: any(isinstance(one, ends) for one in said[before:]), f"an answer to {call}")
        last = next(one for one in said[before:] if isinstance(one, ends))
        if isinstance(last, facts.TransactionFailed):
            raise RequestFailed(last.error, is_definite=not last.is_fatal)
        if isinstance(last, facts.TransactionCallRefused):
            raise RequestFailed(f"{call} in state {last.state!r}", is_definite=True)
        return self


class ConsumerFacade:
    """A consumer to read with; it polls by itself, and here is what it was handed."""

    def __init__(self, cluster: Cluster, name: NodeName) -> None:
        self.cluster, self.name, self._taken = cluster, name, 0

    def assign(self, *partitions: tuple[str, int] | tuple[str, int, int]) -> ConsumerFacade:
        """Read these partitions, each from its offset (EARLIEST and LATEST are offsets, too), or as the reset says."""
        assignment = tuple(one if len(one) == 3 else (*one, None) for one in partitions)
        self.cluster.call(self.name, "assign", assignment)
        return self

    def seek(self, topic: str, partition: int, offset: int) -> ConsumerFacade:
        """Read from there next."""
        self.cluster.call(self.name, "seek", topic, partition, offset)
        return self

    @property
    def records(self) -> list[Polled]:
        """Everything it was handed so far, in order."""
        return self.cluster.view.polled.get(self.name, [])

    def poll(self, count: int = 1) -> list[Polled]:
        """Let the cluster go on until there are `count` records that no poll returned before; return them."""
        wanted = self._taken + count
        self.cluster.run_until(lambda: len(self.records) >= wanted, f"record {wanted} at {self.name}")
        found = self.records[self._taken : wanted]
        self._taken = wanted
        return found


class MemberFacade(ConsumerFacade):
    """A member of a group: its partitions are assigned to it."""

    @property
    def reads(self) -> set[TopicPartition]:
        """What it was assigned, and has not given up."""
        return self.cluster.view.reads.get(self.name, set())

    def work_at(self, processing_ms: float) -> MemberFacade:
        """Let its program work so long on each record, from the next one on."""
        self.cluster.call(self.name, "work_at", processing_ms)
        return self

    def commit(self) -> MemberFacade:
        """Commit where its program is; it goes on meanwhile."""
        self.cluster.call(self.name, "commit_sync")
        return self

    def close(self) -> MemberFacade:
        """Leave the group, when the program is done with what it was handed."""
        self.cluster.call(self.name, "close")
        return self


class AdminFacade:
    """An administrator: each request waits for its answer, and raises RequestFailed if that is an error."""

    def __init__(self, cluster: Cluster, name: NodeName) -> None:
        self.cluster, self.name = cluster, name

    def ask(self, method: str, *arguments: Any) -> str:
        """Call a method of the admin client; return what it was told, as a line."""
        return self._answer(method, *arguments).answer

    def _answer(self, method: str, *arguments: Any) -> RequestAnswered:
        number = self.cluster.next_number(self.name)
        self.cluster.call(self.name, method, number, *arguments)
        answers = self.cluster.view.answers
        self.cluster.run_until(lambda: (self.name, number) in answers, f"an answer to {method}")
        answer = answers[self.name, number]
        if answer.error != "NONE":
            raise RequestFailed(answer.error, is_definite=False)
        return answer

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        replicas: int = 1,
        configs: tuple[tuple[str, str], ...] = (),
        assignment: tuple[tuple[int, ...], ...] | None = None,
    ) -> str:
        """Create a topic: placed by the controller, or as `assignment` says."""
        return self.ask("create_topic", name, partitions, replicas, configs, assignment)

    def alter_topic(self, name: str, **settings: str | None) -> str:
        """Set a topic otherwise, like `retention_ms="1000"`; None: back to the default. The others stay as they are."""
        return self.ask(
            "alter_topic_configs", name, tuple((key.replace("_", "."), value) for key, value in settings.items())
        )

    def topic_settings(self, name: str) -> dict[str, str]:
        """What holds for a topic, as a broker tells it."""
        found: dict[str, str] = self._answer("describe_topic_configs", name).found
        return found

    def create_partitions(self, name: str, count: int) -> str:
        """Let a topic have `count` partitions; fewer than it has are refused."""
        return self.ask("create_partitions", name, count)

    def delete_topic(self, name: str) -> str:
        """Delete a topic."""
        return self.ask("delete_topic", name)

    def delete_records(self, topic: str, partition: int, before: int) -> str:
        """Forget what stands below an offset."""
        return self.ask("delete_records", topic, partition, before)

    def topics(self) -> dict[str, TopicDescription]:
        """All topics, by name."""
        return {one.name: one for one in self._answer("list_topics").found}

    def describe_topic(self, name: str) -> TopicDescription:
        """Where a topic's partitions are, who leads them, who is in sync."""
        found: TopicDescription = self._answer("describe_topic", name).found[0]
        return found

    def groups(self) -> dict[str, str]:
        """All groups and their states: each live broker is asked for those that it coordinates."""
        brokers = sorted(self._answer("describe_cluster").found)
        return {one.group: one.state for broker in brokers for one in self._answer("list_groups", broker).found}

    def describe_group(self, group: str) -> GroupDescription:
        """A group's state and members."""
        found: GroupDescription = self._answer("describe_group", group).found
        return found

    def group_offsets(self, group: str) -> dict[TopicPartition, int]:
        """How far a group has come."""
        found: dict[TopicPartition, int] = self._answer("group_offsets", group).found
        return found

    def delete_group(self, group: str) -> str:
        """Forget a group without members, and its offsets."""
        return self.ask("delete_group", group)

    def delete_offsets(self, group: str, topic: str, *partitions: int) -> str:
        """Forget how far a group is in these partitions."""
        return self.ask("delete_offsets", group, topic, *partitions)

    def reassign(self, topic: str, partition: int, *brokers: int) -> str:
        """Have these brokers hold the partition, the preferred leader first; nobody: cancel what is under way."""
        return self.ask("reassign", topic, partition, brokers or None)

    def reassignments(self) -> tuple[Reassignment, ...]:
        """What is under way."""
        found: tuple[Reassignment, ...] = self._answer("list_reassignments").found
        return found

    def elect_leader(self, topic: str, partition: int, *, unclean: bool = False) -> str:
        """Let the preferred replica lead; unclean: any that is alive, where none in sync is."""
        return self.ask("elect_leader", topic, partition, UNCLEAN if unclean else PREFERRED)
