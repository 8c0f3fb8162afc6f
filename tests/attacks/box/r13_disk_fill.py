"""R13: twelve files of 8 MB."""

import os
from pathlib import Path

written = 0
try:
    for number in range(12):
        Path(f"/tmp/{number}").write_bytes(b"x" * (8 << 20))
        written += 8 << 20
except OSError as error:
    os.write(2, f"refused: {error}\n".encode())
if written > 16 << 20:
    os.write(2, f"GOT {written} bytes\n".encode())
os.write(2, b"done\n")
