"""Credentials behind their name and what no configuration has between: conditions, Lisp's pairs, objects."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from detectors.detector import Anchor, Detector, Kind, Match, Text
from detectors.keyed import matches
from detectors.patterns import pattern

BACK = 160  # bytes before an anchor's end in which its key begins
_NAMES = rb"(?:token|secret|passw(?:or)?d|api[_-]?key)"
_KEY = pattern(rb"(?i)" + _NAMES)
# An expression each: Vectorscan runs them faster than one with something optional in its midst.
_BETWEEN = (
    rb"""["'`\]\\]{0,3}[)]? (?:not )?(?:r?like|ilike|in ?\(|is distinct from|is not distinct from) ?n?\\{0,3}["']""",
    rb"""["'\\]{0,4} \. \\{0,3}\"""",
    rb"""\*[ ]{1,4}\\{0,3}\"""",
    rb"""[ ]?[\[({](?:token|secret)?value=""",
)


def confirm(text: Text) -> Iterator[Match]:
    """The value of the key that an anchor begins with."""
    low = max(0, text.hit - BACK)
    behind = [key for key in _KEY.finditer(text.data, low, text.hit) if not text.data.startswith(b"value=", key.end())]
    return matches(replace(text, hit=behind[-1].end()), lambda _field, said: said) if behind else iter(())


_V = b"Wq7nV2pR9xTm4bL8sKc1Yd3h"

DETECTOR = Detector(
    id="compared-credential",
    kind=Kind.BEARER_TOKEN,
    title="Credential in a condition, a pair or an object of its own",
    anchors=tuple(Anchor(pattern=_NAMES + between, caseless=True) for between in _BETWEEN),
    confirm=confirm,
    reference="https://www.postgresql.org/docs/current/functions-comparison.html",
    examples=(
        (b"SELECT a FROM t WHERE access_token LIKE '" + _V + b"'", _V),
        (b"WHERE refresh_token IN ('" + _V + b"')", _V),
        (b'((access_token . "' + _V + b'") (expires_in . 3600))', _V),
        (b'(defvar *client-secret* "' + _V + b'")', _V),
        (b"OAuth2AccessToken [value=" + _V + b", expiration=never]", _V),
    ),
    counterexamples=(
        b"WHERE token_type LIKE 'Bearer'",
        b"WHERE access_token LIKE '%'",
        b"WHERE refresh_token IN (SELECT id FROM t)",
        b'(token . "identifier")',
        b"Token[value=identifier, type=WORD]",
    ),
)
