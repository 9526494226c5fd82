"""The record around a match: when it was logged, and what stands beside the secret."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.detector import Match, Text
from scanner.model import Context
from scanner.siblings import beside
from scanner.timestamps import Stamp, first_in

LINES_BACK = 80  # lines a record may have before the one with its secret: header blocks, pretty-printed JSON
LONGEST_LINE = 8192  # bytes of a line looked at on either side of the secret


@dataclass(frozen=True, slots=True)
class FileHints:
    """What is known of a file before it is read: nothing that depends on how far a scan has come."""

    mtime: float | None = None  # Unix seconds: the year a record without one is placed in ends here


def describe(text: Text, match: Match, earlier: bytes, hints: FileHints) -> Context:
    """What the bytes around a match say. `earlier`: raw bytes of the stream that end where the match begins."""
    stamp, basis = _time(text.data, match, earlier, hints)
    siblings = beside(text.data, match.start, match.end, match.kind)
    return Context(
        logged_at=stamp.moment if stamp else None,
        logged_at_basis=basis,
        expires_in=siblings.expires_in,
        expires_at=siblings.expires_at,
        client_id=siblings.client_id,
        issuer=siblings.issuer,
        format=_format(text.data, match),
    )


def _time(data: bytes, match: Match, earlier: bytes, hints: FileHints) -> tuple[Stamp | None, str | None]:
    start = max(data.rfind(b"\n", 0, match.start) + 1, match.start - LONGEST_LINE)
    stamp = first_in(data[start : match.start], hints.mtime)
    if stamp:
        return stamp, _basis("record", stamp)
    end = data.find(b"\n", match.end)
    after = data[match.end : min(end if end >= 0 else len(data), match.end + LONGEST_LINE)]
    if data[start : start + 1] in (b"{", b'"'):
        stamp = first_in(b" " + after, None)
        if stamp:
            return stamp, _basis("record", stamp)
    for line in reversed(earlier.splitlines()[-LINES_BACK - 1 : -1]):
        stamp = first_in(line[:LONGEST_LINE], hints.mtime)
        if stamp:
            return stamp, _basis("preceding_record", stamp)
    return None, None


def _basis(where: str, stamp: Stamp) -> str:
    return "+".join((where, *(f"assumed_{what}" for what in stamp.assumed)))


def _format(data: bytes, match: Match) -> str:
    line = data[data.rfind(b"\n", 0, match.start) + 1 : match.start]
    if line.startswith(b'{"log":"'):
        return "docker-json"
    if b" stdout F " in line[:64] or b" stderr F " in line[:64] or b" stdout P " in line[:64]:
        return "cri"
    if line[:1] == b"{":
        return "json"
    return "binary" if b"\0" in data[max(0, match.start - 64) : match.end + 64] else "text"
