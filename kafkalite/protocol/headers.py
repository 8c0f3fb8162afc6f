"""What stands before every request and every response, and says what follows.

The first two fields of a request's header are the same in every version: whoever reads them knows the version of the
rest. A response's header says nothing of its version: the client remembers what it asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.protocol.schema import Classic, Int16, Int32, String, since


@dataclass(frozen=True, slots=True)
class RequestHeader:
    """Which API, in which version, and the number that the response will carry.

    Version 0 (ControlledShutdown 0 alone) has no client id; version 2 ends with tagged fields. The client id keeps its
    two-byte length even there, so that a broker can read it whatever the version of what follows (KIP-482).
    """

    request_api_key: Int16 = 0
    request_api_version: Int16 = 0
    correlation_id: Int32 = 0
    client_id: Annotated[String | None, since(1), Classic()] = None


@dataclass(frozen=True, slots=True)
class ResponseHeader:
    """The number of the request that this answers. Version 1 ends with tagged fields."""

    correlation_id: Int32 = 0
