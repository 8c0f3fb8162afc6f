"""Which partition of `__consumer_offsets` a group belongs to: its leader coordinates the group.

Every broker and every client's coordinator must agree, so the hash is Java's, of the group's name.

Source: Kafka's GroupMetadataManager.partitionFor, Utils.abs, String.hashCode.
"""

from __future__ import annotations

from struct import unpack

_INT_BITS, _INT_MIN = 0xFFFF_FFFF, -0x8000_0000


def java_hash(text: str) -> int:
    """Java's String.hashCode: of UTF-16 units, as an int of 32 bits.

    >>> java_hash("truck_gps"), java_hash("")
    (1300346058, 0)
    """
    data = text.encode("utf-16-be", "surrogatepass")
    found = 0
    for unit in unpack(f">{len(data) // 2}H", data):
        found = (31 * found + unit) & _INT_BITS
    return found + 2 * _INT_MIN if found > -_INT_MIN - 1 else found


def partition_of_group(group: str, partitions: int) -> int:
    """The partition that keeps this group.

    >>> partition_of_group("dashboard", 50)
    38
    """
    found = java_hash(group)
    return 0 if found == _INT_MIN else abs(found) % partitions
