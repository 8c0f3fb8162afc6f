"""`make test` installs what it needs where it may, and otherwise says in one sentence what to type.

The script runs against programs of our own making, so nothing is installed and every kind of machine can be tried.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "system-packages"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script for Linux and macOS")


class Machine:
    """A PATH with just these programs on it; each call of apt-get is written down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls.txt"
        for name in ("bash", "grep"):
            (folder / name).symlink_to(str(shutil.which(name)))
        self.program("uname", "echo Linux")
        self.program("id", "echo 1000")
        self.program("ldconfig", "echo libseccomp.so.2")
        self.program("kcat", "")

    def program(self, name: str, does: str) -> None:
        (self.folder / name).write_text(f"#!{shutil.which('bash')}\n{does}\n")
        (self.folder / name).chmod(0o755)

    def with_apt(self, exit_code: int = 0) -> None:
        self.program("apt-get", f'echo "$@" >> {self.calls}; exit {exit_code}')

    def with_everything(self) -> None:
        for name in ("chromium", "bwrap"):
            self.program(name, "")

    def run(self) -> subprocess.CompletedProcess[str]:
        command = [str(self.folder / "bash"), str(SCRIPT)]
        return subprocess.run(command, env={"PATH": str(self.folder)}, capture_output=True, text=True, check=False)

    def installed(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_where_everything_is_there_nothing_is_done(machine: Machine) -> None:
    machine.with_everything()
    machine.with_apt()

    assert (0, "", []) == (machine.run().returncode, machine.run().stdout, machine.installed())


def test_root_gets_what_is_missing_and_only_that(machine: Machine) -> None:
    machine.with_apt()
    machine.program("id", "echo 0")
    machine.program("bwrap", "")

    assert 0 == machine.run().returncode
    assert ["update -qq", "install -y -qq --no-install-recommends chromium"] == machine.installed()


def test_sudo_without_a_password_is_used(machine: Machine) -> None:
    machine.with_everything()
    machine.with_apt()
    machine.program("ldconfig", "echo libc.so.6")
    machine.program("sudo", '[[ $2 == true ]] || "${@:2}"')

    assert 0 == machine.run().returncode
    assert ["update -qq", "install -y -qq --no-install-recommends libseccomp2"] == machine.installed()


def test_without_rights_the_command_to_type_is_said(machine: Machine) -> None:
    machine.with_apt()

    done = machine.run()

    assert (1, "The tests need chromium bubblewrap; type: sudo apt-get install chromium bubblewrap\n") == (
        done.returncode,
        done.stderr,
    )
    assert [] == machine.installed()


def test_a_linux_that_is_not_like_debian_is_told_what_is_needed(machine: Machine) -> None:
    done = machine.run()

    assert 1 == done.returncode
    assert "chromium bubblewrap (Debian's names)" in done.stderr


def test_a_mac_needs_only_a_browser(machine: Machine) -> None:
    machine.program("uname", "echo Darwin")

    without = machine.run()
    machine.program("google-chrome", "")
    having = machine.run()

    assert (1, 0) == (without.returncode, having.returncode)
    assert "Chromium or Chrome" in without.stderr


def test_a_failed_installation_is_not_passed_over(machine: Machine) -> None:
    machine.with_apt(exit_code=100)
    machine.program("id", "echo 0")

    assert 100 == machine.run().returncode
