"""API keys that a URL carries as `key`: Google's, Steam's, Trello's, those of maps, weather and currency services.

`key` names an entry of a cache or a store as well. So the value must be as long and random as issued keys are, and the
URL must be that of an API.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.detector import Anchor, Confidence, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.patterns import pattern
from detectors.shapes import is_hex, random_looking

_VALUE = pattern(rb"[A-Za-z0-9_-]{20,128}(?![A-Za-z0-9_./%+=-])")
_API = pattern(rb"""(?i)://(?:[\w-]+\.)*(?:[\w-]*apis?)(?=[.:/-])[\w.:-]*/[^\s"'<>]*\Z""")
# Keys of something kept, which stand in URLs of APIs too.
_KEPT = pattern(rb"(?i)cache|object|blob|store|bucket|files?/|upload|download|/kv|/keys?[/?]|lookup|s3|etag")


def confirm(text: Text) -> Iterator[Match]:
    """The value of the parameter `key` in the URL of an API."""
    start = text.data.rfind(b"key=", max(0, text.hit - ANCHOR), text.hit) + len(b"key=")
    found = _VALUE.match(text.data, start)
    if found is None:
        if text.cut and len(text.data) < start + 160:
            raise NeedMore
        return
    if found.end() == len(text.data) and text.cut:
        raise NeedMore
    value = found[0]
    if not (random_looking(value, 20) or (is_hex(value) and len(value) == HEX)):
        return
    url = _API.search(text.data[max(0, start - BEFORE) : start - len(b"?key=")])
    if url and not _KEPT.search(url[0]):
        yield Match(*found.span(), Kind.API_KEY, Secret(value), Rank.GUESS, Confidence.MEDIUM, key="key", static=True)


HEX = 32  # digits of hex keys as they are issued; digests, which name what is kept, have 40 or 64
ANCHOR = 48  # bytes before the anchor's end in which the value begins
BEFORE = 300  # bytes of a URL before the parameter looked at

_V = b"Zk7pQ2vX9mT4bR8sLw1cYd3hG6"

DETECTOR = Detector(
    id="query-key",
    kind=Kind.API_KEY,
    title="API key in a URL's parameter `key`",
    anchors=(Anchor(pattern=rb"(?:[?&]|%3[fF]|%26|\\u0026)key(?:=|%3[dD])[A-Za-z0-9_-]{20}"),),
    confirm=confirm,
    reference="https://partner.steamgames.com/doc/webapi_overview/auth",
    examples=(
        (b"GET https://api.example/v1/weather?q=Bern&key=" + _V + b" HTTP/1.1", _V),
        (b'"https://maps-api.example/geo?key=' + _V + b'&z=3"', _V),
    ),
    counterexamples=(
        b"https://cdn.example/image?key=" + _V,
        b"https://api.example/cache?key=" + _V,
        b"https://api.example/v1/orders?key=orders-of-the-last-month",
        b"https://api.example/v1/orders?key=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    ),
)
