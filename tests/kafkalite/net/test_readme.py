"""The client's example in the README: a program of another make, run as it stands there, against a served cluster."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kafkalite.net.serve import serve

from .test_serve import plan_on_free_ports

README = Path(__file__).resolve().parents[3] / "README.md"
ADDRESS = "127.0.0.1:9092"


@pytest.mark.slow
def test_the_example_of_a_client_works_as_it_stands_in_the_readme(tmp_path: Path) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert ADDRESS in example

    with serve(tmp_path / "data", **plan_on_free_ports(brokers=3, zookeepers=3)) as cluster:
        first = cluster.bootstrap.partition(",")[0]
        ran = subprocess.run(
            [sys.executable, "-c", example.replace(ADDRESS, first)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert 0 == ran.returncode, ran.stderr
    assert "read from partition 9 at offset 4: 4 seconds on the road" == ran.stdout.splitlines()[-1]
