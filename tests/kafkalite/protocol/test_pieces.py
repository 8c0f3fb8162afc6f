"""A response in pieces is the response; only its large records were not copied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.errors import ErrorCode
from kafkalite.protocol.fetch import FetchableTopicResponse, FetchResponse, PartitionData
from kafkalite.protocol.headers import RequestHeader
from kafkalite.protocol.pieces import LARGE_BYTES
from kafkalite.protocol.registry import encode_response, response_pieces

FETCH, VERSIONS = 1, (4, 11)
SIZES = (0, 1, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1, 3 * LARGE_BYTES)


def response_of(records: list[bytes]) -> FetchResponse:
    """A partition for each."""
    partitions = tuple(
        PartitionData(index, ErrorCode.NONE, 7, 7, 0, None, -1, data) for index, data in enumerate(records)
    )
    return FetchResponse(responses=(FetchableTopicResponse("orders", partitions),))


@given(sizes=st.lists(st.sampled_from(SIZES), max_size=5), version=st.sampled_from(VERSIONS))
def test_the_pieces_one_behind_the_other_are_the_frame(sizes: list[int], version: int) -> None:
    response = response_of([bytes([65 + place]) * size for place, size in enumerate(sizes)])
    header = RequestHeader(FETCH, version, 5, "c1")

    assert encode_response(response, header) == b"".join(map(bytes, response_pieces(response, header)))


@pytest.mark.parametrize("view", [bytes, memoryview])
def test_large_records_are_not_copied(view: type) -> None:
    small, large = view(bytes(100)), view(bytes(LARGE_BYTES))

    pieces = response_pieces(response_of([large, small, large]), RequestHeader(FETCH, 11, 5, "c1"))

    assert [False, True, False, True] == [piece is large for piece in pieces][:4]
    assert all(len(piece) for piece in pieces)  # asyncio turns in circles over one that is empty
