"""E08: read a file of the teacher by its absolute path, and by the ways around a mount."""

import os
import sys
from pathlib import Path

secret = sys.argv[1]
for way in (secret, f"/proc/1/root{secret}", f"/proc/self/root{secret}", f"../../../..{secret}", "/proc/1/cwd"):
    try:
        found: object = sorted(Path(way).iterdir()) if Path(way).is_dir() else Path(way).read_text()
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
    else:
        if found:  # an empty folder is the box's own
            os.write(2, f"GOT {way}: {found}\n".encode())
os.write(2, b"done\n")
