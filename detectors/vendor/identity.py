"""Identity providers, social networks and the OAuth tokens that carry their issuer's mark."""

from __future__ import annotations

from detectors.detector import Confidence, Kind
from detectors.vendor.family import ALNUM, B62, B64U, DIGITS, HEX, URLSAFE, Family, detectors

ORY = "https://www.ory.com/docs/hydra/guides/oauth2-clients"
META = "https://developers.facebook.com/docs/facebook-login/guides/access-tokens"
SALESFORCE = "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_access_tokens.htm"
OPENSHIFT = (
    "https://docs.redhat.com/en/documentation/openshift_container_platform/4.17/html/authentication_and_authorization/"
)
DROPBOX = "https://developers.dropbox.com/oauth-guide"
_SESSION = ALNUM | frozenset(b"_.")


def _ory(name: str, title: str, prefix: bytes, kind: Kind) -> Family:
    shape = prefix + rb"[0-9A-Za-z_-]{43}\.[0-9A-Za-z_-]{43}"
    example = prefix + B64U[:43] + b"." + B64U[50:93]
    return Family(name, title, (prefix,), shape, example, ORY, kind, goes_on=URLSAFE, static=False)


CAS = "https://apereo.github.io/cas/7.0.x/protocol/CAS-Protocol-Specification.html"
_TICKET = rb"-\d{1,10}-[0-9A-Za-z_-]{20,160}(?:\.[0-9A-Za-z_-]{1,40}){0,5}"  # with the name of the server that gave it

DETECTORS = detectors(
    Family(
        "cas-granting",
        "CAS ticket-granting ticket",
        (),
        rb"TGT" + _TICKET,
        b"TG" + b"T-17-" + B62[:50] + b"-cas01",
        CAS,
        Kind.SESSION_COOKIE,
        goes_on=URLSAFE,
        weak=True,
        back=24,
        static=False,
        patterns=(rb"TGT-\d{1,10}-[0-9A-Za-z_-]{8}",),
    ),
    Family(
        "cas-service",
        "CAS service or proxy ticket",
        (),
        rb"(?:ST|PT)" + _TICKET,
        b"S" + b"T-17-" + B62[:30] + b"-cas01",
        CAS,
        Kind.AUTH_CODE,
        goes_on=URLSAFE,
        weak=True,
        back=24,
        static=False,
        patterns=(rb"ST-\d{1,10}-[0-9A-Za-z_-]{8}", rb"PT-\d{1,10}-[0-9A-Za-z_-]{8}"),
    ),
    Family(
        # Okta documents the scheme, not the token: "00" and 40 characters are from issued ones.
        "okta-ssws",
        "Okta API token",
        (b"ssws ", b"okta"),
        rb"(?i:ssws[ \t]+|okta[^\r\n]{0,64}?[\s\"'=:,\[(>])(?P<secret>00[0-9A-Za-z_-]{40})(?![0-9A-Za-z_-])",
        b"00" + B64U[:40],
        "https://developer.okta.com/docs/guides/create-an-api-token/main/",
        goes_on=URLSAFE,
        caseless=True,
        near=112,
        context=b"Authorization: SSWS ",
        counterexamples=(b"Authorization: SSWS {token}", b"okta-signin-widget 00000000"),
    ),
    _ory("ory-access", "Ory OAuth 2.0 access token", b"ory_at_", Kind.BEARER_TOKEN),
    _ory("ory-refresh", "Ory OAuth 2.0 refresh token", b"ory_rt_", Kind.REFRESH_TOKEN),
    _ory("ory-code", "Ory OAuth 2.0 authorization code", b"ory_ac_", Kind.AUTH_CODE),
    Family(
        "ory-api",
        "Ory API key or session token",
        (b"ory_pat_", b"ory_apikey_", b"ory_wak_", b"ory_st_"),
        rb"ory_(?:pat|apikey|wak|st)_[0-9A-Za-z]{32,64}",
        b"ory" + b"_pat_" + B62[:32],
        "https://www.ory.com/docs/concepts/personal-access-token",
    ),
    Family(
        "salesforce-session",
        "Salesforce session id or access token",
        (),
        rb"00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?!A[0-9A-Za-z_.]{80,200}",
        b"00" + b"DzUkssVrb63on!AQ" + B62[:94],
        SALESFORCE,
        Kind.BEARER_TOKEN,
        goes_on=_SESSION,
        weak=True,
        back=32,
        static=False,
        patterns=(rb"00D[0-9A-Za-z]{12,15}(?:!|%21)A[0-9A-Za-z_.]{4}",),
    ),
    Family(
        "salesforce-refresh",
        "Salesforce refresh token",
        (b"5Aep861",),
        rb"5Aep861[0-9A-Za-z._]{70,90}",
        b"5A" + b"ep861" + B62[:80],
        SALESFORCE,
        Kind.REFRESH_TOKEN,
        goes_on=_SESSION,
        weak=True,
        static=False,
    ),
    Family(
        "openshift-oauth",
        "OpenShift OAuth access token",
        (b"sha256~",),
        rb"sha256~[0-9A-Za-z_-]{43}",
        b"sha" + b"256~" + B64U[:43],
        OPENSHIFT,
        Kind.BEARER_TOKEN,
        goes_on=URLSAFE,
        static=False,  # 24 hours unless configured otherwise
    ),
    Family(
        "facebook-access",
        "Meta user, page or system user access token",
        (),
        rb"(?<![0-9A-Za-z+/_-])EAA[0-9A-Za-z]{90,400}",
        b"EA" + b"ACEd" + B62[:180],
        META,
        Kind.BEARER_TOKEN,
        goes_on=URLSAFE | frozenset(b"+/"),
        weak=True,
        dense=True,
        static=False,
        back=50,
        patterns=(rb"[^A-Za-z0-9+/_\-]EAA[0-9A-Za-z]{40}", rb"%3[dD]EAA[0-9A-Za-z]{40}"),
    ),
    Family(
        "facebook-app",
        "Meta app access token",
        (),
        rb"(?<![0-9])[0-9]{15,16}\|[0-9A-Za-z_-]{27}",
        DIGITS[:15] + b"|" + B64U[:27],
        META,
        goes_on=URLSAFE,
        back=44,
        patterns=(rb"[0-9]{15}\|[0-9A-Za-z_\-]{8}",),
        confidence=Confidence.MEDIUM,
    ),
    Family(
        "instagram",
        "Instagram access token",
        (b"IGQVJ", b"IGQWR", b"IGAA"),
        rb"IG(?:QVJ|QWR|AA)[0-9A-Za-z_-]{100,300}",
        b"IG" + b"QVJ" + B62[:150],
        "https://developers.facebook.com/docs/instagram-platform",
        Kind.BEARER_TOKEN,
        goes_on=URLSAFE,
        weak=True,
        dense=True,
        # A long-lived one is good for 60 days, and for 60 more from each refresh: no maximum is claimed.
        static=False,
    ),
    Family(
        # The token is percent-encoded when issued.
        "twitter-bearer",
        "X app-only bearer token",
        (b"AAAAAAAAAAAAAAAAAAAAA",),
        rb"(?<![0-9A-Za-z+/])A{21}[B-Zb-z0-9][0-9A-Za-z%]{50,110}",
        b"A" * 21 + b"MLheAAAAAAA0" + b"%2BuSeid" + B62[:60],
        "https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/bearer-tokens",
        goes_on=ALNUM | frozenset(b"+/"),
        dense=True,
        back=26,
    ),
    Family(
        "linkedin-access",
        "LinkedIn access token",
        (),
        rb"AQ[UVWX][0-9A-Za-z_-]{200,600}",
        b"AQ" + b"V" + B64U,
        "https://learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens",
        Kind.BEARER_TOKEN,
        goes_on=URLSAFE | frozenset(b"+/="),
        weak=True,
        dense=True,
        lifetime=31536000.0,  # access tokens 60 days, refresh tokens, which look alike, 365
        static=False,
        back=64,
        patterns=(rb"""["'= :\[]AQ[UVWX][0-9A-Za-z_\-]{48}""",),
        confidence=Confidence.MEDIUM,
    ),
    Family(
        "dropbox-access",
        "Dropbox access token",
        (b"sl.B", b"sl.A", b"sl.u."),
        rb"sl\.(?:u\.)?[AB][0-9A-Za-z_-]{120,1400}",
        b"sl" + b".B" + B64U[:137],
        DROPBOX,
        Kind.BEARER_TOKEN,
        goes_on=URLSAFE,
        weak=True,
        lifetime=14400.0,  # short-lived tokens: four hours
        static=False,
        after=2048,
    ),
    Family(
        "adobe-client-secret",
        "Adobe OAuth client secret",
        (b"p8e-",),
        rb"p8e-[0-9A-Za-z_-]{32}",
        b"p8" + b"e-" + B64U[:32],
        "https://developer.adobe.com/developer-console/docs/guides/authentication/",
        Kind.CLIENT_SECRET,
        goes_on=URLSAFE,
        weak=True,
    ),
    Family(
        "intra42",
        "42 Intra OAuth client secret",
        (b"s-s4t2",),
        rb"s-s4t2(?:ud|af)-[0-9a-f]{64}",
        b"s-" + b"s4t2ud-" + HEX[:64],
        "https://api.intra.42.fr/apidoc/guides/getting_started",
        Kind.CLIENT_SECRET,
    ),
)
