"""AWS: session tokens by their own bytes, secret access keys by the access key id beside them.

An access key id (AKIA…, ASIA…) names a key and opens nothing; it is no finding.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.entropy import shannon
from detectors.vendor.family import B62, BASE64, Family, detectors, varied

IDS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids"
STS = "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"
BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html"

NEAR = 200  # bytes between an id and its key: one object of the CLI's JSON, one stanza of an ini file
HOURS_36 = 129600.0  # GetSessionToken, the longest of the STS calls
HOURS_12 = 43200.0

_ID = re.compile(rb"(?:AKIA|ASIA)[A-Z2-7]{16}(?![0-9A-Za-z])")
_KEY = re.compile(rb"(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{40}(?![0-9A-Za-z+/=_-])")


def _confirm(text: Text) -> Iterable[Match]:
    """The 40 characters nearest to the id that look like a key, before or after it."""
    start = text.hit - 4
    found = _ID.match(text.data, start)
    if text.cut and len(text.data) < start + 20 + NEAR + 41:
        raise NeedMore
    if not found:
        return
    low, high = max(0, start - NEAR - 40), min(len(text.data), found.end() + NEAR + 40)
    keys = [m.span() for m in _KEY.finditer(text.data, low, high) if _is_key(m[0])]
    if not keys:
        return
    first, last = min(keys, key=lambda span: max(start - span[1], span[0] - found.end()))
    yield Match(
        start=first,
        end=last,
        kind=Kind.API_KEY,
        secret=Secret(text.data[first:last]),
        rank=Rank.STRUCTURE,
        family="aws-secret-access-key",
        static=text.data[start : start + 4] == b"AKIA",
        max_lifetime=None if text.data[start : start + 4] == b"AKIA" else HOURS_36,
    )


def _is_key(value: bytes) -> bool:
    """30 random bytes in base64: all three classes of characters, and no path or hash."""
    classes = (sum(65 <= c <= 90 for c in value), sum(97 <= c <= 122 for c in value), sum(48 <= c <= 57 for c in value))
    return min(classes) >= 2 and value.count(b"/") < 5 and shannon(value) >= 4.2 and varied(value)


_ACCESS_ID = b"AK" + b"IAZ3Q7XLM2KWTBNC4D"

DETECTORS = (
    Detector(
        id="aws-secret-access-key",
        kind=Kind.API_KEY,
        title="AWS secret access key",
        anchors=(Anchor(b"AKIA"), Anchor(b"ASIA")),
        confirm=_confirm,
        reference=IDS,
        examples=(
            (b'"AccessKeyId": "' + _ACCESS_ID + b'", "SecretAccessKey": "' + B62[:40] + b'"', B62[:40]),
            (b"aws_secret_access_key=" + B62[9:49] + b"\naws_access_key_id=" + _ACCESS_ID + b"\n", B62[9:49]),
        ),
        counterexamples=(
            b"AccessKeyId=" + _ACCESS_ID + b" rev 3f9c04e7b1d852a6c7e0194f8b6d235ea97c10f4",
            b"AKIA and a path /usr/lib/python3/dist-packages/botocore",
        ),
        before=512,
        after=512,
    ),
    *detectors(
        Family(
            # Base64 of the token's header: "!\norigin_ec", "\x16\ns\x19/aws", "\x15\ns\x19/aws", "\x15\x0a\x03aws".
            "aws-session-token",
            "AWS session token",
            (b"IQoJb3JpZ2luX", b"FwoGZXIvYXdzE", b"FQoGZXIvYXdzE", b"FQoDYXdzE"),
            rb"(?:IQoJb3JpZ2luX|FwoGZXIvYXdzE|FQoGZXIvYXdzE|FQoDYXdzE)[0-9A-Za-z+/]{100,4096}={0,2}",
            b"IQoJ" + b"b3JpZ2luX2VjT" + B62 + b"==",
            STS,
            goes_on=BASE64,
            dense=True,
            lifetime=HOURS_36,
            static=False,
            after=8192,
        ),
        Family(
            "aws-bedrock-key",
            "Amazon Bedrock API key",
            (b"ABSKQmVkcm9ja0FQSUtleS",),
            rb"ABSKQmVkcm9ja0FQSUtleS[0-9A-Za-z+/]{80,280}={0,2}",
            b"ABSK" + b"QmVkcm9ja0FQSUtleS" + B62[:110],
            BEDROCK,
            goes_on=BASE64,
            dense=True,
        ),
        Family(
            "aws-bedrock-key-short",
            "Amazon Bedrock API key (short-term)",
            (b"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t",),
            rb"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[0-9A-Za-z+/]{60,4096}={0,2}",
            b"bedrock-api-key-" + b"YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249" + B62,
            BEDROCK,
            goes_on=BASE64,
            dense=True,
            lifetime=HOURS_12,
            static=False,
            after=8192,
        ),
    ),
)
