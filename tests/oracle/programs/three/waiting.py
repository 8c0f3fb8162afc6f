"""Until the cluster has come as far as a program needs it. Nothing of it is written down."""

from __future__ import annotations

from kafkalite.errors import ErrorCode
from kafkalite.protocol.group_membership import FindCoordinatorRequest
from kafkalite.protocol.reassignment import PREFERRED
from tests.oracle.cluster_session import ClusterSession
from tests.oracle.programs.saying import fetch
from tests.oracle.programs.three.asking import elect

GROUP, TRANSACTION = 0, 1


def end_at(one: ClusterSession, broker: int, topic: str, partition: int = 0) -> int:
    """How far a replica lets consumers read, whether it leads or not."""
    [found] = one.quietly_of(broker, fetch(topic, partition=partition)).responses[0].partitions
    return int(found.high_watermark)


def wait_for_end(one: ClusterSession, topic: str, offset: int, broker: int, partition: int = 0) -> None:
    """Until consumers may read up to there."""
    one.until(lambda: end_at(one, broker, topic, partition) >= offset, f"{topic}-{partition} is read up to {offset}")


def wait_for_home(one: ClusterSession, topic: str) -> None:
    """Until the preferred replica is in sync, so that it can be elected, and leads."""

    def leads() -> bool:
        answer = one.quietly_of(one.controller(), elect(PREFERRED, topic))
        [result] = answer.replica_election_results[0].partition_result
        return result.error_code in (ErrorCode.NONE, ErrorCode.ELECTION_NOT_NEEDED)

    one.until(leads, f"{topic} is led by its first replica")


def coordinator_of(one: ClusterSession, key: str, key_type: int = GROUP) -> int:
    """Whom all brokers that run call the coordinator of a group or of a transactional id."""
    named: set[int] = set()

    def is_agreed() -> bool:
        named.clear()
        for broker in one.brokers.addresses:
            one.at(broker)
            found = one.quietly(FindCoordinatorRequest(key, key_type), 3)
            named.add(found.node_id)
        return len(named) == 1 and named <= set(one.brokers.addresses)

    one.until(is_agreed, f"there is one coordinator of {key}, not {named}")
    [coordinator] = named
    return coordinator
