"""E12: read the environment, memory and open files of every process in sight but ourselves."""

import os
from pathlib import Path

for process in Path("/proc").iterdir():
    if not process.name.isdigit() or int(process.name) == os.getpid():
        continue
    for name in ("environ", "mem", "maps", "auxv", "stack"):
        try:
            found = (process / name).read_bytes()
        except OSError as error:
            os.write(2, f"refused: {error}\n".encode())
        else:
            # The box's own pid 1 started from an empty environment, and its addresses are of no use to anyone.
            if found and name not in ("auxv", "maps"):
                os.write(2, f"GOT {process.name} {name}: {found[:80]!r}\n".encode())
    try:
        links = [str(fd.readlink()) for fd in (process / "fd").iterdir()]
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
    else:
        for link in links:
            if not link.startswith(("pipe:", "/dev/null", "anon_inode:")):
                os.write(2, f"GOT {process.name} fd {link}\n".encode())
os.write(2, b"done\n")
