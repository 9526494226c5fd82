"""Clouds and platforms other than the three largest."""

from __future__ import annotations

from detectors.detector import Confidence, Kind
from detectors.vendor.family import B62, B64U, BASE64, DIGITS, HEX, LOWER, URLSAFE, Family, detectors

DIGITALOCEAN = "https://docs.digitalocean.com/reference/api/oauth/"
CLOUDFLARE = "https://developers.cloudflare.com/fundamentals/api/get-started/token-formats"
SUPABASE = "https://supabase.com/docs/guides/api/api-keys"
PLANETSCALE = "https://planetscale.com/docs/api/reference/service-tokens"
YANDEX = "https://yandex.cloud/en/docs/iam/concepts/authorization/"
FLY = "https://fly.io/docs/security/tokens/"
DATABRICKS = "https://docs.databricks.com/aws/en/dev-tools/auth/"
SNOWFLAKE = "https://docs.snowflake.com/en/developer-guide/sql-api/authenticating"

DETECTORS = detectors(
    Family(
        "digitalocean-pat",
        "DigitalOcean personal access token",
        (b"dop_v1_",),
        rb"dop_v1_[0-9a-f]{64}",
        b"do" + b"p_v1_" + HEX[:64],
        DIGITALOCEAN,
    ),
    Family(
        "digitalocean-oauth",
        "DigitalOcean OAuth access token",
        (b"doo_v1_",),
        rb"doo_v1_[0-9a-f]{64}",
        b"do" + b"o_v1_" + HEX[:64],
        DIGITALOCEAN,
        Kind.BEARER_TOKEN,
        lifetime=2592000.0,  # expires_in: 2592000
        static=False,
    ),
    Family(
        "digitalocean-refresh",
        "DigitalOcean OAuth refresh token",
        (b"dor_v1_",),
        rb"dor_v1_[0-9a-f]{64}",
        b"do" + b"r_v1_" + HEX[:64],
        DIGITALOCEAN,
        Kind.REFRESH_TOKEN,
        static=False,
    ),
    Family(
        "cloudflare-api",
        "Cloudflare API token or key",
        (b"cfut_", b"cfat_", b"cfk_"),
        # 40 characters and a checksum whose algorithm is not published
        rb"cf(?:ut|at|k)_[0-9A-Za-z]{44,52}",
        b"cf" + b"ut_" + B62[:40] + HEX[:8],
        CLOUDFLARE,
        weak=True,
    ),
    Family(
        "cloudflare-origin-ca",
        "Cloudflare Origin CA key",
        (b"v1.0-",),
        rb"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}",
        b"v1" + b".0-" + HEX[:24] + b"-" + HEX[24:170],
        "https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys/",
        weak=True,
    ),
    Family(
        "heroku-api",
        "Heroku API key",
        (b"HRKU-",),
        rb"HRKU-(?:AA[0-9A-Za-z_-]{58}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
        b"HR" + b"KU-AA" + B64U[:58],
        "https://devcenter.heroku.com/articles/authentication",
        goes_on=URLSAFE,
    ),
    Family(
        "fly-access",
        "Fly.io access token",
        (b"fm2_", b"fm1r_", b"fm1a_", b"fo1_"),
        rb"(?:fm2_|fm1[ra]_)[0-9A-Za-z+/]{100,1500}={0,3}|fo1_[0-9A-Za-z_-]{43}",
        b"fm" + b"2_" + B62[:200] + b"==",
        FLY,
        goes_on=BASE64,
        dense=True,
        weak=True,
        after=2048,
    ),
    Family(
        "render-api",
        "Render API key",
        (b"rnd_",),
        rb"rnd_[0-9A-Za-z]{28,36}",
        b"rn" + b"d_" + B62[:28],
        "https://render.com/docs/api#1-create-an-api-key",
        weak=True,
        confidence=Confidence.MEDIUM,  # the length is not documented
    ),
    Family(
        "netlify",
        "Netlify access token",
        (b"nfp_", b"nfc_", b"nfo_", b"nfu_", b"nfb_"),
        rb"nf[pcoub]_[0-9A-Za-z_]{36}",
        b"nf" + b"p_" + B62[:36],
        "https://docs.netlify.com/api/get-started/#authentication",
        weak=True,
    ),
    Family(
        "vercel",
        "Vercel token",
        (b"vcp_", b"vci_", b"vca_", b"vcr_", b"vck_"),
        rb"vc[piark]_[0-9A-Za-z_-]{24,80}",
        b"vc" + b"p_" + B62[:56],
        "https://vercel.com/docs/rest-api#authentication",
        goes_on=URLSAFE,
        weak=True,
        confidence=Confidence.MEDIUM,  # the length is not documented
    ),
    Family(
        "supabase",
        "Supabase access token or secret key",
        (b"sbp_", b"sb_secret_"),
        rb"sbp_(?:v0_|oauth_)?[0-9a-f]{40}|sb_secret_[0-9A-Za-z_-]{22,48}",
        b"sb" + b"p_" + HEX[:40],
        SUPABASE,
        goes_on=URLSAFE,
        weak=True,
    ),
    Family(
        "planetscale",
        "PlanetScale service token, OAuth token or password",
        (b"pscale_tkn_", b"pscale_oauth_", b"pscale_pw_"),
        rb"pscale_(?:tkn|oauth|pw)_[0-9A-Za-z_=.-]{32,64}",
        b"pscale" + b"_tkn_" + B64U[:43],
        PLANETSCALE,
        goes_on=URLSAFE,
    ),
    Family(
        "neon",
        "Neon API key",
        (b"napi_",),
        rb"napi_[0-9a-z]{64}",
        b"na" + b"pi_" + LOWER[:64],
        "https://neon.com/docs/manage/api-keys",
        weak=True,
    ),
    Family(
        "yandex-iam",
        "Yandex Cloud IAM token",
        (b"t1.",),
        rb"t1\.[0-9A-Za-z_-]{30,400}={0,2}\.[0-9A-Za-z_-]{86}={0,2}",
        b"t1" + b"." + B64U[:100] + b"." + B64U[20:106],
        YANDEX,
        Kind.BEARER_TOKEN,
        goes_on=URLSAFE,
        weak=True,
        dense=True,
        lifetime=43200.0,  # "no more than 12 hours"
        static=False,
    ),
    Family(
        "yandex-api",
        "Yandex Cloud API key",
        (b"AQVN",),
        rb"AQVN[0-9A-Za-z_-]{35,38}",
        b"AQ" + b"VN" + B64U[:36],
        YANDEX,
        goes_on=URLSAFE,
        weak=True,
    ),
    Family(
        "yandex-oauth",
        "Yandex OAuth token",
        (b"y0_Ag", b"y1_Ag", b"y2_Ag", b"y3_Ag", b"y0__"),
        rb"y[0-3]_(?:Ag|_)[0-9A-Za-z_-]{50,60}",
        b"y0" + b"_AgAAAAB" + B64U[:49],
        YANDEX,
        Kind.BEARER_TOKEN,
        goes_on=URLSAFE,
        weak=True,
        dense=True,
        lifetime=31536000.0,  # one year
        static=False,
    ),
    Family(
        "databricks-pat",
        "Databricks personal access token",
        (b"dapi",),
        rb"dapi[0-9a-f]{32}(?:-[0-9])?",
        b"da" + b"pi" + HEX[:32],
        DATABRICKS,
    ),
    Family(
        "databricks-oauth-secret",
        "Databricks OAuth secret of a service principal",
        (),
        rb"dose[0-9a-f]{32}",
        b"do" + b"se" + HEX[:32],
        DATABRICKS,
        Kind.CLIENT_SECRET,
        back=32,
        patterns=(rb"dose[0-9a-f]{16}",),
        lifetime=63072000.0,  # "up to 730 days"
        static=False,
    ),
    Family(
        # Session and master tokens of the drivers; shape from driver logs, not documented.
        "snowflake-session",
        "Snowflake session token",
        (b"-ETMsDg", b"-DID:"),
        rb"ver:[0-9]-hint:[0-9]{6,20}-(?:did-[0-9]{1,6}-)?ETMsDg[0-9A-Za-z+/]{60,800}={0,2}",
        b"ver:3-hint:" + DIGITS[:12] + b"-ET" + b"MsDgAAAZ" + B62[:130] + b"==",
        SNOWFLAKE,
        Kind.BEARER_TOKEN,
        goes_on=BASE64,
        back=64,
        dense=True,
        static=False,
        after=2048,
    ),
    Family(
        "mongodb-service-account",
        "MongoDB Atlas service account secret",
        (b"mdb_sa_sk_",),
        rb"mdb_sa_sk_[0-9A-Za-z_-]{40}",
        b"mdb_sa" + b"_sk_" + B64U[:40],
        "https://www.mongodb.com/docs/atlas/api/service-accounts-overview/",
        Kind.CLIENT_SECRET,
        goes_on=URLSAFE,
    ),
    Family(
        "clickhouse-cloud",
        "ClickHouse Cloud API secret",
        (b"4b1d",),
        rb"4b1d[0-9A-Za-z]{38}",
        b"4b" + b"1d" + B62[:38],
        "https://clickhouse.com/docs/cloud/manage/openapi",
        weak=True,
        confidence=Confidence.MEDIUM,  # shape from other tools, not documented
    ),
    Family(
        "aiven",
        "Aiven token",
        (b"aivenv1_",),
        rb"aivenv1_[0-9A-Za-z+/=_-]{60,400}",
        b"aiven" + b"v1_" + B62[:100],
        "https://aiven.io/docs/platform/concepts/authentication-tokens",
        goes_on=BASE64,
        confidence=Confidence.MEDIUM,  # the length is not documented
    ),
    Family(
        "scalingo",
        "Scalingo API token",
        (b"tk-us-",),
        rb"tk-us-[0-9A-Za-z_-]{48}",
        b"tk" + b"-us-" + B64U[:48],
        "https://developers.scalingo.com/index#authentication",
        goes_on=URLSAFE,
        weak=True,
    ),
)
