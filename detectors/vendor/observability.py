"""Logging, metrics, errors and feature flags."""

from __future__ import annotations

import base64
import zlib

from detectors.claims import decode_part, json_object
from detectors.detector import Confidence, Kind, TokenFacts
from detectors.vendor import checksums as sums
from detectors.vendor.family import B62, B64U, BASE64, HEX, UPPER, URLSAFE, Family, detectors

GRAFANA = "https://grafana.com/docs/grafana/latest/administration/service-accounts/"
NEWRELIC = "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"
SENTRY = "https://develop.sentry.dev/backend/api/auth-tokens/"
POSTHOG = "https://posthog.com/docs/api"
HONEYCOMB = "https://docs.honeycomb.io/configure/environments/manage-api-keys/"
UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUID = b"3f9c04e7-b1d8-42a6-97e0-194f8b6d235e"


def _grafana(body: bytes) -> bytes:
    head = b"gl" + b"sa_" + body
    return head + b"_" + zlib.crc32(head).to_bytes(4, "little").hex().encode()


def _sentry_facts(token: bytes) -> TokenFacts:
    """The middle part is base64 of JSON with the time of issue and the addresses of the instance."""
    claims = json_object(decode_part(token.removeprefix(b"sntrys_").rpartition(b"_")[0])) or {}
    issuer, issued = claims.get("url"), claims.get("iat")
    return TokenFacts(
        issuer=issuer if isinstance(issuer, str) else None,
        issued_at=float(issued) if isinstance(issued, int | float) and abs(issued) < 1e12 else None,
    )


DETECTORS = detectors(
    Family(
        "grafana-service-account",
        "Grafana service account token",
        (b"glsa_",),
        rb"glsa_[0-9A-Za-z]{32}_[0-9a-fA-F]{8}",
        _grafana(B62[:32]),
        GRAFANA,
        check=sums.crc_grafana,
    ),
    Family(
        "grafana-cloud",
        "Grafana Cloud access policy token",
        (b"glc_ey",),
        rb"glc_ey[0-9A-Za-z+/]{50,400}={0,2}",
        b"gl" + b"c_eyJvIjoiMTIzNDU2Iiw" + B62[:100],
        "https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/",
        goes_on=BASE64,
    ),
    Family(
        "grafana-api-key",
        "Grafana API key (legacy)",
        (b"eyJrIjoi",),
        rb"eyJrIjoi[0-9A-Za-z]{60,400}={0,2}",
        base64.b64encode(b'{"k":"' + B62[:32] + b'","n":"loader","id":1}'),
        GRAFANA,
        goes_on=BASE64 | frozenset(b"._-"),
        weak=True,
    ),
    Family(
        "newrelic",
        "New Relic user, admin, insights or license key",
        (b"NRAK-", b"NRAA-", b"NRII-", b"NRIQ-", b"NRRA-"),
        rb"NR(?:AK|AA)-[0-9A-Z]{27}|NRI[IQ]-[0-9A-Za-z_-]{32}|NRRA-[0-9a-f]{42}",
        b"NR" + b"AK-" + UPPER[:27],
        NEWRELIC,
        goes_on=URLSAFE,
    ),
    Family(
        "newrelic-license",
        "New Relic license key",
        (b"NRAL",),
        rb"(?<![0-9A-Za-z])(?:eu01xx[0-9a-f]{30}|[0-9a-f]{36})NRAL",
        HEX[:36] + b"NR" + b"AL",
        NEWRELIC,
        back=40,
    ),
    Family(
        "sentry-org",
        "Sentry organization auth token",
        (b"sntrys_",),
        rb"sntrys_ey[0-9A-Za-z+/_-]{40,600}={0,2}_[0-9A-Za-z+/_-]{43}",
        b"sn"
        + b"trys_"
        + base64.b64encode(b'{"iat":1795338967,"url":"https://sentry.io","org":"acme"}').rstrip(b"=")
        + b"_"
        + B62[:43],
        SENTRY,
        goes_on=BASE64,
        facts=_sentry_facts,
    ),
    Family(
        "sentry-user",
        "Sentry user auth token",
        (b"sntryu_", b"sntrya_", b"sntryi_"),
        rb"sntry[uai]_[0-9a-f]{64}",
        b"sn" + b"tryu_" + HEX[:64],
        SENTRY,
    ),
    Family(
        "honeycomb",
        "Honeycomb ingest or management key",
        (b"hcaik_", b"hcbik_", b"hcxik_", b"hcamk_", b"hcbmk_"),
        rb"hc[abx][im]k_[0-9a-z]{58}",
        b"hc" + b"aik_" + HEX[:58],
        HONEYCOMB,
    ),
    Family(
        "dynatrace",
        "Dynatrace token",
        (b"dt0c01.", b"dt0s01.", b"dt0s02.", b"dt0s08.", b"dt0s16."),
        rb"dt0[cs][0-9]{2}\.[0-9A-Z]{8,24}\.[0-9A-Z]{64}",
        b"dt" + b"0c01." + UPPER[:24] + b"." + UPPER[30:94],
        "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens",
    ),
    Family(
        "sumo-collector",
        "Sumo Logic collector URL",
        (),
        rb"receiver/v1/http/(?P<secret>[0-9A-Za-z_+/-]{80,120}={0,2})",
        B62[:86] + b"==",
        "https://help.sumologic.com/docs/send-data/hosted-collectors/http-source/",
        context=b"https://collectors.sumologic.com/receiver/v1/http/",
        back=40,
        near=120,
        patterns=(rb"receiver/v1/http/",),
    ),
    Family(
        "loggly-token",
        "Loggly customer token",
        (),
        rb"/(?:inputs|bulk)/(?P<secret>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=/tag/|[/?\s\"']|\Z)",
        b"3f9c04e7-b1d8-42a6-97e0-194f8b6d235e",
        "https://documentation.solarwinds.com/en/success_center/loggly/content/admin/http-endpoint.htm",
        context=b"POST /inputs/",
        back=40,
        near=120,
        patterns=(rb"(?:/inputs/|/bulk/)",),
    ),
    Family(
        "splunk-on-call",
        "Splunk On-Call (VictorOps) routing URL",
        (),
        rb"integrations/generic/\d{8}/alert/(?P<secret>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
        b"3f9c04e7-b1d8-42a6-97e0-194f8b6d235e",
        "https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/",
        context=b"https://alert.victorops.com/integrations/generic/20131114/alert/",
        back=40,
        near=120,
        patterns=(rb"integrations/generic/",),
    ),
    Family(
        "honeycomb-team",
        "Honeycomb API key",
        (),
        rb"(?i:x-honeycomb-team)[\"']?[ ]?[:=][ ]?[\"']?(?P<secret>[0-9A-Za-z_-]{22,64})",
        B62[:22],
        "https://docs.honeycomb.io/configure/environments/manage-api-keys/",
        context=b"x-honeycomb-team: ",
        back=40,
        near=120,
        patterns=(rb"[xX]-[hH]oneycomb-[tT]eam",),
    ),
    Family(
        "pagerduty-integration",
        "PagerDuty integration key",
        (),
        rb"(?:routing|service|integration)_?[kK]ey[\"']?[ ]?[:=][ ]?[\"']?(?P<secret>[0-9a-f]{32}|R[0-9A-Z]{31})",
        HEX[:32],
        "https://support.pagerduty.com/main/docs/services-and-integrations#create-a-generic-events-api-integration",
        context=b"routing_key: ",
        back=24,
        near=40,
        patterns=(
            rb"routing_key",
            rb"service_key",
            rb"integration_key",
            rb"routingKey",
            rb"serviceKey",
            rb"integrationKey",
        ),
    ),
    Family(
        # An OAuth 2.0 token of an app: service region, a fixed mark, a UUID.
        "pagerduty-oauth",
        "PagerDuty OAuth token",
        (b"pdus+_", b"pdeu+_"),
        rb"pd(?:us|eu)\+_[0-9A-Z]{6,10}_" + UUID,
        b"pd" + b"us+_0XBPWQQ_" + _UUID,
        "https://developer.pagerduty.com/docs/app-oauth-token",
        Kind.BEARER_TOKEN,
        static=False,
        lifetime=2592000.0,  # expires_in: 2592000
    ),
    Family(
        # The header or variable says what the 40 hex digits are.
        "datadog-app-key",
        "Datadog application key",
        (b"dd-application-key", b"dd_app_key", b"dd_application_key", b"datadog_app_key", b"datadog_application_key"),
        rb"(?i:(?:dd|datadog)[-_]app(?:lication)?[-_]key)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"'\[]{0,2}"
        rb"(?P<secret>[0-9a-f]{40})",
        HEX[:40],
        "https://docs.datadoghq.com/account_management/api-app-keys/",
        caseless=True,
        near=64,
        context=b"DD-APPLICATION-KEY: ",
    ),
    Family(
        "posthog",
        "PostHog personal or project secret key",
        (b"phx_", b"phs_"),
        rb"ph[xs]_[0-9A-Za-z]{40,56}",
        b"ph" + b"x_" + B62[:43],
        POSTHOG,
        weak=True,
    ),
    Family(
        "axiom",
        "Axiom API token",
        (b"xaat-", b"xapt-"),
        rb"xa[ap]t-" + UUID,
        b"xa" + b"at-" + _UUID,
        "https://axiom.co/docs/reference/tokens",
        weak=True,
    ),
    Family(
        "launchdarkly",
        "LaunchDarkly API access token or SDK key",
        (),
        rb"(?:api|sdk)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        b"sd" + b"k-" + _UUID,
        "https://launchdarkly.com/docs/home/account/api",
        weak=True,
        back=24,
        patterns=(rb"(?:api|sdk)-[0-9a-f]{8}-[0-9a-f]{4}-4",),
    ),
    Family(
        "segment",
        "Segment Public API token",
        (b"sgp_",),
        rb"sgp_[0-9A-Za-z]{64}",
        b"sg" + b"p_" + B62[:64],
        "https://docs.segmentapis.com/",
        weak=True,
    ),
    Family(
        "maxmind",
        "MaxMind license key",
        (b"_mmk",),
        rb"(?<![0-9A-Za-z])[0-9A-Za-z]{6}_[0-9A-Za-z]{29}_mmk",
        B62[:6] + b"_" + B62[10:39] + b"_m" + b"mk",
        "https://support.maxmind.com/hc/en-us/articles/4407111582235-Generate-a-License-Key",
        back=40,
    ),
    Family(
        "stackhawk",
        "StackHawk API key",
        (b"hawk.",),
        rb"hawk\.[0-9A-Za-z_-]{20}\.[0-9A-Za-z_-]{20}",
        b"ha" + b"wk." + B64U[:20] + b"." + B64U[30:50],
        "https://docs.stackhawk.com/apidocs.html",
        goes_on=URLSAFE,
        weak=True,
    ),
    Family(
        "dependency-track",
        "Dependency-Track API key",
        (b"odt_",),
        rb"odt_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}|odt_[0-9A-Za-z]{32,64}",
        b"od" + b"t_" + B62[:32],
        "https://docs.dependencytrack.org/integrations/rest-api/",
        weak=True,
    ),
    Family(
        "rootly",
        "Rootly API key",
        (b"rootly_",),
        rb"rootly_[0-9a-f]{64}",
        b"root" + b"ly_" + HEX[:64],
        "https://docs.rootly.com/api-reference/overview",
        confidence=Confidence.MEDIUM,
    ),
)
