"""What stands near a hit, read without a view: a tenth of its cost, and mostly enough to tell."""

from __future__ import annotations

import binascii

from detectors.detector import GLANCE, GLANCE_AFTER, Text
from detectors.patterns import pattern
from scanner.framings import byte_order, lines, partial
from scanner.marks import BROKEN, ESCAPED, FRAMED, marks
from scanner.model import Hit
from scanner.row import LONGEST_TAIL, TAIL, Row
from scanner.view import is_binary
from scanner.views import BASE64, HEX, decode_base64, narrowed, unescaped
from scanner.windows import Window

NOISE = 48  # bytes behind a form by which noise is told from text; a shorter run is looked at whole
BESIDE = 24  # bytes between an anchor and its JWT, in which no other secret has room
NEAR, BEHIND_NEAR = 384, 256  # bytes before and after a hit that most detectors decide by
ESCAPED_NEAR = 640, 384  # the same where escapes stand among them


class Nearby:
    """The surroundings of a window's hits; what was told of the last one is kept."""

    def __init__(self, window: Window) -> None:
        self._window = window
        # The end and form of the hit looked at last, what stands near it, and whether that had to be decoded.
        self._last: tuple[tuple[int, str], Text | None, bool] = ((-1, ""), None, False)
        self._order = (-1, False)  # a letter of UTF-16, and whether that is big-endian

    def has_tail(self, hit: Hit, row: Row) -> bool:
        """Whether something separates the key that a UTF-16 literal stands in from a value."""
        after = self._window.slice(hit.end, hit.end + 2 * LONGEST_TAIL)[row.encoding == "utf-16be" :: 2]
        return len(after) < LONGEST_TAIL or _TAIL.match(after) is not None

    def is_before_jwt(self, hit: Hit) -> bool:
        """Whether a JWT seems to follow: they are longer than what is near, so that no glance would tell."""
        return b"eyJ" in self._window.slice(hit.end, hit.end + BESIDE)

    def near(self, hit: Hit, row: Row) -> tuple[Text | None, bool]:
        """The characters around a plain or UTF-16 hit where they are what a view would show, and whether they are
        other than the raw bytes: narrowed, or with escapes taken off. None where more than that has to be undone.
        """
        if self._last[0] != (hit.end, row.encoding):
            low, data = (0, b"") if row.encoding else self._raw(hit, row, NEAR, BEHIND_NEAR)
            if row.encoding or _is_odd(data):
                self._last = ((hit.end, row.encoding), self._decoded(hit, row), True)
            else:
                text = Text(data, hit.end - low, cut=True, binary=is_binary(data, hit.end - low))
                self._last = ((hit.end, row.encoding), text, False)
        return self._last[1:]

    def _decoded(self, hit: Hit, row: Row) -> Text | None:
        low, data = self._raw(hit, row, *ESCAPED_NEAR)
        if _is_joined(data):
            return None
        view = unescaped(data, low, 2 if row.encoding else 1)
        index = view.index(hit.end)
        too_little = index < NEAR and low > hit.end % 2
        return None if too_little or (len(view.steps) > 1 and _is_joined(view.data)) else view.text(index)

    def _raw(self, hit: Hit, row: Row, before: int, behind: int) -> tuple[int, bytes]:
        """Where the characters around a plain or UTF-16 hit begin, and one byte for each."""
        if not row.encoding:
            low = max(self._window.base, hit.end - before)
            return low, self._window.slice(low, hit.end + behind)
        low = max(hit.end % 2, hit.end - 2 * before)
        return low, narrowed(self._window.slice(low, hit.end + 2 * behind), big=row.encoding == "utf-16be")

    def beside(self, hit: Hit, row: Row) -> tuple[bytes, bytes]:
        """The raw characters before and after the end of a plain or UTF-16 hit."""
        width = 2 if row.encoding else 1
        low = max(hit.end % width, hit.end - GLANCE * width)
        data = self._window.slice(low, hit.end + GLANCE_AFTER * width)[row.encoding == "utf-16be" :: width]
        middle = (hit.end - low) // width
        return data[:middle], data[middle:]

    def is_noise(self, hit: Hit, row: Row) -> bool:
        """Whether the run of base64 or hex in which a form stands holds no text behind it: then it is there by chance.

        What is decoded begins with the last unit of the form itself. Of text, and of what formats put between texts, at
        least half are characters; of noise 38 %.
        """
        if row.encoding == "hex":
            low, size, alphabet = hit.end, 2 * NOISE, HEX
        else:
            low, size, alphabet = hit.end - row.phase, 4 * NOISE // 3, BASE64
        run = self._window.slice(low, low + size)
        if len(run) < size or run.strip(alphabet):
            return False
        plain = binascii.unhexlify(run) if row.encoding == "hex" else decode_base64(run)
        return 2 * len(plain.translate(None, _TEXT)) > len(plain) + 1

    def is_ghost(self, hit: Hit, row: Row) -> bool:
        """Each UTF-16 string is also seen in the other byte order, one byte off."""
        big, letter = _letter(hit, row)
        if letter != self._order[0]:
            low = max(0, letter - byte_order.BACK)
            data = self._window.slice(low, letter + byte_order.AHEAD)
            self._order = (letter, byte_order.is_big(data, letter - low, letter % 2 == 0))
        return self._order[1] is not big


def _letter(hit: Hit, row: Row) -> tuple[bool, int]:
    """Whether a UTF-16 form is big-endian; where the letter of its first unit is, of its last if the size varies."""
    big = (row.wide or row.encoding) == "utf-16be"
    return big, hit.end - (row.size or 2) + big


def is_ghost_in(data: bytes, hit: Hit, row: Row) -> bool:
    """Whether a hit in decoded bytes, of any form, is one of a string in the other byte order."""
    if not row.wide and "utf-16" not in row.encoding:
        return False
    big, letter = _letter(hit, row)
    low = max(0, letter - byte_order.BACK)
    near = data[low : letter + byte_order.AHEAD]
    return byte_order.is_big(near, letter - low, letter % 2 == 0) is not big


_TEXT = bytes((*range(32, 127), *b"\t\n\r"))
_TAIL = pattern(TAIL)


def _is_odd(data: bytes) -> bool:
    """Whether a view would decode or join something of it."""
    seen = marks(data, cut=False)
    return bool(seen & ESCAPED) or _joins(data, seen)


def _is_joined(data: bytes) -> bool:
    return _joins(data, marks(data, cut=False))


def _joins(data: bytes, seen: int) -> bool:
    """Of what has marks, whether there is more to them; by searches for single strings where they can tell."""
    if seen & FRAMED:
        if b"=3D" in data or b'"stream":"' in data or b" P " in data or b" F " in data or partial.is_near(data):
            return True
        if b"=\n" in data or b"=\r\n" in data:
            return True
    return bool(seen & BROKEN) and lines.may_join(data)
