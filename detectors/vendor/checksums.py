"""The checksums vendors put into their tokens, and how their digits are written."""

from __future__ import annotations

import base64
import binascii
import zlib

BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"


def digits(number: int, alphabet: bytes, width: int) -> bytes:
    """`number` (not negative) in the alphabet's base, padded left with its zero to `width` characters."""
    out = bytearray()
    while number:
        number, digit = divmod(number, len(alphabet))
        out.append(alphabet[digit])
    return bytes(out[::-1]).rjust(width, alphabet[:1])


def crc_base62(token: bytes) -> bool:
    """Last 6 characters: CRC32 of what stands between the first "_" and them.

    https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
    """
    body = token[token.index(b"_") + 1 :]
    return digits(zlib.crc32(body[:-6]), BASE62, 6) == body[-6:]


def crc_base62_whole(token: bytes) -> bool:
    """Last 6 characters, after a "_": CRC32 of everything before that "_" (Matrix Synapse, MAS)."""
    return digits(zlib.crc32(token[:-7]), BASE62, 6) == token[-6:]


def crc_grafana(token: bytes) -> bool:
    """8 hex digits after the last "_": CRC32 of all before, little-endian (grafana pkg/components/satokengen).

    Some implementations write it big-endian and over the 32 characters alone; both count.
    """
    head, _, tail = token.rpartition(b"_")
    little = zlib.crc32(head).to_bytes(4, "little").hex().encode()
    return tail.lower() in (little, b"%08x" % zlib.crc32(head[5:]))


def crc_upper_hex(token: bytes) -> bool:
    """8 upper-case hex digits after the last "=": CRC32 of all before (Atlassian API tokens)."""
    head, _, tail = token.rpartition(b"=")
    return b"%08X" % zlib.crc32(head) == tail


def crc_nkey(seed: bytes) -> bool:
    """NATS seeds: base32 of two bytes of type, 32 of key and a CRC-16 (XMODEM), little-endian."""
    try:
        raw = base64.b32decode(seed + b"=" * (-len(seed) % 8))
    except binascii.Error:
        return False
    return binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(raw[-2:], "little")


def crc_base36(token: bytes) -> bool:
    """Last 7 characters: CRC32 of all before, base 36 (GitLab routable tokens, Cells design document)."""
    return digits(zlib.crc32(token[:-7]), BASE36, 7) == token[-7:]
