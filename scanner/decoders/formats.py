"""The formats and the magic each is told by. A format's library is imported when it is first met."""

from __future__ import annotations

from collections.abc import Iterator
from io import FileIO

from msgspec import Struct

from scanner.decoders.feed import Again, Opener, begins
from scanner.decoders.interface import Decoder, OpenReader, Stream
from scanner.decoders.sevenzip import SevenZip
from scanner.decoders.tar import Tar
from scanner.decoders.zip import Zip
from scanner.model import Skipped, StreamId


class Compressed(Struct, frozen=True):
    """A format that holds one stream and begins with a magic."""

    name: str
    magic: tuple[bytes, ...]
    open: Opener

    def recognises(self, head: bytes) -> bool:
        return head.startswith(self.magic)

    def undecided(self, head: bytes) -> bool:
        return begins(head, self.magic)

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        path = stream.plain_path
        again = (lambda: FileIO(path)) if path is not None else None
        identity = StreamId(stream.id.path, (*stream.id.layers, self.name))
        packed = path if self.name == "gzip" else None
        yield Stream(identity, self.open(stream.reader, again), packed_path=packed)


class Lzma(Compressed, frozen=True):
    """.lzma, whose magic alone is too short to be believed."""

    def recognises(self, head: bytes) -> bool:
        from scanner.decoders.xz import is_lzma

        return head.startswith(self.magic) and is_lzma(head)

    def undecided(self, head: bytes) -> bool:
        return len(head) < 18 and (head.startswith(self.magic) or begins(head, self.magic))


class Unsupported(Struct, frozen=True):
    """A format whose content can't be seen without decoding it, and which is not decoded here."""

    name: str
    magic: tuple[bytes, ...]

    def recognises(self, head: bytes) -> bool:
        return head.startswith(self.magic)

    def undecided(self, head: bytes) -> bool:
        return begins(head, self.magic)

    def decode(self, stream: Stream) -> Iterator[Stream | Skipped]:
        yield Skipped(stream.id, f"{self.name} is not supported yet", 0)


def _gzip(reader: OpenReader, again: Again | None) -> OpenReader:
    from scanner.decoders.gzip import GzipReader

    return GzipReader(reader, again)


def _zstd(reader: OpenReader, again: Again | None) -> OpenReader:
    from scanner.decoders.zstd import ZstdReader

    return ZstdReader(reader, again)


def _xz(reader: OpenReader, again: Again | None) -> OpenReader:
    from scanner.decoders.xz import XzReader

    return XzReader(reader, again)


def _lzma(reader: OpenReader, again: Again | None) -> OpenReader:
    from scanner.decoders.xz import LzmaReader

    return LzmaReader(reader, again)


def _bzip2(reader: OpenReader, again: Again | None) -> OpenReader:
    from scanner.decoders.bzip2 import Bzip2Reader

    return Bzip2Reader(reader, again)


def _lz4(reader: OpenReader, again: Again | None) -> OpenReader:
    from scanner.decoders.lz4 import Lz4Reader

    return Lz4Reader(reader, again)


DECODERS: tuple[Decoder, ...] = (
    Compressed("gzip", (b"\x1f\x8b\x08",), _gzip),
    # a skippable frame may come first (pzstd writes one); LZ4 has the same, but its writers put none there
    Compressed("zstd", (b"\x28\xb5\x2f\xfd", *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))), _zstd),
    Compressed("xz", (b"\xfd7zXZ\0",), _xz),
    Compressed(
        "bzip2",
        tuple(b"BZh%d%s" % (size, mark) for size in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90")),
        _bzip2,
    ),
    Compressed("lz4", (b"\x04\x22\x4d\x18",), _lz4),
    Lzma("lzma", (b"\x5d\0\0",), _lzma),
    Zip(),
    Tar(),
    SevenZip(),
    Unsupported("RAR", (b"Rar!\x1a\x07",)),
    Unsupported("compress (.Z)", (b"\x1f\x9d\x90", b"\x1f\x9d\x10")),
    Unsupported("lzop", (b"\x89LZO\0\r\n\x1a\n",)),
    Unsupported("lzip", (b"LZIP\x01",)),
    Unsupported("LZ4 in its legacy format", (b"\x02\x21\x4c\x18",)),
)

_TAR = next(decoder for decoder in DECODERS if isinstance(decoder, Tar))
# The first bytes of all others. Nearly all files begin otherwise, and none of them is asked.
_MAGICS = tuple(
    magic
    for decoder in DECODERS
    if isinstance(decoder, Compressed | Unsupported | Zip | SevenZip)
    for magic in decoder.magic
)


def decoder_of(head: bytes) -> Decoder | None:
    """The format a stream with these first bytes is in; None for bytes to be scanned as they lie."""
    if head.startswith(_MAGICS):
        return next((decoder for decoder in DECODERS if decoder.recognises(head)), None)
    return _TAR if _TAR.recognises(head) else None
