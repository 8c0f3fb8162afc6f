"""Clusters of tests do not meet on a port."""

from __future__ import annotations

import socket
from contextlib import closing

from .ports import BLOCK, HOST, Block, free_ports


def test_ports_given_out_and_not_yet_listened_on_are_not_given_out_again() -> None:
    """A cluster asks twice, for its ZooKeeper servers and for its brokers, before any of them listens."""
    given = [port for _ in range(BLOCK // 20) for port in free_ports(3, apart=2)]

    assert len(given) == len(set(given))


def test_two_processes_have_none_in_common() -> None:
    one, other = Block(), Block()
    with closing(one.guard), closing(other.guard):
        assert not set(one.take(BLOCK // 2)) & set(other.take(BLOCK // 2))


def test_a_port_that_somebody_listens_on_is_left_out() -> None:
    block = Block()
    with closing(block.guard):
        [used] = block.take(1)
        with socket.create_server((HOST, used)):
            given = {port for _ in range(BLOCK) for port in block.take(1)}  # all the others, and the first ones again

    assert used not in given
    assert given
