"""API keys under `key` and no more, where what stands around says what kind of key: credentials of an API gateway.

`"key-auth":{"key":"V"}` (Apache APISIX), `keyauth_credentials:\\n - key: V` (Kong), `msg="Querying keystore" key=V`
(Tyk).
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.fields import field_at
from detectors.keyed import of_value
from detectors.keys import Meaning
from detectors.patterns import pattern

BEFORE, AFTER = 300, 200  # bytes on either side in which the company of a key is looked for
_KEY = Meaning(Kind.API_KEY, False, True, plain=True)
_COMPANY = pattern(
    rb"""(?i)key[-_]?auth|auth[-_]?key\b|\bapi[-_ ]?keys?\\{0,4}["']?\s?[:{\[(]|keystore|unauthori[sz]ed"""
    rb"""|["']consumer\\{0,4}["']?:"""
)
# On the line above: Kong's lists, rclone's remotes.
_ABOVE = pattern(rb"""(?:key[-_]?auth\w{0,12}:[ \t]{0,4}|\naccount[ ]?=[ ]?\S{1,100})\r?\n[ \t-]{0,40}["']?\Z""")
# Of a pair, where the key is the name of the secret beside it; of what is hashed or public.
_OTHER = pattern(rb"""(?i)secret|algorithm|public|cache|hash(?:ed)?\b|ssh-|\bkid\b|fingerprint|key_?id""")
_PROBE = 20  # characters of the value that the anchor looks at


def confirm(text: Text) -> Iterator[Match]:
    """The value of `key`, in the company of what uses API keys."""
    head = text.data[max(0, text.hit - _PROBE - 24) : text.hit - _PROBE]
    at = head.rfind(b"key")
    if at < 0:
        return
    end = text.hit - _PROBE - len(head) + at + 3
    field = field_at(Text(text.data, end, text.depth, text.cut, text.binary))
    if field is None or field.key != b"key":
        return
    if text.cut and len(text.data) < field.end + AFTER:
        raise NeedMore
    start = max(0, end - 3 - BEFORE)
    line = max(start, text.data.rfind(b"\n", start, end) + 1)
    stop = text.data.find(b"\n", field.end, field.end + AFTER)
    beside = text.data[line : end - 3] + b" " + text.data[field.end : stop if stop >= 0 else field.end + AFTER]
    of_gateway = _COMPANY.search(beside) and not _OTHER.search(beside)
    if of_gateway or _ABOVE.search(text.data, start, end - 3):
        match = of_value(text, field, _KEY)
        if match:
            yield match


_V = b"Jb4xQ8vR2mK9pL5sW7cY1d3hT6nZ0gFk"

DETECTOR = Detector(
    id="gateway-key",
    kind=Kind.API_KEY,
    title="API key of a gateway's consumer",
    anchors=(
        Anchor(pattern=rb"""(?:[^A-Za-z0-9_.-]|\\n)key(?:\\{0,4}["'])?(?: ?= ?|: ?)\\{0,4}["']?[A-Za-z0-9_-]{20}"""),
    ),
    confirm=confirm,
    reference="https://developer.konghq.com/plugins/key-auth/",
    examples=(
        (b'{"plugins":{"key-auth":{"key":"' + _V + b'"}}}', _V),
        (b"keyauth_credentials:\n  - key: " + _V + b"\n", _V),
    ),
    counterexamples=(
        b'{"key":"' + _V + b'","value":"17"}',
        b'"key-auth":{"key":"x-api-key-of-the-consumer"}',
        b'{"key":"' + _V + b'","secret":"","consumer":{"id":"17"}}',
    ),
    before=BEFORE + 64,
)
