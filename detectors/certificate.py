"""Certificates: public, and so never findings. They are kept to be compared with the private keys that were found."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.patterns import pattern

AFTER = 16 * 1024  # bytes: an RSA certificate has 1 to 3 KB in PEM, some are three times as large; and log headers

_BEGIN = pattern(rb"-{4,5} ?BEGIN (?:TRUSTED |X509 )?CERTIFICATE ?-{4,5}")
_END = pattern(rb"-{4,5} ?END (?:TRUSTED |X509 )?CERTIFICATE ?-{4,5}|-{4,5} ?BEGIN ")
_LEAST = 200  # bytes of a block: names, dates, a key and a signature have more


def _certificate(text: Text) -> Iterable[Match]:
    """RFC 7468 section 5. Chains are several blocks."""
    data, stop = text.data, min(len(text.data), text.hit + AFTER)
    low = max(0, text.hit - 32)
    begin = next((m for m in _BEGIN.finditer(data, low, text.hit + 24) if m.start() < text.hit <= m.end()), None)
    if begin is None:
        if text.cut and len(data) < text.hit + 24:
            raise NeedMore
        return
    end = _END.search(data, begin.end(), stop)
    if text.cut and len(data) < text.hit + AFTER and (end is None or end.end() == len(data)):
        raise NeedMore
    if end is None or b" END" not in end[0].replace(b"-", b" ") or end.end() - begin.start() < _LEAST:
        return
    block = Secret(data[begin.start() : end.end()])
    yield Match(begin.start(), end.end(), Kind.PRIVATE_KEY, block, Rank.PUBLIC, family="certificate", public=True)


_BODY = base64.encodebytes(bytes(range(256)) * 2)
_BLOCK = b"-----BEGIN " + b"CERTIFICATE-----\n" + _BODY + b"-----END " + b"CERTIFICATE-----"

PUBLIC = (
    Detector(
        id="certificate",
        kind=Kind.PRIVATE_KEY,  # the kind of what is looked for with it
        title="Certificate, compared with private keys and never reported",
        anchors=(Anchor(b"CERTIFICATE-----"), Anchor(b"CERTIFICATE ----")),
        confirm=_certificate,
        reference="https://www.rfc-editor.org/rfc/rfc7468#section-5",
        examples=((b"tls.crt: |\n" + _BLOCK + b"\n", _BLOCK), (b'{"cert":"' + _BLOCK + b'"}', _BLOCK)),
        counterexamples=(_BLOCK[:300], b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"),
        before=64,
        after=AFTER,
    ),
)
