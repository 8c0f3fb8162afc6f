"""What a crash excuses: only what the disk lost by it, and only until the replica has come so far again."""

from __future__ import annotations

from kafkalite.sim.checkers.replica_log import Batch, ReplicaLog

FIRST, SECOND, THIRD = (Batch(at, at, 0, crc=at) for at in range(3))


def _log(*batches: Batch) -> ReplicaLog:
    log = ReplicaLog()
    for batch in batches:
        log.append(batch)
    return log


def test_a_replica_that_lost_nothing_with_a_crash_answers_for_all_it_had() -> None:
    log = _log(FIRST, SECOND)
    log.reload(0, 2, was_clean=False)

    assert [False] * 2 == [log.lost_to_disk(SECOND, by_offset=by_offset) for by_offset in (True, False)]


def test_what_took_the_place_of_what_was_lost_is_excused_until_the_replica_has_come_so_far_again() -> None:
    log = _log(FIRST, SECOND)
    log.reload(0, 1, was_clean=False)
    log.reload(0, 1, was_clean=False)
    instead = SECOND._replace(crc=9)

    assert (True, False) == (log.lost_to_disk(instead, by_offset=True), log.lost_to_disk(instead))
    assert not log.lost_to_disk(THIRD, by_offset=True)
    log.append(instead)
    assert not log.lost_to_disk(SECOND, by_offset=True)
