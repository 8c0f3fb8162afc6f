"""One node as a process of its own: `python -m kafkalite.net.child FOLDER`, told on stdin what it is.

It says "ready" on stdout once it serves, and stops in order on SIGTERM (a broker first lets others lead), at once on a
second one, or when whoever started it is gone (its stdin closes). Exit codes: 0 stopped in order; 1 it could not begin,
and stderr says why. What it has to say meanwhile goes to stderr.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from kafkalite.config import BrokerConfig, ZooKeeperConfig
from kafkalite.facts import (
    BrokerFenced,
    BrokerRegistered,
    BrokerStopped,
    ControllerElected,
    ControllerObeyed,
    LogDirectoryFailed,
    ServerElected,
    ServerStoppedServing,
)
from kafkalite.net.nodes import Served
from kafkalite.net.own_parts import PartsRefused, load
from kafkalite.net.plan import Process
from kafkalite.node import Called
from kafkalite.reference import REFERENCE
from kafkalite.storage import StorageError

log = logging.getLogger("kafkalite")

WORTH_TELLING = (
    *(BrokerRegistered, BrokerFenced, BrokerStopped, ControllerElected, LogDirectoryFailed),
    *(ServerElected, ServerStoppedServing),
)
STOP_S = 10.0  # for a broker to stop in order; then it stops all the same


class Child:
    """The node of this process, from its beginning to its end."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.process, self.folder = process, folder
        self._stopped = asyncio.Event()
        self._is_stopping = self._is_ready = False
        self._served: Served | None = None

    async def run(self) -> None:
        """Serve until told to stop. Raises OSError if a port is taken, StorageError if the folder cannot be used."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        await loop.connect_read_pipe(lambda: _Parent(self.leave), os.fdopen(os.dup(0), "rb", buffering=0))
        config = self.process.config
        parts = REFERENCE if self.process.parts is None else load(Path(self.process.parts))
        if isinstance(config, BrokerConfig):
            from kafkalite.net.broker_node import serve_broker  # noqa: PLC0415 - one of the two is never needed

            self._served = await serve_broker(config, parts, self.folder, self._observe, config.host)
        else:
            assert isinstance(config, ZooKeeperConfig)
            from kafkalite.net.zookeeper_node import serve_zookeeper  # noqa: PLC0415 - as above

            host = config.name.rpartition(":")[0]
            self._served = await serve_zookeeper(config, parts, self.folder, self._observe, host)
            self._say_ready()
        await self._stopped.wait()
        self._served.stop()

    def stop(self) -> None:
        """Stop in order; asked again, at once."""
        if self._is_stopping or self.process.kind == "zookeeper" or not self._is_ready or self._served is None:
            self.leave()
            return
        self._is_stopping = True
        self._served.driver.loop.call_later(STOP_S, self.leave)
        self._served.driver.handle(Called("shutdown"))

    def leave(self) -> None:
        """Stop at once."""
        self._stopped.set()

    def _observe(self, node: str, fact: Any) -> None:
        if isinstance(fact, WORTH_TELLING):
            log.info("%s", fact)
        if isinstance(fact, ControllerObeyed):  # before that it can tell no client who the others are
            self._say_ready()
        elif isinstance(fact, BrokerStopped):
            asyncio.get_running_loop().call_soon(self.leave)

    def _say_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            sys.stdout.write("ready\n")
            sys.stdout.flush()


class _Parent(asyncio.Protocol):
    """Whoever started this process: when they are gone, so is what they wanted it for."""

    def __init__(self, gone: Any) -> None:
        self._gone = gone

    def eof_received(self) -> None:
        self._gone()


def main() -> int:
    """Read from stdin what to be, then be it."""
    process = Process.from_data(json.loads(sys.stdin.buffer.readline()))
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s {process.name} %(levelname)s %(message)s"
    )
    _take_all_files()
    try:
        asyncio.run(_run(process, Path(sys.argv[1])))
    except (OSError, StorageError, PartsRefused) as error:
        log.critical("cannot begin: %s", error)
        return 1
    return 0


def _take_all_files() -> None:
    """A connection is a file, and so is a segment: have as many as the system lets us, not what is usual in a shell."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems say "any number", and do not mean it
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _run(process: Process, folder: Path) -> None:
    await Child(process, folder).run()


if __name__ == "__main__":
    sys.exit(main())
