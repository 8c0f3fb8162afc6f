"""What one box may use, as data.

Left out: a limit on the machine as a whole. How many boxes run at once is the caller's decision; the worst case of
one box is `memory_bytes` + `tmp_bytes` + `output_bytes`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The most one box may use; what happens past each limit is said beside it.

    Raises ValueError for a limit that is not above zero.
    """

    memory_bytes: int = 512 * MIB
    """Address space. Past it `MemoryError`, or death. The interpreter alone takes about 20 MiB, a thread 8 MiB."""
    cpu_s: int = 10
    """Processor time of all threads together, in whole seconds, as the kernel counts it. Past it the box is killed."""
    wall_s: float = 30.0
    """Time on the clock from the moment the box is ready. Past it the box is killed."""
    output_bytes: int = MIB
    """Text on stdout and stderr that is kept. Past it the box is killed."""
    tmp_bytes: int = 16 * MIB
    """All files in /tmp together. Past it `OSError: [Errno 28] No space left on device`."""
    tmp_files: int = 1024
    """Files and folders in /tmp: a file without a byte still costs the kernel 1 KiB. Past it the box is killed."""
    file_bytes: int = 16 * MIB
    """One file. Past it `OSError: [Errno 27] File too large`."""
    open_files: int = 64
    """File descriptors. Past it `OSError: [Errno 24] Too many open files`."""
    tasks: int = 32
    """Threads and processes together. Past it `RuntimeError: can't start new thread`, or EAGAIN from fork."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f"Limits.{field.name}: expected a number above 0, got {value!r}")
