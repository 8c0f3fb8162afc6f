"""DescribeConfigs: what admin clients ask before they show a topic.

Left out: altering settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kafkalite.errors import ErrorCode
from kafkalite.protocol.api import Api
from kafkalite.protocol.schema import Bool, Error, Int8, Int32, String, since, until

# DescribeConfigs · key 32 · v0-4
# v1 where a setting comes from (KIP-226) · v3 types and documentation (KIP-569) · v4 flexible
DESCRIBE_CONFIGS = Api("DescribeConfigs", key=32, versions=(0, 4), flexible_since=4)


@dataclass(frozen=True, slots=True)
class DescribeConfigsRequest:
    """What are the settings of these topics or brokers?"""

    resources: tuple[DescribeConfigsResource, ...] = ()
    include_synonyms: Annotated[Bool, since(1)] = False
    include_documentation: Annotated[Bool, since(3)] = False


@dataclass(frozen=True, slots=True)
class DescribeConfigsResource:
    """A topic (2) or a broker (4); null keys ask for every setting."""

    resource_type: Int8 = 0  # 2: a topic; 4: a broker
    resource_name: String = ""
    configuration_keys: tuple[String, ...] | None = ()


@dataclass(frozen=True, slots=True)
class DescribeConfigsResponse:
    """The settings."""

    throttle_time_ms: Int32 = 0
    results: tuple[DescribeConfigsResult, ...] = ()


@dataclass(frozen=True, slots=True)
class DescribeConfigsResult:
    """The settings of one topic or broker."""

    error_code: Error = ErrorCode.NONE
    error_message: String | None = ""
    resource_type: Int8 = 0
    resource_name: String = ""
    configs: tuple[DescribeConfigsResourceResult, ...] = ()


@dataclass(frozen=True, slots=True)
class DescribeConfigsResourceResult:
    """One setting; a sensitive one has no value."""

    name: String = ""
    value: String | None = ""
    read_only: Bool = False
    config_source: Annotated[Int8, since(1)] = -1
    is_default: Annotated[Bool, until(0)] = False
    is_sensitive: Bool = False
    synonyms: Annotated[tuple[DescribeConfigsSynonym, ...], since(1)] = ()
    config_type: Annotated[Int8, since(3)] = 0
    documentation: Annotated[String | None, since(3)] = ""


@dataclass(frozen=True, slots=True)
class DescribeConfigsSynonym:
    """A setting that would hold if the more specific ones were not there."""

    name: String = ""
    value: String | None = ""
    source: Int8 = 0
