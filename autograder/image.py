"""What the box sees of ours: a folder with the worker and the words it needs, and nothing else of the course.

    /image  start.py  allowed.py  autograder/worker/*.py  kafkalite/{__init__,types,errors,plain}.py

The checks, the reference, the secret and other submissions are not in it. `kafkalite/__init__` is the real one: its
public names lead to modules that are not there, for which the worker has stand-ins.
"""

from __future__ import annotations

import py_compile
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

import autograder
import course
import kafkalite

WORKER = Path(autograder.__path__[0])
CHECKS = Path(course.__path__[0], "checks")
WORDS = Path(kafkalite.__path__[0])

SCRIPT = "start.py"


def _sources() -> dict[str, Path]:
    """Place in the image -> the file that is copied there."""
    worker = {f"autograder/worker/{file.name}": file for file in sorted((WORKER / "worker").glob("*.py"))}
    words = {f"kafkalite/{name}.py": WORDS / f"{name}.py" for name in ("__init__", "types", "errors", "plain")}
    return {
        SCRIPT: WORKER / "worker" / "start.py",
        "allowed.py": CHECKS / "allowed.py",
        "autograder/__init__.py": WORKER / "__init__.py",
        **worker,
        **words,
    }


@contextmanager
def image() -> Iterator[Path]:
    """The folder, for as long as boxes need it; afterwards it is gone.

    Files are compiled once here, so that no box has to; a box cannot write, so nothing is ever compiled twice.
    """
    with tempfile.TemporaryDirectory(prefix="autograder-image-") as name:
        folder = Path(name)
        for place, source in _sources().items():
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            py_compile.compile(
                str(target),
                cfile=cache_from_source(str(target)),
                dfile=f"/image/{place}",
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        # As root the worker is nobody in particular, who may read what all may.
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield folder
