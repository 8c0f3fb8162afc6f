"""`make oracle`: the same programs against kafkalite and against Apache Kafka, and what differs.

    python -m tests.oracle [--record] [PROGRAM ...]

`--record` writes down what Apache Kafka answered, in observed/: `make test` compares with that, without any Java.
Exit codes: 0 no difference but those in `differences.py`; 1 others; 3 there is no Apache Kafka to be had here.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kafkalite.net.serve import serve
from tests.kafkalite.net.ports import free_ports
from tests.oracle.apache import NoJudge, apache_kafka, apache_zookeeper, classpath
from tests.oracle.compare import is_as_known, observe, recorded_path, told
from tests.oracle.moved import trucks
from tests.oracle.on_zookeeper import survived
from tests.oracle.programs import registry
from tests.oracle.served import first_port, one_broker

MOVED, ON_APACHE = "the-client-of-the-docs", "our-brokers-on-apache-zookeeper"
WHOLE = (MOVED, ON_APACHE)  # what is no program of raw requests


def main() -> int:
    """Run the programs named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__, allow_abbrev=False)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="only these")
    parser.add_argument("--record", action="store_true", help="keep Apache Kafka's answers in observed/")
    parser.add_argument("--bootstrap", metavar="HOST:PORT", help="an Apache Kafka that runs already, as broker 101")
    options = parser.parse_args()
    names = options.programs or [*registry.PROGRAMS, *WHOLE]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="oracle-")))
        try:
            theirs = options.bootstrap or _begin_apache(stack, folder)
        except NoJudge as reason:
            print(f"Apache Kafka cannot be asked: {reason}", file=sys.stderr)
            return 3
        ours = stack.enter_context(one_broker(folder / "kafkalite"))
        programs = [name for name in names if name not in WHOLE]
        differing = _compare(ours, theirs, programs, record=options.record)
        differing += MOVED in names and not _same(MOVED, trucks(theirs), trucks(ours))
        differing += ON_APACHE in names and not _survives(folder)
    print(f"{len(names)} programs, {differing} differ otherwise than `differences.py` says")
    return 1 if differing else 0


def _begin_apache(stack: ExitStack, folder: Path) -> str:
    jars = classpath(folder)
    port, zookeeper_port = free_ports(2)
    zookeeper = stack.enter_context(apache_zookeeper(jars, folder / "zookeeper", zookeeper_port))
    return stack.enter_context(apache_kafka(jars, folder / "kafka", port, zookeeper))


def _survives(folder: Path) -> bool:
    """Our brokers on Apache ZooKeeper, and on our own."""
    try:
        jars = classpath(folder)
    except NoJudge as reason:
        print(f"{'not asked':10} {ON_APACHE}: {reason}")
        return True
    timeout_ms = 2000
    with apache_zookeeper(jars, folder / "zookeeper-alone", free_ports(1)[0]) as address:
        on_theirs = folder / "on-theirs"
        with serve(
            on_theirs, port=first_port(), brokers=3, session_timeout_ms=timeout_ms, zookeeper=(address,)
        ) as cluster:
            expected = survived(cluster)
    with serve(folder / "on-ours", port=first_port(), brokers=3, session_timeout_ms=timeout_ms) as cluster:
        return _same(ON_APACHE, expected, survived(cluster))


def _same(name: str, expected: Any, found: Any) -> bool:
    print(f"{'same' if expected == found else 'DIFFERS':10} {name}", flush=True)
    if expected != found:
        print(f"--- Apache's\n{expected}\n+++ kafkalite's\n{found}")
    return bool(expected == found)


def _compare(ours: str, theirs: str, names: list[str], *, record: bool) -> int:
    differing = 0
    for name in names:
        expected = observe(theirs, name)
        if record:
            recorded_path(name).write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
        found = observe(ours, name)
        is_known = is_as_known(name, expected, found)
        differing += not is_known
        print(f"{'same' if found == expected else 'as listed' if is_known else 'DIFFERS':10} {name}", flush=True)
        if not is_known:
            print(told(expected, found))
    return differing


if __name__ == "__main__":
    sys.exit(main())
