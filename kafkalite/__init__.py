"""Kafka, small enough to read in a weekend: a replicated, partitioned log and the clients around it.

The import name is `kafkalite`; the distribution is `kafkalite-course`. Nothing below this package needs anything but
Python's standard library, so a broker alone does not pull in Jupyter.

The public names are loaded on first use: `import kafkalite` costs nothing.
"""

from __future__ import annotations

from importlib import import_module

# public name -> the module that is its home
_HOMES = {
    "Cursor": "kafkalite.clients.cursor",
    "Log": "kafkalite.log.memory",
    "Node": "kafkalite.node",
    "OffsetOutOfRange": "kafkalite.errors",
    "Parts": "kafkalite.parts",
    "REFERENCE": "kafkalite.reference",
    "Simulator": "kafkalite.sim.simulator",
    "high_watermark": "kafkalite.replication.high_watermark",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table, not two lists that must agree


def __getattr__(name: str) -> object:
    """Load a public name from its home (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kafkalite' has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)
