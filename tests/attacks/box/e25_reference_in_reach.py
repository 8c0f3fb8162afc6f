"""Import, or find on disk, what only the grader may have."""

import importlib
import os
import sys
from pathlib import Path

for name in ("autograder", "course", "kafkalite", "pyseccomp", "pip", "setuptools", "nbgrader"):
    try:
        importlib.import_module(name)
    except ImportError as error:
        os.write(2, f"refused: {error}\n".encode())
    else:
        os.write(2, f"GOT {name}\n".encode())
for prefix in {sys.base_prefix, sys.base_exec_prefix, "/usr", "/usr/local", "/opt", "/home", "/root", "/srv"}:
    for found in Path(prefix).glob("**/*-packages/*"):
        os.write(2, f"GOT {found}\n".encode())
if Path(sys.argv[1]).exists():
    os.write(2, b"GOT the grader's source\n")
os.write(2, b"done\n")
