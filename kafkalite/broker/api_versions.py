"""ApiVersions · key 18 · v0-3, and what becomes of a request that this broker does not serve.

Only APIs that have a handler in this broker are listed, so that a client does not count on what is not there. A request
for another one closes the connection, as in Kafka: whoever sent it did not listen.

Left out: an unknown version of ApiVersions itself (KIP-511), which is answered where bytes are read.
Source: Kafka's KafkaApis.handleApiVersionsRequest, SocketServer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from kafkalite.errors import ErrorCode
from kafkalite.node import Component, Node, handler_name
from kafkalite.protocol.api_versions import API_VERSIONS, ApiVersionsRequest, ApiVersionsResponse
from kafkalite.protocol.registry import ENTRIES, api_versions_response
from kafkalite.types import NodeName

WITH_NAMES = 3  # the version that came with the client's name and version (KIP-511)
NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")  # they stand in metrics


class ApiVersions(Component):
    """Says which APIs there are, of those for which `serves(handler name)` holds."""

    def __init__(self, node: Node, serves: Callable[[str], bool]) -> None:
        super().__init__(node, "api_versions")
        self._serves = serves

    def on_api_versions_request(self, source: NodeName, request: ApiVersionsRequest) -> None:
        names = request.client_software_name, request.client_software_version
        if self.node.asked_version == WITH_NAMES and not all(map(NAME.fullmatch, names)):
            self.node.reply(source, ApiVersionsResponse(ErrorCode.INVALID_REQUEST))
            return
        answer = _newest()
        served = [one for one in answer.api_keys if self._serves(handler_name(ENTRIES[one.api_key].request))]
        self.node.reply(source, replace(answer, api_keys=tuple(served)))


@cache
def _newest() -> ApiVersionsResponse:
    return api_versions_response(API_VERSIONS.versions[1])
