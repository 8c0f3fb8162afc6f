"""`python -m kafkalite`: runs in the simulator, named or drawn, and a cluster of processes, from a shell.

Exit codes: 0 it went as claimed; 1 it did not (the seed is printed); 2 the command line is wrong; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kafkalite.net.serve import ServedCluster

from kafkalite.errors import KafkaliteError
from kafkalite.net.command_line import add_commands
from kafkalite.sim import soak_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = command_line().parse_args(arguments)
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `... | head`: whoever read has seen enough
        sys.stderr.close()
        return 0
    return code


def command_line() -> argparse.ArgumentParser:
    """The command line, as data."""
    parser = argparse.ArgumentParser(
        prog="python -m kafkalite",
        description="A small, real Kafka: in a simulator, where the same seed gives the same run, and as processes.",
        epilog="Begin with: python -m kafkalite scenario --list",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    scenario = commands.add_parser(
        "scenario",
        help="play a named run and tell what happens",
        description="Play a named run: the narrator's lines, and between them what happened, as `time node what`. It "
        "asserts what it claims; the exit code is 1 if that does not come true.",
        epilog="Example: python -m kafkalite scenario leader-dies --seed 7",
    )
    what = scenario.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", metavar="NAME", help="which one; --list names them")
    what.add_argument("--list", action="store_true", help="name all scenarios, with what each shows")
    scenario.add_argument("--seed", type=int, default=1, metavar="N", help="another run of the same story (default: 1)")
    scenario.add_argument("--details", action="store_true", help="tell of every batch and every watermark, too")
    scenario.set_defaults(run=_scenario)
    semantics = commands.add_parser(
        "semantics",
        help="count what at most, at least and exactly once lose and double",
        description="Kill a program that reads and writes before each of its messages in turn, start it again, and "
        "count what was lost and doubled: a table, a line for each order of work.",
    )
    semantics.set_defaults(run=_semantics)
    soak_command.add_command(commands)
    _add_serve(commands)
    add_commands(commands)
    return parser


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser(
        "serve",
        help="start a cluster that any Kafka client can talk to",
        description="Start brokers and ZooKeeper servers, each a process of its own, on loopback; Ctrl-C stops them in "
        "order. With --data, the same command goes on later from what is there. There is no authentication: whoever "
        "reaches a port may do everything.",
        epilog="Example: python -m kafkalite serve --brokers 3 --zookeepers 3 --data ./data",
    )
    serve.add_argument("--brokers", type=int, default=1, metavar="N", help="how many (default: 1)")
    serve.add_argument("--zookeepers", type=int, default=1, metavar="N", help="how many; odd is best (default: 1)")
    serve.add_argument(
        "--zookeeper", metavar="HOST:PORT,...", help="use this ensemble (Apache's, too) instead of our own"
    )
    serve.add_argument("--data", type=Path, metavar="DIR", help="where to keep everything; without it, gone at the end")
    serve.add_argument("--port", type=int, default=9092, metavar="N", help="of the first broker (default: 9092)")
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="listen here (default: 127.0.0.1)")
    serve.add_argument(
        "--parts", type=Path, metavar="FILE", help="a Python module of your own parts; the cluster is made of them"
    )
    serve.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of every broker, under Kafka's name, as log.flush.interval.messages=1; may be repeated",
    )
    serve.set_defaults(run=_serve)


def _scenario(options: argparse.Namespace) -> int:
    from kafkalite.sim.scenarios import catalogue  # noqa: PLC0415 - `--help` need not load a cluster
    from kafkalite.sim.stage import Stage  # noqa: PLC0415

    scenarios = catalogue()
    if options.list:
        width = max(map(len, scenarios), default=0)
        claims_width = max((len(" ".join(scenario.claims)) for scenario in scenarios.values()), default=0)
        for scenario in scenarios.values():
            print(f"{scenario.name:{width}}  {' '.join(scenario.claims):{claims_width}}  {scenario.sentence}")
        return 0
    if options.name not in scenarios:
        print(f"There is no scenario {options.name!r}; there are: {', '.join(scenarios)}", file=sys.stderr)
        return 2
    scenario = scenarios[options.name]
    print(scenario.title(options.seed))
    try:
        scenario.play(Stage(options.seed, print, details=options.details))
    except KafkaliteError as failure:
        print(f"\n✗ {failure}", file=sys.stderr)
        print(f"Again: python -m kafkalite scenario {scenario.name} --seed {options.seed} --details", file=sys.stderr)
        return 1
    return 0


def _semantics(_: argparse.Namespace) -> int:
    from kafkalite.sim.semantics import CASES, table, tally  # noqa: PLC0415 - as above

    print(table([tally(case) for case in CASES]), end="")
    return 0


def _serve(options: argparse.Namespace) -> int:
    from kafkalite.net.broker_settings import SettingRefused  # noqa: PLC0415 - as above
    from kafkalite.net.own_parts import PartsRefused  # noqa: PLC0415 - as above
    from kafkalite.net.serve import ServeFailed, serve  # noqa: PLC0415 - as above

    zookeeper = tuple(options.zookeeper.split(",")) if options.zookeeper else ()
    try:
        with (
            serve(
                options.data,
                brokers=options.brokers,
                zookeepers=options.zookeepers,
                host=options.host,
                port=options.port,
                zookeeper=zookeeper,
                parts=None if options.parts is None else str(options.parts),
                settings=tuple(options.settings),
            ) as cluster,
            suppress(KeyboardInterrupt),
        ):  # from the first line on, Ctrl-C is how one stops it
            _tell(cluster)
            _watch(cluster)
    except (ServeFailed, PartsRefused, SettingRefused) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _tell(cluster: ServedCluster) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"bootstrap.servers={cluster.bootstrap}")
    print(f"zookeeper.connect={','.join(cluster.plan.ensemble)}")
    print(f"logs in {cluster.folder}; for example: kcat -b {cluster.bootstrap} -L    (Ctrl-C stops)", flush=True)


def _watch(cluster: ServedCluster) -> None:
    """Tell of processes that die, for as long as there is one."""
    told: set[str] = set()
    while len(told) < len(cluster.processes):
        for name, code in cluster.died().items():
            if name not in told:
                print(f"{name} died ({code}); see {cluster.processes[name].log_path}", file=sys.stderr, flush=True)
                told.add(name)
        sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
