"""Secret keys without a mark of their own, told by the id of the key beside them. The id opens nothing by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.entropy import shannon
from detectors.patterns import pattern
from detectors.vendor.family import varied

NEAR = 200  # bytes between an id and its key: one object of a tool's JSON, one stanza of an ini file


class Pair(Struct, frozen=True):
    """A row: how ids and keys of a cloud look. `size` is a key's length in characters."""

    id: str
    title: str
    starts: tuple[bytes, ...]  # of an id
    rest: bytes  # an expression of what follows the start of an id
    alphabet: bytes  # of a key, as it stands inside the brackets of an expression
    size: int
    reference: str
    example_id: bytes
    example_key: bytes
    temporary: tuple[bytes, ...] = ()  # those of the starts whose keys end by themselves …
    lifetime: float | None = None  # … at most after this many seconds
    counterexamples: tuple[bytes, ...] = ()


def detectors(*pairs: Pair) -> tuple[Detector, ...]:
    """A Detector for each row."""
    return tuple(
        Detector(
            id=row.id,
            kind=Kind.API_KEY,
            title=row.title,
            anchors=tuple(Anchor(start) for start in row.starts),
            confirm=_confirm(row),
            reference=row.reference,
            examples=(
                (b'"id": "' + row.example_id + b'", "secret": "' + row.example_key + b'"', row.example_key),
                (b"secret=" + row.example_key + b"\nid=" + row.example_id + b"\n", row.example_key),
            ),
            counterexamples=row.counterexamples,
            before=512,
            after=512,
        )
        for row in pairs
    )


def _confirm(row: Pair) -> Callable[[Text], Iterable[Match]]:
    shape = pattern(rb"(?:" + b"|".join(row.starts) + rb")" + row.rest)
    inside = row.alphabet
    keys = pattern(rb"(?<![%b])[%b]{%d}(?![%b=_-])" % (inside, inside, row.size, inside))
    start_size = len(row.starts[0])
    reach = NEAR + row.size

    def confirm(text: Text) -> Iterable[Match]:
        """What looks like a key and stands nearest to the id, before or after it."""
        start = text.hit - start_size
        found = shape.match(text.data, max(0, start))
        if text.cut and len(text.data) < start + 48 + reach:
            raise NeedMore
        if not found:
            return
        low, high = max(0, start - reach), min(len(text.data), found.end() + reach)
        near = [m.span() for m in keys.finditer(text.data, low, high) if _is_key(m[0])]
        near = [span for span in near if span[1] <= start or span[0] >= found.end()]
        if not near:
            return
        first, last = min(near, key=lambda span: max(start - span[1], span[0] - found.end()))
        ends = text.data[start : start + start_size] in row.temporary
        yield Match(
            start=first,
            end=last,
            kind=Kind.API_KEY,
            secret=Secret(text.data[first:last]),
            rank=Rank.STRUCTURE,
            family=row.id,
            static=not ends,
            max_lifetime=row.lifetime if ends else None,
        )

    return confirm


def _is_key(value: bytes) -> bool:
    """Random bytes in base64 or the like: all three classes of characters, and no path, hash or name."""
    classes = (sum(65 <= c <= 90 for c in value), sum(97 <= c <= 122 for c in value), sum(48 <= c <= 57 for c in value))
    return min(classes) >= 2 and value.count(b"/") < 5 and shannon(value) >= 4.0 and varied(value)
