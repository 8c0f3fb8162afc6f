"""Variable-length integers, as record batches have them: zigzag, so that small negative numbers are short too.

    value    0   -1    1   -2  ...   63    -64     64
    zigzag   0    1    2    3       126    127    128
    bytes   00   01   02   03        7e     7f  80 01      seven bits a byte, lowest first; the high bit says: go on

Source: Kafka's ByteUtils; Protocol Buffers, "Encoding".
"""

from __future__ import annotations

from kafkalite.storage import Buffer

BITS_MAX = 64  # a varlong; ten bytes


def encode_varint(value: int) -> bytes:
    """The bytes of a signed integer of at most 64 bits.

    >>> [encode_varint(value).hex() for value in (0, -1, 1, 63, 64)]
    ['00', '01', '02', '7e', '8001']
    """
    rest = (value << 1) ^ (value >> 63)
    if rest < 0x80:  # most lengths and deltas are that small
        return bytes((rest,))
    out = bytearray()
    while rest > 0x7F:
        out.append(0x80 | (rest & 0x7F))
        rest >>= 7
    out.append(rest)
    return bytes(out)


def decode_varint(data: Buffer, position: int) -> tuple[int, int]:
    """The integer that begins at `position`, and the position behind it.

    Raises ValueError if the data ends within it, or it goes on for more than ten bytes.
    """
    shift = rest = 0
    while True:
        if position >= len(data) or shift >= BITS_MAX:
            raise ValueError(f"a varint at byte {position - shift // 7} does not end")
        byte = data[position]
        position += 1
        rest |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (rest >> 1) ^ -(rest & 1), position
        shift += 7
