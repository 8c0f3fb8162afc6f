"""The system calls a box may not make, compiled once to the kernel's filter language.

A learner's Python computes; it needs no network, no other process, no mounts and no kernel features that were young
last year. Everything here answers EPERM, so Python raises `PermissionError` and the worker lives on.

libseccomp (through pyseccomp) knows the numbers for each machine and writes the filter; it also kills whoever calls
through the tables of another machine (32-bit or x32 calls on x86_64), the classic way around a filter.

Left out: a list of what is allowed. It would be stricter, and would break with each new libc and Python; what we rely
on is tried by the doctor on every machine instead.
"""

from __future__ import annotations

import errno
import functools
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

DENIED = {
    # Namespaces keep a box off the network; without sockets it cannot even ask. AF_UNIX too: asyncio does not run.
    "network": "socket socketpair",
    # One process a box, so that its memory limit, which is counted for each process, is the limit of the box.
    "processes": "fork vfork",
    "other processes": "ptrace process_vm_readv process_vm_writev process_madvise pidfd_open pidfd_getfd kcmp",
    "namespaces": "unshare setns",
    "mounts": "mount umount umount2 pivot_root chroot fsopen fsconfig fsmount fspick open_tree move_mount "
    "mount_setattr statmount listmount open_tree_attr",
    "files behind the mounts": "open_by_handle_at name_to_handle_at fanotify_init fanotify_mark quotactl quotactl_fd",
    "keys": "keyctl add_key request_key",
    # Memory that no limit of ours counts: files without a name, and segments that outlive who made them.
    "memory": "memfd_create memfd_secret userfaultfd shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl "
    "semget semop semctl semtimedop mq_open mq_unlink mbind set_mempolicy set_mempolicy_home_node "
    "migrate_pages move_pages remap_file_pages vmsplice",
    "kernel": "bpf io_uring_setup io_uring_enter io_uring_register perf_event_open kexec_load kexec_file_load "
    "init_module finit_module delete_module syslog acct swapon swapoff reboot lookup_dcookie nfsservctl "
    "lsm_set_self_attr personality",
    "clock and host": "settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname vhangup",
    "hardware": "iopl ioperm modify_ldt vm86 vm86old uselib ustat sysfs",
}
"""System calls by what they would give away."""

NEWER = {"statmount": 457, "listmount": 458, "lsm_set_self_attr": 460, "open_tree_attr": 467}
"""Calls younger than the libseccomp of long-lived systems. From 424 on, a call has one number on every machine."""

UNKNOWN = -1
"""libseccomp's number for a name it does not know. A call that only other machines have is some other negative."""

CLONE_THREAD = 0x00010000
CLONE_NEW = (0x00000080, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
"""The flags of clone that make namespaces: time, mount, cgroup, uts, ipc, user, pid, net."""
TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: ioctls that type into the terminal of whoever started the box."""


class SeccompUnavailable(Exception):
    """libseccomp or pyseccomp is missing; the message says what to install."""


@functools.cache
def compiled_filter() -> bytes:
    """The filter for this machine, as `bwrap --seccomp` wants it; compiled once a process (1 ms).

    Raises SeccompUnavailable if pyseccomp or libseccomp is missing.
    """
    return compile_filter(library())


def compile_filter(seccomp: ModuleType, arch: int | None = None) -> bytes:
    """The filter for `arch`, one of `pyseccomp.Arch` (None: this machine's).

    For another machine the calls in `NEWER` are left out where libseccomp has no name for them: it translates by name.
    """
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    is_foreign = arch is not None and arch != seccomp.system_arch()
    if is_foreign:
        rules.add_arch(arch)
        rules.remove_arch(seccomp.system_arch())
    deny = seccomp.ERRNO(errno.EPERM)
    for name in " ".join(DENIED.values()).split():
        number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
        if number != UNKNOWN:
            rules.add_rule(deny, number)
        elif not is_foreign:
            rules.add_rule(deny, NEWER[name])
    for request in TERMINAL_INPUT:
        rules.add_rule(deny, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
    _only_threads(seccomp, rules)
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _only_threads(seccomp: ModuleType, rules: Any) -> None:
    """`clone` makes threads and nothing else.

    `clone3` hides its flags behind a pointer, where no filter can look: it is said to be absent (ENOSYS), and libc
    falls back to `clone`.
    """
    deny = seccomp.ERRNO(errno.EPERM)
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(deny, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    for flag in CLONE_NEW:
        rules.add_rule(deny, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))


def library() -> ModuleType:
    """pyseccomp; raises SeccompUnavailable if it, or the libseccomp behind it, is missing."""
    try:
        import pyseccomp  # noqa: PLC0415  (it looks for the shared library when imported, and raises without it)
    except ImportError:
        raise SeccompUnavailable("the Python package pyseccomp is not installed: pip install pyseccomp") from None
    except RuntimeError:
        raise SeccompUnavailable(
            "libseccomp is not installed: apt-get install libseccomp2 (Debian, Ubuntu) or dnf install libseccomp"
        ) from None
    library: ModuleType = pyseccomp
    return library
