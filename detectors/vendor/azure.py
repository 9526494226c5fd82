"""Microsoft Azure and Entra ID.

Key shapes: https://learn.microsoft.com/purview/sit-sensitive-information-type-entity-definitions and the fixed
signatures that service keys carry since 2022 (github.com/microsoft/security-utilities, docs of its rule set).
"""

from __future__ import annotations

from detectors.detector import Confidence, Kind, Usual
from detectors.vendor.family import ALNUM, B62, B64U, BASE64, URLSAFE, Family, detectors

KEYS = "https://github.com/microsoft/security-utilities"
ENTRA = "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow"
_SECRET = URLSAFE | frozenset(b"~")


def _key(name: str, title: str, sign: bytes, head: int, tail: bytes, end: bytes) -> Family:
    """A key with a fixed signature after `head` characters; tail is its end as an expression, `end` an example."""
    shape = rb"[0-9A-Za-z+/_-]{%d}" % head + sign.replace(b"+", rb"\+") + tail
    return Family(
        name,
        title,
        (sign,),
        rb"(?<![0-9A-Za-z+/])" + shape,
        B62[:head] + sign + end,
        KEYS,
        goes_on=BASE64,
        back=head + len(sign),
        dense=True,
        after=64,
    )


DETECTORS = detectors(
    Family(
        # Three characters, a digit, "Q~" and 31 to 34 more, 40 in all at most.
        "entra-client-secret",
        "Microsoft Entra ID client secret",
        (),
        rb"(?<![0-9A-Za-z_~.-])[0-9A-Za-z_~.-]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34}",
        b"Xy_" + b"8Q" + b"~" + B64U[:34].replace(b"-", b"."),
        "https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials?tabs=client-secret",
        Kind.CLIENT_SECRET,
        goes_on=_SECRET,
        back=64,
        patterns=(rb"Q~[0-9A-Za-z_~.\-]{8}",),  # with the digit before it, all matching took 6 % longer
        after=64,
    ),
    Family(
        # "0." or "1." and the tenant and app, then the ticket; codes and refresh tokens differ in its first bytes.
        "entra-auth-code",
        "Microsoft Entra ID authorization code",
        (b".AgAB",),
        rb"[01]\.A[0-9A-Za-z_-]{20,80}\.AgAB[A-Z]A[IQ][0-9A-Za-z_-]{100,3000}",
        b"1.AT" + B64U[:42] + b".Ag" + b"ABBAIAAAB" + B64U[:240],
        ENTRA,
        Kind.AUTH_CODE,
        goes_on=URLSAFE,
        dense=True,
        back=90,
        static=False,
        weak=True,
        after=4096,
    ),
    Family(
        "entra-refresh-token",
        "Microsoft Entra ID refresh token",
        (b".AgAB",),
        rb"[01]\.A[0-9A-Za-z_-]{20,80}\.AgAB[A-Z][A-Zw][EM][0-9A-Za-z_-]{100,3000}",
        b"1.AT" + B64U[:42] + b".Ag" + b"ABAwEAAAD" + B64U[:240],
        "https://learn.microsoft.com/entra/identity-platform/refresh-tokens",
        Kind.REFRESH_TOKEN,
        # "The default lifetime": 24 hours for single-page apps; a default is no maximum.
        usual=Usual(7776000.0, "Microsoft's default is 90 days"),
        goes_on=URLSAFE,
        dense=True,
        back=90,
        static=False,
        weak=True,
        after=4096,
    ),
    Family(
        # Refresh tokens of personal accounts: a data centre's mark, then the ticket; shape from issued ones.
        "microsoft-account-refresh",
        "Microsoft account refresh token",
        (),
        rb"M\.[CR][0-9]{1,3}_[A-Z0-9]{3,4}\.[0-9A-Za-z.!*$_-]{100,1000}",
        b"M" + b".C543_BAY.0.U.-" + B62[:200] + b"!" + B62[10:90] + b"$$",
        "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow",
        Kind.REFRESH_TOKEN,
        goes_on=URLSAFE,
        dense=True,
        weak=True,
        static=False,
        back=40,
        patterns=(rb"M\.[CR][0-9]{1,3}_[A-Z0-9]{3,4}\.[0-9A-Za-z.!*$_\-]{16}",),
        after=2048,
    ),
    _key("azure-storage-key", "Azure Storage account key", b"+ASt", 76, rb"[0-9A-Za-z+/]{5}[AQgw]==", b"Ab3dEw=="),
    _key("azure-cosmos-key", "Azure Cosmos DB key", b"ACDb", 76, rb"[0-9A-Za-z+/]{5}[AQgw]==", b"Ab3dEw=="),
    _key("azure-batch-key", "Azure Batch key", b"+ABa", 76, rb"[0-9A-Za-z+/]{5}[AQgw]==", b"Ab3dEw=="),
    _key("azure-apim-key", "Azure API Management key", b"APIM", 76, rb"[0-9A-Za-z+/]{5}[AQgw]==", b"Ab3dEw=="),
    _key("azure-iot-key", "Azure IoT key", b"AIoT", 33, rb"[0-9A-Za-z+/]{5,6}[AEIMQUYcgkosw048]=", b"Ab3dEw="),
    _key(
        "azure-servicebus-key",
        "Azure Service Bus key",
        b"+ASb",
        33,
        rb"[0-9A-Za-z+/]{5}[AEIMQUYcgkosw048]=",
        b"Ab3dEw=",
    ),
    _key(
        "azure-eventhub-key", "Azure Event Hubs key", b"+AEh", 33, rb"[0-9A-Za-z+/]{5}[AEIMQUYcgkosw048]=", b"Ab3dEw="
    ),
    _key("azure-relay-key", "Azure Relay key", b"+ARm", 33, rb"[0-9A-Za-z+/]{5}[AEIMQUYcgkosw048]=", b"Ab3dEw="),
    _key(
        "azure-eventgrid-key", "Azure Event Grid key", b"AZEG", 33, rb"[0-9A-Za-z+/]{5}[AEIMQUYcgkosw048]=", b"Ab3dEw="
    ),
    _key("azure-redis-key", "Azure Cache for Redis key", b"AzCa", 33, rb"[A-P][0-9A-Za-z]{5}=", b"Cb3dEw="),
    _key("azure-search-key", "Azure AI Search key", b"AzSe", 42, rb"[A-D][0-9A-Za-z]{5}", b"Ab3dEw"),
    _key("azure-registry-key", "Azure Container Registry key", b"+ACR", 42, rb"[A-Da-d][0-9A-Za-z+/]{5}", b"Ab3dEw"),
    _key("azure-function-key", "Azure Functions key", b"AzFu", 44, rb"[0-9A-Za-z_-]{5}[AQgw]==", b"Ab3dEw=="),
    Family(
        # 52 characters, "JQQJ9", a type, the date and the platform; DevOps tokens hold "AZDO" near their end.
        "azure-platform-key",
        "Azure DevOps, AI services or other platform key",
        (b"JQQJ9",),
        rb"(?<![0-9A-Za-z])[0-9A-Za-z]{52}JQQJ9[9DH][0-9A-Za-z][A-L][0-9A-Za-z]{16}[A-Za-z][0-9A-Za-z]{7}",
        B62[:52] + b"JQ" + b"QJ99BK" + B62[60:72] + b"AZDO" + b"Y3kQ2mXw",
        KEYS,
        goes_on=ALNUM,
        back=58,
        after=64,
    ),
    Family(
        # What `az … keys list` and the management API answer: 256 bits of a service, 512 of a storage account.
        "azure-named-key",
        "Azure resource key",
        (),
        rb"(?:(?:primary|secondary)Key[\"']?|keyName[\"']?\s{0,4}[:=]\s{0,4}[\"']?key\d[\"']?,?\s{0,40}"
        rb"(?:[\"']?permissions[\"']?\s{0,4}[:=]\s{0,4}[\"']?\w{4,8}[\"']?,?\s{0,40})?[\"']?value[\"']?)"
        rb"\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>[0-9A-Za-z+/]{43}=|[0-9A-Za-z+/]{86}==)",
        B62[:43] + b"=",
        "https://learn.microsoft.com/rest/api/redis/redis/list-keys",
        goes_on=BASE64,
        dense=True,
        back=24,
        near=200,
        patterns=(rb"primaryKey", rb"secondaryKey", rb"keyName"),
        context=b'primaryKey": "',
        counterexamples=(b'"primaryKey": "order_id", "keyName": "key1"',),
    ),
    Family(
        "azure-app-config",
        "Azure App Configuration connection string secret",
        (b".azconfig.io;Id=",),
        rb"\.azconfig\.io;Id=[^;\s]{4,64};Secret=(?P<secret>[0-9A-Za-z+/]{36,88}={0,2})",
        B62[:43] + b"=",
        "https://learn.microsoft.com/azure/azure-app-configuration/howto-best-practices",
        back=24,
        goes_on=BASE64,
        context=b"Endpoint=https://contoso.azconfig.io;Id=a1b2-c3-d4:Zk3xQ9bTmL2vRw8Y;Secret=",
        confidence=Confidence.HIGH,
    ),
)
