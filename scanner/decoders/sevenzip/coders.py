"""A folder's chain of coders as one reader."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable

from scanner.decoders.feed import Engine, Feed
from scanner.decoders.gzip import raw_inflate
from scanner.decoders.interface import OpenReader
from scanner.decoders.sevenzip.header import Coder, Folder
from scanner.decoders.single import Single, bounded, lzma1, raw
from scanner.errors import CorruptInput

AES = b"\x06\xf1\x07\x01"
COPY = b"\0"
# Methods.txt of the LZMA SDK: those that are not run, by name
_REFUSED = {
    b"\3\4\1": "PPMd",
    b"\4\1\x09": "Deflate64",
    b"\3\3\1\x1b": "BCJ2",
    b"\x04\xf7\x11\x02": "Brotli",
    b"\x04\xf7\x11\x04": "LZ4",
    b"\x04\xf7\x11\x05": "LZ5",
    b"\x0a": "ARM64",
}
_BRANCHES = {
    b"\4": lzma.FILTER_X86,
    b"\3\3\1\3": lzma.FILTER_X86,
    b"\5": lzma.FILTER_POWERPC,
    b"\3\3\2\5": lzma.FILTER_POWERPC,
    b"\6": lzma.FILTER_IA64,
    b"\3\3\4\1": lzma.FILTER_IA64,
    b"\7": lzma.FILTER_ARM,
    b"\3\3\5\1": lzma.FILTER_ARM,
    b"\x08": lzma.FILTER_ARMTHUMB,
    b"\3\3\7\1": lzma.FILTER_ARMTHUMB,
    b"\x09": lzma.FILTER_SPARC,
    b"\3\3\x08\5": lzma.FILTER_SPARC,
}
DELTA = b"\3"
CHUNK_MOST = 1 << 16  # bytes of an uncompressed LZMA2 chunk


def refusal(folder: Folder) -> str | None:
    """Why a folder is not decoded; None if it is."""
    methods = [coder.method for coder in folder.coders]
    if AES in methods:
        return "is encrypted"
    if folder.refused:
        return folder.refused
    for method in methods:
        if method not in _RUN and method not in _BRANCHES:
            return f"its compression method ({_REFUSED.get(method, method.hex())}) is not supported"
    return None


def decoded(folder: Folder, packed: OpenReader) -> OpenReader:
    """The bytes of a folder's files, one after another. What breaks is raised when it is read."""
    reader = packed
    for coder in folder.coders:
        if coder.method != COPY:
            reader = _run(coder, reader)
    return reader


def _run(coder: Coder, reader: OpenReader) -> OpenReader:
    if coder.method == ZSTD:
        from scanner.decoders.zstd import ZstdReader

        return ZstdReader(reader)
    make = _RUN.get(coder.method, _branch)
    return Single(reader, "7z", lambda feed: make(coder, feed), coder.size)


def _lzma(coder: Coder, _feed: Feed) -> Engine:
    return lzma1(coder.properties, "7z", coder.size)


def _lzma2(coder: Coder, _feed: Feed) -> Engine:
    if len(coder.properties) != 1 or coder.properties[0] > 40:
        raise CorruptInput("the 7z data is damaged")
    exponent, half = divmod(coder.properties[0], 2)
    size = bounded((2 | half) << exponent + 11, "7z", coder.size)
    return raw([{"id": lzma.FILTER_LZMA2, "dict_size": size}], "7z")


def _delta(coder: Coder, _feed: Feed) -> Engine:
    if len(coder.properties) != 1:
        raise CorruptInput("the 7z data is damaged")
    return _Filter({"id": lzma.FILTER_DELTA, "dist": coder.properties[0] + 1}, coder.size)


def _branch(coder: Coder, _feed: Feed) -> Engine:
    return _Filter({"id": _BRANCHES[coder.method]}, coder.size)


class _Filter:
    """A filter of liblzma, which takes none alone: its input is framed as LZMA2 that is not compressed.

    So the filter also learns where its input ends, and lets go of the last bytes, which it does not behind raw LZMA.
    """

    def __init__(self, wanted: dict[str, int], size: int) -> None:
        self._engine = raw([wanted, {"id": lzma.FILTER_LZMA2, "dict_size": CHUNK_MOST}], "7z")
        self._left = size
        self._control = b"\1"  # a chunk that is not compressed, and resets the dictionary; the next do not (2)

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        return self._engine.needs_input

    @property
    def unused_data(self) -> bytes | None:
        return b""

    def decompress(self, data: bytes | memoryview, max_length: int = -1, /) -> bytes:
        framed = b""
        if data:
            self._left -= len(data)
            framed = self._control + (len(data) - 1).to_bytes(2, "big") + data + (b"" if self._left > 0 else b"\0")
            self._control = b"\2"
        return self._engine.decompress(framed, max_length)


ZSTD = b"\x04\xf7\x11\x01"
_RUN: dict[bytes, Callable[[Coder, Feed], Engine]] = {
    b"\3\1\1": _lzma,
    b"\x21": _lzma2,
    DELTA: _delta,
    b"\4\1\x08": lambda coder, feed: raw_inflate(),
    b"\4\2\2": lambda coder, feed: bz2.BZ2Decompressor(),
    COPY: _delta,  # never run
    ZSTD: _delta,  # a reader of its own
}
