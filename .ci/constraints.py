"""Write constraints.txt anew: the newest versions that fit pyproject.toml and each other, all extras included.

Run by `make constraints` on the oldest Python the course supports, so that every version also exists there; newer
Pythons install the same file. It holds names and versions only: no hashes and no addresses, so it serves any
platform and any package index.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# What `make` and the tests install, exactly. Made by `make constraints`; do not edit.
# Names and versions only, resolved on Python {python} with every extra.
"""


def main() -> int:
    """Resolve, then replace the file as a whole; on any failure the old one stays."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = re.fullmatch(r">=(\d+)\.(\d+)", project["requires-python"])
    assert oldest is not None, "requires-python is expected in the form >=3.11"
    if sys.version_info[:2] != tuple(map(int, oldest.groups())):
        print(
            f"Expected Python {oldest[1]}.{oldest[2]}, the oldest supported, but this is {sys.version.split()[0]}.\n"
            f"Try: make constraints PYTHON=python{oldest[1]}.{oldest[2]}, after removing .venv",
            file=sys.stderr,
        )
        return 1
    pins = resolve(f".[{','.join(project.get('optional-dependencies', {}))}]", leave_out=project["name"])
    text = HEADER.format(python=f"{oldest[1]}.{oldest[2]}") + "".join(
        f"{name}=={pins[name]}\n" for name in sorted(pins)
    )
    temporary = ROOT / "constraints.txt.part"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(ROOT / "constraints.txt")
    print(f"constraints.txt: {len(pins)} versions")
    return 0


def resolve(requirement: str, leave_out: str) -> dict[str, str]:
    """What pip would install for `requirement` and for itself into an empty environment, by normalised name."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    done = subprocess.run([*command, "pip", requirement], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    chosen = [found["metadata"] for found in json.loads(done.stdout)["install"]]
    pins = {re.sub(r"[-_.]+", "-", one["name"]).lower(): one["version"] for one in chosen}
    del pins[leave_out]
    return pins


if __name__ == "__main__":
    sys.exit(main())
