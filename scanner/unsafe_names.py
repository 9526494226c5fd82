"""Names that must not be reported, because they are secrets themselves.

Some services take a token as the user of Basic credentials (`https://ghp_…:x-oauth-basic@github.com`). The token is a
finding of its own; as the client id of the password beside it, it would stand in the report in clear.
"""

from __future__ import annotations

from functools import lru_cache

from detectors.detector import Detector, NeedMore, Rank, Text
from detectors.registry import all_detectors

SHORTEST = 16  # characters of a token that proves itself


@lru_cache(maxsize=4096)  # of the names in a log, a few stand in most lines
def holds_secret(name: str) -> bool:
    """Whether a detector finds a token that proves itself in it, by its shape or a checksum."""
    if len(name) < SHORTEST:
        return False
    data = name.encode("utf-8", "surrogateescape")
    return any(literal in data and _confirmed(detector, data, literal) for literal, detector in _anchors())


def _confirmed(detector: Detector, data: bytes, literal: bytes) -> bool:
    hit = data.find(literal) + len(literal)
    try:
        return any(match.rank >= Rank.STRUCTURE for match in detector.confirm(Text(data, hit)))
    except NeedMore:
        return True  # it goes on where the name was cut


@lru_cache(maxsize=1)
def _anchors() -> tuple[tuple[bytes, Detector], ...]:
    return tuple(
        (anchor.literal, detector)
        for detector in all_detectors()
        for anchor in detector.anchors
        if anchor.literal and not (anchor.keyed or anchor.caseless)
    )
