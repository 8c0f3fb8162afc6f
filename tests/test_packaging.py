"""The wheel, alone in an empty environment, is the whole course; without its dependencies it is the broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "known-to-the-test"
START_SECONDS_MAX = 240  # a cold start on a busy two-core machine takes about ten
KEEP_ENVIRONMENT = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)])
    (made,) = folder.glob("*.whl")
    return made


def run(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    """Run to the end; on failure show what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert 0 == done.returncode, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def install(where: Path, *what: str) -> Path:
    """A fresh environment holding `what` and nothing else; returns the folder of its programs."""
    venv.create(where, with_pip=False)
    programs = where / ("Scripts" if os.name == "nt" else "bin")
    python = programs / ("python.exe" if os.name == "nt" else "python")
    run([sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *what])
    return programs


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """No variable of this test run's Python or Jupyter reaches the installed course."""
    kept = {name: os.environ[name] for name in KEEP_ENVIRONMENT if name in os.environ}
    return {**kept, "HOME": str(home), **more}


def test_the_wheel_holds_the_packages_the_notebooks_and_the_settings_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    released = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}

    assert {"kafkalite", "course", "autograder"} == {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert released == {Path(name).name for name in names if name.startswith("course/notebooks/") and "ipynb" in name}
    assert "course/learner_settings/labconfig/page_config.json" in names
    assert "course/learner_settings/jupyter_server_config.d/kafkalite_course.json" in names
    assert [True] == [name.endswith("LICENSE") for name in names if "/licenses/" in name]


def test_without_dependencies_the_wheel_is_a_broker_that_needs_only_python(wheel: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "alone", "--no-deps", str(wheel))
    everything = (
        "import importlib, pkgutil, kafkalite\n"
        "for found in pkgutil.walk_packages(kafkalite.__path__, 'kafkalite.'):\n"
        "    if not found.name.endswith('__main__'): importlib.import_module(found.name)\n"
        "for name in kafkalite.__all__: getattr(kafkalite, name)\n"
        "from importlib.metadata import distributions\n"
        "print(*sorted(one.name for one in distributions()))"
    )

    printed = run([str(programs / "python"), "-I", "-W", "error", "-c", everything]).stdout

    assert ["kafkalite-course"] == printed.split()


def test_without_dependencies_the_commands_say_what_is_missing(wheel: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "alone", "--no-deps", str(wheel))

    for command in ("course", "autograder"):
        done = subprocess.run([programs / command, "--help"], capture_output=True, text=True, check=False)

        assert (1, "") == (done.returncode, done.stdout)
        assert done.stderr.startswith("The commands need the course's dependencies, and typer is not installed")
        assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)  # downloads and installs everything where nothing is cached
def test_the_wheel_alone_in_an_empty_environment_serves_the_notebooks(wheel: Path, tmp_path: Path) -> None:
    """Installed once, because that is the long part: then every promise about the installed course is checked."""
    programs = install(tmp_path / "empty", "--constraint", str(ROOT / "constraints.txt"), str(wheel))
    released = {path.name: path.read_bytes() for path in (ROOT / "notebooks").glob("*.ipynb")}
    environment = clean_environment(tmp_path / "home")
    folder = tmp_path / "mine"

    for command in ("course", "autograder"):
        assert "Usage:" in run([str(programs / command), "--help"], env=environment).stdout
    run([str(programs / "course"), "learn", str(folder), "--prepare-only"], env=environment, cwd=tmp_path)

    assert released
    assert released == {path.name: path.read_bytes() for path in folder.iterdir()}
    check_jupyterlab(programs, folder, tmp_path)


def check_jupyterlab(programs: Path, folder: Path, tmp_path: Path) -> None:
    """It answers, serves the folder, asks nothing about news, runs this Python's kernel, and stops when told to."""
    plant_a_kernel_of_another_environment(tmp_path / "data")
    with served(programs, folder, tmp_path) as (process, url):
        assert "version" in json.loads(ask(url, "api"))
        content = json.loads(ask(url, "api/contents"))["content"]
        assert {path.name for path in folder.glob("*.ipynb")} == {one["name"] for one in content}

        page = ask(url, "lab").decode()
        assert "@jupyterlab/apputils-extension:announcements" in page.partition('"disabledExtensions"')[2]

        kernel = json.loads(ask(url, "api/kernels", b'{"name": "python3"}'))
        assert "python3" == kernel["name"]
        if sys.platform == "linux":
            assert [str(programs / "python")] == kernel_pythons(process.pid)

        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=240)
        assert 0 == process.returncode, said
    assert [] == [path.name for path in folder.iterdir() if path.name.endswith(".part")]


def plant_a_kernel_of_another_environment(data: Path) -> None:
    """Many people have one: `python -m ipykernel install --user`, run long ago in an environment now gone."""
    spec = data / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = ["/gone/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "old", "language": "python"}))


@contextmanager
def served(programs: Path, folder: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`course learn` running, and its address; it is ended whatever happens inside."""
    environment = clean_environment(
        tmp_path / "home",
        JUPYTER_TOKEN=TOKEN,
        JUPYTER_RUNTIME_DIR=str(tmp_path / "runtime"),
        JUPYTER_DATA_DIR=str(tmp_path / "data"),
    )
    command = [str(programs / "course"), "learn", str(folder), "--no-browser"]
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process, address(process, tmp_path / "runtime")
    finally:
        process.kill()
        process.communicate()


def address(process: subprocess.Popen[str], runtime: Path) -> str:
    """Jupyter writes its address, with the port it really got, before it answers there: wait for the answer."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            url = json.loads((runtime / f"jpserver-{process.pid}.json").read_text())["url"]
            ask(url, "api")
        except (OSError, ValueError, urllib.error.URLError):
            ended = wait_a_little(process)
            assert not ended, f"course learn ended by itself:\n{process.communicate()[0]}"
        else:
            return str(url)
    raise AssertionError(f"JupyterLab did not answer within {START_SECONDS_MAX} s")


def wait_a_little(process: subprocess.Popen[str]) -> bool:
    """True as soon as the process has ended."""
    try:
        process.wait(timeout=0.1)
    except subprocess.TimeoutExpired:
        return False
    return True


def ask(url: str, path: str, data: bytes | None = None) -> bytes:
    """GET, or POST if there is data."""
    request = urllib.request.Request(f"{url}{path}", data=data, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        content: bytes = answer.read()
    return content


def kernel_pythons(pid: int) -> list[str]:
    """The Python of every kernel this process started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = [Path(f"/proc/{child}/cmdline").read_text().split("\0") for child in children]
    return [line[0] for line in lines if "ipykernel_launcher" in line]
