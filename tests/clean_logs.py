"""Structured logs without a secret, as machines write them: full of hashes, ids and digests that look like one.

Seeded, so that the same bytes come on every machine. Each kind of line is a function of the draw and the clock.
"""

# ruff: noqa: E501  (a log line is as long as it is)

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

WORDS = [
    "order",
    "payment",
    "user",
    "session",
    "token",
    "cache",
    "worker",
    "auth",
    "login",
    "refresh",
    "index",
    "queue",
    "shard",
    "replica",
    "gateway",
]
HOSTS = ("api-7f9c5d4b8-x2kqz", "worker-5b6d7c9f4d-9lmnp", "ip-10-0-3-41", "db-0.db-headless.prod.svc.cluster.local")


class Draw(random.Random):
    """Random strings of the kinds that logs are full of."""

    def hex(self, size: int) -> str:
        return f"{self.getrandbits(4 * size):0{size}x}"

    def uuid(self) -> str:
        digits = self.hex(32)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def base64(self, size: int) -> str:
        return base64.b64encode(self.randbytes(size)).decode()

    def letters(self, size: int) -> str:
        return "".join(self.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size))

    def address(self) -> str:
        return ".".join(str(self.randrange(1, 255)) for _ in range(4))


def _access(d: Draw, t: datetime) -> str:
    path = f"/{d.choice(WORDS)}s/{d.uuid()}?page={d.randrange(99)}&sort=created_at&v={d.hex(8)}"
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
    return (
        f'{d.address()} - - [{t:%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" 200 {d.randrange(9999)} "-" "{agent}"'
    )


def _json_access(d: Draw, t: datetime) -> str:
    return json.dumps({
        "ts": t.isoformat(), "level": "info", "trace_id": d.hex(32), "span_id": d.hex(16), "request_id": d.uuid(),
        "http": {"method": "POST", "path": f"/v1/{d.choice(WORDS)}s", "status": 200, "etag": f'W/"{d.hex(40)}"'},
        "session_hash": "sha256:" + d.hex(64), "csrf_token_present": True, "next_page_token": d.base64(24),
        "token_count": d.randrange(9000), "cache_key": f"user:{d.randrange(9999)}:{d.hex(32)}", "auth": "oauth2",
        "traceparent": f"00-{d.hex(32)}-{d.hex(16)}-01", "client_id": d.letters(20), "authenticated": True,
    })  # fmt: skip


def _k8s_audit(d: Draw, t: datetime) -> str:
    name = f"{d.choice(WORDS)}-token-{d.letters(5)}"
    return json.dumps({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": d.uuid(), "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/prod/secrets/{name}?resourceVersion={d.randrange(10**9)}", "verb": "get",
        "user": {"username": "system:serviceaccount:prod:default", "uid": d.uuid(), "groups": ["system:authenticated"],
                 "extra": {"authentication.kubernetes.io/credential-id": [f"JTI={d.uuid()}"],
                           "authentication.kubernetes.io/pod-name": [HOSTS[0]]}},
        "sourceIPs": [d.address()], "objectRef": {"resource": "secrets", "namespace": "prod", "name": name},
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: allowed by ClusterRoleBinding"},
        "requestReceivedTimestamp": t.isoformat(),
    })  # fmt: skip


def _cloudtrail(d: Draw, t: datetime) -> str:
    return json.dumps({
        "eventVersion": "1.09", "eventTime": f"{t:%Y-%m-%dT%H:%M:%SZ}", "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue", "awsRegion": "eu-central-1", "sourceIPAddress": d.address(),
        "userIdentity": {"type": "AssumedRole", "principalId": f"AROA{d.letters(17).upper()}:session",
                         "arn": "arn:aws:sts::123456789012:assumed-role/app/session",
                         "accessKeyId": "ASIA" + "".join(d.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))},
        "requestParameters": {"secretId": f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-{d.letters(6)}",
                              "clientRequestToken": d.uuid()},
        "responseElements": {"x-amz-id-2": d.base64(57), "credentials": None}, "requestID": d.uuid(), "eventID": d.uuid(),
        "tlsDetails": {"cipherSuite": "ECDHE-RSA-AES128-GCM-SHA256"},
    })  # fmt: skip


def _flow(d: Draw, t: datetime) -> str:
    start = int(t.timestamp())
    return f"2 123456789012 eni-{d.hex(17)} {d.address()} {d.address()} 443 {d.randrange(65536)} 6 20 4249 {start} {start + 60} ACCEPT OK"


def _sql(d: Draw, t: datetime) -> str:
    query = "SELECT `id`, `token_type`, `expires_at` FROM `oauth_tokens` WHERE `user_id` = ? AND `revoked_at` IS NULL LIMIT ?"
    return f"{t:%Y-%m-%d %H:%M:%S.%f} UTC [{d.randrange(99999)}] LOG: duration: {d.random():.3f} ms digest: {d.hex(64)} statement: {query}"


def _kafka(d: Draw, t: datetime) -> str:
    return (
        f"[{t:%Y-%m-%d %H:%M:%S},123] INFO [GroupCoordinator 1]: Dynamic member with unknown member id joins group {d.choice(WORDS)} "
        f"memberId=consumer-{d.choice(WORDS)}-1-{d.uuid()} offset={d.randrange(10**9)} leaderEpoch=7 (kafka.coordinator.group)"
    )


def _training(d: Draw, t: datetime) -> str:
    return (
        f"{t:%H:%M:%S} step={d.randrange(10**6)} loss={d.random():.6f} tokens/sec={d.randrange(10**5)} grad_norm={d.random():.4f} "
        f"lr=3.0e-04 tokens_seen={d.randrange(10**9)} pad_token_id=50256 run={d.letters(8)} ckpt=sha256:{d.hex(64)}"
    )


def _java(d: Draw, t: datetime) -> str:
    return (
        f"{t:%Y-%m-%d %H:%M:%S.%f} ERROR [{d.hex(16)},{d.hex(16)}] 1 --- [nio-8080-exec-3] o.s.s.o.s.r.a.JwtAuthenticationProvider : "
        f"Failed to authenticate since the JWT was invalid: token=org.springframework.security.oauth2.jwt.Jwt@{d.hex(8)} "
        "at org.springframework.security.oauth2.server.resource.authentication.BearerTokenAuthenticationFilter.doFilterInternal"
    )


def _git(d: Draw, t: datetime) -> str:
    return f"commit {d.hex(40)} tree {d.hex(40)} parent {d.hex(40)} author Rotate secrets <dev@acme.io> {int(t.timestamp())} +0000"


def _lock(d: Draw, _t: datetime) -> str:
    package = d.choice(("jsonwebtoken", "passport-oauth2", "csrf", "js-tokens", "password-prompt"))
    return f'    "node_modules/{package}": {{"version": "1.{d.randrange(30)}.0", "integrity": "sha512-{d.base64(64)}", "license": "MIT"}},'


def _apt(d: Draw, _t: datetime) -> str:
    return f"Package: libsecret-1-0\nSHA256: {d.hex(64)}\nMD5sum: {d.hex(32)}\nDescription-md5: {d.hex(32)}\nFilename: pool/main/libs/libsecret/{d.hex(8)}.deb"


def _metrics(d: Draw, _t: datetime) -> str:
    return f'oauth_token_requests_total{{client="{d.choice(WORDS)}",grant_type="client_credentials",pod="{HOSTS[1]}",digest="{d.hex(12)}"}} {d.randrange(9999)}'


def _kernel(d: Draw, _t: datetime) -> str:
    return f'[{d.random() * 1e5:12.6f}] audit: type=1400 apparmor="DENIED" profile="snap.secret-tool" name="/run/secrets/{d.letters(6)}" pid={d.randrange(9999)} inode={d.hex(12)}'


def _pem(d: Draw, _t: datetime) -> str:
    lines = "\n".join(d.base64(48) for _ in range(4))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----"


def _registry(d: Draw, t: datetime) -> str:
    return (
        f'time="{t:%Y-%m-%dT%H:%M:%SZ}" level=info msg="authorized request" auth.user.name=robot$ci http.request.id={d.uuid()} '
        f'vars.digest="sha256:{d.hex(64)}" http.response.contenttype="application/vnd.oci.image.manifest.v1+json" instance.id={d.uuid()}'
    )


def _idp(d: Draw, t: datetime) -> str:
    return (
        f'{t:%Y-%m-%d %H:%M:%S} WARN [org.keycloak.events] type="CODE_TO_TOKEN_ERROR", realmId="{d.uuid()}", clientId="web", '
        f'userId="null", ipAddress="{d.address()}", error="invalid_code", grant_type="authorization_code", '
        f'code_id="{d.uuid()}", client_auth_method="client-secret", token_id="{d.uuid()}", refresh_token_type="Offline"'
    )


def _sudo(d: Draw, t: datetime) -> str:
    place = d.choice(("/home/app/releases/" + d.hex(7), "/root", "/srv/" + d.letters(6), "unknown"))
    return f"{t:%b %d %H:%M:%S} {HOSTS[2]} sudo:      app : TTY=pts/{d.randrange(9)} ; PWD={place} ; USER=root ; COMMAND=/usr/bin/passwd {d.letters(6)}"


def _sshd(d: Draw, t: datetime) -> str:
    return (
        f"{t:%b %d %H:%M:%S} {HOSTS[2]} sshd[{d.randrange(9999)}]: Accepted publickey for deploy from {d.address()} port {d.randrange(65536)} "
        f"ssh2: ED25519 SHA256:{d.base64(32).rstrip('=')}"
    )


def _environment(d: Draw, _t: datetime) -> str:
    return f"USER=app;LOGNAME=app;PWD=/srv/{d.letters(8)};OLDPWD=/;SSH_AUTH_SOCK=/tmp/ssh-{d.letters(10)}/agent.{d.randrange(9999)};INVOCATION_ID={d.hex(32)}"


def _windows(d: Draw, t: datetime) -> str:
    return json.dumps({
        "EventID": 4661, "TimeCreated": t.isoformat(), "ObjectType": "SecretObject", "ObjectName": "Policy\\Secrets\\$MACHINE.ACC",
        "Message": "An operation was performed.\r\n\tObject Type:\t\tSecretObject\r\n\tObject Name:\t\tPolicy\\Secrets\\$MACHINE.ACC",
        "AccessList": "%%7188", "LogonGuid": "{" + d.uuid().upper() + "}", "TargetLogonId": "0x" + d.hex(6), "HandleId": "0x" + d.hex(12),
        "TokenElevationType": "%%1936", "KeyFilePath": "C:\\ProgramData\\Microsoft\\Crypto\\Keys\\" + d.hex(32) + "_" + d.uuid(),
    })  # fmt: skip


LINES: tuple[Callable[[Draw, datetime], str], ...] = (
    _access, _json_access, _k8s_audit, _cloudtrail, _flow, _sql, _kafka, _training, _java, _git, _lock, _apt, _metrics,
    _kernel, _pem, _registry, _idp, _sudo, _sshd, _environment, _windows,
)  # fmt: skip


def lines(seed: int) -> Iterator[bytes]:
    """Lines without end, of all kinds in turn."""
    draw = Draw(seed)
    clock = datetime(2026, 11, 22, 12, tzinfo=UTC)
    while True:
        for line in LINES:
            clock += timedelta(milliseconds=draw.randrange(900))
            yield line(draw, clock).encode() + b"\n"


def log(seed: int, size: int) -> bytes:
    """At least `size` bytes of such lines."""
    parts: list[bytes] = []
    length = 0
    for line in lines(seed):
        parts.append(line)
        length += len(line)
        if length >= size:
            return b"".join(parts)
    raise AssertionError("lines() has no end")
