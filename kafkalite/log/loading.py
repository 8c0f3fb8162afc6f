"""Opening a log: from what lies in a folder to segments, leader epochs and producers that agree with each other.

After a clean stop the files are taken as they are. After any other, everything from the recovery point on is read
batch by batch, cut where it stops being whole, and all that follows from batches is made again:

    segments          0 ......... 100 ......... 200 ...x       x: a torn batch
    recovery point         60
    trusted           nothing of these: 0 holds the recovery point, so it may have an unsynced tail itself
    cut               at x; had the tear been in 100, then 200 would be deleted: without what is missing it has no place

A segment ends where the next begins. If one that is whole ends earlier, its tail was lost at the end of a batch, which
no CRC can tell; so compaction leaves the last batch of a segment, even empty.

Source: Kafka's LogLoader, UnifiedLog.rebuildProducerState.
"""

from __future__ import annotations

from typing import NamedTuple

from kafkalite.log import epochs as leader_epochs
from kafkalite.log.batch import split
from kafkalite.log.epochs import Epochs
from kafkalite.log.markers import decode_marker
from kafkalite.log.producer_snapshot import CorruptSnapshot, decode_snapshot
from kafkalite.log.producer_state import Producers
from kafkalite.log.segment import INDEX, LOG, SNAPSHOT, SWAP, TIME_INDEX, TXN_INDEX, Segment, file_name
from kafkalite.log.settings import LogConfig
from kafkalite.storage import Storage

OF_A_SEGMENT = (LOG, INDEX, TIME_INDEX, TXN_INDEX)  # the log first: without it the others are remains


class Loaded(NamedTuple):
    """A log's content. Of the segments, the last is the active one."""

    segments: list[Segment]
    epochs: Epochs
    producers: Producers


def load(
    storage: Storage, folder: str, config: LogConfig, *, is_clean: bool, recovery_point: int, log_start_offset: int
) -> Loaded:
    """Open what is in `folder`; without anything there, an empty log at `log_start_offset`."""
    finish_swaps(storage, folder)
    bases = offsets_of(storage, folder, LOG) or [log_start_offset]
    remove_remains(storage, folder, bases)
    segments = [Segment(storage, folder, base, config.index_interval_bytes) for base in bases]
    known = _read_epochs(storage, folder)
    if is_clean:
        recovery_point = segments[-1].end_offset
    else:
        segments = recover_segments(storage, folder, segments, recovery_point)
        known = leader_epochs.truncated_from_end(known, recovery_point)
    for segment in segments:
        if segment.size and segment.time_index.last is None:
            segment.reindex()
    base_offset, end_offset = segments[0].base_offset, segments[-1].end_offset
    epochs = _complete_epochs(known, segments, recovery_point)
    epochs = leader_epochs.truncated_from_start(epochs, max(base_offset, log_start_offset))
    epochs = leader_epochs.truncated_from_end(epochs, end_offset)
    # What stands at the beginning was written of what is deleted by now: no tear can have made it wrong.
    remove_snapshots(storage, folder, above=max(base_offset, min(end_offset, recovery_point)))
    if not is_clean:
        for offset in offsets_of(storage, folder, SNAPSHOT):
            storage.unsynced(snapshot_path(folder, offset))
    return Loaded(segments, epochs, load_producers(storage, folder, segments))


def recover_segments(storage: Storage, folder: str, segments: list[Segment], recovery_point: int) -> list[Segment]:
    """The segments up to the first byte that cannot be trusted; what lies behind it is removed from the disk."""
    for at, segment in enumerate(segments):
        next_base = segments[at + 1].base_offset if at + 1 < len(segments) else None
        if next_base is not None and next_base < recovery_point:
            continue  # it was closed before the last sync, which covered its indexes, too
        recover_segment(segment)
        segment.unsynced()
        if next_base is not None and segment.end_offset != next_base:
            for lost in reversed(segments[at + 1 :]):
                remove_segment(storage, folder, lost.base_offset)
            return segments[: at + 1]
    return segments


def recover_segment(segment: Segment) -> None:
    """Cut a segment behind its last whole batch, and make its indexes anew."""
    valid_length = 0
    segment.forget_indexes()
    for position, header, _batch in segment.whole_batches():
        if header.base_offset < segment.base_offset:
            break
        segment.note(header, position)
        valid_length = position + header.size
    segment.seal()
    segment.cut(valid_length)
    segment.aborted.truncate(segment.end_offset)


def load_producers(storage: Storage, folder: str, segments: list[Segment]) -> Producers:
    """The producers at the end of these segments: from the latest snapshot that can be read, and the batches since.

    What of these aborts transactions is written down anew: only who knows where a transaction began can do that.
    """
    producers, since = Producers(), -1
    for offset in reversed(offsets_of(storage, folder, SNAPSHOT)):
        path = snapshot_path(folder, offset)
        try:
            producers, since = decode_snapshot(storage.read(path, 0, storage.size(path))), offset
            break
        except CorruptSnapshot:
            storage.delete(path)
    for segment in segments:
        if segment.end_offset <= since:
            continue
        segment.aborted.truncate(max(0, since))
        for position, header in segment.batches():
            if header.base_offset >= since and header.producer_id >= 0:
                marker = decode_marker(segment.bytes_at(position, header.size)) if header.is_control else None
                aborted = producers.aborted_by(header, marker)
                if aborted is not None:
                    segment.aborted.append(aborted)
                producers.appended(header, marker)
    return producers


def _read_epochs(storage: Storage, folder: str) -> Epochs:
    path = f"{folder}/{leader_epochs.FILE}"
    text = storage.read(path, 0, storage.size(path))
    return leader_epochs.decode_epochs(text) if text else ()


def _complete_epochs(epochs: Epochs, segments: list[Segment], recovery_point: int) -> Epochs:
    """Add what the batches from the recovery point on say; all batches, if nothing is known."""
    since = recovery_point if epochs else 0
    for segment in segments:
        if segment.end_offset <= since:
            continue
        for _position, header in segment.batches():
            if header.leader_epoch >= 0 and header.next_offset > since:
                epochs = leader_epochs.assigned(epochs, header.leader_epoch, header.base_offset)
    return epochs


# Files of a folder ---------------------------------------------------------------------------------------------------


def offsets_of(storage: Storage, folder: str, suffix: str) -> list[int]:
    """The offsets for which the folder has a file with that suffix, rising."""
    names = (name.removesuffix(suffix) for name in storage.names(folder) if name.endswith(suffix))
    return [int(name) for name in names if name.isdigit()]


def remove_segment(storage: Storage, folder: str, base_offset: int) -> None:
    """Delete the files of one segment."""
    storage.delete(*segment_files(folder, base_offset))


def remove_oldest(storage: Storage, folder: str, bases: list[int], next_base: int, *, is_synced: bool) -> None:
    """Delete the oldest segments, from the first on, so that a crash leaves no hole; and the snapshots before the next.

    What takes their place is on the disk first: the next segment's name, which says where the log is if that one is
    empty, and its snapshot, which is all that is left of what producers did before it. If they are on the disk as they
    are, a power loss may bring some back; with a torn one would go what stands behind it.
    """
    storage.settle(snapshot_path(folder, next_base))
    snapshots = [offset for offset in offsets_of(storage, folder, SNAPSHOT) if offset < next_base]
    forget = storage.discard if is_synced else storage.delete
    forget(
        *(path for base_offset in bases for path in segment_files(folder, base_offset)),
        *(snapshot_path(folder, offset) for offset in snapshots),
    )


def segment_files(folder: str, base_offset: int) -> list[str]:
    """The paths of a segment's files, in the order in which they are to be deleted."""
    return [f"{folder}/{file_name(base_offset, suffix)}" for suffix in OF_A_SEGMENT]


def remove_snapshots(storage: Storage, folder: str, *, above: int) -> None:
    """Delete the producers' snapshots above an offset."""
    offsets = (offset for offset in offsets_of(storage, folder, SNAPSHOT) if offset > above)
    storage.delete(*(snapshot_path(folder, offset) for offset in offsets))


def snapshot_path(folder: str, offset: int) -> str:
    """Where the producers' snapshot at `offset` is."""
    return f"{folder}/{file_name(offset, SNAPSHOT)}"


def remove_remains(storage: Storage, folder: str, bases: list[int]) -> None:
    """Delete indexes without a log: whoever was deleting a segment did not come to its end."""
    for suffix in OF_A_SEGMENT[1:]:
        remains = set(offsets_of(storage, folder, suffix)) - set(bases)
        storage.delete(*(f"{folder}/{file_name(base_offset, suffix)}" for base_offset in remains))


def finish_swaps(storage: Storage, folder: str) -> None:
    """Put compacted segments in the place of those they were made of. A `.swap` is whole, or it would not be there."""
    for base_offset in offsets_of(storage, folder, SWAP):
        path = f"{folder}/{file_name(base_offset, SWAP)}"
        swap_in(storage, folder, base_offset, storage.read(path, 0, storage.size(path)))


def swap_in(storage: Storage, folder: str, base_offset: int, data: bytes) -> None:
    """Replace the segments that `data` was made of; every step may be the last one before a crash.

    Once `.swap` is there, everything it covers is deleted before it gets its name, so no offset is there twice.
    """
    end_offset = max((header.next_offset for header, _batch in split(data)), default=base_offset)
    covered = [base for base in offsets_of(storage, folder, LOG) if base_offset < base < end_offset]
    for base in reversed(covered):
        remove_segment(storage, folder, base)
    storage.delete(*segment_files(folder, base_offset)[1:])
    storage.rename(f"{folder}/{file_name(base_offset, SWAP)}", f"{folder}/{file_name(base_offset, LOG)}")
