"""E16: kill the grader by its number, the parent, the group, and everyone."""

import os
import signal
import sys
from pathlib import Path

if not Path("/image").is_dir():
    raise SystemExit("this is for a box only: outside it does harm")

signal.signal(signal.SIGTERM, signal.SIG_IGN)
for target, number in ((int(sys.argv[1]), signal.SIGKILL), (os.getppid(), signal.SIGKILL), (0, signal.SIGTERM)):
    try:
        os.kill(target, number)
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
try:
    os.kill(-1, signal.SIGKILL)
except OSError as error:
    os.write(2, f"refused: {error}\n".encode())
os.write(2, b"done\n")
