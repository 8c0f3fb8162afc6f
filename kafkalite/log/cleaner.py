"""The cleaner: what `compaction` decides, done to segments of batches, with all that batches carry besides values.

It walks twice. First over headers, to learn which transactions were aborted and which batch is a producer's last, and
over the closed segments' keys; then it writes each closed segment anew, several small ones as one.

Kept beside the last values:
- the last batch of a producer, emptied if need be: its sequence is how a retry is recognised;
- the last batch of what becomes one file, emptied if need be: a segment must end where the next one begins;
- a marker as long as a batch of its transaction is there, then until its horizon; records of aborted ones go at once.

Left out: the cleaner's checkpoint and dirty ratio (a round is skipped when nothing new was closed), the bounded map
(all keys of the closed segments fit in memory, and so does one segment). A batch in a codec that is not here stays
whole, and hides no older value.

Source: Kafka's LogCleaner, Cleaner, CleanedTransactionMetadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy, deepcopy
from dataclasses import dataclass, field
from typing import Any

from kafkalite.log.batch import COMPRESSION_MASK, DELETE_HORIZON, LOG_APPEND_TIME, BatchHeader, rebuilt
from kafkalite.log.compaction import Keyed, is_kept, latest_offsets
from kafkalite.log.compression import records_of
from kafkalite.log.loading import swap_in
from kafkalite.log.markers import decode_marker
from kafkalite.log.producer_state import Producers
from kafkalite.log.record import Record
from kafkalite.log.segment import SWAP, Segment, file_name
from kafkalite.log.settings import LogConfig
from kafkalite.storage import Storage

RELATIVE_OFFSET_END = 1 << 31  # what an index entry can hold


class Cleaner:
    """Compacts one log from time to time; remembers what it would be no use to do again."""

    def __init__(self, storage: Storage, folder: str, config: LogConfig) -> None:
        self._storage, self._folder, self._config = storage, folder, config
        self._cleaned_to = -1
        self._next_horizon_ms: int | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Cleaner:
        twin = copy(self)
        twin._storage = deepcopy(self._storage, memo)  # noqa: SLF001 - its own copy
        return twin

    def clean(
        self, segments: list[Segment], producers: Producers, now_ms: int, last_stable_offset: int
    ) -> list[Segment]:
        """The log's segments after one round; the same ones if there was nothing to do."""
        closed = cleanable(segments, now_ms, self._config.min_compaction_lag_ms, last_stable_offset)
        end_offset = segments[closed].base_offset
        is_horizon_passed = self._next_horizon_ms is not None and now_ms > self._next_horizon_ms
        if not closed or (end_offset <= self._cleaned_to and not is_horizon_passed):
            return segments
        survey = surveyed(segments, closed, producers, last_stable_offset)
        one_round = Round(survey, now_ms, now_ms + self._config.delete_retention_ms)
        cleaned = [self._put(group, data) for group, data in joined(segments[:closed], one_round, self._config)]
        self._cleaned_to, self._next_horizon_ms = end_offset, one_round.next_horizon_ms
        return cleaned + segments[closed:]

    def _put(self, group: list[Segment], data: bytes) -> Segment:
        """Let one file with these batches stand in the place of the group's."""
        first = group[0]
        if len(group) == 1 and data == first.bytes_at(0, first.size):
            return first
        self._storage.replace(f"{self._folder}/{file_name(first.base_offset, SWAP)}", data)
        swap_in(self._storage, self._folder, first.base_offset, data)
        segment = Segment(self._storage, self._folder, first.base_offset, self._config.index_interval_bytes)
        segment.reindex()
        segment.modified_ms = group[-1].modified_ms
        return segment


def cleanable(segments: list[Segment], now_ms: int, min_compaction_lag_ms: int, last_stable_offset: int) -> int:
    """How many segments, from the oldest, may be compacted: closed, decided, and old enough."""
    for count, segment in enumerate(segments[:-1]):
        is_too_new = min_compaction_lag_ms > 0 and now_ms - segment.max_timestamp_ms < min_compaction_lag_ms
        if segment.end_offset > last_stable_offset or is_too_new:
            return count
    return len(segments) - 1


def joined(segments: list[Segment], one_round: Round, config: LogConfig) -> Iterator[tuple[list[Segment], bytes]]:
    """Neighbours that become one file, and its content; without it, a log would end as a row of nearly empty files."""
    group: list[Segment] = []
    data, tail = bytearray(), b""
    for segment in segments:
        kept, its_tail = one_round.cleaned(segment)
        is_full = len(data) + len(kept) + len(its_tail) > config.segment_bytes
        if group and (is_full or segment.end_offset - group[0].base_offset >= RELATIVE_OFFSET_END):
            yield group, bytes(data) + tail
            group, data = [], bytearray()
        group.append(segment)
        data += kept
        tail = its_tail
    yield group, bytes(data) + tail


# The first walk ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Survey:
    """What the first walk learned. Batches are named by their base offset."""

    latest: dict[bytes, int] = field(default_factory=dict)
    aborted: set[int] = field(default_factory=set)  # data batches of aborted transactions
    transactions: dict[int, list[int]] = field(default_factory=dict)  # marker -> the data batches it decides
    last_of_producer: set[int] = field(default_factory=set)


def surveyed(segments: list[Segment], closed: int, producers: Producers, last_stable_offset: int) -> Survey:
    """Walk over all headers, and over the keys of the closed segments.

    What stands below the last stable offset is decided; the marker that says how may stand above it, where another
    transaction was open meanwhile.
    """
    survey = Survey()
    under_way: dict[int, list[int]] = {}  # producer id -> data batches of its transaction
    last: dict[int, int] = {}
    for segment, position, header in _batches(segments):
        if header.is_control:
            data_batches = under_way.pop(header.producer_id, [])
            survey.transactions[header.base_offset] = data_batches
            marker = decode_marker(segment.bytes_at(position, header.size))
            if marker is not None and not marker.is_commit:
                survey.aborted.update(data_batches)
        elif header.base_offset < last_stable_offset:
            if producers.get(header.producer_id) is not None:
                last[header.producer_id] = header.base_offset
            if header.is_transactional:
                under_way.setdefault(header.producer_id, []).append(header.base_offset)
    survey.last_of_producer = set(last.values())
    survey.latest = latest_offsets(_keys(segments[:closed], survey.aborted))
    return survey


def _batches(segments: Iterable[Segment]) -> Iterator[tuple[Segment, int, BatchHeader]]:
    for segment in segments:
        for position, header in segment.batches():
            yield segment, position, header


def _keys(segments: list[Segment], aborted: set[int]) -> Iterator[tuple[int, bytes | None]]:
    for segment, position, header in _batches(segments):
        if not header.is_control and header.base_offset not in aborted:
            for record in records_of(segment.bytes_at(position, header.size)) or ():
                yield record.offset, record.key


# The second walk -----------------------------------------------------------------------------------------------------


class Round:
    """Writes batches anew. What comes later in the log may ask what has been kept of what came before."""

    def __init__(self, survey: Survey, now_ms: int, new_horizon_ms: int) -> None:
        self._survey, self._now_ms, self._new_horizon_ms = survey, now_ms, new_horizon_ms
        self._kept: set[int] = set()
        self.next_horizon_ms: int | None = None

    def cleaned(self, segment: Segment) -> tuple[bytes, bytes]:
        """What stays of the segment; and its last batch, emptied, if that did not: needed where a file ends here."""
        parts: list[bytes] = []
        tail = b""
        for position, header in segment.batches():
            batch = segment.bytes_at(position, header.size)
            stays = self._marker(batch, header) if header.is_control else self._data(batch, header)
            is_last = header.next_offset == segment.end_offset
            if stays is not None:
                parts.append(stays)
            elif is_last:
                tail = _rewritten(header, [], header.delete_horizon_ms)
            if stays is not None or is_last:
                self._kept.add(header.base_offset)
        return b"".join(parts), tail

    def _data(self, batch: bytes, header: BatchHeader) -> bytes | None:
        records = records_of(batch)
        if header.base_offset in self._survey.aborted:
            records = records or []
            kept = []
        elif records is None:
            return batch
        else:
            kept = [record for record in records if self._is_kept(record, header)]
        horizon_ms = header.delete_horizon_ms
        if any(record.value is None for record in kept):
            horizon_ms = self._horizon(header)
        if not kept and header.base_offset not in self._survey.last_of_producer:
            return None
        is_as_it_was = len(kept) == header.record_count and horizon_ms == header.delete_horizon_ms
        return batch if is_as_it_was else _rewritten(header, kept, horizon_ms)

    def _is_kept(self, record: Record, header: BatchHeader) -> bool:
        keyed = Keyed(record.offset, record.key, record.value, header.delete_horizon_ms)
        return is_kept(keyed, self._survey.latest, self._now_ms)

    def _marker(self, batch: bytes, header: BatchHeader) -> bytes | None:
        if any(data_batch in self._kept for data_batch in self._survey.transactions.get(header.base_offset, ())):
            return batch  # without it, a transaction that is over would look open
        if header.delete_horizon_ms is not None and self._now_ms > header.delete_horizon_ms:
            return None
        horizon_ms = self._horizon(header)
        if horizon_ms == header.delete_horizon_ms:
            return batch
        return _rewritten(header, records_of(batch) or [], horizon_ms)

    def _horizon(self, header: BatchHeader) -> int:
        """When what is to go later may go; from the first round that saw it."""
        horizon_ms = self._new_horizon_ms if header.delete_horizon_ms is None else header.delete_horizon_ms
        self.next_horizon_ms = min(horizon_ms, self.next_horizon_ms or horizon_ms)
        return horizon_ms


def _rewritten(header: BatchHeader, records: list[Record], horizon_ms: int | None) -> bytes:
    """The batch with these records only, uncompressed. The base timestamp makes room for the horizon (KIP-534)."""
    header = header._replace(attributes=header.attributes & ~COMPRESSION_MASK)
    if horizon_ms is not None:
        header = header._replace(attributes=header.attributes | DELETE_HORIZON, base_timestamp_ms=horizon_ms)
    if records and not header.attributes & LOG_APPEND_TIME:
        header = header._replace(max_timestamp_ms=max(record.timestamp_ms for record in records))
    return rebuilt(header, records)
