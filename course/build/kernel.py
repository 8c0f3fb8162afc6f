"""A notebook run from top to bottom in a fresh kernel, as "Restart and run all" does, or as nbgrader does.

The kernel is this very Python and sees what this process can import; a `python3` kernel that somebody installed for
another environment is not used. It has no history and no start-up files.
"""

from __future__ import annotations

import copy
import os
import sys
import tempfile
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

CELL_S = 120  # a check of an endless answer ends long before; above that a cell hangs


class KernelFailed(Exception):
    """The notebook could not be run to its end; the message says why."""


def run_all(notebook: NotebookNode) -> NotebookNode:
    """A copy of the notebook with the outputs of a run in which an error stops nothing.

    Raises KernelFailed, and KeyboardInterrupt when interrupted, with the kernel ended.
    """
    ran = copy.deepcopy(notebook)
    with tempfile.TemporaryDirectory(prefix="kl") as folder:
        client = NotebookClient(
            ran,
            km=_manager(folder),
            timeout=CELL_S,
            allow_errors=True,
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
        )
        try:
            with (Path(folder) / "kernel.log").open("wb") as said:  # what a kernel says about itself
                client.execute(env=_environment(folder), stdout=said, stderr=said, cleanup_kc=True)
        except Exception as error:  # noqa: BLE001 - told apart below, and raised again
            raise _told(client, error, Path(folder) / "kernel.log") from None
    return ran


def _told(client: NotebookClient, error: Exception, log: Path) -> BaseException:
    """What to raise for what nbclient raised."""
    if getattr(client, "_async_cleanup_kernel_future", None) is not None:
        return KeyboardInterrupt()  # nbclient takes Ctrl-C for itself, and ends in whatever comes of it
    if isinstance(error, CellTimeoutError):
        return KernelFailed(f"a cell was not done after {CELL_S} s: {str(error).splitlines()[0]}")
    if isinstance(error, DeadKernelError):
        said = log.read_text(encoding="utf-8", errors="replace")[-300:].strip()
        return KernelFailed(f"the kernel died: {error} {said}".strip())
    return error


def _manager(folder: str) -> AsyncKernelManager:
    # Sockets in the folder where there are any: ports may be taken by another run before the kernel gets to them.
    where = {"transport": "ipc", "ip": f"{folder}/k"} if os.name == "posix" else {}
    return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), **where)


def _environment(folder: str) -> dict[str, str]:
    seen = [path or os.getcwd() for path in sys.path]  # noqa: PTH109 - as `sys.path` means it
    return {**os.environ, "PYTHONPATH": os.pathsep.join(seen), "IPYTHONDIR": folder}
