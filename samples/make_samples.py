"""Writes samples/files and samples/expected.jsonl: the same bytes each time, every secret made up here.

    python samples/make_samples.py [FOLDER]        FOLDER defaults to the one this file is in

Needs the standard library only. What is expected is noted while a secret is planted, never read from
a scanner's answer. Offsets are bytes, half-open, in the decoded stream (inside the .gz, not of it).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import random
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

SEED = 20261122
DEMO_TIME = datetime.fromisoformat("2026-11-22T12:00:00+00:00")  # the instant the verdicts are for
ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
ISSUER = "https://id.example.com/realms/payments"


@dataclass(frozen=True, slots=True)
class Token:
    """A made-up credential and what an honest scanner says of it at DEMO_TIME."""

    value: str
    kind: str
    state: str


@dataclass(slots=True)
class Paper:
    """One file on its way. `codec` is how its text is written; offsets count the bytes written so far."""

    codec: str = "ascii"
    data: bytearray = field(default_factory=bytearray)
    planted: list[dict[str, object]] = field(default_factory=list)

    def write(self, *parts: str | Token) -> None:
        """Appends the parts; each Token among them is noted where it comes to stand."""
        for part in parts:
            start = len(self.data)
            self.data += (part.value if isinstance(part, Token) else part).encode(self.codec)
            if isinstance(part, Token):
                self.note(part, [(start, len(self.data))])

    def line(self, *parts: str | Token) -> None:
        self.write(*parts, "\n")

    def note(self, token: Token, spans: list[tuple[int, int]]) -> None:
        row: dict[str, object] = {"start": spans[0][0], "end": spans[-1][1], "kind": token.kind, "state": token.state}
        if len(spans) > 1:
            row["spans"] = spans
        self.planted.append(row)


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Mint:
    """Makes credentials from one seeded source of randomness."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._hmac_key = self._random.randbytes(32)
        self._modulus, self._private = _rsa_key(self._random)

    def word(self, length: int, alphabet: str = ALPHANUMERIC) -> str:
        return "".join(self._random.choices(alphabet, k=length))

    def uuid(self) -> str:
        h = self._random.randbytes(16).hex()
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def opaque(self, kind: str, state: str, length: int = 40) -> Token:
        return Token(self.word(length), kind, state)

    def basic(self, user: str) -> Token:
        pair = f"{user}:{self.word(24)}".encode()
        return Token(base64.b64encode(pair).decode(), "basic_credentials", "no_expiry")

    def jwt(self, state: str, algorithm: str = "HS256", **claims: object) -> Token:
        """A signed JWS in compact form (RFC 7515 section 3.1). `state` is what the claims come to."""
        header = {"alg": algorithm, "typ": "JWT", "kid": f"{algorithm.lower()}-2026-11"}
        body = {"iss": ISSUER, **claims}
        signed = ".".join(b64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, body))
        sign = self._hs256 if algorithm == "HS256" else self._rs256
        return Token(f"{signed}.{b64url(sign(signed.encode()))}", "jwt", state)

    def _hs256(self, message: bytes) -> bytes:
        return hmac.digest(self._hmac_key, message, "sha256")

    def _rs256(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2.1); without padding randomness, so repeatable."""
        size = (self._modulus.bit_length() + 7) // 8
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message).digest()
        block = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        return pow(int.from_bytes(block), self._private, self._modulus).to_bytes(size)


def _rsa_key(source: random.Random, bits: int = 2048) -> tuple[int, int]:
    """(modulus, private exponent). Throw-away: whoever has the seed has the key."""
    exponent = 65537
    p, q = _prime(source, bits // 2, exponent), _prime(source, bits // 2, exponent)
    return p * q, pow(exponent, -1, (p - 1) * (q - 1))


def _prime(source: random.Random, bits: int, exponent: int) -> int:
    small = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
    while True:
        n = source.getrandbits(bits) | 3 << (bits - 2) | 1
        if all(n % d for d in small) and n % exponent != 1 and all(pow(a, n - 1, n) == 1 for a in (2, 3, 5, 7)):
            return n


def at(minutes: float) -> int:
    """Unix seconds of DEMO_TIME plus minutes."""
    return int((DEMO_TIME + timedelta(minutes=minutes)).timestamp())


class Cast:
    """The credentials that appear in more than one file."""

    def __init__(self, mint: Mint) -> None:
        service = {"sub": "svc-billing", "azp": "billing", "aud": "ledger", "scope": "ledger.read ledger.write"}
        self.live = mint.jwt("live", "RS256", **service, iat=at(-3), exp=at(2))
        self.expired = mint.jwt("expired", "RS256", **service, iat=at(-1445), exp=at(-1440))
        self.later = mint.jwt("not_yet_valid", sub="batch", aud="ledger", nbf=at(1200), exp=at(1260))
        self.forever = mint.jwt("no_expiry", sub="legacy-exporter", aud="warehouse", iat=at(-90 * 1440))
        self.client_secret = mint.opaque("client_secret", "no_expiry", 36)


def application_log(mint: Mint, cast: Cast) -> Paper:
    paper = Paper()
    own_secret = mint.opaque("client_secret", "no_expiry")
    fragment = Token(cast.live.value[: len(cast.live.value) // 2], "jwt", "unusable")
    stamp = "2026-11-22T11:57:"
    registration = "spring.security.oauth2.client.registration.ledger"
    paper.line(
        f"{stamp}01.004Z  INFO 7 --- [main] c.e.billing.Application : Starting Application v4.18.2 on billing-7c9"
    )
    paper.line(f"{stamp}01.377Z DEBUG 7 --- [main] c.e.billing.ConfigDump : {registration}.client-id=billing")
    paper.line(f"{stamp}01.377Z DEBUG 7 --- [main] c.e.billing.ConfigDump : {registration}.client-secret=", own_secret)
    paper.line(f"{stamp}01.378Z DEBUG 7 --- [main] c.e.billing.ConfigDump : vault.token=${{VAULT_TOKEN}}")
    paper.line(
        f"{stamp}03.482Z DEBUG 7 --- [exec-4] o.s.web.client.RestTemplate : HTTP GET https://ledger/api/v2/entries"
    )
    paper.line(
        f'{stamp}03.483Z DEBUG 7 --- [exec-4] c.e.billing.HeaderDump : [accept:"*/*", authorization:"Bearer ',
        cast.live,
        '", x-request-id:"',
        mint.uuid(),
        '"]',
    )
    paper.line(f"{stamp}03.620Z  INFO 7 --- [exec-4] c.e.billing.Audit : authorization=Bearer ************ status=200")
    paper.line(
        f"{stamp}09.015Z  WARN 7 --- [sched-1] c.e.billing.Batch : token not yet accepted, will retry: ", cast.later
    )
    paper.line(
        f"{stamp}11.218Z DEBUG 7 --- [exec-9] c.e.billing.Export : exporter={{token={{", cast.forever, "}, dry=false}"
    )
    paper.line(f"{stamp}12.001Z  INFO 7 --- [exec-9] c.e.billing.Export : sha256=", mint.word(64, "0123456789abcdef"))
    paper.line(
        f"{stamp}14.730Z ERROR 7 --- [exec-9] c.e.billing.Errors : 401 from ledger, header was: Bearer ", fragment
    )
    paper.line(f'{stamp}14.731Z ERROR 7 --- [exec-9] c.e.billing.Errors : WWW-Authenticate: Bearer realm="ledger"')
    return paper


def access_log(mint: Mint, cast: Cast) -> Paper:
    paper = Paper()
    agent = '"-" "Mozilla/5.0 (X11; Linux x86_64)"'
    other = mint.jwt("expired", sub="u-4711", azp="web", iat=at(-70), exp=at(-10))
    code = Token(mint.word(32), "auth_code", "expired")
    opaque = mint.opaque("bearer_token", "unknown", 43)
    paper.line(f'10.0.4.17 - - [22/Nov/2026:11:40:07 +0000] "GET /healthz HTTP/1.1" 200 2 {agent}')
    paper.line(
        '10.0.4.17 - - [22/Nov/2026:11:41:30 +0000] "GET /callback?code=',
        code,
        f"&session_state={mint.uuid()}",
        f' HTTP/1.1" 302 0 {agent}',
    )
    paper.line(
        '10.0.4.17 - - [22/Nov/2026:11:49:58 +0000] "GET /api/orders?access_token=',
        other,
        f'&page=2 HTTP/1.1" 200 5120 {agent}',
    )
    paper.line('10.0.4.23 - - [22/Nov/2026:11:58:41 +0000] "GET /ws?token=', opaque, f'&v=3 HTTP/1.1" 101 0 {agent}')
    paper.line(
        '10.0.4.23 - - [22/Nov/2026:11:58:44 +0000] "GET /login?next=%2Fcb%3Faccess_token%3D',
        cast.live,
        f'%26tab%3D1 HTTP/1.1" 302 0 {agent}',
    )
    paper.line(
        f'10.0.4.23 - - [22/Nov/2026:11:59:01 +0000] "GET /static/app.{mint.word(20, "0123456789abcdef")}.js'
        f' HTTP/1.1" 200 88123 {agent}'
    )
    return paper


def curl_transcript(mint: Mint, cast: Cast) -> Paper:
    paper = Paper()
    paper.line("* Connected to reports.example.com (192.0.2.10) port 443")
    paper.line("* Server auth using Basic with user 'reporting'")
    paper.line("> GET /v1/reports/daily HTTP/1.1")
    paper.line("> Host: reports.example.com")
    paper.line("> Authorization: Basic ", mint.basic("reporting"))
    paper.line("> User-Agent: curl/8.5.0")
    paper.line("> Accept: */*")
    paper.line("> ")
    paper.line("< HTTP/1.1 401 Unauthorized")
    paper.line('< WWW-Authenticate: Bearer realm="reports", error="invalid_token"')
    paper.line("< ")
    paper.line("* Connection #0 to host reports.example.com left intact")
    paper.line("> GET /v1/reports/daily HTTP/1.1")
    paper.line("> Authorization: Bearer ", mint.opaque("bearer_token", "unknown", 48))
    paper.line("> ")
    paper.line("< HTTP/1.1 200 OK")
    paper.line("< ")
    return paper


def wire_log(mint: Mint, cast: Cast) -> Paper:
    paper = Paper()
    front = '2026-11-22 11:58:12,0{} DEBUG [main] org.apache.http.wire - http-outgoing-0 {} "'
    paper.line(front.format("04", ">>"), 'POST /realms/payments/protocol/openid-connect/token HTTP/1.1[\\r][\\n]"')
    paper.line(front.format("04", ">>"), 'Content-Type: application/x-www-form-urlencoded[\\r][\\n]"')
    paper.line(
        front.format("05", ">>"),
        "grant_type=client_credentials&client_id=billing&client_secret=",
        cast.client_secret,
        '"',
    )
    paper.line(front.format("31", ">>"), 'GET /api/v2/entries HTTP/1.1[\\r][\\n]"')
    paper.line(front.format("31", ">>"), "Authorization: Bearer ", cast.live, '[\\r][\\n]"')
    paper.line(front.format("32", "<<"), 'HTTP/1.1 200 OK[\\r][\\n]"')
    return paper


def dotnet_trace(mint: Mint, cast: Cast) -> Paper:
    """System.Net tracing: header collections in braces, then the same request as a hex dump."""
    paper = Paper()
    dumped = mint.opaque("bearer_token", "unknown", 40)
    front = "System.Net Information: 0 : [4128] "
    paper.line(front, "ConnectStream#36963566 - Sending headers")
    paper.line("{")
    paper.line("Authorization: Bearer ", cast.expired)
    paper.line("Host: ledger.example.com")
    paper.line("Connection: Keep-Alive")
    paper.line("}.")
    paper.line("    DateTime=2026-11-21T11:58:20.1040000Z")
    request = b"GET /api/v2/entries HTTP/1.1\r\nAuthorization: Bearer " + dumped.value.encode() + b"\r\n\r\n"
    _hex_dump(paper, "System.Net.Sockets Verbose: 0 : [4128] ", request, dumped)
    paper.line("    DateTime=2026-11-22T11:58:20.2210000Z")
    return paper


def _hex_dump(paper: Paper, front: str, data: bytes, token: Token) -> None:
    """Sixteen bytes a row in hex and as text; the token shows in both columns of several rows."""
    begin = data.index(token.value.encode())
    end = begin + len(token.value)
    spans: list[tuple[int, int]] = []
    for row in range(0, len(data), 16):
        piece = data[row : row + 16]
        paper.write(f"{front}{row:08X} : ")
        low, high = max(begin, row) - row, min(end, row + 16) - row
        columns = (piece.hex(" ").upper().ljust(47), " : ", 3, 1), (_printable(piece), "\n", 1, 0)
        for text, after, width, gap in columns:
            base = len(paper.data)
            paper.write(text, after)
            if low < high:
                spans.append((base + low * width, base + high * width - gap))
    paper.note(token, spans)


def _printable(data: bytes) -> str:
    return "".join(chr(c) if 32 <= c < 127 else "." for c in data)


def docker_log(mint: Mint, cast: Cast) -> Paper:
    paper = Paper()
    session = mint.jwt("live", sub="u-1009", azp="web", iat=at(-30), exp=at(30))
    old = mint.jwt("expired", sub="u-1009", azp="web", iat=at(-95), exp=at(-35))
    front, back = '{"log":"', '\\n","stream":"stdout","time":"2026-11-22T11:59:0'
    paper.line(front, '{\\"level\\":\\"info\\",\\"msg\\":\\"listening\\",\\"port\\":8080}', back, '0.000412345Z"}')
    paper.line(
        front,
        '{\\"level\\":\\"debug\\",\\"headers\\":{\\"authorization\\":\\"Bearer ',
        session,
        '\\",\\"x-request-id\\":\\"',
        mint.uuid(),
        '\\"}}',
        back,
        '1.123456789Z"}',
    )
    paper.line(
        front,
        '{\\"level\\":\\"warn\\",\\"msg\\":\\"refresh\\",\\"refresh_token\\":\\"',
        mint.opaque("refresh_token", "unknown", 64),
        '\\",\\"replaces\\":\\"',
        old,
        '\\"}',
        back,
        '2.223456789Z"}',
    )
    paper.line(front, "CLIENT_SECRET=", cast.client_secret, back, '3.323456789Z"}')
    paper.line(front, "password: [REDACTED] token: <hidden>", back, '4.423456789Z"}')
    return paper


def oauth_exchange(mint: Mint, cast: Cast) -> Paper:
    """Opaque tokens with a clock beside them: the record's time plus expires_in."""
    paper = Paper()
    secret = mint.opaque("client_secret", "no_expiry")
    for clock, state in (("08:15:30", "expired"), ("11:57:30", "live")):
        front = f"2026-11-22T{clock}.120Z DEBUG oauth2 "
        paper.line(
            front,
            "POST https://id.example.com/oauth2/token grant_type=client_credentials&client_id=settlement",
            "&client_secret=",
            secret,
            "&scope=settle",
        )
        paper.line(
            front,
            '200 {"access_token":"',
            mint.opaque("bearer_token", state),
            '","token_type":"Bearer","expires_in":299,"scope":"settle"}',
        )
    paper.line(
        '2026-11-22T11:57:41.300Z DEBUG oauth2 200 {"access_token":"',
        mint.opaque("bearer_token", "live"),
        '","refresh_token":"',
        mint.opaque("refresh_token", "unknown"),
        '","token_type":"Bearer","expires_in":299}',
    )
    return paper


def archived_log(mint: Mint, cast: Cast) -> Paper:
    """Yesterday's gateway log: goes into the .gz, and its offsets are those of the text inside."""
    paper = Paper()
    for minute in range(12):
        stamp = f"2026-11-21T11:{40 + minute}:00.000Z gateway "
        token = mint.jwt("expired", sub=f"u-{1000 + minute}", azp="app", iat=at(-1460 + minute), exp=at(-1455 + minute))
        paper.line(stamp, "request_id=", mint.uuid(), " upstream=ledger status=200")
        paper.line(stamp, "forward headers: {'Authorization': 'Bearer ", token, "', 'Accept': '*/*'}")
    paper.line("2026-11-21T11:58:20.104Z gateway forward headers: {'Authorization': 'Bearer ", cast.expired, "'}")
    return paper


def windows_log(mint: Mint, cast: Cast) -> Paper:
    """UTF-16LE with a byte order mark, as PowerShell's redirection writes it."""
    paper = Paper("utf-16-le")
    paper.write("\ufeff")
    stamp = "2026-11-22T11:59:1"
    paper.write(stamp, "0Z [Information] Contoso.Ledger.Client: requesting token for client billing\r\n")
    paper.write(stamp, '0Z [Debug] Contoso.Ledger.Client: ClientSecret = "', cast.client_secret, '"\r\n')
    paper.write(stamp, "1Z [Debug] Contoso.Ledger.Client: Authorization: Bearer ", cast.live, "\r\n")
    paper.write(stamp, "2Z [Information] Contoso.Ledger.Client: 200 OK\r\n")
    return paper


def core_dump(mint: Mint, cast: Cast) -> Paper:
    """A small ELF core: one PT_NOTE without notes and one PT_LOAD of heap, with the token in two encodings."""
    load, address = 0x1000, 0x7F3A5C000000
    heap = Paper("latin-1")
    heap.data += bytes(load)
    heap.data += mint.word(96, "\x00\x01\x02\x10\x20\x7f\x00\x00").encode()
    heap.data += struct.pack("<QQ", 0x111, 0)
    heap.write("Bearer ", cast.live, "\x00")
    heap.data += bytes(-len(heap.data) % 16) + struct.pack("<QQ", 0x421, address + 0x200)
    heap.codec = "utf-16-le"
    heap.write(cast.live, "\x00")
    heap.data += bytes(-len(heap.data) % 4096)
    size = len(heap.data) - load
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    note = struct.pack("<IIQQQQQQ", 4, 0, load, 0, 0, 0, 0, 4)
    segment = struct.pack("<IIQQQQQQ", 1, 6, load, address, 0, size, size, 4096)
    front = header + note + segment
    heap.data[: len(front)] = front
    return heap


FILES: dict[str, Callable[[Mint, Cast], Paper]] = {
    "app.log": application_log,
    "nginx-access.log": access_log,
    "curl-verbose.txt": curl_transcript,
    "httpclient-wire.log": wire_log,
    "dotnet-trace.log": dotnet_trace,
    "docker-json.log": docker_log,
    "oauth-exchange.log": oauth_exchange,
    "gateway-2026-11-21.log.gz": archived_log,
    "service.utf16le.log": windows_log,
    "billing.core": core_dump,
}


def write_samples(folder: Path) -> None:
    """Writes folder/files/* and folder/expected.jsonl. Raises OSError."""
    mint = Mint(SEED)
    cast = Cast(mint)
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    rows: list[str] = []
    for name, make in FILES.items():
        paper = make(mint, cast)
        data = bytes(paper.data)
        (files / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        ordered = sorted(paper.planted, key=lambda row: str(row["start"]).rjust(9))
        rows += (json.dumps({"file": name, **row}) for row in ordered)
    (folder / "expected.jsonl").write_text("".join(row + "\n" for row in rows), encoding="ascii")


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
