"""JupyterLab on a learner's folder, in this very process.

JupyterLab is run by calling it, not by starting a second program: Ctrl-C, a closed terminal and the exit code then
work on Linux, macOS and Windows as they do for JupyterLab itself, with no signal to pass on.

What is set for the learner, in `learner_settings/`, which Jupyter reads beside the person's own settings:
- no question about news, and no fetch of them (the announcements plugin is off);
- nbgrader's buttons are off: they are the teacher's, and its Validate says "Success" for half an answer.
The kernel is the Python that runs this, whatever other `python3` kernel the person has installed.

Left out: users, passwords and proxies. Jupyter's own token is kept, and its own configuration files still count.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SETTINGS = Path(__file__).resolve().parent / "learner_settings"


class NoJupyterLab(Exception):
    """JupyterLab is not installed for this Python; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class LabOptions:
    """How JupyterLab is started: `port` None takes Jupyter's own, 8888 or the next free one."""

    folder: Path
    first_page: str = "/lab"
    port: int | None = None
    ip: str | None = None
    open_browser: bool = True


def require_jupyterlab() -> None:
    """Raise NoJupyterLab before anything is laid out, if `serve` could not work."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise NoJupyterLab(
            f"JupyterLab is not installed for {sys.executable}. Install the course with everything it needs: "
            f'"{sys.executable}" -m pip install kafkalite-course'
        )


def arguments(options: LabOptions, *, interactive: bool, root: bool) -> list[str]:
    """JupyterLab's command line. `interactive`: somebody can answer "Shut down?"; `root`: we run as uid 0."""
    given = [
        f"--ServerApp.root_dir={options.folder.resolve()}",
        f"--LabApp.default_url={options.first_page}",
    ]
    if options.port is not None:
        given.append(f"--ServerApp.port={options.port}")
    if options.ip is not None:
        given.append(f"--ServerApp.ip={options.ip}")
    if not options.open_browser:
        given.append("--no-browser")
    if not interactive:
        given.append("--ServerApp.answer_yes=True")  # one interrupt stops it: nobody is there to confirm
    if root:
        given.append("--allow-root")  # in a container root is the usual user, and Jupyter would refuse to start
    return given


def environment(before: dict[str, str]) -> dict[str, str]:
    """What is added to the environment variables `before` so that Jupyter finds our settings and this kernel."""
    earlier = before.get("JUPYTER_CONFIG_PATH")
    return {
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, (earlier, str(SETTINGS)))),
        # Otherwise a `python3` kernel of the user's, made for another environment, would run the notebooks.
        "JUPYTER_PREFER_ENV_PATH": before.get("JUPYTER_PREFER_ENV_PATH", "1"),
    }


def serve(options: LabOptions) -> None:
    """Run JupyterLab until it is stopped. Raises NoJupyterLab if it is not installed."""
    require_jupyterlab()
    os.environ.update(environment(dict(os.environ)))  # before the import: Jupyter reads its paths once
    launch = _launcher()
    launch(arguments(options, interactive=_someone_is_there(), root=_is_root()))


def _launcher() -> Callable[[list[str]], None]:
    from jupyterlab.labapp import main  # noqa: PLC0415 - half a second, and needs the environment above

    launch: Callable[[list[str]], None] = main
    return launch


def _someone_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
