"""What there is to say of an API beside its messages: its key, the versions served, where its headers differ.

Every file of messages opens its APIs with such a card. The classes of an API are called after it: `Produce` has
ProduceRequest and ProduceResponse, in the same file.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.protocol.schema import VERSION_MAX


@dataclass(frozen=True, slots=True)
class Api:
    """One API of Kafka's protocol.

    `versions` are those served, both ends included; `flexible_since` is the first whose lengths are varints and whose
    structures end with tagged fields (KIP-482). A card with `advertised_since` claims more than it serves.

    >>> fetch = Api("Fetch", key=1, versions=(4, 11), flexible_since=12)
    >>> fetch.serves(11), fetch.is_flexible(11), fetch.request_header(11), fetch.response_header(11)
    (True, False, 1, 0)
    """

    name: str
    key: int
    versions: tuple[int, int]
    flexible_since: int = VERSION_MAX
    advertised_since: int | None = None
    client_id_since: int = 0  # before this version, the request's header lacks the client's name
    plain_response_header: bool = False  # the response's header is never flexible
    fenced_since: int = 0  # before this version, clients know INVALID_PRODUCER_EPOCH only, and not PRODUCER_FENCED

    def serves(self, version: int) -> bool:
        """Whether there are messages of this version."""
        return self.versions[0] <= version <= self.versions[1]

    def is_flexible(self, version: int) -> bool:
        """Whether this version writes compact lengths and tagged fields."""
        return version >= self.flexible_since

    def request_header(self, version: int) -> int:
        """The version of the header before a request: 0 without a client id, 1 with, 2 with tagged fields."""
        if version < self.client_id_since:
            return 0
        return 2 if self.is_flexible(version) else 1

    def response_header(self, version: int) -> int:
        """The version of the header before a response: 1 has tagged fields."""
        return 1 if self.is_flexible(version) and not self.plain_response_header else 0
