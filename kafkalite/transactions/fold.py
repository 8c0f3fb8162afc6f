"""What a transaction coordinator knows is a fold of its log: read every record to the last, and go on from there.

It is how the next coordinator ends what the one before had decided (see `kafkalite.groups.fold`, which is the same for
groups).

Source: Kafka's TransactionStateManager.loadTransactionMetadata.
"""

from __future__ import annotations

from kafkalite.log.batch import split
from kafkalite.log.compression import records_of
from kafkalite.log.errors import CorruptBatch
from kafkalite.log.partition_log import PartitionLog
from kafkalite.log.record import Record
from kafkalite.transactions.records import decode_record
from kafkalite.transactions.transaction import Transaction


class TransactionFold:
    """What one partition of `__transaction_state` says up to `position`, the next offset to be read."""

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.transactions: dict[str, Transaction] = {}

    def load_some(self, log: PartitionLog, max_bytes: int) -> bool:
        """Read one chunk of the log; return whether its end is reached.

        Raises CorruptBatch, StorageError, and ProtocolError for a record that is none of ours.
        """
        self.position = max(self.position, log.log_start_offset)
        for header, batch in split(log.read(self.position, max_bytes)):
            self.position = header.next_offset
            if header.is_control:
                continue
            records = records_of(batch)
            if records is None:
                raise CorruptBatch(f"the batch at offset {header.base_offset}: no codec {header.compression}")
            for record in records:
                self.apply(record)
        return self.position >= log.log_end_offset

    def apply(self, record: Record) -> None:
        """One record more. Raises ProtocolError."""
        found = decode_record(record.key, record.value)
        if found is not None and found.transaction is None:
            self.transactions.pop(found.transactional_id, None)
        elif found is not None and found.transaction is not None:
            self.transactions[found.transactional_id] = found.transaction
