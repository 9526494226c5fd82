"""Zones as loggers write them -> offsets from UTC, or nothing where a name is no one zone's alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from detectors.patterns import pattern

WEST, EAST = timedelta(hours=-12), timedelta(hours=14)  # no clock on earth is further from UTC
_OFFSET = pattern(r"(?:UTC|GMT)?([+-])(\d\d?):?(\d\d)?(?::?\d\d)?")
_IANA = pattern(r"[A-Z][A-Za-z_]{1,20}(?:/[A-Za-z0-9_+-]{1,30}){1,2}")
# RFC 5322 section 4.3 for those of North America, tzdata for the others. Names that several zones have (CST, of which
# China's is not RFC 5322's, IST, BST, AST) tell nothing.
_HOURS = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9,
    "KST": 9, "HKT": 8, "SGT": 8, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "BRT": -3,
}  # fmt: skip


@lru_cache(maxsize=256)
def zone_of(text: str) -> tzinfo | None:
    """`Z`, `+02:00`, `+0200`, `+02`, `UTC+2`, `CEST`, `Europe/Berlin`; None for what names no zone for sure."""
    text = text.strip()
    if text in _HOURS:
        return UTC if _HOURS[text] == 0 else timezone(timedelta(hours=_HOURS[text]))
    found = _OFFSET.fullmatch(text)
    if found:
        size = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        offset = -size if found[1] == "-" else size
        return timezone(offset) if WEST <= offset <= EAST else None
    if not _IANA.fullmatch(text):
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def bounds(naive: datetime, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """The earliest and the latest moment (UTC) a local time may be. Raises OverflowError, ValueError at the calendar's
    ends.
    """
    if zone is None:
        whole = naive.replace(tzinfo=UTC)
        return whole - EAST, whole - WEST
    if zone is UTC:
        moment = naive.replace(tzinfo=UTC)
        return moment, moment
    moments = [naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]  # twice when clocks go back
    return min(moments), max(moments)
