"""AWS: session tokens by their own bytes, secret access keys by the access key id beside them.

An access key id (AKIA…, ASIA…) names a key and opens nothing; it is no finding.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""

from __future__ import annotations

from detectors.vendor import pairs
from detectors.vendor.family import B62, BASE64, Family, detectors

IDS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids"
STS = "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"
BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html"

HOURS_36 = 129600.0  # GetSessionToken, the longest of the STS calls
HOURS_12 = 43200.0

_ACCESS_ID = b"AK" + b"IAZ3Q7XLM2KWTBNC4D"

DETECTORS = (
    *pairs.detectors(
        pairs.Pair(
            "aws-secret-access-key",
            "AWS secret access key",
            (b"AKIA", b"ASIA"),
            rb"[A-Z2-7]{16}(?![0-9A-Za-z])",
            rb"0-9A-Za-z+/",
            40,
            IDS,
            _ACCESS_ID,
            B62[9:49],
            temporary=(b"ASIA",),
            lifetime=HOURS_36,
            counterexamples=(
                b"AccessKeyId=" + _ACCESS_ID + b" rev 3f9c04e7b1d852a6c7e0194f8b6d235ea97c10f4",
                b"AKIA and a path /usr/lib/python3/dist-packages/botocore",
            ),
        ),
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
