"""What a shell can ask of a cluster that runs: `python -m kafkalite topics | groups | read --bootstrap HOST:PORT`.

Only the words and what they mean stand here; `inspection` has the questions, and loads the clients.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

BOOTSTRAP = "127.0.0.1:9092"
BEGINNINGS = ("earliest", "latest")


def add_commands(commands: Any) -> None:
    """Add the commands to those of an argparse parser."""
    topics = commands.add_parser(
        "topics",
        help="list topics, or describe one",
        description="Without a name: all topics. With one: who leads each partition, who holds it, who is in sync.",
        epilog="Example: python -m kafkalite topics orders --bootstrap 127.0.0.1:9092",
    )
    topics.add_argument("topic", nargs="?", metavar="TOPIC", help="describe this one")
    groups = commands.add_parser(
        "groups",
        help="list consumer groups, or describe one",
        description="Without a name: all groups and their states. With one: its members, and for each partition who "
        "reads it, how far the group has committed, where the partition ends, and how far behind that is.",
        epilog="Example: python -m kafkalite groups dashboard --bootstrap 127.0.0.1:9092",
    )
    groups.add_argument("group", nargs="?", metavar="GROUP", help="describe this one")
    read = commands.add_parser(
        "read",
        help="print the records of a topic",
        description="Print records as `partition offset key value`, tab-separated, up to where the topic ends now. "
        "Reads without a group: nothing is committed, and nothing is taken away.",
        epilog="Example: python -m kafkalite read orders --partition 0 --from 5 --count 3",
    )
    read.add_argument("topic", metavar="TOPIC")
    read.add_argument("--partition", type=int, metavar="N", help="this one only (default: all)")
    read.add_argument(
        "--from",
        dest="start",
        type=_start,
        default="earliest",
        metavar="OFFSET",
        help="begin there: a number, earliest or latest (default: earliest)",
    )
    read.add_argument("--count", type=_count, metavar="N", help="at most so many")
    read.add_argument("--follow", action="store_true", help="go on with what is written meanwhile, until Ctrl-C")
    for command, run in ((topics, _topics), (groups, _groups), (read, _read)):
        command.add_argument(
            "--bootstrap", default=BOOTSTRAP, metavar="HOST:PORT,...", help=f"any brokers (default: {BOOTSTRAP})"
        )
        command.add_argument(
            "--timeout", type=_seconds, default=10.0, metavar="SECONDS", help="wait so long for answers (default: 10)"
        )
        command.set_defaults(run=_asking, asks=run)


def _start(text: str) -> str | int:
    if text in BEGINNINGS:
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"expected an offset from 0 on, earliest or latest; got {text!r}")


def _count(text: str) -> int:
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a number from 1 on; got {text!r}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, more than 0; got {text!r}")
    return seconds


def addresses(bootstrap: str) -> list[str]:
    """The brokers that were named. Raises ValueError, which says what is wrong.

    >>> addresses("a:1,b:2")
    ['a:1', 'b:2']
    """
    found = [one.strip() for one in bootstrap.split(",") if one.strip()]
    for one in found:
        host, _, port = one.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError(f"--bootstrap: expected HOST:PORT, like {BOOTSTRAP}; got {one!r}")
    if not found:
        raise ValueError(f"--bootstrap: expected HOST:PORT, like {BOOTSTRAP}; got {bootstrap!r}")
    return found


def _asking(options: argparse.Namespace) -> int:
    """Ask, and say what came of it: 0 all is well, 1 the cluster could not, 2 the command line is wrong."""
    from kafkalite.net.client import ClusterUnreachable, RequestFailed  # noqa: PLC0415 - `--help` need not load clients
    from kafkalite.net.inspection import NotThere  # noqa: PLC0415

    try:
        servers = addresses(options.bootstrap)
    except ValueError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    try:
        options.asks(servers, options)
    except (ClusterUnreachable, RequestFailed, NotThere) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


def _topics(servers: list[str], options: argparse.Namespace) -> None:
    from kafkalite.net import inspection  # noqa: PLC0415

    inspection.run(inspection.topics(servers, options.timeout, options.topic, print))


def _groups(servers: list[str], options: argparse.Namespace) -> None:
    from kafkalite.net import inspection  # noqa: PLC0415

    inspection.run(inspection.groups(servers, options.timeout, options.group, print))


def _read(servers: list[str], options: argparse.Namespace) -> None:
    from kafkalite.net import inspection  # noqa: PLC0415

    wanted = inspection.Wanted(options.topic, options.partition, options.start, options.count, options.follow)
    inspection.run(inspection.read(servers, options.timeout, wanted, partial(print, flush=options.follow)))
