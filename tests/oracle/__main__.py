"""`make oracle`: the same programs against kafkalite and against Apache Kafka, and what differs.

    python -m tests.oracle [--record] [PROGRAM ...]

`--record` writes down what Apache Kafka answered, in observed/: `make test` compares with that, without any Java.
Exit codes: 0 no difference but those in `differences.py`; 1 others; 3 there is no Apache Kafka to be had here.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.kafkalite.net.ports import free_ports
from tests.oracle.apache import NoJudge, apache_kafka, apache_zookeeper, classpath, debian_zookeeper
from tests.oracle.apache_cluster import three_of_apache
from tests.oracle.compare import is_as_known, observe, observe_three, recorded_path, told
from tests.oracle.moved import trucks
from tests.oracle.on_zookeeper import survived, three_on
from tests.oracle.programs import registry
from tests.oracle.served import one_broker, three_brokers

MOVED, ON_APACHE, ON_DEBIANS = "the-client-of-the-docs", "our-brokers-on-apache-zookeeper", "our-brokers-on-debians"
WHOLE = (MOVED, ON_APACHE, ON_DEBIANS)  # what is no program of raw requests


def main() -> int:
    """Run the programs named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__, allow_abbrev=False)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="only these")
    parser.add_argument("--record", action="store_true", help="keep Apache Kafka's answers in observed/")
    parser.add_argument("--bootstrap", metavar="HOST:PORT", help="an Apache Kafka that runs already, as broker 101")
    options = parser.parse_args()
    known = [*registry.PROGRAMS, *registry.OF_THREE, *WHOLE]
    if unknown := set(options.programs) - set(known):
        parser.error(f"there is no program {', '.join(sorted(unknown))}")
    names = options.programs or known
    with TemporaryDirectory(prefix="oracle-") as folder:
        try:
            differing = Oracle(Path(folder), options.bootstrap, record=options.record).ask(names)
        except NoJudge as reason:
            print(f"Apache Kafka cannot be asked: {reason}", file=sys.stderr)
            return 3
    print(f"{len(names)} programs, {differing} differ otherwise than `differences.py` says")
    return 1 if differing else 0


class Oracle:
    """Asks both, one cluster after another, so that no more than two run at a time."""

    def __init__(self, folder: Path, bootstrap: str | None, *, record: bool) -> None:
        self._folder, self._bootstrap, self._record = folder, bootstrap, record

    def ask(self, names: list[str]) -> int:
        """How many programs differ otherwise than is known. Raises NoJudge."""
        differing = self._one([name for name in names if name in registry.PROGRAMS], moved=MOVED in names)
        differing += self._three([name for name in names if name in registry.OF_THREE])
        if ON_APACHE in names:
            differing += self._on_zookeeper(ON_APACHE, lambda: classpath(self._folder))
        if ON_DEBIANS in names:
            differing += self._on_zookeeper(ON_DEBIANS, debian_zookeeper)
        return differing

    def _one(self, names: list[str], *, moved: bool) -> int:
        if not names and not moved:
            return 0
        with self._apache() as theirs, one_broker(self._folder / "one") as ours:
            differing = self._compare(names, lambda name: observe(theirs, name), lambda name: observe(ours, name))
            return differing + (moved and not _same(MOVED, trucks(theirs), trucks(ours)))

    @contextmanager
    def _apache(self) -> Iterator[str]:
        if self._bootstrap is not None:
            yield self._bootstrap
            return
        jars = classpath(self._folder)
        port, zookeeper_port = free_ports(2)
        with (
            apache_zookeeper(jars, self._folder / "zookeeper", zookeeper_port) as zookeeper,
            apache_kafka(jars, self._folder / "kafka", port, zookeeper) as address,
        ):
            yield address

    def _three(self, names: list[str]) -> int:
        """Programs that stop brokers, so these are always ours and begin here."""
        if not names:
            return 0
        try:
            jars = classpath(self._folder)
        except NoJudge as reason:
            if self._bootstrap is None:
                raise
            return _not_asked("programs for three brokers", reason)
        port = free_ports(1)[0]
        with (
            apache_zookeeper(jars, self._folder / "zookeeper-of-three", port) as zookeeper,
            three_of_apache(jars, self._folder / "three-of-apache", zookeeper) as theirs,
            three_brokers(self._folder / "three") as ours,
        ):
            return self._compare(
                names, lambda name: observe_three(theirs, name), lambda name: observe_three(ours, name)
            )

    def _compare(self, names: list[str], theirs: Callable[[str], Any], ours: Callable[[str], Any]) -> int:
        differing = 0
        for name in names:
            expected = theirs(name)
            if self._record:
                recorded_path(name).write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
            found = ours(name)
            is_known = is_as_known(name, expected, found)
            differing += not is_known
            print(f"{'same' if found == expected else 'as listed' if is_known else 'DIFFERS':10} {name}", flush=True)
            if not is_known:
                print(told(expected, found))
        return differing

    def _on_zookeeper(self, name: str, jars: Callable[[], str]) -> int:
        """Our brokers on an Apache ZooKeeper, and on our own."""
        try:
            with (
                apache_zookeeper(jars(), self._folder / f"{name}-zookeeper", free_ports(1)[0]) as address,
                three_on(self._folder / name, address) as cluster,
            ):
                expected = survived(cluster)
        except NoJudge as reason:
            return _not_asked(name, reason)
        with three_on(self._folder / f"{name}-on-ours") as cluster:
            return not _same(name, expected, survived(cluster))


def _not_asked(what: str, reason: NoJudge) -> int:
    print(f"{'not asked':10} {what}: {reason}")
    return 0


def _same(name: str, expected: Any, found: Any) -> bool:
    print(f"{'same' if expected == found else 'DIFFERS':10} {name}", flush=True)
    if expected != found:
        print(f"--- Apache's\n{expected}\n+++ kafkalite's\n{found}")
    return bool(expected == found)


if __name__ == "__main__":
    sys.exit(main())
