"""Texts put together from pieces that lie apart in a dump, and the names that give a value away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from detectors.keys import meaning
from detectors.patterns import pattern
from scanner.decoders.dumps.access import File
from scanner.decoders.interface import Joined

TEXT_MOST = 1 << 20  # bytes of one text
BATCH = 1 << 18  # bytes of texts that are given at once
# Between two texts, and where something is missing: zeros, so that each is an object of its own; but none beside a
# text, where they would tell of another order of UTF-16.
_BREAK = b"\xff\xff\0\0\0\0\xff\xff"
_TELLING = pattern(rb"(?i)secret|token|passw|pwd|passphrase|key|credential|auth|assertion|bearer|jwt")

Place = tuple[int, int]  # [start, end) in the file


def names_a_secret(name: bytes) -> bool:
    """Whether what a field or property of this name holds may be a credential."""
    return _TELLING.search(name) is not None and meaning(name) is not None


class Text(Struct, frozen=True):
    """Pieces in order, None where what follows is not known; the name of what holds them; their encoding."""

    pieces: Iterable[Place | None]
    name: bytes = b""
    encoding: str = "latin-1"


def put_together(file: File, texts: Iterable[Text]) -> Iterator[Joined]:
    """The texts, one behind another, many at once: `name: "text"`. OSError passes through."""
    batch = _Batch(file)
    for text in texts:
        batch.add(text)
        if batch.size >= BATCH:
            yield batch.done()
    if batch.size:
        yield batch.done()


class _Batch:
    def __init__(self, file: File) -> None:
        self._file = file
        self._text = bytearray()
        self._pieces: list[tuple[int, int, int]] = []

    @property
    def size(self) -> int:
        return len(self._text)

    def add(self, text: Text) -> None:
        begin, count = len(self._text), len(self._pieces)
        if text.name:
            self._text += (text.name + b': "').decode("latin-1").encode(text.encoding)
        for place in text.pieces:
            if place is None or self.size - begin + place[1] - place[0] > TEXT_MOST:
                self._text += _BREAK
            elif place[0] < place[1]:
                start = self.size
                self._text += self._file.read(place[0], place[1] - place[0])
                self._pieces.append((start, self.size, place[0]))
        if len(self._pieces) == count:
            del self._text[begin:]
            return
        if text.name:
            self._text += '"'.encode(text.encoding)
        self._text += bytes(self.size % 2) + _BREAK

    def done(self) -> Joined:
        """What was added since the last time."""
        made = Joined(bytes(self._text), tuple(self._pieces))
        self._text, self._pieces = bytearray(), []
        return made
