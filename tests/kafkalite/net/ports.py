"""Ports that are free now, for clusters of tests that run at the same time."""

from __future__ import annotations

import os
import random
import socket

HOST = "127.0.0.1"
BELOW_EPHEMERAL_PORTS = 32_000  # Linux gives out those from 32,768 on
PORTS_A_WORKER = 5_000  # test processes that run at the same time do not look at each other's


def free_ports(count: int, apart: int = 1) -> list[int]:
    """Ports that nobody uses now, `apart` from each other and with what lies between free, too.

    They lie below those that the system gives to outgoing connections: a node of ours that connects somewhere must not
    be given the port on which another one is about to listen.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4
    highest = BELOW_EPHEMERAL_PORTS - worker * PORTS_A_WORKER
    first = highest - count * apart
    while first > highest - PORTS_A_WORKER + 500:
        first -= random.SystemRandom().randrange(1, 500)  # not those of the test before: some may still be in use
        ports = range(first, first + count * apart)
        if all(_is_free(port) for port in ports):
            return list(ports[::apart])
    raise RuntimeError(f"no {count * apart} free ports in a row below {highest:,}")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
        except OSError:
            return False
        return True
