"""Programs in which kafkalite is known to answer otherwise than Apache Kafka 3.7, each with the reason."""

from __future__ import annotations

DIFFERENCES: dict[str, str] = {}
