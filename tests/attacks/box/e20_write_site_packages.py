"""E20: leave code where the next Python would import it."""

import os
import sys
import sysconfig
from pathlib import Path

folders = {
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")),
    *map(Path, sys.path),
    *(
        Path(sys.executable).parent,
        Path("/image"),
        Path("/"),
        Path("/usr"),
        Path("/usr/lib"),
        Path("/etc"),
        Path("/dev"),
    ),
    *(Path(os.__file__).parent / "__pycache__", Path("/proc/self")),
}
for folder in folders:
    for name in ("sitecustomize.py", "evil.pth"):
        try:
            (folder / name).write_text("import os")
        except OSError as error:
            os.write(2, f"refused: {error}\n".encode())
        else:
            os.write(2, f"GOT {folder / name}\n".encode())
os.write(2, b"done\n")
