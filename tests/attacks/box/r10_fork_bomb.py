"""R10: sixty processes, by each of the ways Python has."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

if not Path("/image").is_dir():
    raise SystemExit("this is for a box only: outside it does harm")

for _ in range(60):
    try:
        if os.fork() == 0:
            signal.pause()
        os.write(2, b"GOT a process by fork\n")
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
for way in (
    lambda: subprocess.run([sys.executable, "-c", ""], check=False).returncode,
    lambda: 0 * os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {}),
    lambda: os.system("true"),
    lambda: multiprocessing.get_context("spawn").Process(target=print).start(),
):
    try:
        status = way()
        os.write(2, f"GOT a process: {status}\n".encode() if status in (None, 0) else b"refused\n")
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
os.write(2, b"done\n")
