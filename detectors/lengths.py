"""Values whose length stands before them, as binary serialisers write keys and values.

MessagePack, CBOR, BSON, protobuf, Thrift, AMQP tables, Java and Ruby object streams, pickles: between a key and its
value stand a few bytes of types and lengths. That the length is exactly that of the printable run which follows
says more than any of these formats' grammars would, so none of them is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.patterns import pattern

LEAST = 12  # bytes of a value: a shorter length is met by chance
FARTHEST = 14  # bytes between a key and its value: types, an encoding marker, 8 bytes of length
_TYPES = b"tTsSx"  # one-letter types that binary formats write between a key and a length
_LAST = bytes(c for c in range(256) if not 33 <= c < 127) + b'"'  # Ruby writes a quotation mark before a length
_RUN = pattern(rb"[!-~]+")
_GAP = pattern(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]")
_CONSTANT = 1  # the tag of a class file's texts, 2 bytes of length behind it (JVMS 4.4.7)
_CONSTANT_MOST = 512  # bytes of such a text: names of classes and types
_PRINTABLE = bytes(range(33, 127))
_TABLE = frozenset((b"\0", b"s\0", b"S\0", b"x\0"))  # names one behind another, each ended by NUL: no length follows


def value_after(data: bytes, key_start: int, key_end: int) -> tuple[int, int, int] | None:
    """(end of the key, start and end of the value) of a value that its length precedes, or None.

    The first byte of what stands between may look like a letter of the key (Java's `t`, CBOR's `x`), and the last
    like any character.
    """
    cbor = data[key_end - 1] == 0x78 and data[key_start] - 0x60 == key_end - key_start - 2  # RFC 8949 section 3.1
    if not cbor and not _GAP.search(data, key_end, key_end + 2):
        return None
    ends = (key_end, key_end - 1) if data[key_end - 1] in _TYPES else (key_end,)
    found = [
        (end, start, start + size, size == whole)
        for end in ends
        for start in range(end + 1, min(end + FARTHEST, len(data) - LEAST))
        for size, whole in _sizes(data, key_start, end, start)
    ]
    found = [one for one in found if not _is_table(data, key_start, one[0], one[1])]
    exact = [one for one in found if one[3]]
    return next(((end, start, stop) for end, start, stop, _ in exact or found), None)


def _is_table(data: bytes, key_start: int, end: int, start: int) -> bool:
    """Whether key and value are names in a table, each ended by a zero, and not Java's texts: `t`, two bytes of length.

    Where the length looks like a letter both do; but in Java's streams the key's own length stands before it.
    """
    if data[end : start - 1] not in (b"t\0", b"T\0") or data[start - 1] < 33:
        return False
    return not any(int.from_bytes(data[at - 2 : at], "big") == end - at for at in (key_start, key_start + 1) if at >= 2)


def are_constants(data: bytes, key_end: int, start: int, stop: int) -> bool:
    """Whether the key and the value at [start, stop) are texts of a class file, which are nobody's key and value."""
    low = max(0, key_end - _CONSTANT_MOST)
    key_start = key_end - len(data[low:key_end]) + len(data[low:key_end].rstrip(_PRINTABLE))
    run = _RUN.match(data, key_start)
    if run is None or not _is_constant(data, start, stop):
        return False
    return any(_is_constant(data, begin, run.end()) for begin in (key_start, key_start + 1))  # a length may be a letter


def _is_constant(data: bytes, start: int, stop: int) -> bool:
    told = int.from_bytes(data[start - 2 : start], "big")
    return start >= 3 and data[start - 3] == _CONSTANT and told == stop - start


def _sizes(data: bytes, key_start: int, end: int, start: int) -> Iterator[tuple[int, int]]:
    """(length, bytes of the printable run) of what may begin at `start`."""
    run = _RUN.match(data, start)
    types = data[end : start - 1]  # what stands before the length's last byte
    if (
        run is None
        or types in _TABLE
        or b" " in types
        or not ((_GAP.search(types) and types[-1:] in _LAST) or types == b"x")
    ):
        return
    whole = len(run[0])
    glued = types[:1] == b"x" or data[run.end() - 1] in _TYPES  # the next type may be printable too
    for size in _lengths(data, end, start):
        if size == whole >= LEAST or (glued and 16 <= size < whole):
            yield size, whole
    size = data[start - 1]
    if LEAST <= size < whole and _is_written_alike(data, key_start, end, types):
        yield size, whole  # what follows may be printable too, whatever it is


def _is_written_alike(data: bytes, key_start: int, end: int, types: bytes) -> bool:
    """Whether the key's length stands before it, and before that what stands before the value's: as in recordings."""
    low = key_start - 1 - len(types)
    return low >= 0 and data[low : key_start - 1] == types and data[key_start - 1] == end - key_start


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
    if 0x60 <= last <= 0x77 and data[start - 2]:
        found.append(last & 0x1F)  # CBOR's, right behind the key
    if start - low >= 2 and data[start - 2] == 0x22:
        found.append(last - 5)  # Ruby's small integers, behind the mark of a string
    return found
