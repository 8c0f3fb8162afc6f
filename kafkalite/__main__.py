"""`python -m kafkalite`: named runs in the simulator, from a shell.

Exit codes: 0 it went as claimed; 1 a claim failed (the seed is printed); 2 the command line is wrong; 130 Ctrl-C.
Left out: `serve`, which comes with the network.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `... | head`: whoever read has seen enough
        sys.stderr.close()
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kafkalite",
        description="A small, real Kafka in a simulator: the same seed gives the same run.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    scenario = commands.add_parser(
        "scenario",
        help="play a named run and tell what happens",
        description="Play a named run: the narrator's lines, and every fact between them as `time node what`.",
        epilog="Example: python -m kafkalite scenario leader-dies --seed 7",
    )
    what = scenario.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", metavar="NAME", help="which one; --list names them")
    what.add_argument("--list", action="store_true", help="name all scenarios, with what each shows")
    scenario.add_argument("--seed", type=int, default=1, metavar="N", help="another run of the same story (default: 1)")
    scenario.add_argument("--details", action="store_true", help="tell of every batch and every watermark, too")
    scenario.set_defaults(run=_scenario)
    return parser


def _scenario(options: argparse.Namespace) -> int:
    from kafkalite.sim.scenarios import catalogue  # noqa: PLC0415 - `--help` need not load a cluster
    from kafkalite.sim.stage import ClaimFailed, Stage  # noqa: PLC0415

    scenarios = catalogue()
    if options.list:
        width = max(map(len, scenarios), default=0)
        for scenario in scenarios.values():
            print(f"{scenario.name:{width}}  {' '.join(scenario.claims):8}  {scenario.sentence}")
        return 0
    if options.name not in scenarios:
        print(f"There is no scenario {options.name!r}; there are: {', '.join(scenarios)}", file=sys.stderr)
        return 2
    scenario = scenarios[options.name]
    print(f"{scenario.name} (seed {options.seed}): {scenario.sentence}")
    try:
        scenario.play(Stage(options.seed, print, details=options.details))
    except ClaimFailed as failure:
        print(f"\n✗ {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
