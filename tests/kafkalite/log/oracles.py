"""Two encoders of record batches that others wrote, from which ours must not differ by a byte."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # kafka-python reads its own files by a deprecated function
    from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from kio.records.readers import read_batch
from kio.records.writers import write_batch

__all__ = ["DefaultRecordBatch", "DefaultRecordBatchBuilder", "read_batch", "write_batch"]
