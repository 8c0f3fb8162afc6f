"""E09: read a file of the teacher through a link, soft and hard."""

import os
import sys
from pathlib import Path

for make in (os.symlink, os.link):
    try:
        make(sys.argv[1], f"/tmp/{make.__name__}")
        os.write(2, b"GOT " + Path(f"/tmp/{make.__name__}").read_bytes() + b"\n")
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
os.write(2, b"done\n")
