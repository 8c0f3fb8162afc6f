"""The life of a box: from ready to gone."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.box import Backend, Boxed, BoxFailed, Limits, Outcome, Unsandboxed, pidfd
from autograder.box.scene import processes_with

from .conftest import ImageOf

QUICK = Limits(cpu_s=5, wall_s=120.0)
PATIENCE_S = 60.0
ECHO = "import os\nwhile line := os.read(0, 100): os.write(1, b'<' + line + b'>')\n"
HANG = "import signal\nsignal.pause()\n"
GRADER = """
import sys
from pathlib import Path
from autograder.box import Limits, best_backend
box = best_backend().start(["worker.py", sys.argv[2]], Path(sys.argv[1]), Limits(wall_s=300.0))
print("started", flush=True)
input()
"""


def read(box: Boxed) -> bytes:
    """What the worker answers, or b"" if nothing comes in a minute."""
    ready, _, _ = select.select([box.replies], [], [], PATIENCE_S)
    return os.read(box.replies, 100) if ready else b""


def is_gone(mark: str) -> bool:
    """Whether no process with `mark` is left, or those that are dying are dead within a minute."""
    for pid in processes_with(mark):
        with contextlib.suppress(ProcessLookupError):
            fd = pidfd.hold(pid)
            pidfd.wait_readable(fd, PATIENCE_S)
            os.close(fd)
    return not processes_with(mark)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_written_to_requests_is_the_workers_stdin_and_its_stdout_is_replies(
    backend: Backend, image_of: ImageOf
) -> None:
    with backend.start(["worker.py"], image_of(ECHO), QUICK) as box:
        os.write(box.requests, b"one")

        assert b"<one>" == read(box)


def test_closing_requests_lets_the_worker_go(backend: Backend, image_of: ImageOf) -> None:
    with backend.start(["worker.py"], image_of("import os, sys\nwhile os.read(0, 1): pass\nsys.exit(3)"), QUICK) as box:
        box.close_requests()
        ending = box.wait()

    assert (Outcome.EXITED, 3, None) == (ending.outcome, ending.exit_code, ending.signal)


def test_replies_written_before_the_end_can_be_read_after_it(backend: Backend, image_of: ImageOf) -> None:
    with backend.start(["worker.py"], image_of("import os\nos.write(1, b'last words')"), QUICK) as box:
        box.wait()

        assert b"last words" == read(box)


def test_everything_printed_is_kept(backend: Backend, image_of: ImageOf) -> None:
    with backend.start(["worker.py"], image_of("import sys\nprint('wörter', file=sys.stderr)"), QUICK) as box:
        ending = box.wait()

    assert "wörter\n".encode() == ending.printed == box.printed


def test_the_worker_is_told_its_arguments(backend: Backend, image_of: ImageOf) -> None:
    source = "import sys\nprint(*sys.argv, __name__, __file__, file=sys.stderr)"
    with backend.start(["worker.py", "a b", "-c"], image_of(source), QUICK) as box:
        ending = box.wait()

    assert b"/image/worker.py a b -c __main__ /image/worker.py\n" == ending.printed


def test_a_worker_imports_its_neighbours(backend: Backend, image_of: ImageOf) -> None:
    image = image_of("import neighbour, sys\nprint(neighbour.VALUE, file=sys.stderr)")
    (image / "neighbour.py").write_text("VALUE = 7")
    (image / "neighbour.py").chmod(0o644)

    with backend.start(["worker.py"], image, QUICK) as box:
        assert b"7\n" == box.wait().printed


def test_hashes_of_strings_are_the_same_in_every_box(backend: Backend, image_of: ImageOf) -> None:
    """Or the order of a set, and with it a score, would change from day to day."""
    image = image_of("import sys\nprint(hash('kafka'), file=sys.stderr)")
    seen = set()
    for _ in range(3):
        with backend.start(["worker.py"], image, QUICK) as box:
            seen.add(box.wait().printed)

    assert 1 == len(seen)


def test_the_environment_of_the_grader_is_not_in_the_box(
    backend: Backend, image_of: ImageOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_SECRET", "s3cret")
    with backend.start(
        ["worker.py"], image_of("import os, sys\nprint(dict(os.environ), file=sys.stderr)"), QUICK
    ) as box:
        ending = box.wait()

    assert b"PYTHONHASHSEED" in ending.printed
    assert b"s3cret" not in ending.printed


def test_limits_are_in_force_before_the_worker_runs(backend: Backend, image_of: ImageOf) -> None:
    limits = Limits(memory_bytes=300 << 20, cpu_s=7, file_bytes=1000, open_files=50, tasks=20)
    source = (
        "import resource as r, sys\n"
        "print(*[r.getrlimit(n) for n in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_NPROC,"
        " r.RLIMIT_CORE)], file=sys.stderr)"
    )
    with backend.start(["worker.py"], image_of(source), limits) as box:
        ending = box.wait()

    expected = [(300 << 20, 300 << 20), (7, 8), (1000, 1000), (50, 50), (20, 20), (0, 0)]
    assert " ".join(map(str, expected)) == ending.printed.decode().strip()


def test_a_memory_error_nobody_catches_ends_as_memory(backend: Backend, image_of: ImageOf) -> None:
    with backend.start(["worker.py"], image_of("bytearray(1 << 40)"), QUICK) as box:
        assert Outcome.MEMORY == box.wait().outcome


def test_other_errors_nobody_catches_are_an_exit_with_a_traceback(backend: Backend, image_of: ImageOf) -> None:
    with backend.start(["worker.py"], image_of("1 / 0"), QUICK) as box:
        ending = box.wait()

    assert (Outcome.EXITED, 1) == (ending.outcome, ending.exit_code)
    assert b"ZeroDivisionError" in ending.printed


def test_a_signal_is_told_as_a_crash(backend: Backend, image_of: ImageOf) -> None:
    with backend.start(["worker.py"], image_of("import os\nos.abort()"), QUICK) as box:
        ending = box.wait()

    assert (Outcome.CRASH, None, signal.SIGABRT) == (ending.outcome, ending.exit_code, ending.signal)


def test_waiting_no_longer_than_asked_ends_the_box(backend: Backend, image_of: ImageOf) -> None:
    with backend.start(["worker.py"], image_of(HANG), QUICK) as box:
        assert Outcome.TIMEOUT == box.wait(timeout_s=0.05).outcome


def test_the_clock_runs_also_when_nobody_waits(backend: Backend, image_of: ImageOf) -> None:
    with backend.start(["worker.py"], image_of(HANG), Limits(wall_s=0.1)) as box:
        assert b"" == os.read(box.replies, 1)  # blocks until the box is gone
        assert Outcome.TIMEOUT == box.wait().outcome


def test_processor_time_and_memory_are_told(backend: Backend, image_of: ImageOf) -> None:
    source = "hoard = b'x' * (50 << 20)\nfor _ in range(10**9): pass"
    with backend.start(["worker.py"], image_of(source), Limits(cpu_s=1)) as box:
        ending = box.wait()

    assert Outcome.TIMEOUT == ending.outcome
    assert 0.8 <= ending.cpu_s <= 1.5
    assert 50 << 20 <= ending.peak_rss_bytes <= 100 << 20


def test_a_box_we_end_is_killed_and_nothing_is_left(backend: Backend, image_of: ImageOf) -> None:
    mark = secrets.token_hex(8)
    box = backend.start(["worker.py", mark], image_of(HANG), QUICK)
    assert 1 <= len(processes_with(mark))

    box.kill()

    assert [] == processes_with(mark)
    assert Outcome.KILLED == box.wait().outcome
    assert (-1, -1) == (box.requests, box.replies)


def test_killing_twice_or_after_the_end_changes_nothing(backend: Backend, image_of: ImageOf) -> None:
    box = backend.start(["worker.py"], image_of(""), QUICK)
    ending = box.wait()
    box.kill()
    box.kill()

    assert ending == box.wait()
    assert Outcome.EXITED == ending.outcome


def test_boxes_leave_no_descriptor_and_no_thread_behind(backend: Backend, image_of: ImageOf) -> None:
    files, threads = open_files(), threading.active_count()
    for source in ("", HANG, "1 / 0"):
        with backend.start(["worker.py"], image_of(source), QUICK) as box:
            box.wait(timeout_s=0.1)
    with pytest.raises(ValueError, match=r"argv\[0\]"):
        backend.start(["absent.py"], image_of(""), QUICK)

    assert (files, threads) == (open_files(), threading.active_count())


def test_boxes_may_be_started_at_the_same_time(backend: Backend, image_of: ImageOf) -> None:
    image = image_of(ECHO)

    def talk(number: int) -> bytes:
        with backend.start(["worker.py"], image, QUICK) as box:
            os.write(box.requests, b"%d" % number)
            return read(box)

    with ThreadPoolExecutor(max_workers=6) as pool:
        assert [b"<%d>" % number for number in range(12)] == list(pool.map(talk, range(12)))


def test_a_box_outlives_the_thread_that_asked_for_it(backend: Backend, image_of: ImageOf) -> None:
    """To die with the parent means, on Linux, with the parent's thread."""
    boxes: list[Boxed] = []
    image = image_of(ECHO)
    thread = threading.Thread(target=lambda: boxes.append(backend.start(["worker.py"], image, QUICK)))
    thread.start()
    thread.join()

    with boxes[0] as box:
        os.write(box.requests, b"still here")
        assert b"<still here>" == read(box)


def test_no_box_survives_a_grader_who_is_killed(backend: Backend, image_of: ImageOf) -> None:
    mark = secrets.token_hex(8)
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER, str(image_of(HANG)), mark],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    with grader:
        assert grader.stdout is not None
        assert b"started\n" == grader.stdout.readline()
        held = [os.pidfd_open(pid) for pid in processes_with(mark) if pid != grader.pid]
        grader.kill()
        gone = [bool(select.select([fd], [], [], PATIENCE_S)[0]) for fd in held]
        for fd, is_gone in zip(held, gone, strict=True):
            if not is_gone:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
            os.close(fd)

    assert [True, True, True] == gone, f"bwrap outside, bwrap inside, worker ({backend.name})"


@pytest.mark.parametrize("script", ["", ".", "absent.py", "../worker.py", "/image/worker.py"])
def test_a_script_outside_the_image_is_refused(script: str, backend: Backend, image_of: ImageOf) -> None:
    image_of("")
    (image_of("") / "inner").mkdir()

    with pytest.raises(ValueError, match="expected argv"):
        backend.start([script], image_of("") / "inner", QUICK)


def test_a_backend_that_cannot_start_a_process_says_what_it_said(
    backend: Backend, image_of: ImageOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'bwrap: no namespaces today' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=os.pathsep)
    files = open_files()

    with pytest.raises(BoxFailed, match="no namespaces today"):
        backend.start(["worker.py"], image_of(""), QUICK)
    assert files == open_files()


def test_a_box_starts_and_ends_also_where_python_knows_no_process_descriptors(
    backend: Backend, image_of: ImageOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the builds of Python that uv installs."""
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.delattr(signal, "pidfd_send_signal")
    mark = secrets.token_hex(8)
    with backend.start(["worker.py", mark], image_of(HANG), QUICK) as box:
        box.kill()

    assert Outcome.KILLED == box.wait().outcome
    assert [] == processes_with(mark)


@pytest.mark.parametrize("function", ["pidfd_open", "open"])
def test_a_box_that_cannot_be_watched_does_not_go_on(
    function: str, backend: Backend, image_of: ImageOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the grader has too many files open."""
    mark, files, real = secrets.token_hex(8), open_files(), getattr(os, function)

    def fail(path: object, *arguments: int) -> int:
        if threading.current_thread().name == "box" and str(path) != "/dev/null":
            raise OSError(24, "Too many open files")
        return int(real(path, *arguments))

    monkeypatch.setattr(os, function, fail)
    image = image_of(HANG)
    with pytest.raises(BoxFailed, match="Too many open files"):
        backend.start(["worker.py", mark], image, QUICK)
    monkeypatch.undo()

    assert files == open_files()
    assert is_gone(mark)


def test_without_a_sandbox_the_worker_runs_with_limits_in_a_folder_that_is_removed(image_of: ImageOf) -> None:
    source = (
        "import os, resource, sys\nopen('left', 'w')\n"
        "print(os.getcwd(), resource.getrlimit(resource.RLIMIT_AS)[0], file=sys.stderr)"
    )
    with Unsandboxed().start(["worker.py"], image_of(source), QUICK) as box:
        folder, memory = box.wait().printed.decode().split()

    assert QUICK.memory_bytes == int(memory)
    assert "autograder-unsandboxed-" in folder
    assert not Path(folder).exists()


def test_without_a_sandbox_the_children_of_a_worker_end_with_it(image_of: ImageOf) -> None:
    source = "import os, signal\nchild = os.fork()\nif child: os.write(1, b'%d' % child)\nsignal.pause()"
    with Unsandboxed().start(["worker.py"], image_of(source), QUICK) as box:
        child = os.pidfd_open(int(read(box)))
        box.wait(timeout_s=0.05)

    is_gone, _, _ = select.select([child], [], [], PATIENCE_S)
    os.close(child)
    assert is_gone
