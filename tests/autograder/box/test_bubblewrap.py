"""What a box by bubblewrap is made of: a user, mounts, a filter."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

import autograder
from autograder.box import Backend, Limits
from autograder.box.bubblewrap import DEVICES, UNUSED_UIDS, unused_uid
from autograder.box.interpreter import this_interpreter

from .conftest import ImageOf

WHO = "import os, sys\nprint(os.getresuid(), os.getresgid(), os.getgroups(), file=sys.stderr)"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root's boxes do")


def printed(backend: Backend, image: Path) -> str:
    """What a worker says."""
    with backend.start(["worker.py"], image, Limits()) as box:
        return box.wait().printed.decode().strip()


@as_root
def test_boxes_of_root_run_as_users_that_exist_nowhere_each_as_another(backend: Backend, image_of: ImageOf) -> None:
    image = image_of(WHO)
    first, second = printed(backend, image), printed(backend, image)

    assert first != second
    for said in (first, second):
        uid = int(said.split(",")[0].strip("("))
        assert f"({uid}, {uid}, {uid}) ({uid}, {uid}, {uid}) []" == said
        assert uid not in {user.pw_uid for user in pwd.getpwall()}


@as_root
def test_an_image_that_a_stranger_cannot_read_is_refused_by_name(backend: Backend, image_of: ImageOf) -> None:
    image = image_of("")
    (image / "private.py").touch(mode=0o600)

    with pytest.raises(ValueError, match=r"private\.py has mode -rw-------.*chmod -R a\+rX"):
        backend.start(["worker.py"], image, Limits())


@as_root
def test_a_box_of_root_has_no_capability_left(backend: Backend, image_of: ImageOf) -> None:
    said = printed(backend, image_of("import sys\nprint(open('/proc/self/status').read(), file=sys.stderr)"))
    status = dict(line.split(":\t") for line in said.splitlines() if line.startswith(("Cap", "NoNew", "Seccomp:")))

    assert {"0" * 16} == {status[name].strip() for name in ("CapPrm", "CapEff", "CapAmb")}
    assert ("1", "2") == (status["NoNewPrivs"].strip(), status["Seccomp"].strip())


def test_a_uid_comes_from_the_range_that_is_nobodys() -> None:
    assert unused_uid("0 0 4294967295") in UNUSED_UIDS


def test_in_a_container_with_few_uids_one_of_them_is_taken() -> None:
    uid = unused_uid("         0       1000          1\n         1     100000      65536\n")

    assert uid is not None
    assert 32768 < uid <= 65536
    assert uid not in {user.pw_uid for user in pwd.getpwall()}


def test_root_by_name_only_can_become_nobody() -> None:
    assert unused_uid("0 1000 1") is None


def test_the_box_sees_these_folders_and_no_others(backend: Backend, image_of: ImageOf) -> None:
    said = printed(backend, image_of("import os, sys\nprint(*sorted(os.listdir('/')), file=sys.stderr)"))
    of_python = {
        path.parts[1] for path in (*this_interpreter().visible, *(path for _, path in this_interpreter().links))
    }

    assert sorted({"dev", "image", "proc", "prologue.py", "tmp"} | of_python) == said.split()


def test_nothing_but_tmp_can_be_written(backend: Backend, image_of: ImageOf) -> None:
    said = printed(backend, image_of("import sys\nprint(open('/proc/self/mountinfo').read(), file=sys.stderr)"))
    mounts = [line.split()[4:6] for line in said.splitlines()]
    writable = [path for path, options in mounts if "rw" in options.split(",") and path not in DEVICES]

    assert ["/tmp"] == writable


def test_the_packages_of_the_interpreter_are_not_in_the_box() -> None:
    python = this_interpreter()
    package = Path(autograder.__file__).resolve()

    seen = [folder for folder in python.visible if folder in package.parents]
    hidden = [folder for folder in python.hidden if folder in package.parents]
    assert bool(seen) == bool(hidden), "what holds the grader is either not mounted or covered"
    for folder in python.visible:
        for found in (*folder.glob("site-packages"), *folder.glob("dist-packages")):
            assert found in python.hidden


def test_the_standard_library_is_in_the_box(backend: Backend, image_of: ImageOf) -> None:
    source = (
        "import asyncio, ctypes, dataclasses, decimal, hashlib, json, lzma, sqlite3, ssl, sys, unittest, zlib\n"
        "print(hashlib.sha256(b'').hexdigest()[:8], file=sys.stderr)"
    )

    assert "e3b0c442" == printed(backend, image_of(source))


def test_threads_work_in_a_box(backend: Backend, image_of: ImageOf) -> None:
    source = (
        "import sys\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool: print(sum(pool.map(abs, range(-9, 1))), file=sys.stderr)"
    )

    assert "45" == printed(backend, image_of(source))


def test_temporary_files_work_in_a_box(backend: Backend, image_of: ImageOf) -> None:
    source = (
        "import sys, tempfile\nwith tempfile.TemporaryFile() as file:\n"
        "    file.write(b'x' * 1000)\n    print(file.tell(), file=sys.stderr)"
    )

    assert "1000" == printed(backend, image_of(source))
