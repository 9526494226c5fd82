"""Secret stores, networks, clusters and infrastructure as code."""

from __future__ import annotations

from detectors.detector import Confidence, Kind
from detectors.vendor.family import B62, B64U, BASE64, LOWER, UPPER, URLSAFE, Family, detectors

VAULT = "https://developer.hashicorp.com/vault/docs/concepts/tokens"
DOPPLER = "https://docs.doppler.com/docs/service-tokens"
TAILSCALE = "https://tailscale.com/kb/1101/api"
ONEPASSWORD = "https://developer.1password.com/docs/service-accounts/"

_BECH32 = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"

DETECTORS = detectors(
    Family(
        "vault-service",
        "HashiCorp Vault service or recovery token",
        (b"hvs.", b"hvr."),
        rb"hv[sr]\.[0-9A-Za-z_-]{24,160}",
        b"hv" + b"s.CAES" + B64U[:87],
        VAULT,
        goes_on=URLSAFE,
        static=False,
        weak=True,
        dense=True,
    ),
    Family(
        "vault-batch",
        "HashiCorp Vault batch token",
        (b"hvb.",),
        rb"hvb\.[0-9A-Za-z_-]{130,600}",
        b"hv" + b"b.AAAAAQ" + B64U[:140],
        VAULT,
        goes_on=URLSAFE,
        static=False,
        weak=True,
        dense=True,
    ),
    Family(
        # Before 1.10: "s." or "b." and base62; short of marks, so the whole of it is looked for.
        "vault-legacy",
        "HashiCorp Vault service token (before 1.10)",
        (),
        rb"(?<![0-9A-Za-z_.)\]-])s\.(?=[A-Za-z]{0,23}[0-9])[0-9A-Za-z]{24}(?:\.[0-9A-Za-z]{5})?(?![(.\w-])",
        b"s" + b"." + B62[:24],
        VAULT,
        static=False,
        weak=True,
        back=28,
        patterns=(rb"[^0-9A-Za-z_.]s\.[0-9A-Za-z]{24}",),
        confidence=Confidence.MEDIUM,
        goes_on=URLSAFE,
        counterexamples=(b"at s.applicationContextInitializer(App.java:3)", b"x=s.getElementsByTagNameList1(e)"),
    ),
    Family(
        "terraform-cloud",
        "HCP Terraform API token",
        (b".atlasv1.",),
        rb"(?<![0-9A-Za-z])[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,70}",
        B62[:14] + b".at" + b"lasv1." + B64U[:67],
        "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
        goes_on=URLSAFE,
        back=24,
    ),
    Family(
        "doppler",
        "Doppler token",
        (b"dp.pt.", b"dp.st.", b"dp.sa.", b"dp.ct.", b"dp.said.", b"dp.scim.", b"dp.audit."),
        rb"dp\.(?:pt|st|sa|ct|said|scim|audit)\.(?:[0-9a-z_-]{2,35}\.)?[0-9A-Za-z]{40,44}",
        b"dp" + b".st.prd." + B62[:43],
        DOPPLER,
        weak=True,
    ),
    Family(
        "tailscale",
        "Tailscale key",
        (b"tskey-",),
        rb"tskey-[a-z]{2,12}-[0-9A-Za-z_]{8,24}-[0-9A-Za-z_]{16,48}",
        b"ts" + b"key-auth-" + B62[:16] + b"-" + B62[20:52],
        TAILSCALE,
    ),
    Family(
        "tailscale-legacy",
        "Tailscale key (before 2022)",
        (b"tskey-",),
        rb"tskey-[0-9a-f]{16,24}(?!-)",
        b"ts" + b"key-" + b"3f9c04e7b1d852a6c7e0",
        TAILSCALE,
    ),
    Family(
        "onepassword-service-account",
        "1Password service account token",
        (b"ops_eyJ",),
        rb"ops_eyJ[0-9A-Za-z+/_-]{250,1500}={0,3}",
        b"op" + b"s_eyJ" + B62 + B62[:100],
        ONEPASSWORD,
        goes_on=BASE64,
        dense=True,
        after=2048,
    ),
    Family(
        "onepassword-secret-key",
        "1Password Secret Key",
        (),
        rb"A3-[0-9A-Z]{6}-(?:[0-9A-Z]{11}|[0-9A-Z]{6}-[0-9A-Z]{5})-[0-9A-Z]{5}-[0-9A-Z]{5}",
        b"A" + b"3-" + UPPER[:6] + b"-" + UPPER[6:12] + b"-" + UPPER[12:17] + b"-" + UPPER[17:22] + b"-" + UPPER[22:27],
        "https://support.1password.com/secret-key-security/",
        weak=True,
        back=24,
        patterns=(rb"A3-[0-9A-Z]{6}-[0-9A-Z]{6}",),
    ),
    Family(
        "age-secret-key",
        "age secret key",
        (b"AGE-SECRET-KEY-1",),
        rb"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        b"AGE-SEC" + b"RET-KEY-1" + (_BECH32 * 2)[:58],
        "https://age-encryption.org/v1",
        Kind.PRIVATE_KEY,
    ),
    Family(
        "rancher",
        "Rancher API token",
        (),
        rb"(?:token-|kubeconfig-u-)[0-9a-z]{5,16}:(?P<secret>[0-9a-z]{54})",
        LOWER[:54],
        "https://ranchermanager.docs.rancher.com/reference-guides/user-settings/api-keys",
        context=b"token-x7k2p:",
        back=64,
        patterns=(rb"(?:token|kubeconfig-u)-[0-9a-z]{5,16}:[0-9a-z]{20}",),
    ),
    Family(
        "defined-networking",
        "Defined Networking API token",
        (b"dnkey-",),
        rb"dnkey-[0-9A-Za-z_=-]{26}-[0-9A-Za-z_=-]{52}",
        b"dn" + b"key-" + UPPER[:26] + b"-" + UPPER[26:78],
        "https://docs.defined.net/glossary/host-name/",
        goes_on=URLSAFE,
    ),
    Family(
        "portainer",
        "Portainer access token",
        (b"ptr_",),
        rb"ptr_[0-9A-Za-z+/]{43}=",
        b"pt" + b"r_" + B62[:43] + b"=",
        "https://docs.portainer.io/api/access",
        goes_on=BASE64,
        weak=True,
    ),
)
