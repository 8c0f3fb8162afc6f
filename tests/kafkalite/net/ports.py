"""Ports that are free now, for clusters of tests that run at the same time.

A process of tests claims a block of ports for its life and gives out each of them in turn, so that nobody is given one
that somebody else was told is free and has not begun to listen on: not the second half of the same cluster, not a
worker beside this one, not another run of the tests. In turn also because some of the last test's may still be in use.
"""

from __future__ import annotations

import atexit
import socket
from functools import cache

HOST = "127.0.0.1"
HIGHEST, LOWEST = 32_000, 10_000  # below those that Linux gives to outgoing connections: from 32,768 on
BLOCK = 2_000


def free_ports(count: int, apart: int = 1) -> list[int]:
    """Ports that nobody uses now, `apart` from each other and with what lies between free, too.

    They lie below those that the system gives to outgoing connections: a node of ours that connects somewhere must not
    be given the port on which another one is about to listen.
    """
    return list(_ours().take(count * apart)[::apart])


class Block:
    """A block of ports that no other process of tests has, as long as this one holds its last port."""

    def __init__(self) -> None:
        """Raises RuntimeError if all blocks are taken."""
        for highest in range(HIGHEST, LOWEST, -BLOCK):
            self.guard = socket.socket()  # without SO_REUSEADDR, with which two could bind the same port
            try:
                self.guard.bind((HOST, highest))
            except OSError:
                self.guard.close()
                continue
            self._ports = range(highest - BLOCK + 1, highest)
            self._taken = 0
            return
        raise RuntimeError(f"all ports from {LOWEST:,} to {HIGHEST:,} are claimed by other runs of the tests")

    def take(self, count: int) -> range:
        """The next so many in a row that nobody uses. Raises RuntimeError if there are none."""
        for _ in range(2 * len(self._ports) // count):
            if self._taken + count > len(self._ports):
                self._taken = 0
            ports = self._ports[self._taken : self._taken + count]
            self._taken += count
            if all(map(_is_free, ports)):
                return ports
        raise RuntimeError(f"no {count} free ports in a row from {self._ports[0]:,} to {self._ports[-1]:,}")


@cache
def _ours() -> Block:
    block = Block()
    atexit.register(block.guard.close)
    return block


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
        except OSError:
            return False
        return True
