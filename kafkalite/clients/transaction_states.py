"""Where a transactional producer is, and what an answer of a coordinator means to it.

                             begin                 commit
    UNINITIALIZED    READY ---------> IN_TRANSACTION ----> COMMITTING ----> READY
          | init      ^                    |     | failed       | failed
          v           |              abort |     v              v
       INITIALIZING --+                    |   ABORTABLE_ERROR <+
          ^                                v     | abort
          +------ its epoch is spoilt -- ABORTING <               ended: READY
                                                                  fenced, from anywhere: FATAL_ERROR

An *abortable* error spoils one transaction: the program aborts it, and begins the next. A *fatal* one spoils the
producer: another one has its transactional id, and whatever it still sends is refused.

Source: TransactionManager.State and its handlers of responses.
"""

from __future__ import annotations

from enum import Enum

from kafkalite.clients.coordinator import MOVED
from kafkalite.errors import ErrorCode


class State(Enum):
    """What the producer may do next."""

    UNINITIALIZED = "uninitialized"
    INITIALIZING = "initializing"
    READY = "ready"
    IN_TRANSACTION = "in transaction"
    COMMITTING = "committing"
    ABORTING = "aborting"
    ABORTABLE_ERROR = "abortable error"
    FATAL_ERROR = "fatal error"


class Happening(Enum):
    """What happens to a producer; the first four are asked for by its program."""

    INIT = "init_transactions"
    BEGIN = "begin_transaction"
    COMMIT = "commit_transaction"
    ABORT = "abort_transaction"
    IDENTIFIED = "identified"  # it has its id and its epoch
    ENDED = "ended"
    SPOILT = "spoilt"  # the transaction is aborted; the epoch is of no more use, and the next one is asked for
    FAILED = "failed"
    FENCED = "fenced"


TRANSITIONS: dict[tuple[State, Happening], State] = {
    (State.UNINITIALIZED, Happening.INIT): State.INITIALIZING,
    (State.INITIALIZING, Happening.IDENTIFIED): State.READY,
    (State.READY, Happening.BEGIN): State.IN_TRANSACTION,
    (State.IN_TRANSACTION, Happening.COMMIT): State.COMMITTING,
    (State.IN_TRANSACTION, Happening.ABORT): State.ABORTING,
    (State.IN_TRANSACTION, Happening.FAILED): State.ABORTABLE_ERROR,
    (State.COMMITTING, Happening.ENDED): State.READY,
    (State.COMMITTING, Happening.FAILED): State.ABORTABLE_ERROR,
    (State.ABORTABLE_ERROR, Happening.FAILED): State.ABORTABLE_ERROR,
    (State.ABORTABLE_ERROR, Happening.ABORT): State.ABORTING,
    (State.ABORTING, Happening.FAILED): State.ABORTING,  # what was under way fails: it is being aborted anyway
    (State.ABORTING, Happening.ENDED): State.READY,
    (State.ABORTING, Happening.SPOILT): State.INITIALIZING,
    **{(state, Happening.FENCED): State.FATAL_ERROR for state in State},
}


class Verdict(Enum):
    """What an answer of a coordinator means."""

    DONE = "done"
    RETRY = "retry"
    LOOK_UP = "look up"  # ask who the coordinator is, and retry there
    ABORT = "abort"
    FATAL = "fatal"


FENCED = frozenset({ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH})
SPOILING = frozenset({ErrorCode.UNKNOWN_PRODUCER_ID, ErrorCode.INVALID_PRODUCER_ID_MAPPING})
_ABORTABLE = SPOILING | {
    ErrorCode.UNKNOWN_MEMBER_ID,  # the offsets are no longer this member's to commit
    ErrorCode.ILLEGAL_GENERATION,
    ErrorCode.FENCED_INSTANCE_ID,
    ErrorCode.REBALANCE_IN_PROGRESS,
    ErrorCode.OPERATION_NOT_ATTEMPTED,  # another partition of the same request was refused
    ErrorCode.INVALID_COMMIT_OFFSET_SIZE,
    ErrorCode.OFFSET_METADATA_TOO_LARGE,
    ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    ErrorCode.GROUP_AUTHORIZATION_FAILED,
}


def judge(error: ErrorCode) -> Verdict:
    """What becomes of a producer that a coordinator answers so.

    >>> judge(ErrorCode.CONCURRENT_TRANSACTIONS), judge(ErrorCode.NOT_COORDINATOR)
    (<Verdict.RETRY: 'retry'>, <Verdict.LOOK_UP: 'look up'>)
    >>> judge(ErrorCode.ILLEGAL_GENERATION), judge(ErrorCode.PRODUCER_FENCED)
    (<Verdict.ABORT: 'abort'>, <Verdict.FATAL: 'fatal'>)
    """
    if error == ErrorCode.NONE:
        return Verdict.DONE
    if error in MOVED:
        return Verdict.LOOK_UP
    if error in _ABORTABLE:
        return Verdict.ABORT
    return Verdict.RETRY if error.retriable else Verdict.FATAL
