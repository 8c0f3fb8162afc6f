"""DescribeConfigs, AlterConfigs, IncrementalAlterConfigs: what topics are set to, and setting it otherwise."""

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


# AlterConfigs · key 33 · v0-2
# v2 flexible. All of a resource's settings are replaced: what the request does not name goes back to its default.
ALTER_CONFIGS = Api("AlterConfigs", key=33, versions=(0, 2), flexible_since=2)


@dataclass(frozen=True, slots=True)
class AlterConfigsRequest:
    """These resources have these settings from now on, and no others."""

    resources: tuple[AlterConfigsResource, ...] = ()
    validate_only: Bool = False


@dataclass(frozen=True, slots=True)
class AlterConfigsResource:
    """A topic (2) or a broker (4), and all it is to say itself."""

    resource_type: Int8 = 0
    resource_name: String = ""
    configs: tuple[AlterableConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class AlterableConfig:
    """One setting."""

    name: String = ""
    value: String | None = ""


@dataclass(frozen=True, slots=True)
class AlterConfigsResponse:
    """What came of it, a resource at a time."""

    throttle_time_ms: Int32 = 0
    responses: tuple[AlterConfigsResourceResponse, ...] = ()


@dataclass(frozen=True, slots=True)
class AlterConfigsResourceResponse:
    """Whether this resource's settings are what was asked for."""

    error_code: Error = ErrorCode.NONE
    error_message: String | None = ""
    resource_type: Int8 = 0
    resource_name: String = ""


# IncrementalAlterConfigs · key 44 · v0-1
# KIP-339: only what is named changes · v1 flexible
INCREMENTAL_ALTER_CONFIGS = Api("IncrementalAlterConfigs", key=44, versions=(0, 1), flexible_since=1)


@dataclass(frozen=True, slots=True)
class IncrementalAlterConfigsRequest:
    """Change these settings of these resources, and leave the others."""

    resources: tuple[IncrementalAlterConfigsResource, ...] = ()
    validate_only: Bool = False


@dataclass(frozen=True, slots=True)
class IncrementalAlterConfigsResource:
    """A topic (2) or a broker (4), and what is to change."""

    resource_type: Int8 = 0
    resource_name: String = ""
    configs: tuple[IncrementalAlterableConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class IncrementalAlterableConfig:
    """One change: set (0) or delete (1) the setting, or append to (2) or subtract from (3) a list."""

    name: String = ""
    config_operation: Int8 = 0
    value: String | None = ""


@dataclass(frozen=True, slots=True)
class IncrementalAlterConfigsResponse:
    """What came of it, a resource at a time."""

    throttle_time_ms: Int32 = 0
    responses: tuple[AlterConfigsResourceResponse, ...] = ()
