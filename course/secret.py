"""The secret of somebody who learns alone: hidden cases come from it, so it lies outside the notebooks.

It is drawn once and kept in the user's data folder (KAFKALITE_HOME names another), readable by its owner alone. It
appears whole or not at all, and of two programs that draw it at the same moment both use the one that was there first.
Left out: a teacher's secret, which is a file the teacher names.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

FOLDER_VARIABLE = "KAFKALITE_HOME"
FILE = "secret"
_SECRET = re.compile(r"[0-9a-f]{64}")


class NoSecret(Exception):
    """There is no usable secret; the message says what was expected, what came, and what to do."""


def secret_file() -> Path:
    """Where the learner's own secret is, or will be."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named) / FILE
    import platformdirs  # noqa: PLC0415 - only whoever has named no folder pays for looking one up

    return Path(platformdirs.user_data_dir("kafkalite-course", appauthor=False)) / FILE


def learners_secret() -> str:
    """The learner's own secret: 64 hexadecimal digits, drawn at the first call. Raises NoSecret."""
    file = secret_file()
    try:
        with suppress(FileNotFoundError):
            return _read(file)
        _draw(file)
        return _read(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NoSecret(
            f"The secret for hidden cases cannot be kept at {file}: {reason}. "
            f"Make its folder writable, or name another one in {FOLDER_VARIABLE}."
        ) from None


def _read(file: Path) -> str:
    found = file.read_text(encoding="ascii").strip()
    if not _SECRET.fullmatch(found):
        raise NoSecret(
            f"{file} is not a secret of this course: expected 64 hexadecimal digits. "
            "Remove the file and a new one is drawn; hidden cases will then be others."
        )
    return found


def _draw(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(secrets.token_hex(32) + "\n")
        try:
            os.link(temporary, file)  # unlike a rename, a link never replaces what is there
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            if not file.exists():
                temporary.rename(file)
    finally:
        temporary.unlink(missing_ok=True)
