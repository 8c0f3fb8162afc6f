"""Checkpoints: small text files in which a broker writes down, for all its partitions, how far something has come.

    recovery-point-offset-checkpoint   below it everything is on the disk: recovery begins there
    replication-offset-checkpoint      high watermarks: where a restarted replica begins to know what is committed
    log-start-offset-checkpoint        where DeleteRecords moved the start of a log, below which segments may remain
    .kafka_cleanshutdown               there if the broker stopped in order; removed as soon as it starts

A file is a version (0), the number of entries, then `topic partition offset` a line. It is replaced as a whole, so it
is the old one or the new one.

Source: Kafka's OffsetCheckpointFile, CheckpointFile, LogManager.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kafkalite.storage import Storage, StorageError

RECOVERY_POINT = "recovery-point-offset-checkpoint"
HIGH_WATERMARK = "replication-offset-checkpoint"
LOG_START_OFFSET = "log-start-offset-checkpoint"
CLEAN_SHUTDOWN = ".kafka_cleanshutdown"

VERSION = "0"

TopicPartition = tuple[str, int]


class CorruptCheckpoint(StorageError):
    """A checkpoint file is not what was written. Since it is replaced as a whole, the disk or a person changed it."""


def write_checkpoint(storage: Storage, name: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Write one offset for each partition."""
    lines = (f"{topic} {partition} {offset}" for (topic, partition), offset in sorted(offsets.items()))
    storage.replace(name, encode_lines(lines))


def read_checkpoint(storage: Storage, name: str) -> dict[TopicPartition, int]:
    """The offsets that were written; none if there is no such file. Raises CorruptCheckpoint."""
    text = storage.read(name, 0, storage.size(name))
    lines = decode_lines(name, text, fields=3) if text else []
    return {(topic, int(partition)): int(offset) for topic, partition, offset in lines}


def mark_clean_shutdown(storage: Storage) -> None:
    """Say that everything is on the disk; the last thing a broker does when it stops in order."""
    storage.replace(CLEAN_SHUTDOWN, b'{"version":0}')


def take_clean_shutdown(storage: Storage) -> bool:
    """Was the last stop in order? The sign is taken away, so that a crash from now on is one."""
    was_clean = storage.size(CLEAN_SHUTDOWN) > 0
    storage.delete(CLEAN_SHUTDOWN)
    return was_clean


def encode_lines(lines: Iterable[str]) -> bytes:
    r"""Version, count, entries.

    >>> encode_lines(["orders 0 12", "orders 1 7"])
    b'0\n2\norders 0 12\norders 1 7\n'
    """
    entries = list(lines)
    return "".join(f"{line}\n" for line in [VERSION, str(len(entries)), *entries]).encode()


def decode_lines(name: str, text: bytes, fields: int) -> list[list[str]]:
    """The fields of each entry, all but the first one of them whole numbers. Raises CorruptCheckpoint."""
    try:
        version, count, *lines = text.decode().splitlines()
    except (ValueError, UnicodeDecodeError) as error:
        raise CorruptCheckpoint(f"{name}: expected a version, a count and entries; it has {text[:40]!r}") from error
    if version != VERSION or str(len(lines)) != count:
        raise CorruptCheckpoint(
            f"{name}: expected version {VERSION} and as many entries as it says; "
            f"it says version {version} and {count} entries, and has {len(lines)}"
        )
    entries = [line.split(" ") for line in lines]
    for entry in entries:
        if len(entry) != fields or not all(field.lstrip("-").isdigit() for field in entry[1 - fields :]):
            raise CorruptCheckpoint(f"{name}: expected {fields} fields, a line has {' '.join(entry)!r}")
    return entries
