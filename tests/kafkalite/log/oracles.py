"""Two encoders of record batches that others wrote, from which ours must not differ by a byte."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from kio.records.readers import read_batch
from kio.records.writers import write_batch

with warnings.catch_warnings():  # it reads its schemas by a call that Python 3.11 advises against
    warnings.simplefilter("ignore", DeprecationWarning)
    _records: Any = importlib.import_module("kafka.record.default_records")

DefaultRecordBatch: Any = _records.DefaultRecordBatch
DefaultRecordBatchBuilder: Any = _records.DefaultRecordBatchBuilder

__all__ = ["DefaultRecordBatch", "DefaultRecordBatchBuilder", "read_batch", "write_batch"]
