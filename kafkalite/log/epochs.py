"""Leader epochs: at which offset each leader of a partition began. It is how replicas find where they parted.

    offset   0  1  2  3  4  5  6
    leader   1  1  1  3  3  3  3      entries (1, 0) (3, 3): epoch 1 began at 0, epoch 3 at 3
    b2       1  1  1  2  2            entries (1, 0) (2, 3): b2 led epoch 2, and nobody copied it

    b2 asks: "where did epoch 2 end?"   leader: "the last epoch up to 2 that I have is 1, it ended at 3"
    b2 keeps [0, 3). Going by its high watermark instead, it would keep what never was committed, or lose what was.

File `leader-epoch-checkpoint`: a version (0), the number of entries, then `epoch start-offset` a line.

Source: Kafka's LeaderEpochFileCache; KIP-101, KIP-279.
"""

from __future__ import annotations

from typing import NamedTuple

from kafkalite.log.checkpoints import decode_lines, encode_lines

FILE = "leader-epoch-checkpoint"
NO_EPOCH = NO_OFFSET = -1


class EpochStart(NamedTuple):
    """A leader epoch, and the offset of the first record it wrote."""

    epoch: int
    start_offset: int


class EpochEnd(NamedTuple):
    """An epoch, and the offset where it ends; both -1 if nothing is known."""

    epoch: int
    end_offset: int


Epochs = tuple[EpochStart, ...]  # both rising


def assigned(epochs: Epochs, epoch: int, start_offset: int) -> Epochs:
    """The epochs once `epoch` has begun to write at `start_offset`.

    What contradicts it goes: an epoch at or above it, or one that began there or later, left no record.
    """
    if epochs and epochs[-1].epoch == epoch:
        return epochs
    return (*(e for e in epochs if e.epoch < epoch and e.start_offset < start_offset), EpochStart(epoch, start_offset))


def end_offset_for(epochs: Epochs, epoch: int, log_end_offset: int) -> EpochEnd:
    """Where `epoch` ended: the largest epoch not above it that is known, and the start of the next one.

    >>> known = (EpochStart(1, 0), EpochStart(3, 3))
    >>> end_offset_for(known, 2, log_end_offset=7), end_offset_for(known, 3, log_end_offset=7)
    (EpochEnd(epoch=1, end_offset=3), EpochEnd(epoch=3, end_offset=7))
    """
    if not epochs or not 0 <= epoch <= epochs[-1].epoch:
        return EpochEnd(NO_EPOCH, NO_OFFSET)
    if epoch == epochs[-1].epoch:
        return EpochEnd(epoch, log_end_offset)
    following = next(at for at, entry in enumerate(epochs) if entry.epoch > epoch)
    if following == 0:  # everything that old is gone: all that is here came later
        return EpochEnd(epoch, epochs[0].start_offset)
    return EpochEnd(epochs[following - 1].epoch, epochs[following].start_offset)


def truncated_from_end(epochs: Epochs, end_offset: int) -> Epochs:
    """The epochs of a log that ends at `end_offset`."""
    return tuple(entry for entry in epochs if entry.start_offset < end_offset)


def truncated_from_start(epochs: Epochs, start_offset: int) -> Epochs:
    """The epochs of a log that begins at `start_offset`; the one it begins within starts there now."""
    below = [entry for entry in epochs if entry.start_offset <= start_offset]
    above = tuple(entry for entry in epochs if entry.start_offset > start_offset)
    return (EpochStart(below[-1].epoch, start_offset), *above) if below else above


def encode_epochs(epochs: Epochs) -> bytes:
    """The file's text."""
    return encode_lines(f"{entry.epoch} {entry.start_offset}" for entry in epochs)


def decode_epochs(text: bytes) -> Epochs:
    """The epochs in a file's text. Raises CorruptCheckpoint."""
    return tuple(EpochStart(int(epoch), int(start)) for epoch, start in decode_lines(FILE, text, fields=2))
