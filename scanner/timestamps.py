"""Times as loggers write them -> aware datetimes. Hand-written expressions: each is linear, and tells its own gaps.

A time without a zone is taken as UTC and marked; one without a year is placed in the year that ends at
a reference (the file's last change) and marked; a time of day alone is no time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = {name: i for i, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_CLOCK = rb"(?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?"
_ZONE = rb"(?:\s?(?P<z>Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_MON = rb"(?P<b>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_EDGE = rb"(?<![0-9A-Za-z.-])"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment and what had to be assumed for it: "zone", "year"."""

    moment: datetime
    assumed: tuple[str, ...] = ()


# ISO 8601 and RFC 3339; nginx and Go (slashes); CLF; RFC 9110 dates; JUL and Kibana; two-digit years (yy/MM/dd).
_DATED = re.compile(
    b"|".join(
        expression.replace(b"(?P<", b"(?P<%c" % (97 + i))
        for i, expression in enumerate(
            (
                _EDGE + rb"(?P<Y>(?:19|20)\d\d)[-/](?P<m>\d\d)[-/](?P<d>\d\d)[T _]" + _CLOCK + _ZONE,
                rb"(?P<d>\d\d)/" + _MON + rb"/(?P<Y>\d{4})[: ]" + _CLOCK + _ZONE,
                _EDGE + rb"(?P<d>\d{1,2})[ -]" + _MON + rb"[ -](?P<Y>\d{4}) " + _CLOCK + _ZONE,
                _MON + rb" {1,2}(?P<d>\d{1,2}),? (?P<Y>\d{4}),? (?:@ )?(?P<H>\d{1,2}):(?P<M>\d\d):(?P<S>\d\d)"
                rb"(?:\.(?P<f>\d{1,9}))?(?: ?(?P<p>[AP]M))?" + _ZONE,
                _EDGE + rb"(?P<y>[23]\d)[-/](?P<m>\d\d)[-/](?P<d>\d\d) " + _CLOCK,
            )
        )
    )
)
# RFC 3164, logcat's threadtime, klog: no year. Only at the beginning of a record.
_YEARLESS = re.compile(
    b"|".join(
        expression.replace(b"(?P<", b"(?P<%c" % (97 + i))
        for i, expression in enumerate(
            (
                rb"(?:<\d{1,3}>)?" + _MON + rb" {1,2}(?P<d>\d{1,2}) " + _CLOCK,
                rb"(?P<m>\d\d)-(?P<d>\d\d) " + _CLOCK,
                rb"[IWEF](?P<m>\d\d)(?P<d>\d\d) " + _CLOCK,
            )
        )
    )
)
_EPOCH = re.compile(
    rb"""["'](?:time|ts|timestamp|@timestamp|date|instant|epoch|t|_?_?REALTIME_TIMESTAMP|startTime|timeMillis)["']"""
    rb"""\s?:\s?"?(?P<n>1[0-9]{9}(?:[0-9]{3}|[0-9]{6}|[0-9]{9})?)(?P<f>\.\d{1,9})?(?![0-9])""",
    re.IGNORECASE,
)
_EPOCH_FIRST = re.compile(rb"\[?(?P<n>1[0-9]{9}(?:[0-9]{3})?)(?P<f>\.\d{1,9})?(?![0-9A-Za-z.-])")
_DATA = re.compile(
    rb"(?i)(?:expir[a-z]*|not_?(?:after|before)|valid[_ ]?(?:to|until|from)|last-modified|until|exp|nbf|iat)"
    rb"[^\n]{0,16}$"
)


def first_in(line: bytes, reference: float | None) -> Stamp | None:
    """The time a record gives itself: at its beginning, else the first in it that is not a token's."""
    head = line[:200].lstrip(b" \t[(\"'{<0123456789>|-") if not line[:1].isdigit() else line[:200]
    for at in (line[:200], head):
        if found := _YEARLESS.match(at) or _EPOCH_FIRST.match(at):
            return _made(found, reference)
    for found in _DATED.finditer(line):
        if not _DATA.search(line[max(0, found.start() - 40) : found.start()]):
            return _made(found, reference)
    epoch = _EPOCH.search(line)
    return _made(epoch, reference) if epoch else None


def parse(value: bytes) -> Stamp | None:
    """The time a field's value is, if it is one: a written one, or epoch seconds or milliseconds."""
    if value[:10].isdigit():
        found = _EPOCH_FIRST.match(value)
        return _made(found, None) if found else None
    found = _DATED.match(value)
    return _made(found, None) if found else None


def _made(found: re.Match[bytes], reference: float | None) -> Stamp | None:
    parts = {name[-1]: value for name, value in found.groupdict().items() if value is not None}
    try:
        return _epoch(parts) if "n" in parts else _calendar(parts, reference)
    except (ValueError, OverflowError, OSError):
        return None


def _epoch(parts: dict[str, bytes]) -> Stamp:
    digits = parts["n"]
    seconds = int(digits) / 10 ** (len(digits) - 10) + float(parts.get("f", b"0") if parts.get("f") else b"0")
    return Stamp(datetime.fromtimestamp(seconds, UTC))


def _calendar(parts: dict[str, bytes], reference: float | None) -> Stamp | None:
    assumed: list[str] = []
    hour = int(parts["H"])
    if "p" in parts:
        hour = hour % 12 + (12 if parts["p"] == b"PM" else 0)
    zone = _zone(parts.get("z"))
    if zone is None:
        assumed.append("zone")
    month = _MONTHS[parts["b"]] if "b" in parts else int(parts["m"])
    fraction = int(parts.get("f", b"0")[:6].ljust(6, b"0"))
    fields = (month, int(parts["d"]), hour, int(parts["M"]), int(parts["S"]), fraction)
    if "Y" in parts or "y" in parts:
        year = int(parts["Y"]) if "Y" in parts else 2000 + int(parts["y"])
        return Stamp(datetime(year, *fields, tzinfo=zone or UTC).astimezone(UTC), tuple(assumed))
    if reference is None:
        return None
    end = datetime.fromtimestamp(reference, UTC) + timedelta(days=1)
    moment = datetime(end.year, *fields, tzinfo=zone or UTC)
    if moment > end:
        moment = moment.replace(year=end.year - 1)
    return Stamp(moment.astimezone(UTC), (*assumed, "year"))


def _zone(text: bytes | None) -> timezone | None:
    if text is None:
        return None
    if text in (b"Z", b"UTC", b"GMT"):
        return UTC
    sign = -1 if text[:1] == b"-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
