"""ApiVersions: the first request of every client, which is why it must be understood whatever its version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Bool, Error, Int16, Int32, Int64, String, since, tagged

# ApiVersions · key 18 · v0-3
# v3 flexible, the client's name (KIP-511), features (KIP-584)
# A client sends its own newest version before it knows ours. So an unknown version is answered all the same: with a
# version 0 body, UNSUPPORTED_VERSION and the range of this one API (KIP-511). For the same reason the response's header
# is never flexible: the client must read it before it knows in which version the answer comes.
API_VERSIONS = Api("ApiVersions", key=18, versions=(0, 3), flexible_since=3, plain_response_header=True)


@dataclass(frozen=True, slots=True)
class ApiVersionsRequest:
    """Which APIs do you serve, in which versions? (KIP-511: and this is who asks.)"""

    client_software_name: Annotated[String, since(3)] = ""
    client_software_version: Annotated[String, since(3)] = ""


@dataclass(frozen=True, slots=True)
class ApiVersionsResponse:
    """Every API served, with its range."""

    error_code: Error = ErrorCode.NONE
    api_keys: tuple[ApiVersion, ...] = ()
    throttle_time_ms: Annotated[Int32, since(1)] = 0
    supported_features: Annotated[tuple[SupportedFeatureKey, ...], since(3), tagged(0)] = ()
    finalized_features_epoch: Annotated[Int64, since(3), tagged(1)] = -1
    finalized_features: Annotated[tuple[FinalizedFeatureKey, ...], since(3), tagged(2)] = ()
    zk_migration_ready: Annotated[Bool, since(3), tagged(3)] = False


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """An API and its range, both ends included."""

    api_key: Int16 = 0
    min_version: Int16 = 0
    max_version: Int16 = 0


@dataclass(frozen=True, slots=True)
class SupportedFeatureKey:
    """A feature of the cluster this broker knows (KIP-584)."""

    name: String = ""
    min_version: Int16 = 0
    max_version: Int16 = 0


@dataclass(frozen=True, slots=True)
class FinalizedFeatureKey:
    """A feature of the cluster that is switched on (KIP-584)."""

    name: String = ""
    max_version_level: Int16 = 0
    min_version_level: Int16 = 0
