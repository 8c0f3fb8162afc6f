"""The client of docs/beyond-one-machine.md, in a process of its own: all it is told is an address."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "docs" / "trucks.py"
TOLD = """\
the dashboard reads 12 records
  truck-1: kilometre 0, kilometre 1, kilometre 2, kilometre 3
  truck-2: kilometre 0, kilometre 1, kilometre 2, kilometre 3
  truck-3: kilometre 0, kilometre 1, kilometre 2, kilometre 3
it goes on from where it was 6 records
  truck-1: kilometre 4, kilometre 5
  truck-2: kilometre 4, kilometre 5
  truck-3: kilometre 4, kilometre 5
"""


def trucks(bootstrap: str) -> str:
    """What it prints, or how it failed."""
    ran = subprocess.run(
        [sys.executable, str(PROGRAM), bootstrap], capture_output=True, text=True, timeout=300, check=False
    )
    return ran.stdout if ran.returncode == 0 else ran.stderr
