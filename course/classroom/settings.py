"""What an nbgrader course says of itself: read from its nbgrader_config.py, by the loader nbgrader uses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from traitlets.config.loader import Config, LazyConfigValue, PyFileConfigLoader

from course.classroom import CannotTeach

CONFIG = "nbgrader_config.py"
COURSE_ID = "kafkalite"
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # a folder's name in the exchange, and a word in a shell


@dataclass(frozen=True, slots=True)
class Settings:
    """The course's id, and where its exchange is; None means the folder `exchange` in the course."""

    course_id: str = COURSE_ID
    exchange: Path | None = None

    def check(self) -> None:
        """Raises CannotTeach for an id that nbgrader or a shell would trip over, or an exchange that cannot be one."""
        if not PLAIN_NAME.fullmatch(self.course_id):
            raise CannotTeach(
                f"The course id {self.course_id!r} cannot be a folder's name everywhere. Use up to 64 letters, digits, "
                "`-`, `_` and `.`, for example kafkalite-2026."
            )
        if self.exchange is not None and self.exchange.exists() and not self.exchange.is_dir():
            raise CannotTeach(f"The exchange must be a folder, and {self.exchange} is a file. Name another place.")

    def exchange_in(self, folder: Path) -> Path:
        """Where the exchange of the course in that folder is."""
        return folder / "exchange" if self.exchange is None else self.exchange


def settings_of(folder: Path) -> Settings | None:
    """What the course in that folder was set up with; None if there is no nbgrader_config.py.

    Raises CannotTeach if that file does not run, as nbgrader would.
    """
    if not (folder / CONFIG).exists():
        return None
    try:
        config = PyFileConfigLoader(CONFIG, path=str(folder.resolve())).load_config()
    except Exception as error:
        raise CannotTeach(
            f"{folder / CONFIG} does not run, so nbgrader could not use it either: {type(error).__name__}: {error}. "
            "Mend it, or move it away and run `course teach` again."
        ) from error
    exchange = _said(config, "Exchange", "root")
    own = folder.resolve() / "exchange"
    return Settings(
        course_id=_said(config, "CourseDirectory", "course_id") or "",
        exchange=None if exchange is None or Path(exchange) == own else Path(exchange),
    )


def _said(config: Config, section: str, name: str) -> str | None:
    value = config[section].get(name)
    return None if value is None or isinstance(value, LazyConfigValue) else str(value)
