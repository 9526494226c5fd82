"""Package and image registries."""

from __future__ import annotations

import zlib

from detectors.detector import Confidence
from detectors.vendor import checksums as sums
from detectors.vendor.family import B62, B64U, HEX, LOWER, URLSAFE, Family, detectors

JFROG = "https://jfrog.com/help/r/jfrog-platform-administration-documentation/user-profile"
PYPI = "https://pypi.org/help/#apitoken"


def _npm(body: bytes) -> bytes:
    return b"np" + b"m_" + body + sums.digits(zlib.crc32(body), sums.BASE62, 6)


DETECTORS = detectors(
    Family(
        "npm",
        "npm access token",
        (b"npm_",),
        rb"npm_[0-9A-Za-z]{36}",
        _npm(B62[:30]),
        "https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/",
        check=sums.crc_base62,
        must_check=True,
        counterexamples=(b"np" + b"m_" + B62[:36],),
    ),
    Family(
        # A macaroon whose first packet is the location: version 2, "pypi.org" or "test.pypi.org".
        "pypi",
        "PyPI API token",
        (b"pypi-AgE",),
        rb"pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[0-9A-Za-z_-]{70,1000}",
        b"py" + b"pi-AgEIcHlwaS5vcmc" + B64U[:150],
        PYPI,
        goes_on=URLSAFE,
        dense=True,
        after=2048,
    ),
    Family(
        "rubygems",
        "RubyGems API key",
        (b"rubygems_",),
        rb"rubygems_[0-9a-f]{48}",
        b"ruby" + b"gems_" + HEX[:48],
        "https://guides.rubygems.org/api-key-scopes/",
    ),
    Family(
        "crates-io",
        "crates.io API token",
        (),
        rb"cio[0-9A-Za-z]{32}",
        b"ci" + b"o" + B62[:32],
        "https://github.com/rust-lang/crates.io/blob/main/crates/crates_io_database/src/utils/token.rs",
        weak=True,
        back=36,
        patterns=(rb"[^A-Za-z0-9]cio[0-9A-Za-z]{32}",),
        confidence=Confidence.MEDIUM,
    ),
    Family(
        "nuget",
        "NuGet API key",
        (b"oy2",),
        rb"oy2[0-9a-z]{43}",
        b"oy" + b"2" + LOWER[:43],
        "https://learn.microsoft.com/nuget/nuget-org/publish-a-package#create-an-api-key",
        weak=True,
    ),
    Family(
        "clojars",
        "Clojars deploy token",
        (b"CLOJARS_",),
        rb"CLOJARS_[0-9a-f]{60}",
        b"CLO" + b"JARS_" + HEX[:60],
        "https://github.com/clojars/clojars-web/wiki/Deploy-Tokens",
    ),
    Family(
        "docker-hub",
        "Docker personal or organization access token",
        (b"dckr_pat_", b"dckr_oat_"),
        rb"dckr_[po]at_[0-9A-Za-z_-]{27,32}",
        b"dckr" + b"_pat_" + B64U[:27],
        "https://docs.docker.com/security/access-tokens/",
        goes_on=URLSAFE,
    ),
    Family(
        "jfrog-api-key",
        "JFrog API key",
        (b"AKCp",),
        rb"AKCp[0-9A-Za-z]{69}",
        b"AK" + b"Cp" + B62[:69],
        JFROG,
        weak=True,
    ),
    Family(
        # Base64 of "reftkn:01:": the reference form of an access or identity token.
        "jfrog-reference",
        "JFrog reference token",
        (b"cmVmdGtuOj",),
        rb"cmVmdGtuOj[0-9A-Za-z_-]{54}",
        b"cmVm" + b"dGtuOjAx" + B62[:52],
        JFROG,
        goes_on=URLSAFE,
        dense=True,
    ),
    Family(
        "deno-deploy",
        "Deno Deploy access token",
        (b"ddp_", b"ddw_", b"ddo_"),
        rb"dd[pwo]_[0-9A-Za-z]{36}",
        b"dd" + b"p_" + B62[:36],
        "https://docs.deno.com/deploy/",
        weak=True,
    ),
    Family(
        # In a channel's URL: /t/TOKEN/channel.
        "anaconda",
        "Anaconda repository token",
        (),
        rb"conda[\w.:/-]{0,80}/t/(?P<secret>[a-z]{2}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
        b"ab-3f9c04e7-b1d8-42a6-97e0-194f8b6d235e",
        "https://docs.anaconda.com/anaconda-repository/user-guide/tasks/pkgs/use-pkg-managers/#using-tokens",
        context=b"conda.acme.io/t/",
        back=8,
        near=120,
        patterns=(rb"conda",),
        counterexamples=(b"https://conda.acme.io/t/<TOKEN>/main",),
    ),
    Family(
        # By the host they are for: {"bearer": {"repo.acme.io": "TOKEN"}}
        "composer",
        "Token of Composer's auth.json",
        (),
        rb'"(?:bearer|git(?:hub|lab)-(?:oauth|token))":\s{0,4}\{\s{0,40}"[\w.-]{3,200}"\s{0,4}:\s{0,4}"'
        rb"(?P<secret>[0-9A-Za-z_.~+/-]{16,400}={0,2})",
        B62[:40],
        "https://getcomposer.org/doc/articles/authentication-for-private-packages.md",
        context=b'"bearer": {"repo.acme.io": "',
        back=24,
        near=300,
        patterns=(rb'"bearer":', rb'"github-oauth"', rb'"gitlab-oauth"', rb'"gitlab-token"'),
    ),
    Family(
        "packagist",
        "Private Packagist token",
        (b"packagist_",),
        rb"packagist_[ou][ru][adt]_[0-9a-f]{60,80}",
        b"pack" + b"agist_uut_" + HEX[:68],
        "https://packagist.com/docs/composer-authentication",
        confidence=Confidence.MEDIUM,  # the length is not documented
    ),
)
