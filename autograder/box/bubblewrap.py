"""The box made of namespaces: bubblewrap, a system call filter, and the prologue's limits.

Two ways in, for two kinds of grader:

* an ordinary user: bubblewrap makes a user namespace, and in it the box has no capability at all;
* root (a CI container): no user namespace, because there root stays the real root, who may write to /proc/sys whatever
  its capabilities. The box keeps CAP_SETUID and CAP_SETGID only, and the prologue uses them to become a user that
  exists nowhere else. The uid is new for each box, because the kernel counts RLIMIT_NPROC for each uid.

Left out: control groups. One process a box, with its address space limited, needs none.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.box import advice, prologue
from autograder.box.backend import script_path
from autograder.box.boxed import Boxed, BoxFailed, Launch
from autograder.box.interpreter import ENVIRONMENT, FLAGS, Interpreter, this_interpreter
from autograder.box.limits import Limits
from autograder.box.seccomp import SeccompUnavailable, compiled_filter
from autograder.box.settings import prologue_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGE, PROLOGUE = "/image", "/prologue.py"
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

ISOLATED = (
    *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--die-with-parent", "--new-session", "--clearenv", "--hostname", "box", "--cap-drop", "ALL"),
)
AS_ROOT = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
AS_USER = ("--unshare-user",)

UNUSED_UIDS = range(0x70000000, 0x7FFFFFFF)
"""Assigned to nobody: by systemd's list of uid ranges the last block below the reserved ones."""
NEEDED_OPTIONS = ("--size", "--perms", "--ro-bind-data", "--seccomp")
TRIAL = "import json, re, threading; threading.Thread(target=json.loads, args=('1',)).start()"
TRIAL_LIMITS = Limits(cpu_s=10, wall_s=20.0)


class Bubblewrap:
    """Boxes by bubblewrap 0.7 or newer, as root or as an ordinary user."""

    name = "bubblewrap"

    def start(self, argv: Sequence[str], image: Path, limits: Limits) -> Boxed:
        script = script_path(argv, image)
        uid = unused_uid(Path("/proc/self/uid_map").read_text()) if os.geteuid() == 0 else None
        if uid is not None:
            _check_readable_by_all(image)
        program = shutil.which("bwrap")
        if program is None:
            raise BoxFailed(advice.NOT_INSTALLED)
        data = [_pipe_holding(compiled_filter()), _pipe_holding(Path(prologue.__file__).read_bytes())]
        python = this_interpreter()
        command = (
            program,
            *ISOLATED,
            *(AS_USER if uid is None else AS_ROOT),
            *(word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)),
            *_mounts(python, image, limits, data[1]),
            *("--chdir", "/tmp", "--seccomp", str(data[0]), "--"),  # noqa: S108  (the box's own)
            *(str(python.executable), *FLAGS, PROLOGUE),
            *(prologue_settings(limits, uid=uid or 0), f"{IMAGE}/{script}", *argv[1:]),
        )
        return Boxed(Launch(command, environment={}, lent_fds=tuple(data), has_namespaces=True), limits)

    def problem(self) -> str | None:
        if sys.platform != "linux":
            return advice.NOT_LINUX
        program = shutil.which("bwrap")
        if program is None:
            return advice.NOT_INSTALLED
        options = subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout
        if missing := [option for option in NEEDED_OPTIONS if option not in options]:
            return advice.too_old(program, missing)
        try:
            compiled_filter()
            return _try_it(self)
        except SeccompUnavailable as error:
            return str(error)
        except BoxFailed as error:
            return advice.explain(str(error))


def unused_uid(uid_map: str) -> int | None:
    """A uid that nobody on this machine has, from what /proc/self/uid_map says this process can become.

    None if it can become nobody else: then root is root by name only, and as good as an ordinary user.

    >>> unused_uid("0 1000 1")
    """
    inside = [range(int(first), int(first) + int(count)) for first, _, count in map(str.split, uid_map.splitlines())]
    largest = max(inside, key=len)
    usable = range(max(largest.start, UNUSED_UIDS.start), min(largest.stop, UNUSED_UIDS.stop)) or largest[1:]
    taken = {user.pw_uid for user in pwd.getpwall()}
    while usable:
        uid = usable[-1 - secrets.randbelow((len(usable) + 1) // 2)]  # low ids are where accounts are made
        if uid not in taken:
            return uid
    return None


def _mounts(python: Interpreter, image: Path, limits: Limits, prologue_fd: int) -> list[str]:
    """All the box sees. Folders above a mount are made by hand: as root, bubblewrap would make them private."""
    words = []
    paths = [Path(IMAGE), *python.visible, *(path for _, path in python.links), *map(Path, DEVICES)]
    for folder in dict.fromkeys(parent for path in paths for parent in reversed(path.parents)):
        words += ["--perms", "0755", "--dir", str(folder)]
    for path in python.visible:
        words += ["--ro-bind", str(path), str(path)]
    for target, path in python.links:
        words += ["--symlink", target, str(path)]
    for path in python.hidden:
        words += ["--tmpfs", str(path), "--remount-ro", str(path)]
    for device in DEVICES:
        words += ["--dev-bind", device, device]
    words += ["--perms", "1777", "--size", str(limits.tmp_bytes), "--tmpfs", "/tmp"]  # noqa: S108
    words += ["--ro-bind", str(image.resolve()), IMAGE]
    words += ["--perms", "0444", "--ro-bind-data", str(prologue_fd), PROLOGUE]
    return [*words, "--proc", "/proc", "--remount-ro", "/proc", "--remount-ro", "/"]


def _pipe_holding(data: bytes) -> int:
    """The reading end of a pipe that holds `data` and then ends. Raises BoxFailed if it does not fit into a pipe."""
    read, write = os.pipe()
    try:
        os.set_blocking(write, False)
        if os.write(write, data) == len(data):
            return read
    except BlockingIOError:
        pass
    finally:
        os.close(write)
    os.close(read)
    raise BoxFailed(f"a pipe did not take {len(data)} bytes; see /proc/sys/fs/pipe-user-pages-soft")


def _check_readable_by_all(image: Path) -> None:
    """As root the worker is nobody in particular, who may see in `image` what everybody may."""
    for path in (image, *image.rglob("*")):
        mode = path.stat().st_mode
        needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
        if mode & needed != needed:
            raise ValueError(
                f"{path} has mode {stat.filemode(mode)}; as root, every file of an image must be readable "
                f"by all (chmod -R a+rX {image})"
            )


def _try_it(backend: Bubblewrap) -> str | None:
    """Start a box as it will be used; the import shows that its user can read the standard library."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        image = Path(folder)
        image.chmod(0o755)
        (image / "trial.py").write_text(TRIAL)
        (image / "trial.py").chmod(0o644)
        with backend.start(["trial.py"], image, TRIAL_LIMITS) as box:
            ending = box.wait()
    if ending.exit_code == 0:
        return None
    return f"a sandbox started, but Python did not run in it: {ending.printed.decode(errors='replace').strip()}"
