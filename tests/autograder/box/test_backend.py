"""The choice of a sandbox, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.box import BACKENDS, Backend, Bubblewrap, NoWorkingBox, Unsandboxed, advice, best_backend
from autograder.box import bubblewrap as module
from autograder.box.seccomp import SeccompUnavailable

HELP = "#!/bin/sh\nif [ \"$1\" = --help ]; then echo '{options}'; exit 0; fi\necho 'bwrap: {message}' >&2\nexit 1\n"
OPTIONS = "--size --perms --ro-bind-data --seccomp"


def fake_bwrap(folder: Path, monkeypatch: pytest.MonkeyPatch, options: str, message: str) -> None:
    """Put a bubblewrap that only fails first on the path."""
    (folder / "bwrap").write_text(HELP.format(options=options, message=message))
    (folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_best_sandbox_is_one_that_was_tried(backend: Backend) -> None:
    assert backend.problem() is None


def test_no_sandbox_is_never_chosen() -> None:
    assert Unsandboxed not in BACKENDS


def test_without_bubblewrap_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoWorkingBox, match="apt-get install bubblewrap"):
        best_backend()


def test_an_old_bubblewrap_is_told_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_bwrap(tmp_path, monkeypatch, "--perms --ro-bind-data --seccomp", "")

    with pytest.raises(NoWorkingBox, match=r"has no --size: bubblewrap 0\.7 or newer"):
        best_backend()


def test_a_bubblewrap_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_bwrap(tmp_path, monkeypatch, OPTIONS, "setting up uid map: Permission denied")

    with pytest.raises(NoWorkingBox, match="setting up uid map: Permission denied"):
        best_backend()


def test_without_libseccomp_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, backend: Backend) -> None:
    def missing() -> bytes:
        raise SeccompUnavailable("libseccomp is not installed")

    monkeypatch.setattr(module, "compiled_filter", missing)

    assert Bubblewrap().problem() == "libseccomp is not installed", backend.name


def machine(root: Path, settings: dict[str, str]) -> Path:
    """A machine with these files."""
    for name, text in settings.items():
        file = root / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"}, advice.UBUNTU),
        ({"/proc/sys/kernel/unprivileged_userns_clone": "0\n"}, "sysctl kernel.unprivileged_userns_clone=1"),
        ({"/proc/sys/user/max_user_namespaces": "0\n"}, "sysctl user.max_user_namespaces=15000"),
        ({"/.dockerenv": ""}, advice.IN_DOCKER),
        ({"/run/.containerenv": ""}, advice.IN_DOCKER),
    ],
)
def test_a_refused_namespace_is_explained_by_the_settings_of_the_machine(
    settings: dict[str, str], remedy: str, tmp_path: Path
) -> None:
    said = advice.explain("bwrap: setting up uid map: Permission denied", machine(tmp_path, settings))

    assert said.startswith("bubblewrap does not work here (bwrap: setting up uid map: Permission denied); ")
    assert remedy in said


def test_settings_that_are_fine_are_not_blamed(tmp_path: Path) -> None:
    fine = machine(
        tmp_path,
        {
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0\n",
            "/proc/sys/user/max_user_namespaces": "63000\n",
        },
    )

    assert "bubblewrap does not work here (setting up uid map)" == advice.explain("setting up uid map", fine)


def test_a_failure_of_another_kind_is_not_blamed_on_the_machine(tmp_path: Path) -> None:
    docker = machine(tmp_path, {"/.dockerenv": ""})

    assert "bubblewrap does not work here (unknown option)" == advice.explain("unknown option", docker)
