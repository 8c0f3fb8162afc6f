"""`python -m kafkalite soak`: the command line of the soak, and what it prints.

A run that breaks a rule is told with its seed, and with the command that finds the fewest faults it takes.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from kafkalite import reference

if TYPE_CHECKING:
    from kafkalite.sim.soak import SeedResult, Summary

DELIVERIES = 20_000
DESCRIPTION = """\
Play random clusters under faults, a seed each: brokers and ZooKeeper servers
die, lose power, freeze, are cut off; links slow down, clocks jump, disks fill
up; clients go on. Checkers that see everything judge each run. One that breaks
a rule is told with its seed; the same seed is the same run, always.

At the end stands how often each fact and each error was reached, the rarest
first: a soak without a finding means no more than what it has reached.
"""
EXAMPLES = """\
examples:
  python -m kafkalite soak --seeds 500
  python -m kafkalite soak --first 17 --seeds 1            that run again
  python -m kafkalite soak --first 17 --seeds 1 --explain  why it goes wrong

exit codes:
  0  no run broke a rule
  1  at least one did
  2  the command line is wrong
"""


def add_command(commands: Any) -> None:
    """Add `soak` to the subcommands of a parser."""
    soak = commands.add_parser(
        "soak",
        help="play many random runs with faults, and check each",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    soak.add_argument("--seeds", type=_at_least_1, default=20, metavar="N", help="how many runs (default: 20)")
    soak.add_argument("--first", type=int, default=1, metavar="N", help="the first seed (default: 1)")
    soak.add_argument(
        "--deliveries",
        type=int,
        default=DELIVERIES,
        metavar="N",
        help=f"traffic goes on until so many messages were delivered (default: {DELIVERIES}); it is part of what a run "
        "is: with another number the same seed is another run",
    )
    soak.add_argument("--jobs", type=_at_least_1, metavar="N", help="how many at a time (default: one a core)")
    soak.add_argument(
        "--explain",
        action="store_true",
        help="play each run that breaks a rule again, with fewer and fewer faults, and print the fewest that still do "
        "it and the facts before it; takes minutes a run",
    )
    soak.set_defaults(run=run)


def _at_least_1(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def run(options: argparse.Namespace) -> int:
    """Play the runs and print what came of them; the exit code."""
    from kafkalite.sim.soak import soak  # noqa: PLC0415 - `--help` need not load a cluster

    def tell(one: SeedResult, summary: Summary) -> None:
        if one.problems:
            print(f"seed {one.seed} ({one.profile}):", *one.problems, sep="\n  ", flush=True)
        _progress(f"{summary.runs} of {options.seeds} runs")

    summary = soak(
        range(options.first, options.first + options.seeds),
        deliveries_min=options.deliveries,
        jobs=options.jobs,
        parts=reference.REFERENCE,
        tell=tell,
    )
    _progress("")
    _print_reached(summary)
    for one in summary.failed:
        _explain(one.seed, options)
    print(f"seeds with a problem: {', '.join(str(one.seed) for one in summary.failed) or 'none'}")
    return 1 if summary.failed else 0


def _print_reached(summary: Summary) -> None:
    from kafkalite.sim.soak import EXPECTED  # noqa: PLC0415 - as above

    print(f"{summary.runs} runs, {summary.deliveries:,} deliveries, {summary.virtual_ms / 60_000:,.0f} virtual minutes")
    if summary.slowest is not None:  # one that takes much longer than the others may be going round in circles
        print(f"the slowest is seed {summary.slowest.seed}: {summary.slowest.cpu_s:.1f} s of a core")
    reached = dict.fromkeys(EXPECTED, 0) | summary.reached
    for name, times in sorted(reached.items(), key=lambda item: item[1]):
        print(f"  {times:>12,}  {name}")


def _explain(seed: int, options: argparse.Namespace) -> None:
    from kafkalite.sim.soak import explain  # noqa: PLC0415 - as above

    if not options.explain:
        deliveries = "" if options.deliveries == DELIVERIES else f" --deliveries {options.deliveries}"
        print(f"why: python -m kafkalite soak --first {seed} --seeds 1{deliveries} --explain")
        return

    def tell(runs: int, faults: int) -> None:
        _progress(f"seed {seed}: {faults} faults left after {runs} runs")

    try:
        told = explain(seed, options.deliveries, reference.REFERENCE, tell)
    except ValueError as error:  # it went wrong a moment ago
        told = f"played again, it was another run, which a seed must never be: {error}"
    _progress("")
    print(f"\nseed {seed} with the fewest faults:\n{told}\n")


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{line:<60}\r", end="", file=sys.stderr, flush=True)
