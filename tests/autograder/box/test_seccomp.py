"""The system call filter, run on paper: for both kinds of machine, on either."""

from __future__ import annotations

import errno
import struct
from typing import Any

import pytest

from autograder.box.seccomp import (
    CLONE_THREAD,
    DENIED,
    NEWER,
    UNKNOWN,
    SeccompUnavailable,
    compile_filter,
    library,
)

try:
    seccomp: Any = library()
except SeccompUnavailable as error:
    pytest.skip(str(error), allow_module_level=True)

ARCHES = {"x86_64": seccomp.Arch.X86_64, "aarch64": seccomp.Arch.AARCH64}
ALLOW, KILL, EPERM, ENOSYS = seccomp.ALLOW, seccomp.KILL, seccomp.ERRNO(errno.EPERM), seccomp.ERRNO(errno.ENOSYS)
NEEDED = (
    *("read", "write", "openat", "close", "mmap", "munmap", "brk", "futex", "exit_group"),
    *("execve", "kill", "getrandom", "setresuid", "setgroups", "prctl"),
)


class Kernel:
    """Judges system calls as the kernel would, by running the filter on them (see bpf(4), `struct seccomp_data`)."""

    def __init__(self, machine: str) -> None:
        self._arch = ARCHES[machine]
        self._is_native = self._arch == seccomp.system_arch()
        program = compile_filter(seccomp, self._arch)
        self._program = list(struct.iter_unpack("<HBBI", program))

    def number(self, name: str) -> int:
        """The number of the call on this machine; negative if it has none, or none that libseccomp could translate."""
        found: int = seccomp.resolve_syscall(self._arch, name)
        return NEWER[name] if found == UNKNOWN and self._is_native else found

    def verdict(self, call: str | int, *arguments: int, arch: int | None = None) -> int:
        number = self.number(call) if isinstance(call, str) else call
        padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
        return self._run(struct.pack("<IIQ6Q", number, self._arch if arch is None else arch, 0, *padded))

    def _run(self, data: bytes) -> int:
        accumulator = at = 0
        while True:
            code, if_true, if_false, k = self._program[at]
            at += 1
            if code == 0x20:  # load a word
                (accumulator,) = struct.unpack_from("<I", data, k)
            elif code == 0x54:  # and
                accumulator &= k
            elif code == 0x06:  # return
                return int(k)
            elif code == 0x05:  # jump
                at += k
            else:
                holds = {0x15: accumulator == k, 0x25: accumulator > k, 0x35: accumulator >= k, 0x45: accumulator & k}
                at += if_true if holds[code] else if_false


KERNELS = {machine: Kernel(machine) for machine in ARCHES}
THEIRS = [
    pytest.param(kernel, name, id=f"{machine}-{name}")
    for machine, kernel in KERNELS.items()
    for name in " ".join(DENIED.values()).split()
    if kernel.number(name) >= 0
]
"""Each denied call with the machines that have it."""


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return KERNELS[request.param]


@pytest.mark.parametrize(("kernel", "name"), THEIRS)
def test_a_denied_call_is_refused(kernel: Kernel, name: str) -> None:
    assert EPERM == kernel.verdict(name)


@pytest.mark.parametrize("name", NEEDED)
def test_what_python_lives_on_is_allowed(name: str, kernel: Kernel) -> None:
    assert ALLOW == kernel.verdict(name)


def test_a_thread_may_be_made(kernel: Kernel) -> None:
    assert ALLOW == kernel.verdict("clone", CLONE_THREAD | 0x003D0F00 & ~0x02000000)


@pytest.mark.parametrize("flags", [0, 17, 0x4111, 0x10000000, CLONE_THREAD | 0x10000000, CLONE_THREAD | 0x40000000])
def test_a_process_or_a_namespace_may_not_be_made(flags: int, kernel: Kernel) -> None:
    assert EPERM == kernel.verdict("clone", flags)


def test_clone3_is_said_to_be_absent_so_that_libc_falls_back(kernel: Kernel) -> None:
    assert ENOSYS == kernel.verdict("clone3")


@pytest.mark.parametrize("request_number", [0x5412, 0x541C, 0x1234567800005412])
def test_nobody_types_into_the_teachers_terminal(request_number: int, kernel: Kernel) -> None:
    """The kernel looks at the lower half of the number only, so the filter must not be fooled by the upper."""
    assert EPERM == kernel.verdict("ioctl", 0, request_number)
    assert ALLOW == kernel.verdict("ioctl", 0, 0x5401)


def test_the_tables_of_another_machine_are_death(kernel: Kernel) -> None:
    assert KILL == kernel.verdict("read", arch=seccomp.Arch.X86)


def test_the_x32_table_is_death() -> None:
    assert KILL == KERNELS["x86_64"].verdict(0x40000000 | 41)
