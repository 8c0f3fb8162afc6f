"""kafkalite as it is compared with Apache Kafka: served, with the settings that both are given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafkalite.net.serve import serve
from tests.kafkalite.net.ports import free_ports

# As `apache.SETTINGS` says of the other one. Nothing that is observed depends on it: programs only wait less.
QUICKLY = ("transaction.abort.timed.out.transaction.cleanup.interval.ms=500",)


@contextmanager
def one_broker(folder: Path) -> Iterator[str]:
    """Where one broker of ours is, while the `with` lasts."""
    with serve(folder, port=first_port(), settings=QUICKLY) as served:
        yield served.bootstrap


def first_port() -> int:
    """The first of the ports of a cluster, all of which are free."""
    return free_ports(110)[0]
