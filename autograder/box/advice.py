"""What to do when bubblewrap does not work here: from its message and this machine's settings to a sentence."""

from __future__ import annotations

from pathlib import Path

NOT_LINUX = "grading needs Linux so far: use a Linux container or virtual machine (on Windows, WSL)"
NOT_INSTALLED = (
    "bubblewrap is not installed: apt-get install bubblewrap (Debian, Ubuntu) or dnf install bubblewrap (Fedora)"
)
IN_DOCKER = (
    "this container may not make namespaces: start it with --cap-add SYS_ADMIN --security-opt seccomp=unconfined "
    "--security-opt apparmor=unconfined --security-opt systempaths=unconfined, or grade outside it"
)
UBUNTU = (
    "AppArmor keeps programs from making user namespaces: allow it for bubblewrap with a profile in "
    "/etc/apparmor.d/bwrap (profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }), or for all with "
    "sysctl kernel.apparmor_restrict_unprivileged_userns=0"
)
SWITCHES = {
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": ("1", UBUNTU),
    "/proc/sys/kernel/unprivileged_userns_clone": (
        "0",
        "users may not make namespaces: sysctl kernel.unprivileged_userns_clone=1",
    ),
    "/proc/sys/user/max_user_namespaces": (
        "0",
        "users may not make namespaces: sysctl user.max_user_namespaces=15000",
    ),
}
"""Settings that stop bubblewrap: file -> (the value that stops it, what to do)."""
REFUSALS = (
    "namespace",
    "uid map",
    "gid map",
    "RTM_NEWADDR",
    "Failed to make / slave",
    "mount proc",
    "Operation not permitted",
)
"""What bubblewrap says when the machine, and not its command line, is the trouble."""
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def too_old(program: str, missing: list[str]) -> str:
    """For a bubblewrap without options the box needs."""
    return f"{program} has no {', '.join(missing)}: bubblewrap 0.7 or newer is needed (Debian 12, Ubuntu 24.04)"


def explain(failure: str, root: Path = Path("/")) -> str:
    """What bubblewrap said and, if it was refused a namespace, what on this machine may be behind it.

    `root` is where the settings of the machine are read.
    """
    remedies = _remedies(root) if any(word in failure for word in REFUSALS) else []
    return "; ".join([f"bubblewrap does not work here ({failure})", *remedies])


def _remedies(root: Path) -> list[str]:
    found = []
    for name, (bad, remedy) in SWITCHES.items():
        file = root / name.lstrip("/")
        if file.is_file() and file.read_text().strip() == bad:
            found.append(remedy)
    if any((root / mark.lstrip("/")).exists() for mark in CONTAINER_MARKS):
        found.append(IN_DOCKER)
    return found
