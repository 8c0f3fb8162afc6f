"""Become somebody else, get limits or capabilities back, change the kernel's settings."""

import ctypes
import os
import resource
from collections.abc import Callable
from pathlib import Path

if not Path("/image").is_dir():
    raise SystemExit("this is for a box only: outside it does harm")

libc = ctypes.CDLL(None, use_errno=True)
everything = resource.RLIM_INFINITY


def capset() -> None:
    """Ask for every capability there is."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)(0xFFFFFFFF, 0xFFFFFFFF, 0, 0x1FF, 0x1FF, 0)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")


WAYS: dict[str, Callable[[], object]] = {
    "uid 0": lambda: os.setuid(0),
    "gid 0": lambda: os.setgid(0),
    "groups": lambda: os.setgroups([0]),
    "capabilities": capset,
    "memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (everything, everything)),
    "processor time": lambda: resource.setrlimit(resource.RLIMIT_CPU, (everything, everything)),
    "tasks": lambda: resource.setrlimit(resource.RLIMIT_NPROC, (everything, everything)),
    "niceness": lambda: os.nice(-5),
    "core pattern": lambda: Path("/proc/sys/kernel/core_pattern").write_text("|/bin/sh"),
    "drop caches": lambda: Path("/proc/sys/vm/drop_caches").write_text("1"),
    "oom score": lambda: Path("/proc/self/oom_score_adj").write_text("-1000"),
    "uid map": lambda: Path("/proc/self/uid_map").write_text("0 0 1"),
    "a device": lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(254, 0)),
}
for name, way in WAYS.items():
    try:
        way()
    except (OSError, ValueError) as error:
        os.write(2, f"refused {name}: {error}\n".encode())
    else:
        os.write(2, f"GOT {name}\n".encode())
os.write(2, b"done\n")
