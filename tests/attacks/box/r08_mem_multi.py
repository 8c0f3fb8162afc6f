"""R08: twenty processes, each within the limit of one."""

import os
import signal
from pathlib import Path

if not Path("/image").is_dir():
    raise SystemExit("this is for a box only: outside it does harm")

for _ in range(20):
    try:
        if os.fork() == 0:
            hoard = bytearray(b"x") * (50 << 20)
            signal.pause()
        os.write(2, b"GOT a process\n")
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
os.write(2, b"done\n")
