"""Google: OAuth 2.0 tokens, codes and client secrets, API keys."""

from __future__ import annotations

from detectors.detector import Confidence, Kind
from detectors.vendor.family import B64U, URLSAFE, Family, detectors

OAUTH = "https://developers.google.com/identity/protocols/oauth2"
KEYS = "https://cloud.google.com/docs/authentication/api-keys"

DETECTORS = detectors(
    Family(
        "google-api-key",
        "Google API key",
        (b"AIza",),
        rb"AIza[0-9A-Za-z_-]{35}",
        b"AI" + b"zaSy" + B64U[:33],
        KEYS,
        goes_on=URLSAFE,
    ),
    Family(
        # Sizes are not fixed ("access tokens: 2048 bytes" is the documented most). One hour by default, at most 12.
        "google-access-token",
        "Google OAuth 2.0 access token",
        (b"ya29.",),
        rb"ya29\.(?:[a-z]\.)?[0-9A-Za-z_-]{20,2048}",
        b"ya" + b"29.a0A" + B64U[:180],
        OAUTH,
        Kind.BEARER_TOKEN,
        goes_on=URLSAFE,
        dense=True,
        lifetime=43200.0,
        static=False,
        after=4096,
    ),
    Family(
        "google-refresh-token",
        "Google OAuth 2.0 refresh token",
        (b"1//0",),
        rb"1//0[0-9A-Za-z_-]{40,512}",
        b"1/" + b"/0g" + B64U[:100],
        OAUTH,
        Kind.REFRESH_TOKEN,
        goes_on=URLSAFE,
        weak=True,
        dense=True,
        static=False,
    ),
    Family(
        "google-auth-code",
        "Google OAuth 2.0 authorization code",
        (b"4/0A",),
        rb"4/0A[0-9A-Za-z_-]{40,256}",
        b"4/" + b"0AX4" + B64U[:68],
        OAUTH,
        Kind.AUTH_CODE,
        goes_on=URLSAFE,
        weak=True,
        dense=True,
        static=False,
    ),
    Family(
        "google-client-secret",
        "Google OAuth 2.0 client secret",
        (b"GOCSPX-",),
        rb"GOCSPX-[0-9A-Za-z_-]{28}",
        b"GOC" + b"SPX-" + B64U[:28],
        OAUTH,
        Kind.CLIENT_SECRET,
        goes_on=URLSAFE,
    ),
    Family(
        # Express-mode keys bound to a service account; the length is from observed keys, not documented.
        "google-bound-api-key",
        "Google API key bound to a service account",
        (b"AQ.Ab8",),
        rb"AQ\.Ab8[0-9A-Za-z_-]{40,80}",
        b"AQ" + b".Ab8" + B64U[:47],
        KEYS,
        goes_on=URLSAFE,
        confidence=Confidence.MEDIUM,
        weak=True,
    ),
    Family(
        "firebase-server-key",
        "Firebase Cloud Messaging server key (legacy)",
        (b":APA91b",),
        rb"AAAA[0-9A-Za-z_-]{7}:APA91b[0-9A-Za-z_-]{134}",
        b"AA" + b"AAx9QbTm2:APA" + b"91b" + B64U[:134],
        "https://firebase.google.com/docs/cloud-messaging/auth-server",
        goes_on=URLSAFE,
        back=19,
    ),
)
