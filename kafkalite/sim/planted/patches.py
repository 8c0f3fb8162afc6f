"""Bugs that are one method replaced: what no single part decides."""

# ruff: noqa: ARG001 - a wrong rule does not look at what the right one looks at

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kafkalite.broker.fence import ControllerFence
from kafkalite.broker.produce import Produced
from kafkalite.clients import sender as sender_module
from kafkalite.clients.position import Position
from kafkalite.clients.sender import Sender
from kafkalite.controller import elections
from kafkalite.controller.context import Office
from kafkalite.controller.controller import Controller
from kafkalite.controller.events import Events
from kafkalite.controller.term import Term
from kafkalite.coordination.server import FOLLOWING, LEADING, ZooKeeperServer
from kafkalite.errors import ErrorCode
from kafkalite.facts import ControllerObeyed
from kafkalite.log import loading
from kafkalite.log.producer_state import Producers
from kafkalite.replication import log_directory
from kafkalite.replication.fetcher import FETCHING, Fetcher
from kafkalite.replication.isr_changes import IsrChanges
from kafkalite.replication.partition import Partition
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.sim.counterexample import RAISED
from kafkalite.sim.planted.bug import Bug, Patch
from kafkalite.sim.planted.runs import (
    apart,
    broken,
    dark,
    dark_servers,
    dozing,
    sleepy,
    slow,
    troubled,
    two_deaths,
)


def _after(method: Callable[..., Any], then: Callable[..., None]) -> Callable[..., Any]:
    """The method as it is, and then something wrong."""

    def both(self: Any, *arguments: Any, **named: Any) -> Any:
        answer = method(self, *arguments, **named)
        then(self, *arguments, **named)
        return answer

    return both


# Replication ----------------------------------------------------------------------------------------------------------


def _truncate_to_watermark(self: Any, one: Any, end: Any) -> bool:
    if end.error_code is not ErrorCode.NONE:
        self._put_off(one, end.error_code)
        return False
    one.state = FETCHING
    return bool(one.partition.truncate(one.partition.log.high_watermark, "the high watermark"))


def _shrunk_at_once(self: Any, isr: frozenset[int]) -> None:
    self.proposed_isr = self.maximal_isr = isr


def _wrong_version(write: Callable[..., None]) -> Callable[..., None]:
    def writing(self: Any, partition: Any) -> None:
        known, partition.zk_version = partition.zk_version, -1  # any version will do
        write(self, partition)
        partition.zk_version = known

    return writing


def _leader_has_it(self: Any, last_offset: int, acks: int) -> bool:
    return bool(last_offset < self.end_offsets[self.me])


def _duplicates_are_settled(is_settled: Callable[..., bool]) -> Callable[..., bool]:
    def settled(self: Any, outcome: Any) -> bool:
        if outcome.appended is not None and outcome.appended.is_duplicate:
            return True
        return is_settled(self, outcome)

    return settled


def _forget_producers(self: Any, state: Any, settings: Any) -> None:
    self.log.producers = Producers()


# The controller -------------------------------------------------------------------------------------------------------


def _obeys_anyone(self: Any, request: Any) -> ErrorCode:
    if request.controller_epoch != self.controller_epoch:
        self.controller_epoch = request.controller_epoch
        self._node.note(ControllerObeyed(request.controller_epoch))
    return ErrorCode.NONE


def _obeys_old_epochs(become: Callable[..., ErrorCode]) -> Callable[..., ErrorCode]:
    def becoming(self: Any, key: Any, state: Any, addresses: Any) -> ErrorCode:
        known = self.partitions.get(key)
        if known is not None and state.leader_epoch < known.leader_epoch:
            known.leader_epoch = state.leader_epoch - 1
        return become(self, key, state, addresses)

    return becoming


def _same_epoch(was: Any, leader: int, isr: tuple[int, ...]) -> Any:
    return was if (leader, isr) == (was.leader, was.isr) else replace(was, leader=leader, isr=isr)


def _same_office(begin: Callable[..., None]) -> Callable[..., None]:
    def beginning(self: Any, office: Office) -> None:
        begin(self, Office(1, office.epoch_version))

    return beginning


def _listed_unwatched(ask_all: Callable[..., None]) -> Callable[..., None]:
    def asking(self: Any, requests: list[Any], then: Any, *arguments: Any) -> None:
        if then.__name__ == "_listed":  # the first read of a term: its watches are set afterwards
            unwatched = [replace(request, watch=False) for request in requests]
            ask_all(self, unwatched, then, *arguments)
            self.put(ask_all, self, requests, _nobody)
            return
        ask_all(self, requests, then, *arguments)

    return asking


def _nobody(replies: list[Any]) -> None:
    """What was read when the watches were set is not looked at."""


def _nobody_bounced(self: Any) -> list[Any]:
    return []


# The disk -------------------------------------------------------------------------------------------------------------


def _always_clean(storage: Any) -> bool:
    return True


def _as_they_are(storage: Any, folder: str, segments: list[Any], recovery_point: int) -> list[Any]:
    return segments


# ZooKeeper ------------------------------------------------------------------------------------------------------------


def _acknowledges_unsynced(self: Any) -> None:
    if self._role in {LEADING, FOLLOWING}:
        (self.leader if self._role == LEADING else self.follower).logged(self.history.last_zxid)


# Clients --------------------------------------------------------------------------------------------------------------


def _never_idempotent(config: Any) -> bool:
    return False


def _always_definite(fail: Callable[..., None]) -> Callable[..., None]:
    def failing(self: Any, batch: Any, error: ErrorCode) -> None:
        batch.may_be_appended = batch.is_in_flight = False
        fail(self, batch, error)

    return failing


def _last_read_again(take: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def taking(self: Any, count: int) -> list[Any]:
        records = take(self, count)
        if records and not self.buffer:
            self.offset = self.fetched_to = records[-1].offset
        return records

    return taking


def _first_passed_over(take: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def taking(self: Any, count: int) -> list[Any]:
        records = take(self, count)
        return records[1:] if len(records) > 1 else records

    return taking


BUGS = (
    Bug(
        "truncates-to-the-watermark",
        "After a failover a follower goes back to its own watermark, below what is committed (M16).",
        ("truncated-committed",),
        troubled,
        1,
        patches=(Patch(Fetcher, "_truncate", _truncate_to_watermark),),
    ),
    Bug(
        "shrinks-before-it-is-written",
        "A leader counts without a follower as soon as it has asked ZooKeeper to put it out.",
        ("watermark-ahead",),
        slow,
        1,
        patches=(Patch(Partition, "propose", _shrunk_at_once),),
    ),
    Bug(
        "isr-without-comparing",
        "A leader sets the ISR whatever the znode says by now: one that is deposed overwrites its successor's.",
        ("isr-by-stranger", "two-leaders", "unclean-election", "lost-committed"),
        dozing,
        11,
        patches=(Patch(IsrChanges, "_write", _wrong_version(IsrChanges._write)),),  # noqa: SLF001 - to be made wrong
    ),
    Bug(
        "all-means-the-leader",
        "With acks=all the answer comes when the leader has it (M8).",
        ("acknowledged-uncommitted",),
        slow,
        1,
        patches=(Patch(Partition, "is_acknowledged", _leader_has_it),),
    ),
    Bug(
        "duplicates-at-once",
        "A retried batch is acknowledged at once, although the watermark has not passed it.",
        ("acknowledged-uncommitted",),
        broken,
        1,
        patches=(Patch(Produced, "_is_settled", _duplicates_are_settled(Produced._is_settled)),),  # noqa: SLF001
    ),
    Bug(
        "forgets-producers",
        "A new leader begins without knowing which sequences it has, and takes a retried batch again.",
        ("duplicate",),
        broken,
        1,
        patches=(Patch(Partition, "become_leader", _after(Partition.become_leader, _forget_producers)),),
    ),
    Bug(
        "obeys-any-controller",
        "A broker obeys whoever says that it is controller (M44).",
        ("stale-controller-obeyed", "epoch-retreat", "two-leaders"),
        sleepy,
        2,
        patches=(Patch(ControllerFence, "refuses", _obeys_anyone),),
    ),
    Bug(
        "obeys-old-leader-epochs",
        "A broker that is fenced by nothing goes back to a leader epoch that is over.",
        ("epoch-retreat", "stale-controller-obeyed", "two-leaders"),
        sleepy,
        2,
        patches=(
            Patch(ControllerFence, "refuses", _obeys_anyone),
            Patch(ReplicaManager, "_become", _obeys_old_epochs(ReplicaManager._become)),  # noqa: SLF001
        ),
    ),
    Bug(
        "same-leader-epoch",
        "A new leader is elected in the epoch of the one before.",
        ("two-leaders",),
        troubled,
        1,
        patches=(Patch(elections, "_changed", _same_epoch),),
    ),
    Bug(
        "same-controller-epoch",
        "A new controller goes on in the epoch of the one before.",
        ("two-controllers",),
        troubled,
        1,
        patches=(Patch(Controller, "_begin", _same_office(Controller._begin)),),  # noqa: SLF001
    ),
    Bug(
        "reads-before-it-watches",
        "A new controller reads who is alive, and watches only then: who dies in between stays alive to it.",
        ("unavailable",),
        two_deaths,
        10,
        patches=(Patch(Events, "ask_all", _listed_unwatched(Events.ask_all)),),
    ),
    Bug(
        "leads-on-after-a-restart",
        "A new controller takes a leader that died and came back meanwhile for one that was there all the time.",
        ("divergence", "lost-committed", "joined-early"),
        dark,
        2,
        patches=(Patch(Term, "_take_out_bounced", _nobody_bounced),),
    ),
    Bug(
        "trusts-its-files",
        "After a crash a broker takes its files as they are, as after a clean stop.",
        ("clean-log-lost", "grew-while-down"),
        dark,
        1,
        patches=(Patch(log_directory, "take_clean_shutdown", _always_clean),),
    ),
    Bug(
        "trusts-its-index",
        "After a crash a log is not read through: its index says where it ends.",
        ("grew-while-down", "log-order", RAISED),
        dark,
        1,
        patches=(Patch(loading, "recover_segments", _as_they_are),),
    ),
    Bug(
        "acknowledges-unsynced",
        "A ZooKeeper server acknowledges a change before its disk has it.",
        ("zookeeper-divergence", "zookeeper-lost-change", RAISED),
        dark_servers,
        1,
        patches=(Patch(ZooKeeperServer, "sync_log", _acknowledges_unsynced),),
    ),
    Bug(
        "retries-without-numbers",
        "A producer that is to be idempotent numbers nothing: a retry is another record (M36).",
        ("duplicate", "nonmonotonic-send"),
        broken,
        1,
        patches=(Patch(sender_module, "is_idempotent", _never_idempotent),),
    ),
    Bug(
        "time-outs-are-definite",
        "A producer says of every failure that the record is surely not there.",
        ("failed-but-read",),
        apart,
        1,
        patches=(Patch(Sender, "_fail", _always_definite(Sender._fail)),),  # noqa: SLF001
    ),
    Bug(
        "position-is-the-last-read",
        "A consumer's position is the last record it read, not the next one (M31).",
        ("int-nonmonotonic-poll",),
        troubled,
        1,
        patches=(Patch(Position, "take", _last_read_again(Position.take)),),
    ),
    Bug(
        "passes-over-the-first",
        "A consumer hands over what a fetch brought but for its first record.",
        ("int-poll-skip", "poll-skip", "lost-write", "unseen"),
        troubled,
        1,
        patches=(Patch(Position, "take", _first_passed_over(Position.take)),),
    ),
)
