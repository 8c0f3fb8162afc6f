"""A cluster of processes: started together, watched, stopped in order.

    with serve(brokers=3, folder=path) as cluster:
        producer = KafkaProducer(bootstrap_servers=cluster.bootstrap)

Each broker and each ZooKeeper server is a process of its own, so that a crash is a crash and none waits for another's
interpreter. Binds loopback unless told otherwise: there is no authentication, so whoever reaches a port may do all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kafkalite.errors import KafkaliteError
from kafkalite.net.own_parts import keep_copy
from kafkalite.net.plan import Process, ServePlan

# glibc gives freed memory back to the system and asks for it again: for buffers of a MB, as many page faults as there
# are pages, which cost more than all the rest of a broker's work. So a process keeps what it has once had, up to this.
KEPT_MEMORY_BYTES = 128 << 20
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(KEPT_MEMORY_BYTES)}

READY_S = 60.0
STOP_S = 15.0


class ServeFailed(KafkaliteError):
    """A process did not begin; the message has what it said last."""


class ServedProcess:
    """One process of a cluster. Its stdout says when it is ready, its stderr goes to a log file beside its folder."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.process, self.folder = process, folder
        self.log_path = folder / f"{process.name}.log"
        self._popen: subprocess.Popen[str] | None = None
        self._answered = threading.Event()  # it is ready, or it is gone
        self._is_ready = False

    @property
    def pid(self) -> int:
        """Of the operating system."""
        assert self._popen is not None, f"{self.process.name} has not been started"
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return None if self._popen is None else self._popen.poll()

    def start(self) -> None:
        """Start it, or start it again after it died, on the same files."""
        if self._popen is not None:
            self._wait(self._popen)
        self._answered.clear()
        self._is_ready = False
        with self.log_path.open("a", encoding="utf-8") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "kafkalite.net.child", str(self.folder / self.process.name)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**ALLOCATOR, **os.environ},
                start_new_session=True,  # Ctrl-C reaches the parent alone, which stops its children in order
            )
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(self.process.to_data()) + "\n")
        self._popen.stdin.flush()
        self._listener = threading.Thread(target=self._listen, args=(self._popen,), daemon=True)
        self._listener.start()

    def _listen(self, popen: subprocess.Popen[str]) -> None:
        assert popen.stdout is not None
        for _ in popen.stdout:
            self._is_ready = True
            self._answered.set()
        self._answered.set()  # it is gone: nobody need wait

    def wait_until_ready(self) -> None:
        """Raises ServeFailed if it died, or is not ready after a minute."""
        if not self._answered.wait(READY_S) or not self._is_ready:
            said = self.log_path.read_text(encoding="utf-8").strip().splitlines()[-1:]
            raise ServeFailed(f"{self.process.name} did not begin; it said: {' '.join(said) or 'nothing'}")

    def kill(self) -> None:
        """As `kill -9`."""
        assert self._popen is not None
        self._popen.kill()
        self._wait(self._popen)

    def begin_to_stop(self) -> None:
        """Ask it to stop in order."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.terminate()

    def wait_until_stopped(self) -> None:
        """Wait for it; after a while it is killed."""
        if self._popen is None:
            return
        try:
            self._wait(self._popen, STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def _wait(self, popen: subprocess.Popen[str], timeout_s: float | None = None) -> None:
        popen.wait(timeout_s)
        self._listener.join()
        for pipe in (popen.stdin, popen.stdout):
            assert pipe is not None
            pipe.close()


class ServedCluster:
    """All processes of a cluster."""

    def __init__(self, plan: ServePlan, folder: Path) -> None:
        """Raises PartsRefused or SettingRefused if the plan has parts or settings that cannot be."""
        self.plan, self.folder = plan, folder
        parts = None if plan.parts is None else str(keep_copy(Path(plan.parts), folder))
        self.processes = {process.name: ServedProcess(process, folder) for process in plan.processes(parts)}

    @property
    def bootstrap(self) -> str:
        """What clients are told."""
        return self.plan.bootstrap

    def start(self) -> None:
        """Start everything and wait until all of it serves. Raises ServeFailed; then nothing is left running."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            for process in self.processes.values():
                process.start()
            for process in self.processes.values():
                process.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Brokers in order, then the ensemble that they need for that."""
        for kind in ("broker", "zookeeper"):
            stopping = [one for one in self.processes.values() if one.process.kind == kind]
            for one in stopping:
                one.begin_to_stop()
            for one in stopping:
                one.wait_until_stopped()

    def died(self) -> dict[str, int]:
        """Which processes are no more, and how they ended."""
        codes = {name: one.exit_code for name, one in self.processes.items()}
        return {name: code for name, code in codes.items() if code is not None}


@contextmanager
def serve(folder: Path | None = None, **plan: int | str | tuple[str, ...] | None) -> Iterator[ServedCluster]:
    """A cluster while the `with` lasts; settings are those of ServePlan. Without a folder, its files go with it."""
    with TemporaryDirectory(prefix="kafkalite-") as temporary:
        cluster = ServedCluster(ServePlan(**plan), folder or Path(temporary))  # type: ignore[arg-type]  # its own types
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
