"""The reference: the parts this package is made of, where nobody has plugged in another."""

from __future__ import annotations

from kafkalite.clients.cursor import Cursor
from kafkalite.log.memory import Log
from kafkalite.parts import Parts
from kafkalite.replication.high_watermark import high_watermark

REFERENCE = Parts(log=Log, cursor=Cursor, high_watermark=high_watermark)
