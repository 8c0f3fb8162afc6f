"""R13 with one file that is all hole: larger than the limit on one file allows."""

import os
from pathlib import Path

with Path("/tmp/sparse").open("wb") as file:
    try:
        os.ftruncate(file.fileno(), 1 << 40)
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
    else:
        os.write(2, b"GOT a file of a tebibyte\n")
os.write(2, b"done\n")
