"""The transaction automaton: what a transactional id may be asked for, and what comes of it. A table.

                     add               commit            markers are written
      Empty ──────────────▶ Ongoing ─────────▶ PrepareCommit ─────────▶ CompleteCommit
        ▲                    ▲  │ abort, fence                               │
        │ init               │  └────────────▶ PrepareAbort ──────────▶ CompleteAbort
        └── from Complete… ──┴── add, from Complete… ────────────────────────┘

Commit and abort are decided the moment Prepare… is in the log and replicated: from then on nothing but the markers is
left to do, and every coordinator that comes after does just that. A question that is asked again, because its answer
was lost, gets the answer it would have had: commit is NONE in CompleteCommit.

Source: Kafka's TransactionMetadata, TransactionState, TransactionCoordinator. Left out: PrepareEpochFence, which Kafka
has for the moment between bumping an epoch and aborting; here both are one change, `fence`.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """The state of a transactional id, by the name that Kafka tells administrators."""

    EMPTY = "Empty"
    ONGOING = "Ongoing"
    PREPARE_COMMIT = "PrepareCommit"
    PREPARE_ABORT = "PrepareAbort"
    COMPLETE_COMMIT = "CompleteCommit"
    COMPLETE_ABORT = "CompleteAbort"
    DEAD = "Dead"


class Call(Enum):
    """What can happen to a transactional id."""

    INIT = "init"  # a producer begins, or begins again
    ADD = "add"  # it is about to write to a partition
    COMMIT = "commit"
    ABORT = "abort"
    FENCE = "fence"  # abort, and bump the epoch: its time is up, or another producer begins while it is under way
    WRITTEN = "written"  # every partition has its marker
    EXPIRE = "expire"  # nobody has used it for days


NONE, CONCURRENT, INVALID = "NONE", "CONCURRENT_TRANSACTIONS", "INVALID_TXN_STATE"
_S, _C = State, Call

# (state, what happens) -> (next state, answer)
TRANSITIONS: dict[tuple[State, Call], tuple[State, str]] = {
    (_S.EMPTY, _C.INIT): (_S.EMPTY, NONE),
    (_S.EMPTY, _C.ADD): (_S.ONGOING, NONE),
    (_S.EMPTY, _C.COMMIT): (_S.EMPTY, INVALID),
    (_S.EMPTY, _C.ABORT): (_S.EMPTY, INVALID),
    (_S.EMPTY, _C.EXPIRE): (_S.DEAD, NONE),
    (_S.ONGOING, _C.INIT): (_S.ONGOING, CONCURRENT),  # whoever asks then fences, and asks again
    (_S.ONGOING, _C.ADD): (_S.ONGOING, NONE),
    (_S.ONGOING, _C.COMMIT): (_S.PREPARE_COMMIT, NONE),
    (_S.ONGOING, _C.ABORT): (_S.PREPARE_ABORT, NONE),
    (_S.ONGOING, _C.FENCE): (_S.PREPARE_ABORT, NONE),
    (_S.PREPARE_COMMIT, _C.INIT): (_S.PREPARE_COMMIT, CONCURRENT),
    (_S.PREPARE_COMMIT, _C.ADD): (_S.PREPARE_COMMIT, CONCURRENT),
    (_S.PREPARE_COMMIT, _C.COMMIT): (_S.PREPARE_COMMIT, CONCURRENT),
    (_S.PREPARE_COMMIT, _C.ABORT): (_S.PREPARE_COMMIT, INVALID),
    (_S.PREPARE_COMMIT, _C.WRITTEN): (_S.COMPLETE_COMMIT, NONE),
    (_S.PREPARE_ABORT, _C.INIT): (_S.PREPARE_ABORT, CONCURRENT),
    (_S.PREPARE_ABORT, _C.ADD): (_S.PREPARE_ABORT, CONCURRENT),
    (_S.PREPARE_ABORT, _C.COMMIT): (_S.PREPARE_ABORT, INVALID),
    (_S.PREPARE_ABORT, _C.ABORT): (_S.PREPARE_ABORT, CONCURRENT),
    (_S.PREPARE_ABORT, _C.WRITTEN): (_S.COMPLETE_ABORT, NONE),
    (_S.COMPLETE_COMMIT, _C.INIT): (_S.EMPTY, NONE),
    (_S.COMPLETE_COMMIT, _C.ADD): (_S.ONGOING, NONE),
    (_S.COMPLETE_COMMIT, _C.COMMIT): (_S.COMPLETE_COMMIT, NONE),
    (_S.COMPLETE_COMMIT, _C.ABORT): (_S.COMPLETE_COMMIT, INVALID),
    (_S.COMPLETE_COMMIT, _C.EXPIRE): (_S.DEAD, NONE),
    (_S.COMPLETE_ABORT, _C.INIT): (_S.EMPTY, NONE),
    (_S.COMPLETE_ABORT, _C.ADD): (_S.ONGOING, NONE),
    (_S.COMPLETE_ABORT, _C.COMMIT): (_S.COMPLETE_ABORT, INVALID),
    (_S.COMPLETE_ABORT, _C.ABORT): (_S.COMPLETE_ABORT, NONE),
    (_S.COMPLETE_ABORT, _C.EXPIRE): (_S.DEAD, NONE),
}


def next_state(state: str, call: str) -> tuple[str, str]:
    """The state that follows, and the answer; what is not in the table changes nothing and is INVALID_TXN_STATE.

    >>> next_state("Ongoing", "commit"), next_state("PrepareCommit", "abort")
    (('PrepareCommit', 'NONE'), ('PrepareCommit', 'INVALID_TXN_STATE'))
    """
    following, answer = TRANSITIONS.get((State(state), Call(call)), (State(state), INVALID))
    return following.value, answer
