"""`make crash`: rounds of kill -9 under load, a line for each, and what has become of the records in the end.

    python -m tests.kafkalite.net.crash_command --rounds 20

Exit codes: 0 nothing was harmed, and every round's first write was acknowledged within the session timeout and 1 s.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from .crashes import crashes, verdict

MARGIN_MS = 1000.0  # after the session timeout


def main() -> int:
    """Play the rounds and print a line for each; 0 if nothing was harmed and all times were kept."""
    parser = argparse.ArgumentParser(description="kill -9 in turn, under load")
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="how many kills (default: 20)")
    parser.add_argument(
        "--session-timeout-ms", type=int, default=6000, metavar="MS", help="(default: 6000, as `serve`)"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep everything there, logs too")
    options = parser.parse_args()
    limit_ms = options.session_timeout_ms + MARGIN_MS
    with (
        TemporaryDirectory(prefix="crashes-") as temporary,
        crashes(options.data or Path(temporary), options.session_timeout_ms) as one,
    ):
        kinds = list(one.kinds)
        print("round  killed                             first write  first read  all in sync  acknowledged")
        rounds = []
        for number in range(options.rounds):
            now = one.play(kinds[number % len(kinds)])
            rounds.append(now)
            print(
                f"{number + 1:5}  {now.kind + ' ' + now.victim:<34}{now.first_ack_ms:8,.0f} ms "
                f"{now.first_read_ms:8,.0f} ms  {now.whole_ms:8,.0f} ms {now.acknowledged:13,}",
                flush=True,
            )
        found = verdict(one)
    late = [now for now in rounds if now.first_ack_ms > limit_ms]
    print(f"{found}; again by the group: {sum(one.clients.book.seen.values()) - len(one.clients.book.seen)}")
    print(f"first write after more than the session timeout and 1 s ({limit_ms:,.0f} ms): {len(late)} of {len(rounds)}")
    for trouble in found.troubles:
        print(trouble)
    return 0 if found.is_clean() and not late else 1


if __name__ == "__main__":
    sys.exit(main())
