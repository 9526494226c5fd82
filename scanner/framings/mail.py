"""Bodies of mails in base64 or quoted-printable, told by their Content-Transfer-Encoding (RFC 2045 section 6).

Both break lines where they like, also in the midst of the word that would have given a secret away. So such a body is
decoded whole, and matched as any text.
"""

from __future__ import annotations

from detectors.patterns import pattern

TRIGGER = rb"content-transfer-encoding(?:: {0,4}|%3a(?:%20|\+)?)(?:base64|quoted-printable)"  # caseless
AHEAD = 64 * 1024  # bytes of a body
_EMPTY = pattern(rb"\r?\n(?:[^\r\n]{1,200}\r?\n){0,20}\r?\n")  # what is left of the head, and the empty line
_BOUNDARY = pattern(rb"\r?\n--[\w'()+,./:=?-]{1,70}(?:\r?\n|\Z)")  # RFC 2046 section 5.1.1


def body_of(data: bytes, at: int) -> tuple[int, int] | None:
    """[start, end) of the body behind the field that ends at `at`, or None."""
    head = _EMPTY.match(data, at)
    if head is None:
        return None
    boundary = _BOUNDARY.search(data, head.end())
    return head.end(), boundary.start() if boundary else len(data)
