"""The chunks of a JFR recording, each with its metadata; and the event and the field around an offset."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from msgspec import Struct, field

from detectors.shapes import is_wordy
from scanner.decoders.dumps.access import File
from scanner.model import Address
from scanner.names import printable

MAGIC = b"FLR\0"
# magic, major, minor, size, offset of the constant pool, offset of the metadata; then times; last a word of flags
_HEADER = struct.Struct(">4sHHQQQ")
HEADER = 68  # bytes
COMPRESSED = 1  # flag: numbers are LEB128
METADATA, CHECKPOINT = 0, 1  # types of events: what the types are called, and the constant pool
CHUNKS_MOST = 100_000  # of 12 MB, as the JVM cuts them: a terabyte
METADATA_MOST = 16 << 20  # bytes of the description of all types: a JDK's own takes 100 KB
EVENTS_MOST = 5_000_000  # walked in one recording: five seconds
DEPTH_MOST = 16  # elements of the metadata in one another: there are four
EVENT_MOST = 1 << 20  # bytes of an event that are read
LABEL_MOST = 60
_FIXED = {"boolean": 1, "byte": 1, "float": 4, "double": 8}
_NUMBERS = frozenset(("short", "char", "int", "long"))
_CALLED = {"jdk.InitialEnvironmentVariable": "environment variable", "jdk.InitialSystemProperty": "system property"}


class _Ends(Exception):
    """The bytes at hand end before what was to be read."""


class _Bytes(Struct):
    """Reads as `RecordingInput` does."""

    data: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise _Ends
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        """LEB128 of at most nine bytes, the ninth with eight bits."""
        value = 0
        for i in range(9):
            byte = self.take(1)[0]
            if i == 8:
                return value | byte << 56
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                break
        return value

    def string(self) -> bytes | None:
        """0 null, 1 empty, 2 in the constant pool, 3 UTF-8, 4 characters as numbers, 5 Latin-1."""
        kind = self.take(1)[0]
        if kind == 2:
            self.number()
            return None
        if kind in (3, 5):
            return self.take(self.number())
        if kind == 4:
            count = self.number()
            if count > len(self.data):
                raise _Ends
            return "".join(chr(self.number() & 0xFFFF) for _ in range(count)).encode("utf-8", "replace")
        if kind > 5:
            raise _Ends
        return b"" if kind else None


class _Field(Struct):
    name: str
    kind: str  # id of its type
    pooled: bool
    many: bool


class _Type(Struct):
    name: str
    fields: list[_Field] = field(default_factory=list)


class _Chunk(Struct):
    start: int
    end: int
    metadata: int  # offset in the file
    plain: bool  # numbers are not LEB128
    types: dict[str, _Type] | None = None
    walked: tuple[int, list[tuple[int, int]]] | None = None  # where the walk is, and events seen


class Recording:
    """Chunks of a file. Offsets are asked in ascending order. OSError passes through."""

    def __init__(self, file: File) -> None:
        self._file = file
        self.trouble: tuple[int, str] | None = None  # from where on it is no recording, and why
        self._chunks = list(self._all())
        self._at = 0  # of the chunk asked last
        self._events = 0
        self._position = 0

    def _all(self) -> Iterator[_Chunk]:
        at = 0
        for _ in range(CHUNKS_MOST):
            head = self._file.read(at, HEADER)
            if not head:
                return
            if len(head) < HEADER or not head.startswith(MAGIC):
                self.trouble = at, "the recording is cut short or makes no sense from here on"
                return
            _, _, _, size, _, metadata = _HEADER.unpack_from(head)
            end = at + size
            if size < HEADER or end > self._file.size:
                self.trouble = at, "the recording's last chunk was not finished: its events are not told apart"
                return
            yield _Chunk(at, end, at + metadata if metadata else 0, not head[-1] & COMPRESSED)
            at = end

    def address(self, offset: int) -> Address:
        """The event's name and the field the byte at an offset stands in."""
        while self._at < len(self._chunks) and self._chunks[self._at].end <= offset:
            self._at += 1
            self._position = 0
        if self._at >= len(self._chunks):
            return {"section": None, "note": "event not told: its chunk is not whole"}
        chunk = self._chunks[self._at]
        if chunk.plain:
            return {"section": None, "note": "event not told: the numbers of its chunk are not compressed"}
        place = self._event(chunk, offset)
        if place is None:
            return {"section": None, "note": "event not told: its chunk makes no sense"}
        return self._described(chunk, *place, offset)

    def _event(self, chunk: _Chunk, offset: int) -> tuple[int, int] | None:
        """[start, end) of the event around an offset. The walk goes on where the last one ended."""
        at = max(self._position, chunk.start + HEADER)
        while at <= offset < chunk.end:
            try:
                size = _Bytes(self._file.near(at, 9, 64 * 1024)).number()
            except _Ends:
                return None
            self._events += 1
            if not size or self._events > EVENTS_MOST:
                return None
            if offset < at + size:
                self._position = at
                return at, min(at + size, chunk.end)
            at += size
        return None

    def _described(self, chunk: _Chunk, start: int, end: int, offset: int) -> Address:
        if chunk.types is None:
            chunk.types = self._types(chunk)
        data = _Bytes(self._file.near(start, min(end - start, EVENT_MOST)))
        try:
            data.number()
            number = data.number()
            if number in (METADATA, CHECKPOINT):
                return {"section": "metadata" if number == METADATA else "constant pool"}
            kind = chunk.types.get(str(number))
            if kind is None:
                return {"section": None, "note": "event not told: the metadata does not name it"}
            return self._field(chunk.types, kind, data, offset - start)
        except _Ends:
            return {"section": None, "note": "event not told: it ends too early"}

    def _field(self, types: dict[str, _Type], kind: _Type, data: _Bytes, offset: int) -> Address:
        address: Address = {"section": kind.name}
        label: bytes | None = None
        for one in kind.fields:
            before = data.at
            value = _value(types, one, data)
            if before <= offset < data.at:
                address["field"] = one.name
                called = _CALLED.get(kind.name) if one.name == "value" else None
                address["owner"] = f"{called} {_label(label)}" if called else f"{kind.name}.{one.name}"
                break
            label = value if one.name == "key" else label
        return address

    def _types(self, chunk: _Chunk) -> dict[str, _Type]:
        """The types of a chunk by their ids; empty where its metadata makes no sense."""
        try:
            size = _Bytes(self._file.read(chunk.metadata, 9)).number()
            data = _Bytes(self._file.read(chunk.metadata, min(size, METADATA_MOST)))
            for _ in range(5):  # size, type, start, duration, id
                data.number()
            strings = [printable(data.string() or b"") for _ in range(min(data.number(), len(data.data)))]
            types: dict[str, _Type] = {}
            _element(data, strings, types, None, 0)
        except (_Ends, IndexError):
            return {}
        return types


def _element(data: _Bytes, strings: list[str], types: dict[str, _Type], inside: _Type | None, depth: int) -> None:
    """Reads an element: its name, attributes and children."""
    if depth > DEPTH_MOST:
        raise _Ends
    name = strings[data.number()]
    attributes = {strings[data.number()]: strings[data.number()] for _ in range(data.number())}
    if name == "class" and "id" in attributes:
        inside = types[attributes["id"]] = _Type(attributes.get("name", "?"))
    elif name == "field" and inside is not None:
        pooled, many = attributes.get("constantPool") == "true", attributes.get("dimension", "0") != "0"
        inside.fields.append(_Field(attributes.get("name", "?"), attributes.get("class", ""), pooled, many))
    for _ in range(data.number()):
        _element(data, strings, types, inside, depth + 1)


def _value(types: dict[str, _Type], one: _Field, data: _Bytes, depth: int = 0) -> bytes | None:
    """Steps over a field's value; returns it where it is a string."""
    count = data.number() if one.many else 1
    kind = types.get(one.kind)
    if kind is None or depth > DEPTH_MOST or count > len(data.data):
        raise _Ends
    value = None
    for _ in range(count):
        if one.pooled or kind.name in _NUMBERS:
            data.number()
        elif kind.name in _FIXED:
            data.take(_FIXED[kind.name])
        elif kind.name == "java.lang.String":
            value = data.string()
        else:
            for inner in kind.fields:
                _value(types, inner, data, depth + 1)
    return value


def _label(text: bytes | None) -> str:
    """A variable's name as it may be shown."""
    if text is None:
        return "?"
    if len(text) > LABEL_MOST or (len(text) > 11 and not is_wordy(text.replace(b".", b"_"))):
        return f"({len(text)} characters)"
    return printable(text)
