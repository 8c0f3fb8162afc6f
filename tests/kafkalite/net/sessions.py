"""The end of a session whose client is dead, now: what nobody need wait for can be as long as a slow machine needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import kazoo.client

from kafkalite.coordination.sessions import password_of

SECONDS = 60.0


def end_session(ensemble: str, session_id: int) -> None:
    """Go on with it as another client, and close it: to everybody else, its time is over."""
    with _client(ensemble, client_id=(session_id, password_of(session_id))):
        pass


def end_session_of_broker(ensemble: str, broker: int) -> None:
    """That of a broker that was killed."""
    with _client(ensemble) as client:
        client.sync("/brokers/ids")
        session_id = client.get(f"/brokers/ids/{broker}")[1].ephemeralOwner
    end_session(ensemble, session_id)


@contextmanager
def _client(ensemble: str, **settings: Any) -> Iterator[Any]:
    client = kazoo.client.KazooClient(ensemble, timeout=SECONDS, **settings)
    client.start(SECONDS)
    try:
        yield client
    finally:
        client.stop()
        client.close()
