"""Ask the kernel for what a learner never needs, by number, past everything Python would check first."""

import ctypes
import errno
import os
import platform
from pathlib import Path

if not Path("/image").is_dir():
    raise SystemExit("this is for a box only: outside it does harm")

libc = ctypes.CDLL(None, use_errno=True)
X86_64 = {
    "fork": 57, "vfork": 58, "ptrace": 101, "unshare": 272, "setns": 308, "mount": 165, "umount2": 166,
    "pivot_root": 155, "chroot": 161, "keyctl": 250, "add_key": 248, "bpf": 321, "userfaultfd": 323,
    "perf_event_open": 298, "kexec_load": 246, "init_module": 175, "finit_module": 313, "open_by_handle_at": 304,
    "process_vm_readv": 310, "personality": 135, "memfd_create": 319, "shmget": 29, "semget": 64, "msgget": 68,
    "socket": 41, "socketpair": 53, "syslog": 103, "swapon": 167, "reboot": 169, "sethostname": 170,
}  # fmt: skip
AARCH64 = {
    "ptrace": 117, "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
    "keyctl": 219, "add_key": 217, "bpf": 280, "userfaultfd": 282, "perf_event_open": 241, "kexec_load": 104,
    "init_module": 105, "finit_module": 273, "open_by_handle_at": 265, "process_vm_readv": 270, "personality": 92,
    "memfd_create": 279, "shmget": 194, "semget": 190, "msgget": 186, "socket": 198, "socketpair": 199,
    "syslog": 116, "swapon": 224, "reboot": 142, "sethostname": 161,
}  # fmt: skip
EVERYWHERE = {
    "pidfd_getfd": 438, "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fspick": 433,
    "pidfd_open": 434, "mount_setattr": 442, "memfd_secret": 447, "statmount": 457, "listmount": 458,
}  # fmt: skip

calls = {**(X86_64 if platform.machine() == "x86_64" else AARCH64), **EVERYWHERE}
for name, number in calls.items():
    result = libc.syscall(number, 0, 0, 0, 0, 0)
    if result == 0 and name in ("fork", "vfork"):
        os._exit(0)
    if result != -1 or ctypes.get_errno() != errno.EPERM:
        os.write(2, f"GOT {name}: {result}, errno {ctypes.get_errno()}\n".encode())
if libc.syscall(435, 0, 0) != -1 or ctypes.get_errno() != errno.ENOSYS:
    os.write(2, b"GOT clone3\n")
os.write(2, b"done\n")
