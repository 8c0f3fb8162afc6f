"""`make memory`: what the processes of a served cluster hold under mixed load, and whether it grows.

    python -m tests.kafkalite.net.memory_command --minutes 10 --sizes 1 3

Exit codes: 0 no process held over 5% more in the last fifth of the time than in the first, after the warm-up; 1 one
did, or died, or a client could not go on.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from .memory import WARM_UP_SHARE, soaked


def main() -> int:
    """Soak a cluster of each size and print what has become of its processes."""
    parser = argparse.ArgumentParser(description="what a served cluster holds in memory under mixed load")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="after the warm-up (default: 10)")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1, 3], metavar="N", help="of clusters, one after the other (1 3)"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep everything there, logs too")
    options = parser.parse_args()
    for chatty in ("kafka", "aiokafka", "kazoo"):  # a rebalance is news to them
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    return max(_soak(size, options.minutes, options.data) for size in options.sizes)


def _soak(size: int, minutes: float, data: Path | None) -> int:
    print(
        f"{size} broker{'s' * (size > 1)}, {size} ZooKeeper server{'s' * (size > 1)}: {minutes:g} minutes after a "
        f"warm-up of {minutes * WARM_UP_SHARE:g}; medians of the first and the last fifth",
        flush=True,
    )
    with TemporaryDirectory(prefix="memory-") as temporary:
        folder = Path(temporary) if data is None else data / f"of-{size}"
        with soaked(folder, brokers=size, zookeepers=size) as one:
            found = one.run(minutes * 60, _progress)
    _progress("")
    for growth in found:
        print(growth)
    print(", ".join(f"{name}: {count:,}" for name, count in one.load.steps.items()))
    print("\n".join(one.load.troubles) or "no client had trouble", flush=True)
    return 1 if one.load.troubles or any(growth.is_too_much for growth in found) else 0


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{line:<120}\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
