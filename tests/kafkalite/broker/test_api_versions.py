"""What a broker says it serves."""

from __future__ import annotations

from kafkalite.broker.api_versions import ApiVersions
from kafkalite.protocol.api_versions import ApiVersion, ApiVersionsRequest

from .scripted import Stage


def test_only_what_has_a_handler_is_listed_and_produce_from_its_false_minimum() -> None:
    stage = Stage()
    ApiVersions(stage.node, {"on_produce_request", "on_api_versions_request"}.__contains__)

    [answer] = stage.hears("c1", ApiVersionsRequest())

    assert (ApiVersion(0, 0, 9), ApiVersion(18, 0, 3)) == answer.api_keys
