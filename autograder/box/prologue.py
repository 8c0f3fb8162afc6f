"""The first code that runs in a box: it takes away what the box must not have, then runs the worker script.

It runs inside the box, before any untrusted byte is read, and it is the box that starts it, so no worker can forget
it. It imports nothing but the standard library, and of that only what starts quickly: every box pays for it.

    python prologue.py memory_bytes=536870912,cpu_s=10,... /image/worker.py [argument ...]

Left out: what the backend does from outside (namespaces, mounts, system call filter, wall clock).
"""

import os
import resource
import sys
from types import ModuleType

READY = b"\n"
"""Written to stdout once everything is in force. Whoever started the box reads it off before anyone else reads."""
GO = b"!"
"""Then awaited on stdin: whoever started the box looks at it while it stands still."""
OUT_OF_MEMORY = 86
"""The exit code after a `MemoryError` nobody caught. A courtesy to whoever reads the ending, never a verdict."""


def main() -> None:
    """Enter the box, say so, wait for the word, become the script."""
    settings, script, *arguments = sys.argv[1:]
    enter({name: int(value) for name, _, value in (setting.partition("=") for setting in settings.split(","))})
    os.write(1, READY)
    if os.read(0, len(GO)) != GO:
        sys.exit("the grader is gone")
    try:
        run(script, arguments)
    except MemoryError:
        os.write(2, b"MemoryError: the memory limit of the box was reached\n")
        os._exit(OUT_OF_MEMORY)


def enter(settings: dict[str, int]) -> None:
    """Put every limit in force for this process and whatever it starts; there is no way back.

    Raises OSError or ValueError if one cannot be put in force: the box must not go on without it.
    """
    os.closerange(3, 1 << 16)  # nobody hands us a descriptor above stderr; if one slipped through, it ends here
    if settings["die_with_parent"]:
        _die_with_parent()
    # Past the soft limit SIGXCPU, which can be ignored; a second later SIGKILL, which cannot.
    resource.setrlimit(resource.RLIMIT_CPU, (settings["cpu_s"], settings["cpu_s"] + 1))
    hard = {
        resource.RLIMIT_AS: settings["memory_bytes"],
        resource.RLIMIT_FSIZE: settings["file_bytes"],
        resource.RLIMIT_NOFILE: settings["open_files"],
        resource.RLIMIT_CORE: 0,  # a core file would write the box's memory to disk
        resource.RLIMIT_MEMLOCK: 0,
    }
    if settings["tasks"]:
        hard[resource.RLIMIT_NPROC] = settings["tasks"]
    if sys.platform == "linux":
        hard[resource.RLIMIT_MSGQUEUE] = 0
    for limit, value in hard.items():
        resource.setrlimit(limit, (value, value))
    if settings["uid"]:
        _become(settings["uid"])


def run(script: str, arguments: list[str]) -> None:
    """Run the file `script` as `__main__`, with its own folder first on the import path."""
    sys.argv = [script, *arguments]
    sys.path.insert(0, os.path.dirname(script))  # noqa: PTH120  (pathlib alone would double the start-up time)
    module = ModuleType("__main__")
    module.__file__ = script
    sys.modules["__main__"] = module
    with open(script, "rb") as file:  # noqa: PTH123
        code = compile(file.read(), script, "exec")
    exec(code, module.__dict__)  # noqa: S102  (running that script is what the box is for)


def _become(uid: int) -> None:
    """Leave root for good. The kernel clears every capability when the last uid of 0 goes."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    try:
        os.setuid(0)
    except PermissionError:
        return
    raise PermissionError(f"became uid {uid}, and could become root again")


def _die_with_parent() -> None:
    """SIGKILL for this process when the grader dies, and no new privileges: for a box with nothing around it."""
    import ctypes  # noqa: PLC0415  (4 ms that a real box need not pay: there, bubblewrap does this)

    set_parent_death_signal, set_no_new_privileges, sigkill = 1, 38, 9
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((set_parent_death_signal, sigkill), (set_no_new_privileges, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


if __name__ == "__main__":
    main()
