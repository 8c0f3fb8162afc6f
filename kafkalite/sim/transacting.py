"""Transactions in a long run: producers commit, abort, die, hang, are fenced; programs write each record once.

Some producers write to "ledger" in transactions; two of them claim the same transactional id, so that each fences the
other. Programs that work exactly once read "ledger" and write "made". Now and then something happens to one of them.
When the faults are over, `settle` waits until every transaction has ended and everything committed was read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from kafkalite import facts
from kafkalite.config import ProducerConfig
from kafkalite.groups.records import OFFSETS_TOPIC
from kafkalite.sim.checkers import Expectations, TopicPromise, value_of
from kafkalite.sim.cluster import Cluster
from kafkalite.sim.facades import EARLIEST
from kafkalite.sim.faults import Freeze, Kill, Restart
from kafkalite.sim.hanging import Ender
from kafkalite.types import NodeName

SOURCE, TARGET, GROUP = "ledger", "made", "makers"
READERS = {"committed": "read_committed", "uncommitted": "read_uncommitted"}
PARTITIONS = 2
PRODUCERS = {"t1": "t1", "t2": "t2", "t2b": "t2"}  # node -> transactional id
PROGRAMS = ("maker1", "maker2")
TIMEOUT_MS = 3000  # of a transaction
BROKER: dict[str, Any] = {
    "transaction_state_log_num_partitions": 2,
    "transaction_state_log_segment_bytes": 5000,
    "transaction_state_log_load_buffer_size": 2000,
    "transaction_abort_timed_out_transaction_cleanup_interval_ms": 500,
    "request_timeout_ms": 1000,
    # of the groups in which programs are
    "offsets_topic_num_partitions": 2,
    "offsets_commit_timeout_ms": 1500,
    "group_min_session_timeout_ms": 1000,
    "group_initial_rebalance_delay_ms": 300,
}
PROGRAM: dict[str, Any] = {
    "source": SOURCE,
    "target": TARGET,
    "semantics": "exactly once",
    "group_id": GROUP,
    "isolation_level": "read_committed",
    "transaction_timeout_ms": TIMEOUT_MS,
    "session_timeout_ms": 3000,
    "heartbeat_interval_ms": 500,
    "max_poll_interval_ms": 4000,
    "max_poll_records": 5,
    "linger_ms": 0,
}
PATIENCE_MS = 2.0 * TIMEOUT_MS  # in which coordinators end what they know of, once nobody is at work
LIVES_MAX = 200  # of a program, in one run
AT_REST = (facts.ProducerIdentified, facts.TransactionEnded)


def promised(expectations: Expectations) -> Expectations:
    """What a run promises, with all who write in transactions."""
    programs = {_node(program, life): program for program in PROGRAMS for life in range(1, LIVES_MAX)}
    mine = {name: ProducerConfig(transactional_id=one) for name, one in (PRODUCERS | programs).items()}
    topics = {topic: TopicPromise(min_insync_replicas=2) for topic in (SOURCE, TARGET)}
    books = {topic: TopicPromise(is_compacted=True) for topic in ("__consumer_offsets", "__transaction_state")}
    return replace(
        expectations,
        producers={**expectations.producers, **mine},
        topics={**books, **expectations.topics, **topics},
        read_committed=expectations.read_committed | {"committed", *programs},
        exactly_once={SOURCE: TARGET},
    )


def _node(program: str, life: int) -> NodeName:
    return f"{program}-{life}"


class Transactors:
    """All who write in transactions. `begin`, then `round` again and again, then `settle`."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._cluster, self._rng = cluster, Random(f"transacting/{seed}")
        self._sent = dict.fromkeys(PRODUCERS, 0)
        self._programs: dict[str, int] = {}  # how often each has begun; each time it is a node of its own
        self._ender = Ender(cluster)

    def begin(self) -> None:
        """Topics, producers and programs."""
        for topic in (SOURCE, TARGET):
            self._cluster.admin().create_topic(topic, PARTITIONS, 3, (("min.insync.replicas", "2"),))
        for name, transactional_id in PRODUCERS.items():
            settings = {"delivery_timeout_ms": 20_000, "transaction_timeout_ms": TIMEOUT_MS}
            self._cluster.transactional_producer(name, transactional_id, **settings)
            if name == transactional_id:
                self._cluster.call(name, "init_transactions")
        for name in PROGRAMS:
            self._start(name)

    def _start(self, program: str) -> None:
        self._programs[program] = self._programs.get(program, 0) + 1
        self._cluster.pipeline(self._node_of(program), transactional_id=program, **PROGRAM)

    def _node_of(self, program: str) -> NodeName:
        return _node(program, self._programs[program])

    def round(self, for_ms: float) -> None:
        """Every producer whose last transaction has ended has another one; and something may happen."""
        for name in PRODUCERS:
            if name not in self._cluster.sim.down:
                self._transact(name, for_ms)
        self._start_who_is_gone()
        if self._rng.random() < 0.25:
            self._happen(for_ms)

    def _is_gone(self, program: str) -> bool:
        """Has it died, or been fenced?"""
        last = self._last(self._node_of(program))
        is_fenced = isinstance(last, facts.TransactionFailed) and last.is_fatal
        return is_fenced or self._node_of(program) in self._cluster.sim.down

    def _last(self, name: NodeName) -> Any:
        said = self._cluster.view.transactions.get(name, ())
        return said[-1] if said else None

    def _transact(self, name: NodeName, for_ms: float) -> None:
        rng, cluster, last = self._rng, self._cluster, self._last(name)
        now_ms = cluster.now_ms
        if isinstance(last, facts.TransactionFailed) and not last.is_fatal:
            cluster.call(name, "abort_transaction")
        elif isinstance(last, facts.TransactionFailed):
            if rng.random() < 0.2:  # it has been fenced; before long its program is started again
                self._restart(name, now_ms)
        elif isinstance(last, AT_REST):
            cluster.call(name, "begin_transaction")
            times_ms = sorted(now_ms + rng.uniform(1, 0.7 * for_ms) for _ in range(rng.randint(0, 6)))
            for at_ms in times_ms:
                self._produce(name, at_ms)
            how = rng.choice(("commit", "commit", "commit", "abort", ""))  # one that does not end is aborted in time
            if how:  # as often as not with the last record still under way
                ends_ms = rng.choice((0.8 * for_ms + now_ms, max(times_ms, default=now_ms) + rng.uniform(1, 20)))
                cluster.call_at(ends_ms, name, f"{how}_transaction")
        elif last is not None and rng.random() < 0.1:
            cluster.call(name, "abort_transaction")

    def _produce(self, name: NodeName, at_ms: float) -> None:
        record = self._sent[name] = self._sent[name] + 1
        value = value_of(name, record)
        partition = self._rng.randrange(PARTITIONS)
        self._cluster.call_at(at_ms, name, "produce", record, SOURCE, None, value, None, partition)

    def _happen(self, for_ms: float) -> None:
        """Somebody dies and begins again, stands still for long, or begins although another is at work."""
        rng, cluster = self._rng, self._cluster
        at_ms = cluster.now_ms + rng.uniform(0, for_ms)
        name = rng.choice((*PRODUCERS, *map(self._node_of, (*PROGRAMS, *PROGRAMS))))
        if rng.random() < 0.4:
            cluster.inject(Freeze(name, rng.uniform(1000, 6000)), at_ms)
        elif name in PRODUCERS:
            self._restart(name, at_ms)
        elif rng.random() < 0.5:
            cluster.inject(Kill(name), at_ms)
        else:  # another one begins, although this one is at work
            self._start(name.partition("-")[0])

    def _restart(self, name: NodeName, at_ms: float) -> None:
        """A producer's program dies, and is started again."""
        back_ms = at_ms + self._rng.uniform(1, 1000)
        self._cluster.inject(Kill(name), at_ms).inject(Restart(name), back_ms)
        self._cluster.call_at(back_ms + 1, name, "init_transactions")

    # The end --------------------------------------------------------------------------------------------------------

    def settle(self, timeout_ms: float, *, are_clocks_right: bool = True, may_hang: bool = False) -> None:
        """Everything is healed: every transaction ends, and all that was committed is read and worked on.

        What was begun by a clock that is hours ahead is not ended in time by another one: then producers come back,
        and end themselves what they have left open. What `may_hang`, because disks have lost who was to end it, an
        operator ends.
        """
        cluster = self._cluster
        for name in PRODUCERS:
            cluster.kill(name)  # what it leaves open is ended by its coordinator
            if not are_clocks_right:
                cluster.restart(name).call(name, "init_transactions")
        if may_hang:
            self._end_what_hangs(timeout_ms)
        self._start_who_is_gone()
        partitions = [(topic, number) for topic in (SOURCE, TARGET) for number in range(PARTITIONS)]
        for name, level in READERS.items():
            reader = cluster.consumer(name, auto_offset_reset="earliest", isolation_level=level)
            reader.assign(*((*partition, EARLIEST) for partition in partitions))
        self._wait_for(self._is_read, "the end of every transaction at a reader", timeout_ms)
        self._wait_for(self._is_made, "the end of all programs' work", timeout_ms)
        self._wait_for(self._is_read, "what the programs have made at a reader", timeout_ms)

    def _end_what_hangs(self, timeout_ms: float) -> None:
        """Nobody is at work meanwhile, and coordinators have the time to end what they know of."""
        for program, lives in self._programs.items():
            for life in range(1, lives + 1):
                self._cluster.kill(_node(program, life))
        self._cluster.run_for(PATIENCE_MS)
        topics = {SOURCE, TARGET, OFFSETS_TOPIC}
        self._ender.end(sorted(one for one in self._cluster.view.assignments if one[0] in topics), timeout_ms)

    def _start_who_is_gone(self) -> None:
        for program in PROGRAMS:
            if self._is_gone(program):
                self._start(program)

    def _wait_for(self, is_done: Callable[[], bool], what: str, timeout_ms: float) -> None:
        """Whoever fails meanwhile is started again: it may have waited for long for a machine that was dark."""
        cluster, end_ms = self._cluster, self._cluster.now_ms + timeout_ms
        while not is_done():
            self._start_who_is_gone()
            cluster.run_until(lambda: is_done() or any(map(self._is_gone, PROGRAMS)), what, end_ms - cluster.now_ms)

    def _is_read(self) -> bool:
        view = self._cluster.view
        return all(
            view.positions.get((reader, topic, number), 0) >= view.high_watermarks.get((topic, number), 0)
            for reader in READERS
            for topic in (SOURCE, TARGET)
            for number in range(PARTITIONS)
        )

    def _is_made(self) -> bool:
        """Has the group committed behind the last record of every partition?"""
        view = self._cluster.view
        ends: dict[int, int] = {}
        for one in view.polled.get("committed", ()):
            if one.topic == SOURCE:
                ends[one.partition] = one.offset + 1
        committed = view.committed.get(GROUP, {})
        return all(committed.get((SOURCE, number), 0) >= end for number, end in ends.items())
