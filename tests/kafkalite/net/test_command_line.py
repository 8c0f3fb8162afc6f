"""What a shell is told of a cluster that runs: topics, groups and how far they are, records; or what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from kafkalite.__main__ import main
from kafkalite.net.client import AdminClient, RecordStream

from .conftest import SECONDS, RealCluster, real_cluster
from .ports import HOST, free_ports


def create_topic(cluster: RealCluster, name: str) -> None:
    """Of three partitions and two replicas, as soon as all brokers are known to each other; then all know it."""
    asyncio.run(_create_topic(cluster, name))
    cluster.wait_for_topic(name)


async def _create_topic(cluster: RealCluster, name: str) -> None:
    async with AdminClient(cluster.bootstrap.split(","), SECONDS) as admin:
        while len(await admin.ask("describe_cluster")) < len(cluster.brokers):
            pass
        await admin.ask("create_topic", name, 3, 2)


def produce(cluster: RealCluster, topic: str, values: range) -> None:
    """Numbered records, to the three partitions in turn."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap})
    for number in values:
        producer.produce(topic, b"v%d" % number, key=b"k%d" % (number % 3), partition=number % 3)
    assert 0 == producer.flush(SECONDS)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """Three brokers with a topic of three partitions, and four records in each of them; nobody changes those."""
    for one in real_cluster(tmp_path_factory.mktemp("cluster"), 3, 3):
        create_topic(one, "orders")
        produce(one, "orders", range(12))
        yield one


class Shell:
    """Runs a command against a cluster."""

    def __init__(self, cluster: RealCluster, capsys: pytest.CaptureFixture[str]) -> None:
        self.cluster, self.capsys = cluster, capsys

    def run(self, *arguments: str) -> tuple[int, list[str], str]:
        """Its exit code, the lines it printed, and what it said on stderr."""
        code = main([*arguments, "--bootstrap", self.cluster.bootstrap])
        said = self.capsys.readouterr()
        return code, said.out.splitlines(), said.err

    def table(self, *arguments: str) -> list[list[str]]:
        """The rows of what it printed, without the header."""
        code, lines, said = self.run(*arguments)
        assert (0, "") == (code, said)
        return [line.split() for line in lines[1:]]


@pytest.fixture
def shell(cluster: RealCluster, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(cluster, capsys)


def group_that_read(cluster: RealCluster, group: str, topic: str, count: int) -> Any:
    """A member of a group that has read so many records, and committed."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found = 0
    while found < count:
        message = consumer.poll(SECONDS)
        assert message is not None, f"{found} of {count} records, and no more"
        found += message.error() is None
    consumer.commit(asynchronous=False)
    return consumer


def test_topics_are_listed(shell: Shell) -> None:
    assert ["orders", "3", "2"] in shell.table("topics")


def test_a_topic_is_described_with_leaders_replicas_and_ends(shell: Shell) -> None:
    rows = shell.table("topics", "orders")

    assert ["0", "1", "2"] == [row[0] for row in rows]
    for _, leader, epoch, replicas, isr, start, end in rows:
        assert leader == replicas.partition(",")[0], "the first is the preferred leader"
        assert sorted(replicas.split(",")) == sorted(isr.split(","))
        assert ("0", "0", "4") == (epoch, start, end)


def test_groups_are_listed_and_described_with_members_commits_ends_and_lag(shell: Shell) -> None:
    """C5, O1: lag is what was written and not committed."""
    create_topic(shell.cluster, "payments")
    produce(shell.cluster, "payments", range(12))
    consumer = group_that_read(shell.cluster, "dashboard", "payments", 12)
    produce(shell.cluster, "payments", range(1, 2))

    groups = {row[0]: row[1:] for row in shell.table("groups")}
    code, lines, _ = shell.run("groups", "dashboard")
    consumer.close()

    assert ["Stable", "consumer"] == groups["dashboard"][:2]
    assert groups["dashboard"][2] in {"101", "102", "103"}
    assert (0, "dashboard: Stable, 1 members, assigned by range") == (code, lines[0])
    rows = [line.split() for line in lines if line.startswith("payments")]
    assert [["0", "4", "4", "0"], ["1", "4", "5", "1"], ["2", "4", "4", "0"]] == [row[1:5] for row in rows]
    assert 1 == len({row[5] for row in rows}), "one member reads it all"


def test_a_group_without_members_keeps_its_bookmarks(shell: Shell) -> None:
    group_that_read(shell.cluster, "gone", "orders", 12).close()

    code, lines, _ = shell.run("groups", "gone")

    assert (0, "gone: Empty, 0 members, assigned by nobody") == (code, lines[0])
    assert [["orders", str(index), "4", "4", "0", "-"] for index in range(3)] == [line.split() for line in lines[3:]]


def test_a_topic_is_read_to_its_end_each_partition_in_order(shell: Shell) -> None:
    code, lines, _ = shell.run("read", "orders")

    assert 0 == code
    lanes = {index: [line.split("\t")[1:] for line in lines if line.startswith(str(index))] for index in range(3)}
    assert {
        index: [[str(offset), f"k{index}", f"v{3 * offset + index}"] for offset in range(4)] for index in range(3)
    } == lanes


def test_records_are_read_from_an_offset_and_no_more_than_asked_for(shell: Shell) -> None:
    assert (0, ["1\t2\tk1\tv7"], "") == shell.run("read", "orders", "--partition", "1", "--from", "2", "--count", "1")
    assert (0, [], "") == shell.run("read", "orders", "--from", "latest")
    assert (0, [], "") == shell.run("read", "orders", "--partition", "1", "--from", "4")


def test_a_topic_that_ends_with_the_marker_of_a_transaction_is_read_to_its_end(shell: Shell) -> None:
    """The last offset is nobody's record, and nothing comes behind it."""
    create_topic(shell.cluster, "ledger")
    producer = Producer({"bootstrap.servers": shell.cluster.bootstrap, "transactional.id": "t1"})
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    producer.produce("ledger", b"entry", partition=0)
    producer.commit_transaction(SECONDS)

    assert (0, ["0\t0\tnull\tentry"], "") == shell.run("read", "ledger")


def test_what_is_written_meanwhile_is_followed(cluster: RealCluster) -> None:
    create_topic(cluster, "news")

    async def follow() -> list[tuple[int, bytes | None]]:
        async with RecordStream(cluster.bootstrap.split(",")) as stream:
            found = []
            produce(cluster, "news", range(1))
            async for one in stream.read({("news", index): 0 for index in range(3)}):
                found.append((one.offset, one.value))
                if len(found) == 3:
                    break
                produce(cluster, "news", range(1))
            return found

    assert [(0, b"v0"), (1, b"v0"), (2, b"v0")] == asyncio.run(follow())


def test_reading_leaves_no_bookmark_and_makes_no_topic(shell: Shell) -> None:
    shell.cluster.wait_until_agreed()  # whichever is asked
    before = shell.table("groups"), shell.table("topics")

    shell.run("read", "orders")
    shell.run("read", "nothing")

    assert before == (shell.table("groups"), shell.table("topics"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("topics", "nope"), "there is no topic 'nope'; `python -m kafkalite topics"),
        (("read", "nope"), "there is no topic 'nope'; `python -m kafkalite topics"),
        (("groups", "nope"), "there is no group 'nope'; `python -m kafkalite groups"),
        (("read", "orders", "--partition", "9"), "orders has partitions 0 to 2; there is no 9"),
        (("read", "orders", "--partition", "0", "--from", "99"), "ends at 4; there is no offset 99"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_ends_with_1_and_says_where_to_look(
    shell: Shell, arguments: tuple[str, ...], said: str
) -> None:
    code, lines, complaint = shell.run(*arguments)

    assert (1, []) == (code, lines)
    assert said in complaint


def test_a_partition_without_a_leader_cannot_be_read_and_who_asks_is_told_where_to_look(
    three_brokers: RealCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both of its brokers are gone."""
    create_topic(three_brokers, "orders")
    shell = Shell(three_brokers, capsys)
    first = shell.table("topics", "orders")[0]
    for broker in first[3].split(","):
        three_brokers.drop(f"b{broker}")

    code, lines, complaint = shell.run("read", "orders", "--partition", "0", "--timeout", "8")

    assert (1, []) == (code, lines)
    assert "orders-0 has no leader that answers; `python -m kafkalite topics orders` shows who holds it" in complaint


def test_a_cluster_that_is_not_there_ends_with_1_and_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["topics", "--bootstrap", f"{HOST}:{free_ports(1)[0]}", "--timeout", "0.5"])

    said = capsys.readouterr().err
    assert 1 == code
    assert "no broker has answered at 127.0.0.1:" in said
    assert "python -m kafkalite serve" in said


@pytest.mark.parametrize("bootstrap", ["nowhere", "host:", ":9092", "host:0", "host:65536", ","])
def test_an_address_that_is_none_ends_with_2(bootstrap: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["topics", "--bootstrap", bootstrap])
    assert "expected HOST:PORT, like 127.0.0.1:9092" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["read"],
        ["read", "orders", "--from", "soon"],
        ["read", "orders", "--from", "-1"],
        ["read", "orders", "--count", "0"],
        ["topics", "--timeout", "0"],
        ["topics", "--timeout", "never"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert 2 == ended.value.code
    assert "usage: python -m kafkalite" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["topics", "groups", "read"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert 0 == ended.value.code
    assert f"Example: python -m kafkalite {command}" in capsys.readouterr().out
