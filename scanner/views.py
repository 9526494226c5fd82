"""The bytes around a hit as a detector should see them: plain, with an exact map back to the stream.

A view is cut from the stream at places that depend on the stream alone (blocks of 4 KiB of its
offsets), decoded from the form the anchor was seen in, and freed of textual escapes layer by layer.
Views of neighbouring hits are the same and are kept for a while.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from itertools import pairwise

from scanner.escapes import LONGEST, rewritten, unescape
from scanner.framings import byte_list, hexdump, lines, mail, memory_words, partial, quoted_printable, wrapped
from scanner.marks import BROKEN, ESCAPED, FRAMED, marks
from scanner.model import Hit
from scanner.row import Row
from scanner.view import Linear, Pieces, View

GRID = 2048  # bytes: views start and end on multiples of it, so that neighbouring hits share them
BEFORE = 4096  # bytes of view before the block the hit is in: keys, and the start of a record
REACHES = (2048, 8192, 65536)  # bytes of view past that block, tried in turn where a detector needs more
PASSES = 4  # layers of escapes taken off: three of the contract, and one for colour codes inside them
RUN_BACK = 8192  # characters of a hex or base64 run followed backwards from a hit
WHOLE = -2  # instead of a cell: of a block that was seen whole
DUMP_CELL = 16384  # bytes: a block of a hex dump is decoded once for all hits in one cell of the stream
HEX = b"0123456789abcdefABCDEF"
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"

Slice = Callable[[int, int], bytes]  # the stream's bytes [start, end), as far as they exist


class Views:
    """Makes and keeps the views of one stream."""

    def __init__(self, cut_at: Slice) -> None:
        self._slice = cut_at
        self._kept: dict[tuple[int, int, str, bool], tuple[View, list[tuple[int, int]]]] = {}
        self._listed = (0, 0)  # [start, end) of the list of bytes decoded last
        none = View(b"", (), (), None, False)
        self._narrowed = (none, (0, ""), none)  # a view, and what it is as UTF-16 from an even or odd index on
        self._unbroken: tuple[View, int, tuple[View, int] | None] = (none, 0, None)  # a view, a line's end: `unbroken`
        self._unwrapped = (0, 0)  # [start, end) of the run decoded last for what is nested in it
        self._dumped = (-1, 0, 0)  # the cell and [start, end) of the block of a hex dump decoded last

    def at(self, hit: Hit, row: Row, reach: int, end: int, final: bool) -> tuple[View, int] | None:
        """The view of a hit and the hit's index in it; None where the form does not decode there.

        `reach` is an index into REACHES. `end` and `final` tell how far the stream is known.
        """
        if row.encoding in ("", "hex", "base64"):
            outer = self._outer(hit.end, "", 1, reach, end, final)
            if not row.encoding:
                return outer, outer.index(hit.end)
            return _run(outer, outer.index(hit.end), row)
        outer = self._outer(hit.end, row.encoding, 2, reach, end, final)
        return outer, outer.index(hit.end)

    def framed(self, hit: Hit, row: Row, end: int, final: bool) -> View | None:
        """The bytes that the layout holds whose mark a hit is; None where it holds none, or they were given before."""
        if row.framing == "nested":
            return self.nested(hit, row, end, final)
        shown = {"hexdump": self.dump, "memory-words": self.words, "byte-list": self.listed, "mail": self.mail}
        return shown[row.framing](hit, end, final)

    def joint(self, hit: Hit, end: int, final: bool) -> tuple[View, int] | None:
        """The text around the end of a part of a record, and where in it that is; None where nothing was joined."""
        at = hit.end + partial.joint_after(self._slice(hit.end, min(end, hit.end + partial.HEAD)))
        view = self._outer(at, "", 1, len(REACHES) - 1, end, final)
        index = view.index(at)
        return (view, index) if len(view.spans(max(0, index - 1), index + 1)) > 1 else None

    def nested(self, hit: Hit, row: Row, end: int, final: bool) -> View | None:
        """What the run of base64 or hex around a hit holds, escapes taken off."""
        if self._unwrapped[0] < hit.end <= self._unwrapped[1]:
            return None
        outer = self._outer(hit.end, row.wide, 2 if row.wide else 1, len(REACHES) - 1, end, final)
        view, index = _run(outer, outer.index(hit.end), row)
        spans = view.spans(0, len(view.data))
        if spans and index > 0:
            self._unwrapped = (spans[0].start, spans[-1].end)
            return view
        return None

    def listed(self, hit: Hit, end: int, final: bool) -> View | None:
        """The text printed byte by byte around a hit, escapes taken off."""
        if self._listed[0] < hit.end <= self._listed[1]:
            return None
        low, high = max(0, hit.end - byte_list.BACK), min(end, hit.end + byte_list.AHEAD)
        data = self._slice(low, high)
        if hexdump.is_row(data, hit.end - low - 1):
            return None
        items = byte_list.list_around(data, hit.end - low - 1)
        if items is None:
            return None
        self._listed = (low + items.starts[0], low + items.ends[-1])
        cut = items.ends[-1] == len(data) and not (final and high == end)
        encoding = "byte-list" if items.decimal else "hex"
        return _unescaped(_unframed(View(items.data, (Linear(low), items), (encoding,), None, cut)))

    def dump(self, hit: Hit, end: int, final: bool) -> View | None:
        """The bytes of the hex dump whose row a hit marked, escapes taken off; None if that block was given before."""
        cell = (hit.end - 1) // DUMP_CELL * DUMP_CELL
        if self._dumped[0] in (cell, WHOLE) and self._dumped[1] < hit.end <= self._dumped[2]:
            return None
        low, high = max(0, cell - hexdump.BACK), min(end, cell + DUMP_CELL + hexdump.AHEAD)
        data = self._slice(low, high)
        found = hexdump.block_around(data, hit.end - low - 1)
        if found is None:
            return None
        block, start, stop = found
        whole = (start > hexdump.WIDEST_LINE or low == 0) and stop < len(data)  # and so in the next cell, too
        self._dumped = (WHOLE if whole else cell, low + start, low + stop)
        cut = stop == len(data) and not (final and high == end)
        return _unescaped(_unframed(View(block.data, (Linear(low), block), ("hexdump",), None, cut)))

    def words(self, hit: Hit, end: int, final: bool) -> View | None:
        """The bytes of the memory printed as words whose heading a hit marked."""
        high = min(end, hit.end + memory_words.AHEAD)
        block = memory_words.block_after(self._slice(hit.end, high), 0)
        if block is None:
            return None
        return _unescaped(_unframed(View(block.data, (Linear(hit.end), block), ("memory-words",), None, not final)))

    def mail(self, hit: Hit, end: int, final: bool) -> View | None:
        """The body of the mail whose encoding a hit named, without that encoding."""
        high = min(end, hit.end + mail.AHEAD)
        cut = high < end or not final
        return _mail_body(View(self._slice(hit.end, high), (Linear(hit.end),), (), None, cut))

    def inside(self, view: View, hit: Hit, row: Row) -> tuple[View | None, int]:
        """The view of a hit found in a view's own bytes; of a nested run, what that holds."""
        if row.framing == "mail":
            rest = view.data[hit.end : hit.end + mail.AHEAD]
            return _mail_body(View(rest, (*view.steps, Linear(hit.end)), view.encoding, None, view.cut)), 0
        if row.encoding in ("", "hex", "base64"):
            if row.wide:
                view, index = self._narrow(view, hit, row.wide)
                return _run(view, index, row)
            return _run(view, hit.end, row) if row.encoding else (view, hit.end)
        return self._narrow(view, hit, row.encoding)

    def unbroken(self, view: View, index: int) -> tuple[View, int] | None:
        """The view without the breaks behind the line at an index, if that was cut at a width in a token's midst.

        And the index of the first break: those before it are the same in both views. Kept for the line's other hits.
        """
        end = view.data.find(b"\n", index)
        if self._unbroken[0] is not view or self._unbroken[1] != end:
            gaps = wrapped.at_width(view.data, index)
            whole = (_without(view, gaps, "wrapped"), gaps[0][0]) if gaps else None
            self._unbroken = view, end, whole
        return self._unbroken[2]

    def _narrow(self, view: View, hit: Hit, encoding: str) -> tuple[View, int]:
        """The view as UTF-16, escapes taken off; kept for the hits that follow."""
        odd = hit.end % 2
        if self._narrowed[0] is not view or self._narrowed[1] != (odd, encoding):
            plain = narrowed(view.data[odd:], big=encoding == "utf-16be")
            inner = View(plain, (*view.steps, Linear(odd, 2)), (*view.encoding, encoding), None, view.cut)
            self._narrowed = view, (odd, encoding), _unescaped(_unframed(inner))
        inner = self._narrowed[2]
        index = (hit.end - odd) // 2
        for layer in inner.steps[len(view.steps) + 1 :]:
            index = layer.inner(index)
        return inner, index

    def _outer(self, hit: int, encoding: str, width: int, reach: int, end: int, final: bool) -> View:
        block = (hit - 1) // (GRID * width) * (GRID * width)
        low = max(0, block - BEFORE * width)
        high = block + (GRID + REACHES[reach]) * width
        odd = hit % 2 if width == 2 else 0
        cut = high < end or not final
        key = (low + odd, min(high, end), encoding)
        view, hidden = self._view(*key, cut, across=True)
        if hidden and any(start < hit <= stop for start, stop in hidden):
            view, _ = self._view(*key, cut, across=False)
        return view

    def _view(self, low: int, high: int, encoding: str, cut: bool, across: bool) -> tuple[View, list[tuple[int, int]]]:
        """The view of [low, high), and the [start, end) of records of another stream that parts were joined across."""
        key = (low, high, encoding, across)
        if key not in self._kept:
            if len(self._kept) > 8:  # a view holds at most 150 KB; hits come in order and use the newest
                self._kept.clear()
            data = self._slice(low, high)
            if encoding:
                data = narrowed(data, big=encoding == "utf-16be")
            seen = marks(data, cut=cut)
            goes_on = seen & FRAMED and not encoding and partial.may_go_on(data)
            head = self._slice(max(0, low - partial.HEAD), low) if goes_on else b""
            self._kept[key] = _text_view(data, low, encoding, cut, head, across, seen)
        return self._kept[key]


def _text_view(
    data: bytes, start: int, encoding: str, cut: bool, before: bytes, across: bool, seen: int
) -> tuple[View, list[tuple[int, int]]]:
    """The stretch as text: parts of records joined, escapes taken off; and what was joined across.

    Of UTF-16 the data is narrowed already. `seen`: the marks in it, without which there is nothing to undo.
    """
    width = 2 if encoding else 1
    head, tail = _whole_escapes(data, cut) if seen & ESCAPED else (0, len(data))
    first = start + head * width
    view = View(data[head:tail], (Linear(first, width),), (encoding,) if encoding else (), None, cut)
    if not seen & (FRAMED | BROKEN):
        return (_unescaped(view) if seen else view), []
    found = partial.gaps(view.data, before + data[:head], across=across)
    hidden = [(first + low * width, first + high * width) for low, high, skips in found if skips]
    return _unescaped(_unframed(_without(view, [gap[:2] for gap in found]))), hidden


def _unframed(view: View) -> View:
    """Without what breaks long lines, and the escapes of a mail encoding."""
    view = _without(view, lines.gaps(view.data))
    escapes = quoted_printable.escapes(view.data)
    if escapes:
        layer = rewritten(view.data, view.depth, escapes, frozenset(), 1)
        names = (*view.encoding, "quoted-printable")
        view = View(layer.data, (*view.steps, Pieces(layer)), names, layer.depth, view.cut)
    return view


def _without(view: View, gaps: list[tuple[int, int]], *names: str) -> View:
    """The view without some stretches of it."""
    if not gaps:
        return view
    layer = rewritten(view.data, view.depth, [(low, high, b"") for low, high in gaps], frozenset(), 0)
    return View(layer.data, (*view.steps, Pieces(layer)), (*view.encoding, *names), layer.depth, view.cut)


def continued(view: View, start: int, end: int) -> View | None:
    """The view with the line breaks behind an incomplete token at [start, end) taken out, if it is wrapped.

    Indexes up to `end` are those of the view it is made from.
    """
    gaps = wrapped.gaps(view.data, start, end)
    return _without(view, gaps, "wrapped") if gaps else None


def unescaped(data: bytes, start: int, width: int) -> View:
    """A stretch from the midst of a text without its escapes, with nothing joined.

    It stands from `start` on, `width` bytes a character.
    """
    head, tail = _whole_escapes(data, cut=True)
    return _unescaped(View(data[head:tail], (Linear(start + head * width, width),), (), None, True), joined=False)


def _unescaped(view: View, *, joined: bool = True) -> View:
    """Layer by layer; `joined`: also what breaks lines, whose ends may have stood escaped."""
    for _ in range(PASSES):
        layer = unescape(view.data, view.depth)
        if layer is None:
            break
        names = tuple(name for name in sorted(layer.names))
        view = View(layer.data, (*view.steps, Pieces(layer)), view.encoding + names, layer.depth, view.cut)
        view = _unframed(view) if joined else view
    return view


def _whole_escapes(data: bytes, cut: bool) -> tuple[int, int]:
    """[head, tail) of the data without the halves of escapes that a cut may have left at either end."""
    head = len(data) - len(data.lstrip(b"\\"))  # a run of backslashes cut anywhere has no known parity
    tail = len(data)
    if cut:
        last = max(data.rfind(mark, max(head, tail - LONGEST)) for mark in (b"\\", b"%", b"&", b"\x1b"))
        if last >= head:
            tail = head + len(data[head : last + 1].rstrip(b"\\%&\x1b"))
    return head, max(head, tail)


def narrowed(data: bytes, big: bool) -> bytes:
    """One byte a UTF-16 code unit: the character where it is ASCII or Latin-1, 0xFF elsewhere."""
    data = data[: len(data) & ~1]
    low, high = (data[1::2], data[0::2]) if big else (data[0::2], data[1::2])
    if not high.strip(b"\0"):
        return low
    mask = high.translate(_NONZERO)
    return (int.from_bytes(low) | int.from_bytes(mask)).to_bytes(len(low))


_OTHER = {alphabet: bytes(byte not in alphabet for byte in range(256)) for alphabet in (HEX, BASE64)}
_NONZERO = bytes([0]) + b"\xff" * 255


def _run(outer: View, hit: int, row: Row) -> tuple[View, int]:
    """The run of hex or base64 characters around a hit, decoded."""
    alphabet = HEX if row.encoding == "hex" else BASE64
    data = outer.data
    low = max(0, hit - RUN_BACK)
    other = data[low:].translate(_OTHER[alphabet])  # one search for what ends a run is faster than a strip of 66 bytes
    start = low + other.rfind(b"\1", 0, hit - low) + 1
    end = other.find(b"\1", hit - low)
    end = len(data) if end < 0 else low + end
    parts = lines.run_around(data, start, end, alphabet, 2 if row.encoding == "hex" else 4)
    if len(parts) > 1:
        gaps = [(low[1], high[0]) for low, high in pairwise(parts)]
        outer = _without(outer, gaps)
        data, removed = outer.data, [high - low for low, high in gaps if high <= hit]
        hit, start = hit - sum(removed), parts[0][0]
        end = start + sum(high - low for low, high in parts)
    if row.encoding == "hex":
        start += (hit - start) % 2
        end -= (end - hit) % 2
        plain, step, index = binascii.unhexlify(data[start:end]), Linear(start, 2), (hit - start) // 2
    else:
        start += (hit - start - row.phase) % 4
        plain = decode_base64(data[start:end])
        step, index = Linear(start, 4, 3), -((start - hit) * 3 // 4)
    cut = outer.cut and end == len(data)
    inner = View(plain, (*outer.steps, step), (*outer.encoding, row.encoding), None, cut)
    view = _unescaped(_unframed(inner))
    if view is inner:
        return inner, index
    for layer in view.steps[len(inner.steps) :]:
        index = layer.inner(index)
    return view, index


def _mail_body(rest: View) -> View | None:
    """What the body of a mail holds, of which the stretch from its Content-Transfer-Encoding on is given."""
    view = _unescaped(_unframed(rest))
    place = mail.body_of(view.data, 0)
    if place is None:
        return None
    body = View(view.data[: place[1]], view.steps, view.encoding, view.depth, view.cut and place[1] == len(view.data))
    if "quoted-printable" in view.encoding[len(rest.encoding) :]:
        return body
    return _run(body, place[0], Row(b"", False, "base64", ()))[0]


def decode_base64(run: bytes) -> bytes:
    """Either alphabet, padding not needed; a last character that holds no whole byte is left out."""
    run = run.translate(_URL_SAFE)
    usable = len(run) - (len(run) % 4 == 1)
    return base64.b64decode(run[:usable] + b"=" * (-usable % 4))


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
