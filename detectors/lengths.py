"""Values whose length stands before them, as binary serialisers write keys and values.

MessagePack, CBOR, BSON, protobuf, Thrift, AMQP tables, Java and Ruby object streams, pickles: between a key and its
value stand a few bytes of types and lengths. That the length is exactly that of the printable run which follows
says more than any of these formats' grammars would, so none of them is parsed.
"""

from __future__ import annotations

import re

LEAST = 12  # bytes of a value: a shorter length is met by chance
FARTHEST = 14  # bytes between a key and its value: types, an encoding marker, 8 bytes of length
_RUN = re.compile(rb"[!-~]+")
_GAP = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]")


def value_after(data: bytes, hit: int, key_end: int) -> tuple[int, int, int] | None:
    """(end of the key, start and end of the value) of a value with its length; the key's telling word ends by `hit`.

    The first byte of what stands between may look like a letter of the key (Java's `t`, CBOR's `x`), and the last
    like any character.
    """
    if not _GAP.search(data, hit, key_end + FARTHEST):
        return None
    for end in (key_end, key_end - 1):
        if end < hit - 1 or (end < key_end and data[end : end + 1] not in (b"t", b"x", b"S", b"s", b"T")):
            continue
        for start in range(end + 1, min(end + FARTHEST, len(data) - LEAST)):
            run = _RUN.match(data, start)
            if run is None or (not _GAP.search(data, end, start) and data[end : end + 1] != b"x"):
                continue
            size = next((n for n in _lengths(data, end, start) if LEAST <= n <= len(run[0])), 0)
            if size and (size == len(run[0]) or size >= 16):
                return end, start, start + size
    return None


def _lengths(data: bytes, low: int, start: int) -> list[int]:
    """What the bytes in [low, start) may say of the length of what begins at `start`, the likeliest first."""
    last = data[start - 1]
    found = []
    if start - low >= 4:
        found.append(int.from_bytes(data[start - 4 : start], "big"))
        little = int.from_bytes(data[start - 4 : start], "little")
        found += [little, little - 1]  # BSON counts the NUL
    if start - low >= 8:
        found.append(int.from_bytes(data[start - 8 : start], "little"))
    if start - low >= 2:
        found.append(int.from_bytes(data[start - 2 : start], "big"))
        if data[start - 2] & 0x80 and not last & 0x80:
            found.append(data[start - 2] & 0x7F | last << 7)  # protobuf's varint
    found.append(last)
    if 0xA0 <= last <= 0xBF:
        found.append(last & 0x1F)  # MessagePack's short strings
    if 0x60 <= last <= 0x77:
        found.append(last & 0x1F)  # CBOR's
    found.append(last - 5)  # Ruby's small integers
    return found
