"""Pre-signed URLs: who has the signature may do what the URL says, until it expires.

The match is the signature's value; the URL's other parameters give the time. The same signature in an
`Authorization` header is bound to one request and is no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Rank, Secret, Text, TokenFacts
from detectors.patterns import pattern

REACH = 4096  # bytes of query on either side of the anchor: session tokens in it have 1 to 2 KB
_STOP = pattern(rb"[\x00-\x20\"'<>\\^`{|}\x7f-\xff]")
_TO_SPACE = bytes(0x20 if _STOP.match(bytes((c,))) else c for c in range(256))
_PAIR = pattern(rb"([0-9A-Za-z_-]{1,40})=([^&;#]{0,3000})")

Params = dict[str, tuple[str, int, int]]  # name in lower case -> (decoded value, start, end in Text.data)
Times = Callable[[Params], tuple[float | None, float | None]]


def _query(text: Text) -> Params:
    """The parameters of the query the hit stands in. Raises NeedMore where it is cut."""
    data, hit = text.data, text.hit
    stop = _STOP.search(data, hit, hit + REACH)
    if stop is None and text.cut and len(data) < hit + REACH:
        raise NeedMore
    end = stop.start() if stop else min(len(data), hit + REACH)
    low = max(0, hit - REACH)
    start = low + data[low:hit].translate(_TO_SPACE).rfind(b" ") + 1
    question = data.rfind(b"?", start, hit)
    from urllib.parse import unquote  # 5 ms, and few scans meet a signed URL

    params: Params = {}
    for pair in _PAIR.finditer(data, question + 1 if question >= 0 else start, end):
        name = pair[1].decode("ascii").lower()
        params.setdefault(name.removeprefix("amp-"), (unquote(pair[2].decode("latin-1")), pair.start(2), pair.end(2)))
    return params


def _basic(stamp: str) -> float | None:
    """Unix seconds of ISO 8601's basic form, 20261122T120000Z."""
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _extended(stamp: str) -> float | None:
    """Unix seconds of an extended form: a day, minutes or seconds, in UTC."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(value: str) -> float | None:
    return float(value) if value.isascii() and value.isdigit() and len(value) <= 12 else None


def _get(params: Params, name: str) -> str:
    return params[name][0] if name in params else ""


def _v4(prefix: str) -> Times:
    def times(params: Params) -> tuple[float | None, float | None]:
        issued = _basic(_get(params, prefix + "date"))
        seconds = _number(_get(params, prefix + "expires"))
        return issued, issued + seconds if issued is not None and seconds is not None else None

    return times


def _expires(params: Params) -> tuple[float | None, float | None]:
    return None, _number(_get(params, "expires"))


def _sas(params: Params) -> tuple[float | None, float | None]:
    """Storage says `se` and `st` in ISO 8601, Service Bus and Event Hubs `se` in Unix seconds."""
    expires = _get(params, "se")
    return _extended(_get(params, "st")), _number(expires) or _extended(expires)


def _expiration(params: Params) -> tuple[float | None, float | None]:
    return None, _number(_get(params, "_expiration"))


def _cloudfront(params: Params) -> tuple[float | None, float | None]:
    """A canned policy says `Expires`; a custom one is base64 with + = / written as - _ ~."""
    if "expires" in params:
        return None, _number(_get(params, "expires"))
    import base64
    import json

    try:
        raw = _get(params, "policy").translate(str.maketrans("-_~", "+=/"))
        condition = json.loads(base64.b64decode(raw))["Statement"][0]["Condition"]
        return (
            _number(str(condition.get("DateGreaterThan", {}).get("AWS:EpochTime", ""))),
            _number(str(condition["DateLessThan"]["AWS:EpochTime"])),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None, None


def _problems(params: Params) -> tuple[str, ...]:
    """ "If you created a presigned URL using a temporary token, then the URL expires when the token expires" (S3)."""
    return ("temporary_credentials",) if "x-amz-security-token" in params else ()


def _confirm(
    family: str, signature: str, needs: tuple[str, ...], shape: bytes, times: Times
) -> Callable[[Text], Iterable[Match]]:
    value_shape = pattern(shape)

    def confirm(text: Text) -> Iterable[Match]:
        params = _query(text)
        if signature not in params or not all(name in params for name in needs):
            return
        _, start, end = params[signature]
        value = value_shape.match(text.data, start, end)
        if value is None or len(set(value[0])) < 8:
            return
        issued, expires = times(params)
        yield Match(
            start=start,
            end=value.end(),
            kind=Kind.SIGNED_URL,
            secret=Secret(value[0]),
            rank=Rank.STRUCTURE,
            facts=TokenFacts(issued_at=issued, expires_at=expires, problems=_problems(params)),
            family=family,
            key=signature,
        )

    return confirm


def _signed(
    name: str,
    title: str,
    anchor: Anchor,
    *,
    signature: str,
    needs: tuple[str, ...],
    shape: bytes,
    times: Times,
    reference: str,
    examples: tuple[tuple[bytes, bytes], ...],
    counterexamples: tuple[bytes, ...],
) -> Detector:
    """A detector of URLs with a parameter `signature` of that shape, which have the parameters `needs` beside it."""
    return Detector(
        id=name,
        kind=Kind.SIGNED_URL,
        title=title,
        anchors=(anchor,),
        confirm=_confirm(name, signature, needs, shape, times),
        reference=reference,
        examples=examples,
        counterexamples=counterexamples,
        before=REACH,
        after=REACH,
    )


_FIELDS = pattern(rb"(?:(?:st=(?P<s>\d{10})|exp=(?P<e>\d{10})|[a-z]{2,5}=[^~=\s\"'<>]{0,400})~){1,8}hmac=\Z")
_HMAC = pattern(rb"[0-9a-f]{64}(?![0-9a-f])")


def _akamai(text: Text) -> Iterable[Match]:
    """`exp=…~acl=…~hmac=…`: fields of one parameter, parted by tildes."""
    fields = _FIELDS.search(text.data, max(0, text.hit - 600), text.hit)
    value = _HMAC.match(text.data, text.hit)
    if text.cut and len(text.data) < text.hit + 65:
        raise NeedMore
    if fields is None or fields["e"] is None or value is None:
        return
    facts = TokenFacts(issued_at=_number((fields["s"] or b"").decode()), expires_at=float(fields["e"]))
    yield Match(
        value.start(), value.end(), Kind.SIGNED_URL, Secret(value[0]), Rank.STRUCTURE, facts=facts, family="akamai-url",
        key="hmac",
    )  # fmt: skip


_HEX = b"3f9c04e7b1d852a6c7e0194f8b6d235ea97c10f48e2b6d5390fa47c18de2635b"
_SIG = b"q3ZkXx9QbTmL2vRw8YcN0aHsJd5FgKpU7eXoi4MzVq1"
_V4 = b"https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261122T120000Z&X-Amz-Expires=900&"
_GOOG = b"https://storage.googleapis.com/b/o?X-Goog-Date=20261122T120000Z&X-Goog-Expires=3600&X-Goog-Signature="
_WORKFLOW = b"/paths/invoke?api-version=2016-10-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig="

DETECTORS = (
    _signed(
        "aws-sigv4-url",
        "Pre-signed AWS URL (Signature Version 4)",
        Anchor(b"X-Amz-Signature", caseless=True, keyed=True),
        signature="x-amz-signature",
        needs=("x-amz-date", "x-amz-expires"),
        shape=rb"[0-9a-fA-F]{64}(?![0-9a-fA-F])",
        times=_v4("x-amz-"),
        reference="https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html",
        examples=((b'GET "' + _V4 + b"X-Amz-Signature=" + _HEX + b'" 200', _HEX),),
        counterexamples=(
            b"Authorization: AWS4-HMAC-SHA256 Credential=A, SignedHeaders=host, Signature=" + _HEX,
            _V4 + b"X-Amz-Signature=REDACTED",
        ),
    ),
    _signed(
        "aws-sigv2-url",
        "Pre-signed AWS URL (Signature Version 2)",
        Anchor(b"AWSAccessKeyId", keyed=True),
        signature="signature",
        needs=("awsaccesskeyid", "expires"),
        shape=rb"[0-9A-Za-z+/%]{27,40}={0,2}",
        times=_expires,
        reference="https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html",
        examples=(
            (
                b"/k?AWSAccessKeyId=AK" + b"IAZ3Q7XLM2KWTBNC4D&Expires=1795348800&Signature=" + _SIG[:27] + b"%3D HTTP",
                _SIG[:27] + b"%3D",
            ),
        ),
        counterexamples=(b"?AWSAccessKeyId=x&Signature=y",),
    ),
    _signed(
        "gcs-v4-url",
        "Signed Google Cloud Storage URL (V4)",
        Anchor(b"X-Goog-Signature", caseless=True, keyed=True),
        signature="x-goog-signature",
        needs=("x-goog-date", "x-goog-expires"),
        shape=rb"[0-9a-fA-F]{64,2048}",
        times=_v4("x-goog-"),
        reference="https://cloud.google.com/storage/docs/authentication/signatures",
        examples=((_GOOG + _HEX * 8 + b"\n", _HEX * 8),),
        counterexamples=(_GOOG + b"<signature>",),
    ),
    _signed(
        "gcs-v2-url",
        "Signed Google Cloud Storage URL (V2)",
        Anchor(b"GoogleAccessId", keyed=True),
        signature="signature",
        needs=("googleaccessid", "expires"),
        shape=rb"[0-9A-Za-z+/%_-]{40,1400}={0,2}",
        times=_expires,
        reference="https://cloud.google.com/storage/docs/access-control/signed-urls-v2",
        examples=((b"/o?GoogleAccessId=a@b.c&Expires=1795348800&Signature=" + _SIG * 8 + b" ", _SIG * 8),),
        counterexamples=(b"?GoogleAccessId=a@b.c&Expires=1795348800&Signature=...",),
    ),
    _signed(
        "oss-url",
        "Signed Alibaba Cloud OSS URL",
        Anchor(b"OSSAccessKeyId="),
        signature="signature",
        needs=("ossaccesskeyid", "expires"),
        shape=rb"[0-9A-Za-z+/%]{27,60}={0,2}",
        times=_expires,
        reference="https://www.alibabacloud.com/help/oss/developer-reference/ddd-signatures-to-urls",
        examples=(
            (b"/o?OSSAccessKeyId=LTAI5t&Expires=1795348800&Signature=" + _SIG[:27] + b"%3D ", _SIG[:27] + b"%3D"),
        ),
        counterexamples=(b"?OSSAccessKeyId=LTAI5t&Signature=x",),
    ),
    Detector(
        id="akamai-url",
        kind=Kind.SIGNED_URL,
        title="Akamai edge authorization token",
        anchors=(Anchor(b"~hmac="),),
        confirm=_akamai,
        reference="https://techdocs.akamai.com/property-mgr/docs/auth-token-2-0-ver",
        examples=((b"/a.m3u8?hdnts=st=1795345200~exp=1795348800~acl=/*~hmac=" + _HEX + b" ", _HEX),),
        counterexamples=(b"hdnts=exp=1795348800~acl=/*~hmac=x", b"~hmac=" + _HEX),
        before=REACH,
        after=256,
    ),
    _signed(
        "laravel-url",
        "Signed Laravel URL",
        Anchor(b"signature="),
        signature="signature",
        needs=("expires",),
        shape=rb"[0-9a-f]{64}(?![0-9a-f])",
        times=_expires,
        reference="https://laravel.com/docs/urls#signed-urls",
        examples=((b"/unsubscribe/17?expires=1795348800&signature=" + _HEX + b" ", _HEX),),
        counterexamples=(b"?signature=" + _HEX, b"?expires=1795348800&signature=[FILTERED]"),
    ),
    _signed(
        "symfony-url",
        "Signed Symfony URL",
        Anchor(b"_expiration="),
        signature="_hash",
        needs=("_expiration",),
        shape=rb"[0-9A-Za-z+/%_-]{40,64}={0,2}",
        times=_expiration,
        reference="https://symfony.com/doc/current/routing.html#signing-uris",
        examples=((b"/d/17?_expiration=1795348800&_hash=" + _SIG + b"%3D ", _SIG + b"%3D"),),
        counterexamples=(b"?_hash=" + _SIG, b"?_expiration=1795348800&_hash=x"),
    ),
    _signed(
        "azure-sas",
        "Azure shared access signature",
        Anchor(b"sig="),
        signature="sig",
        needs=("se",),
        shape=rb"[0-9A-Za-z+/]{20,64}(?:[0-9A-Za-z+/%]{0,40}={0,2})",
        times=_sas,
        reference="https://learn.microsoft.com/rest/api/storageservices/create-service-sas",
        examples=(
            (
                b"/c/b?sv=2024-11-04&st=2026-11-22T11:00:00Z&se=2026-11-22T12:00:00Z&sr=b&sp=r&sig=" + _SIG + b"%3D ",
                _SIG + b"%3D",
            ),
            (b"SharedAccessSignature sr=h.servicebus.windows.net&sig=" + _SIG + b"=&se=1795348800&skn=k", _SIG + b"="),
        ),
        counterexamples=(b"?sv=2024-11-04&se=2026-11-22&sig=REDACTED", b"config=&msig=" + _SIG),
    ),
    _signed(
        "azure-workflow-url",
        "URL that runs an Azure workflow",
        Anchor(pattern=rb"sp=(?:/|%2[fF])triggers(?:/|%2[fF])"),
        signature="sig",
        needs=("sp", "sv"),
        shape=rb"[0-9A-Za-z_-]{40,64}",
        times=lambda _params: (None, None),  # until the workflow's keys are changed
        reference="https://learn.microsoft.com/azure/logic-apps/logic-apps-securing-a-logic-app#generate-sas",
        examples=((_WORKFLOW + _SIG, _SIG),),
        counterexamples=(_WORKFLOW + b"REDACTED", b"/triggers/manual?sv=1.0&sig=" + _SIG),
    ),
    _signed(
        "cloudfront-url",
        "Signed CloudFront URL",
        Anchor(b"Key-Pair-Id", keyed=True),
        signature="signature",
        needs=("key-pair-id",),
        shape=rb"[0-9A-Za-z~_-]{120,1024}",
        times=_cloudfront,
        reference="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-urls.html",
        examples=(
            (
                b"https://d1.cloudfront.net/a?Expires=1795348800&Signature="
                + _SIG * 8
                + b"__&Key-Pair-Id=K2JCJMDEHXQW5F ",
                _SIG * 8 + b"__",
            ),
        ),
        counterexamples=(b"?Expires=1795348800&Signature=x&Key-Pair-Id=K2JCJMDEHXQW5F",),
    ),
)
