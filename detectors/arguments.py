"""Tokens among the arguments of a job, where only their place and their randomness tell: Celery, Sidekiq, Active Job.

A job's arguments are ids, names and numbers; a string there of all three classes of characters, as random as can be
and too long for an id, is a token somebody handed on. Hex is left alone: it is as likely a digest.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.detector import Anchor, Confidence, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.patterns import pattern
from detectors.shapes import is_hex, random_looking, randomness

LONGEST = 400  # bytes of a list of arguments looked at
LEAST = 0.85  # of the randomness that a value's length allows
_BARE = pattern(rb"""(?<=["'])[A-Za-z0-9_-]{32,200}(?=["'][ ]{0,4}(?:[,)\]\r\n"']|\Z))""")
_KEY = pattern(rb"""["'][ ]{0,4}(?:=>|[:=])""")  # behind a key of a nested object: what follows has a name


def confirm(text: Text) -> Iterator[Match]:
    """Random strings at the top of the list of arguments an anchor marked."""
    end = next(
        (at for at in (text.data.find(mark, text.hit, text.hit + LONGEST) for mark in (b"\n", b"{")) if at >= 0), -1
    )
    if end < 0 and text.cut and len(text.data) < text.hit + LONGEST:
        raise NeedMore
    limit = min(len(text.data), end if end >= 0 else text.hit + LONGEST)
    line = text.data[max(text.data.rfind(b"\n", 0, text.hit) + 1, text.hit - NAMED) : text.hit]
    named = _NAMED.search(line) is not None
    for found in _BARE.finditer(text.data, text.hit, limit):
        value = found[0]
        if not _KEY.match(text.data, found.end()) and (_is_token(value) or (named and _may_be_token(value))):
            yield Match(
                *found.span(), Kind.BEARER_TOKEN, Secret(value), Rank.GUESS, Confidence.MEDIUM, key="argument"
            )  # fmt: skip


def _is_token(value: bytes) -> bool:
    classes = (any(low <= c <= high for c in value) for low, high in ((48, 57), (65, 90), (97, 122)))
    return all(classes) and random_looking(value, 32) and randomness(value) >= LEAST


def _may_be_token(value: bytes) -> bool:
    """Whether it is one if its job is about tokens: hex, too."""
    return random_looking(value, 24) or (is_hex(value) and randomness(value) >= LEAST)


NAMED = 300  # bytes before the list in which the job's class stands
# A class or function whose name speaks of a token, and of no other thing: TokenRevocationWorker, tasks.refresh_token.
_NAMED = pattern(
    rb"""(?:\b(?:[A-Z][a-z0-9]+|[A-Z]+(?=[A-Z][a-z])|::)*Tokens?(?:[A-Z][a-z]+)*(?:Job|Worker|Task|Mailer|Handler)\b"""
    rb"""|\b[a-z_.]{0,80}(?:revoke|refresh|expire|introspect|validate|rotate|verify)_(?:[a-z]+_)?token\b)"""
)

_V = b"Jb4xQ8vR2mK9pL5sW7cY1d3hT6nZ0gFk"
_HEX = b"953a48349b92a7dbbd96eea5974029045b77807b"

DETECTOR = Detector(
    id="job-argument",
    kind=Kind.BEARER_TOKEN,
    title="Token among a job's arguments",
    anchors=(
        Anchor(pattern=rb"""args(?:repr)?\\{0,4}["']?[ ]?(?::|=>?)[ ]?\\{0,4}["']?[\[(]"""),
        Anchor(b"with arguments: "),
    ),
    confirm=confirm,
    reference="https://docs.celeryq.dev/en/stable/internals/protocol.html",
    examples=(
        (b"""'argsrepr': "('""" + _V + b"""', 12)", 'retries': 0""", _V),
        (b'"class":"MailJob","args":[53,"' + _V + b'",{"n":1}]', _V),
        (b'"class":"TokenRevocationWorker","args":["' + _HEX + b'"]', _HEX),
        (b'Enqueued SyncJob with arguments: (17, "' + _V + b'")\n', _V),
    ),
    counterexamples=(
        b'"args":["orders/2026/11/22/export-of-everything.csv"]',
        b'"class":"TokenizeImageJob","args":["953a48349b92a7dbbd96eea5974029045b77807b"]',
        b'"args":["953a48349b92a7dbbd96eea5974029045b77807b"]',
        b"args=('orders.tasks.synchronise_customer_accounts', 12)",
    ),
)
