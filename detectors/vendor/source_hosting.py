"""Source hosting and build services. References stand in each row; lifetimes are the documented maxima."""

from __future__ import annotations

import base64
import zlib

from detectors.claims import decode_part, json_object
from detectors.detector import Confidence, Kind, TokenFacts
from detectors.vendor import checksums as sums
from detectors.vendor.family import B62, B64U, BASE64, HEX, LOWER, UPPER, URLSAFE, Family, detectors

GITHUB = "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github"
GITLAB = "https://docs.gitlab.com/security/tokens/#token-prefixes"
ROUTABLE = "https://handbook.gitlab.com/handbook/engineering/architecture/design-documents/cells/routable_tokens/"
ATLASSIAN = "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/"
CIRCLECI = "https://circleci.com/docs/managing-api-tokens/"
BUILDKITE = "https://buildkite.com/docs/platform/security/tokens#supported-buildkite-tokens"
HARNESS = "https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/"

DAY = 86400.0


def _github(prefix: bytes, body: bytes) -> bytes:
    return prefix + body + sums.digits(zlib.crc32(body), sums.BASE62, 6)


def _stateless(token: bytes) -> TokenFacts:
    """The claims of the JWT inside a stateless installation token; a part that cannot be read says nothing."""
    claims = json_object(decode_part(token.split(b".")[1]))
    if claims is None:
        return TokenFacts()
    times = {k: float(v) for k, v in claims.items() if isinstance(v, int) and 0 < v < 1e12}
    return TokenFacts(issued_at=times.get("iat"), not_before=times.get("nbf"), expires_at=times.get("exp"))


def _routable(prefix: bytes) -> bytes:
    """An example: payload, its length in base 36, CRC32 in base 36."""
    payload = base64.urlsafe_b64encode(b"o:1\nu:2" + bytes(range(40, 56)) + b"\x10").rstrip(b"=")
    head = prefix + payload + b"." + sums.digits(len(payload), sums.BASE36, 2)
    return head + sums.digits(zlib.crc32(head), sums.BASE36, 7)


def _gitlab(name: str, title: str, prefix: bytes, body: bytes, example: bytes, kind: Kind = Kind.API_KEY) -> Family:
    shape = prefix + rb"(?:" + body + rb"(?![0-9A-Za-z_-])|" + body + rb")"
    return Family(name, title, (prefix,), shape, prefix + example, GITLAB, kind, goes_on=URLSAFE)


def _gitlab_routable(name: str, title: str, prefix: bytes) -> Family:
    # 16 to 159 bytes of payload; a version field of 2 characters stands before the length in the newer form
    shape = prefix + rb"(?:t\d_)?[0-9A-Za-z_-]{27,300}\.(?:[0-9a-z]{2}\.)?[0-9a-z]{9}"
    return Family(name, title, (prefix,), shape, _routable(prefix), ROUTABLE, check=sums.crc_base36, dense=True)


_CLASSIC = rb"[0-9A-Za-z]{36}"

DETECTORS = detectors(
    Family(
        "github-pat",
        "GitHub personal access token (classic)",
        (b"ghp_",),
        rb"ghp_" + _CLASSIC,
        _github(b"gh" + b"p_", B62[:30]),
        GITHUB,
        check=sums.crc_base62,
        must_check=True,
        counterexamples=(b"gh" + b"p_" + B62[:36],),
    ),
    Family(
        "github-oauth",
        "GitHub OAuth access token",
        (b"gho_",),
        rb"gho_" + _CLASSIC,
        _github(b"gh" + b"o_", B62[3:33]),
        GITHUB,
        check=sums.crc_base62,
        must_check=True,
    ),
    Family(
        "github-user-to-server",
        "GitHub App user access token",
        (b"ghu_",),
        rb"ghu_" + _CLASSIC,
        _github(b"gh" + b"u_", B62[5:35]),
        GITHUB,
        check=sums.crc_base62,
        must_check=True,
        static=False,
        # "expires after 8 hours" unless the app opted out of expiry, so no maximum is claimed
    ),
    Family(
        "github-installation",
        "GitHub App installation access token",
        (b"ghs_",),
        rb"ghs_" + _CLASSIC,
        _github(b"gh" + b"s_", B62[7:37]),
        GITHUB,
        check=sums.crc_base62,
        must_check=True,
        # One hour; the GITHUB_TOKEN of a job is one too, and refreshed for up to 24 hours:
        # https://docs.github.com/actions/concepts/security/github_token
        lifetime=DAY,
        static=False,
    ),
    Family(
        "github-installation-stateless",
        "GitHub App installation access token (stateless)",
        (b"ghs_",),
        rb"ghs_[0-9A-Za-z_]{1,24}?_?eyJ[0-9A-Za-z_-]{8,512}\.[0-9A-Za-z_-]{20,1600}\.[0-9A-Za-z_-]{20,700}",
        b"gh"
        + b"s_123456_"
        + b"eyJhbGciOiJFUzI1NiJ9."
        + b"eyJleHAiOjE3OTUzNDAwMDAsImlhdCI6MTc5NTMzNjQwMH0."
        + B64U[:86],
        "https://github.blog/changelog/2026-05-15-github-app-installation-tokens-per-request-override-header/",
        goes_on=URLSAFE,
        lifetime=DAY,
        static=False,
        dense=True,
        facts=_stateless,
        after=4096,
    ),
    Family(
        "github-refresh",
        "GitHub App refresh token",
        (b"ghr_",),
        rb"ghr_[0-9A-Za-z]{36,76}",
        _github(b"gh" + b"r_", B62[:70]),
        GITHUB,
        Kind.REFRESH_TOKEN,
        check=sums.crc_base62,
        must_check=True,
        lifetime=184 * DAY,  # refresh_token_expires_in: 15897600
        static=False,
    ),
    Family(
        "github-fine-grained-pat",
        "GitHub personal access token (fine-grained)",
        (b"github_pat_",),
        rb"github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}",
        b"github" + b"_pat_" + B62[:22] + b"_" + B62[30:89],
        GITHUB,
    ),
    _gitlab("gitlab-pat", "GitLab personal access token", b"glpat-", rb"[0-9A-Za-z_-]{20}", B64U[:20]),
    _gitlab_routable("gitlab-pat-routable", "GitLab personal access token (routable)", b"glpat-"),
    _gitlab("gitlab-deploy", "GitLab deploy token", b"gldt-", rb"[0-9A-Za-z_-]{20}", B64U[:20]),
    _gitlab("gitlab-runner", "GitLab runner token", b"glrt-", rb"(?:t\d_)?[0-9A-Za-z_-]{20}", B64U[5:25]),
    _gitlab_routable("gitlab-runner-routable", "GitLab runner token (routable)", b"glrt-"),
    _gitlab("gitlab-runner-registration", "GitLab runner token", b"glrtr-", rb"[0-9A-Za-z_-]{20}", B64U[4:24]),
    _gitlab("gitlab-registration", "GitLab registration token", b"GR1348941", rb"[0-9A-Za-z_-]{20}", B64U[3:23]),
    _gitlab(
        "gitlab-trigger",
        "GitLab pipeline trigger token",
        b"glptt-",
        rb"(?:[0-9a-f]{40}|[0-9A-Za-z_-]{20})",
        HEX[:40],
    ),
    _gitlab("gitlab-feed", "GitLab feed token", b"glft-", rb"(?:[0-9a-f]{64}-\d+|[0-9A-Za-z_-]{20})", B64U[:20]),
    _gitlab("gitlab-mail", "GitLab incoming mail token", b"glimt-", rb"[0-9A-Za-z_-]{25}", B64U[:25]),
    _gitlab("gitlab-agent", "GitLab agent token", b"glagent-", rb"[0-9A-Za-z_-]{50}", B64U[:50]),
    _gitlab(
        "gitlab-oauth-secret",
        "GitLab OAuth application secret",
        b"gloas-",
        rb"[0-9A-Za-z_-]{64}",
        HEX[:64],
        Kind.CLIENT_SECRET,
    ),
    _gitlab("gitlab-scim", "GitLab SCIM token", b"glsoat-", rb"[0-9A-Za-z_-]{20}", B64U[:20]),
    _gitlab("gitlab-feature-flags", "GitLab feature flags token", b"glffct-", rb"[0-9A-Za-z_-]{20}", B64U[:20]),
    _gitlab("gitlab-workspace", "GitLab workspace token", b"glwt-", rb"[0-9A-Za-z_-]{20}", B64U[:20]),
    Family(
        "gitlab-job",
        "GitLab CI/CD job token",
        (b"glcbt-",),
        rb"glcbt-[0-9A-Za-z]{1,5}_[0-9A-Za-z_-]{20}",
        b"glcbt-" + b"64_" + B64U[:20],
        GITLAB,
        goes_on=URLSAFE,
        static=False,  # lives as long as the job
    ),
    Family(
        "atlassian-api",
        "Atlassian API token",
        (b"ATATT3x",),
        rb"ATATT3x[0-9A-Za-z_-]{150,220}=[0-9A-F]{8}",
        b"ATATT3x" + b"FfGF0" + B64U[:171] + b"=7A3C90E1",
        ATLASSIAN,
        check=sums.crc_upper_hex,
    ),
    Family(
        "bitbucket-access",
        "Bitbucket repository, project or workspace access token",
        (b"ATCTT3x",),
        rb"ATCTT3x[0-9A-Za-z_-]{150,220}=[0-9A-F]{8}",
        b"ATCTT3x" + b"FfGN0" + B64U[:171] + b"=1B3C90E1",
        "https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/",
        check=sums.crc_upper_hex,
    ),
    Family(
        "bitbucket-app-password",
        "Bitbucket app password",
        (b"ATBB",),
        rb"ATBB[0-9A-Za-z]{24}[0-9A-F]{8}",
        b"ATBB" + B62[:24] + b"0F3A91C7",
        "https://support.atlassian.com/bitbucket-cloud/docs/app-passwords/",
        weak=True,
    ),
    Family(
        "bitbucket-data-center",
        "Bitbucket Data Center HTTP access token",
        (b"BBDC-",),
        rb"BBDC-[0-9A-Za-z+/@_-]{40,50}",
        b"BBDC-" + B62[:44],
        "https://confluence.atlassian.com/bitbucketserver/http-access-tokens-939515499.html",
        goes_on=URLSAFE,
        weak=True,
    ),
    Family(
        "sourcegraph",
        "Sourcegraph access token",
        (b"sgp_",),
        rb"sgp_(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}",
        b"sg" + b"p_" + HEX[:16] + b"_" + HEX[20:60],
        "https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token",
    ),
    Family(
        "circleci",
        "CircleCI personal or project token",
        (b"CCIPAT_", b"CCIPRJ_"),
        rb"CCI(?:PAT|PRJ)_[0-9A-Za-z]{22}_[0-9a-f]{40}",
        b"CCI" + b"PAT_" + B62[:22] + b"_" + HEX[:40],
        CIRCLECI,
    ),
    Family(
        "buildkite",
        "Buildkite API access token",
        (b"bkua_",),
        # Those of today name their shard before a dot, in base64.
        rb"bkua_(?:[0-9A-Za-z]{2,6}={0,2}\.)?[0-9a-z]{40}",
        b"bk" + b"ua_MTA." + HEX[:40],
        BUILDKITE,
    ),
    # The page shows the lengths of these, and of agents' session tokens the alphabet. Job tokens (bkaj_) are JWTs.
    Family(
        "buildkite-agent",
        "Buildkite agent token: registration, cluster, session",
        (b"bkaa_", b"bkar_", b"bkct_"),
        rb"bk(?:aa|ar|ct)_(?:[0-9A-Za-z]{2,6}={0,2}\.)?[0-9A-Za-z]{64,96}",
        b"bk" + b"ct_MTA." + B62[:69],
        BUILDKITE,
        confidence=Confidence.MEDIUM,
    ),
    Family(
        "buildkite-portal",
        "Buildkite portal token or secret",
        (b"bkpat_", b"bkps_"),
        rb"bk(?:pat|ps)_(?:[0-9A-Za-z]{2,6}={0,2}\.)?[0-9A-Za-z]{44,72}",
        b"bk" + b"pat_" + B62[:54],
        BUILDKITE,
        confidence=Confidence.MEDIUM,
    ),
    Family(
        "harness",
        "Harness personal or service account token",
        (),
        rb"(?:pat|sat)\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20}",
        b"pa" + b"t." + B64U[:22] + b"." + HEX[:24] + b"." + B62[40:60],
        HARNESS,
        weak=True,
        back=72,
        patterns=(rb"(?:pat|sat)\.[0-9A-Za-z_\-]{22}\.[0-9A-Za-z]{24}",),
    ),
    Family(
        "octopus-deploy",
        "Octopus Deploy API key",
        (),
        rb"API-[0-9A-Z]{25,36}",
        b"AP" + b"I-" + UPPER[:28],
        "https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key",
        weak=True,
        back=32,
        patterns=(rb"API-[0-9A-Z]{25}",),
    ),
    Family(
        "pulumi",
        "Pulumi access token",
        (b"pul-",),
        rb"pul-[0-9a-f]{40}",
        b"pu" + b"l-" + HEX[:40],
        "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/",
        weak=True,
    ),
    Family(
        "snyk",
        "Snyk personal or service account token",
        (b"snyk_uat.", b"snyk_sat."),
        rb"snyk_[us]at\.[0-9a-f]{8}\.[0-9A-Za-z_-]{60,160}\.[0-9A-Za-z_-]{20,120}",
        b"snyk" + b"_uat." + HEX[:8] + b"." + B64U[:90] + b"." + B64U[30:73],
        "https://docs.snyk.io/snyk-api/authentication-for-api",
        goes_on=URLSAFE,
        dense=True,
    ),
    Family(
        "sonar",
        "SonarQube token",
        (b"squ_", b"sqp_", b"sqa_"),
        rb"sq[upa]_[0-9a-f]{40}",
        b"sq" + b"u_" + HEX[:40],
        "https://docs.sonarsource.com/sonarqube-server/user-guide/managing-tokens/",
    ),
    Family(
        # {"typ": "TCV2"} in base64, then two parts: not a JWT, though it looks like one.
        "teamcity",
        "TeamCity access token",
        (b"eyJ0eXAiOiAiVENWMiJ9.",),
        rb"eyJ0eXAiOiAiVENWMiJ9\.[0-9A-Za-z_-]{16,64}\.[0-9A-Za-z_-]{40,120}",
        b"eyJ0eXAiOiAiVENW" + b"MiJ9." + B62[:24] + b"." + B64U[:64],
        "https://www.jetbrains.com/help/teamcity/configuring-your-user-profile.html#Managing+Access+Tokens",
        goes_on=URLSAFE,
    ),
    Family(
        "jetbrains-permanent",
        "Permanent token of YouTrack or Hub",
        (b"perm:", b"perm-"),
        rb"perm[:-][0-9A-Za-z+/=_-]{4,80}\.[0-9A-Za-z+/=_-]{4,80}\.[0-9A-Za-z+/=_-]{27,60}",
        b"per" + b"m:am9obg==.UG9zdG1hbg==." + B62[:30],
        "https://www.jetbrains.com/help/youtrack/devportal/Manage-Permanent-Token.html",
        goes_on=BASE64,
        weak=True,
    ),
    Family(
        "dbt",
        "dbt Cloud service or personal token",
        (b"dbtc_", b"dbtu_"),
        rb"dbt[cu]_[0-9A-Za-z_-]{36,80}={0,2}",
        b"db" + b"tc_" + B64U[:43],
        "https://docs.getdbt.com/docs/dbt-cloud-apis/service-tokens",
        goes_on=URLSAFE,
        weak=True,
        confidence=Confidence.MEDIUM,  # the length is not documented
    ),
    Family(
        "infracost",
        "Infracost API key",
        (b"ico-",),
        rb"ico-[0-9A-Za-z]{32}",
        b"ic" + b"o-" + B62[:32],
        "https://www.infracost.io/docs/integrations/environment_variables/",
        weak=True,
    ),
    Family(
        "prefect",
        "Prefect API key",
        (b"pnu_", b"pnb_"),
        rb"pn[ub]_[0-9A-Za-z]{36}",
        b"pn" + b"u_" + B62[:36],
        "https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys",
        weak=True,
    ),
    Family(
        "readme",
        "ReadMe API key",
        (b"rdme_",),
        rb"rdme_[0-9a-z]{70}",
        b"rd" + b"me_" + LOWER[:70],
        "https://docs.readme.com/main/reference/authentication",
    ),
    Family(
        "postman",
        "Postman API key",
        (b"PMAK-",),
        rb"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
        b"PM" + b"AK-" + HEX[:24] + b"-" + HEX[24:58],
        "https://learning.postman.com/docs/developer/postman-api/authentication/",
    ),
)
