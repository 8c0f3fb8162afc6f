"""The fast checksum, where it is installed: for what passes over sockets, the table in Python is the dearest step.

kafkalite needs nothing but Python, so this is looked for by name and done without where it is not found. What it saves
is not small: some sixty seconds of CPU for a gigabyte produced.
"""

from __future__ import annotations

from importlib import import_module

from kafkalite.log.crc import use

PACKAGE = "crc32c"


def use_fast_checksums() -> bool:
    """Let the `crc32c` package compute from now on, in the whole process; False if it is not installed."""
    try:
        found = import_module(PACKAGE)
    except ImportError:
        return False
    use(found.crc32c)
    return True
