"""The error codes are Kafka's, number by number, and what can be known from them is said with care."""

from __future__ import annotations

import pickle

from kio.schema.errors import ErrorCode as KioErrorCode

from kafkalite.errors import BY_NAME, ErrorCode, ProtocolError


def test_numbers_names_and_retriability_are_those_of_apache_kafka() -> None:
    theirs = {int(error): (error.name.upper(), error.retriable) for error in KioErrorCode}

    assert {error.code: (error.name, error.retriable) for error in ErrorCode} == {
        error.code: theirs[error.code] for error in ErrorCode
    }


def test_a_code_is_its_number_and_stays_itself() -> None:
    assert 6 == int(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert ErrorCode.NOT_LEADER_OR_FOLLOWER is ErrorCode.of(6)
    assert ErrorCode.UNKNOWN_SERVER_ERROR is ErrorCode.of(9_999)
    assert ErrorCode.NONE is pickle.loads(pickle.dumps(ErrorCode.NONE))


def test_an_answer_after_which_the_write_may_still_be_there_is_not_definite() -> None:
    """A parked produce is answered so when its leader steps down, times out, or loses replicas: it was appended."""
    indefinite = {error.name for error in ErrorCode if not error.definite}

    assert {
        *("UNKNOWN_SERVER_ERROR", "UNKNOWN_TOPIC_OR_PARTITION", "NOT_LEADER_OR_FOLLOWER", "REQUEST_TIMED_OUT"),
        *("NETWORK_EXCEPTION", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR", "NOT_ENOUGH_REPLICAS_AFTER_APPEND"),
        *("DUPLICATE_SEQUENCE_NUMBER", "KAFKA_STORAGE_ERROR"),
    } == indefinite


def test_an_error_crosses_a_pipe_by_its_name() -> None:
    assert ProtocolError is BY_NAME["ProtocolError"]
    assert "a reason" == str(ProtocolError("a reason"))
