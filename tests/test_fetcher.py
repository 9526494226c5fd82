"""What is asked, how often, and how little a hostile server can do."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from scanner.errors import UsageError
from scanner.evidence.answers import fetch_key_set, json_answer
from scanner.evidence.endpoint import Endpoint, endpoint, is_public
from scanner.evidence.fetcher import Fetcher, NetLimits
from scanner.evidence.wire import FetchFailed
from tests.hostile import Script, answer, saying, serving

SHORT = NetLimits(connect=0.3, total=0.4, body=64 * 1024, tries=3, longest_wait=0.1, rate=1000.0)
NEVER_SHOWN = b"do-not-show-this"


def fails(script: Script, limits: NetLimits = SHORT) -> str:
    """Asks a server of that script; gives the reason of the failure, after at most a second."""
    with serving(script) as server:
        started = time.monotonic()
        address = endpoint(server.url + "/")
        with pytest.raises(FetchFailed) as failure:
            json_answer(address, Fetcher(limits).get(address, {"X": NEVER_SHOWN.decode()}))
        assert time.monotonic() - started < 1.5
    assert NEVER_SHOWN.decode() not in repr(failure.value)
    return str(failure.value)


def dripping(data: bytes, pause: float = 0.02) -> Script:
    """A byte now and then, for ever: each read succeeds, the whole never ends."""

    def script(connection: socket.socket) -> None:
        connection.sendall(data)
        for _ in range(500):
            connection.sendall(b" ")
            time.sleep(pause)

    return script


def endless(data: bytes, more: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        connection.sendall(data)
        while True:
            connection.sendall(more)

    return script


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (lambda connection: time.sleep(0.6), "within 0.4 seconds"),
        (dripping(b"HTTP/1.1 200 OK\r\nX: "), "within 0.4 seconds"),
        (dripping(HEAD + b"\r\n{"), "within 0.4 seconds"),
        (dripping(b"HTTP/1.1 "), "within 0.4 seconds"),
        (endless(HEAD + b"\r\n", b" " * 65536), "larger than 65536 bytes"),
        (
            endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4096 + b"\r\n"),
            "larger than 65536",
        ),
        (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000), "failed (HTTPException)"),
        (endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536), "failed (LineTooLong)"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "within 0.4 seconds"),
        (saying(answer(b"{" + b" " * 10_000_000 + b"}")), "larger than 65536 bytes"),
        (saying(HEAD + b"Content-Length: 10\r\n\r\n{}"), "too early"),
        (saying(answer(b'{"a":' * 5000 + b"1" + b"}" * 5000)), "no JSON"),
        (saying(answer(b"[" * 30000)), "no JSON"),
        (saying(answer(b"[1]")), "no JSON object"),
        (saying(answer(NEVER_SHOWN)), "no JSON"),
        (saying(answer(b"<html>" + NEVER_SHOWN, kind="text/html")), "not marked as JSON"),
        (saying(answer(b"{}", kind="application/jsonp; charset=utf-8")), "not marked as JSON"),
        (saying(answer(b"\x1f\x8b" + NEVER_SHOWN, Content_Encoding="gzip")), "compressed"),
        (saying(answer(NEVER_SHOWN, "500 " + NEVER_SHOWN.decode())), "status 500"),
        (saying(answer(NEVER_SHOWN, "404 Not Found")), "status 404"),
        (saying(b"SSH-2.0-" + NEVER_SHOWN + b"\r\n"), "failed (BadStatusLine)"),
        (saying(b""), "failed (RemoteDisconnected)"),
        (saying(b"\x00\xff" * 100), "failed (BadStatusLine)"),
        (saying(answer(b"{}", "429 Too Many Requests")), "overloaded"),
        (saying(answer(b"{}", "503 Unavailable", Retry_After="3600")), "longer than 0.1 seconds"),
    ],
)
def test_hostile_answers_end_in_time_with_a_reason(script: Script, said: str) -> None:
    assert said in fails(script)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent", "300 M"]
)
def test_no_redirect_is_followed(status: str) -> None:
    with serving(saying(answer(b"{}"))) as other:
        assert "redirects" in fails(saying(answer(b"", status, Location=f"{other.url}/x")))
        assert other.connections == 0


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(saying(answer(b"{}"))) as proxy, serving(saying(answer(b'{"a":1}'))) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert Fetcher(SHORT).get(endpoint(server.url), {}).body == b'{"a":1}'
        assert (proxy.connections, server.connections) == (0, 1)


def in_turn(*answers: bytes) -> Script:
    left = iter(answers)
    return lambda connection: connection.sendall(next(left))


def test_busy_servers_are_asked_again_as_late_as_they_say() -> None:
    date = formatdate(time.time() + 20, usegmt=True)
    busy = (answer(b"", "429 Slow Down", Retry_After="7"), answer(b"", "503 Busy", Retry_After=date))
    waits: list[float] = []
    with serving(in_turn(*busy, answer(b'{"a":1}'))) as server:
        fetched = Fetcher(NetLimits(), sleep=waits.append).get(endpoint(server.url), {})
        assert fetched.body == b'{"a":1}'
        assert server.connections == 3
    assert waits[0] == 7
    assert 15 < waits[1] <= 20


@pytest.mark.parametrize("said", ["", "soon", "-5", "1e3", "99999999999999", "Tue, 99 Nov 2026"])
def test_a_wait_that_cannot_be_read_backs_off(said: str) -> None:
    waits: list[float] = []
    with serving(saying(answer(b"", "503 Busy", Retry_After=said))) as server, pytest.raises(FetchFailed):
        Fetcher(NetLimits(), sleep=waits.append).get(endpoint(server.url), {})
    assert len(waits) == 2
    assert 0.5 <= waits[0] <= 1 <= waits[1] <= 2


def test_the_rate_is_bounded() -> None:
    now = [100.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    with serving(saying(answer(b"{}"))) as server:
        fetcher = Fetcher(NetLimits(rate=2, burst=3), clock=lambda: now[0], sleep=sleep)
        for _ in range(9):
            fetcher.get(endpoint(server.url), {})
    assert waits == pytest.approx([0.5] * 6)


def test_a_host_that_keeps_failing_is_left_alone() -> None:
    with serving(saying(b"")) as server:
        fetcher = Fetcher(SHORT)
        for _ in range(6):
            with pytest.raises(FetchFailed) as failure:
                fetcher.get(endpoint(server.url), {})
        assert server.connections == SHORT.failures
    assert "asked no more" in str(failure.value)


def test_a_run_has_a_most_of_requests() -> None:
    with serving(saying(answer(b"{}"))) as server:
        fetcher = Fetcher(NetLimits(requests=2))
        fetcher.get(endpoint(server.url), {})
        fetcher.get(endpoint(server.url), {})
        with pytest.raises(FetchFailed, match="the most of one run"):
            fetcher.get(endpoint(server.url), {})
        assert server.connections == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://id.example/x", "only https"),
        ("http://10.0.0.1/x", "only https"),
        ("ftp://id.example/", "only https"),
        ("file:///etc/passwd", "no host"),
        ("id.example", "no host"),
        ("https://", "no host"),
        ("https://ada:pass@id.example/", "credentials in an address"),
        ("https://id.example/#x", "fragment"),
        ("https://id.example:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://id.example/a b", "blanks"),
        ("https://id.example/\r\nX: y", "blanks"),
        ("https://\u0456d.example/", "beyond ASCII"),
    ],
)
def test_addresses_that_are_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as failure:
        endpoint(url)
    assert "pass@" not in str(failure.value)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00:ec2::254", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a00:1::1", False),
        ("ff02::1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize("name", ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"])
def test_a_name_that_leads_inside_needs_leave(name: str) -> None:
    """Spellings that the resolver takes for 127.0.0.1 and that are no literal address."""
    with serving(saying(b"")) as server:
        url = f"https://{name}:{server.port}/"
        with pytest.raises(FetchFailed, match="private network"):
            Fetcher(SHORT).get(endpoint(url), {})
        assert server.connections == 0
        with pytest.raises(FetchFailed, match=r"failed|whole"):
            Fetcher(SHORT).get(endpoint(url, private=True), {})
        assert server.connections == 1


def test_http_goes_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should someone's resolver send localhost elsewhere, nothing is sent."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: rows)
    with pytest.raises(FetchFailed, match="not this machine"):
        Fetcher(SHORT).get(endpoint("http://localhost/"), {})


@pytest.mark.parametrize("inside", ["169.254.169.254", "10.0.0.7", "::ffff:169.254.169.254", "fd00:ec2::254"])
def test_a_name_that_turns_inside_is_not_followed(monkeypatch: pytest.MonkeyPatch, inside: str) -> None:
    """DNS rebinding: the address that was judged is the one connected to, and each new look-up is judged anew."""
    answers = [["93.184.216.34"], [inside], ["93.184.216.34", inside]]
    connected: list[str] = []

    def look_up(_host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        addresses = answers.pop(0) if answers else [inside]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connect(to: tuple[str, int], *_: object) -> socket.socket:
        connected.append(to[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    while answers:
        with pytest.raises(FetchFailed, match=r"private network|failed"):
            Fetcher(SHORT).get(endpoint("https://id.example/keys"), {})
    assert set(connected) == {"93.184.216.34"}


@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect"])
@pytest.mark.parametrize("to", ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "file:///etc/passwd"])
def test_no_redirect_leads_inside(status: str, to: str) -> None:
    said = fails(saying(answer(b"", status, Location=to)))
    assert "redirects" in said
    assert to not in said


def test_a_name_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: done.wait(5) and [])
    started = time.monotonic()
    with pytest.raises(FetchFailed, match="within"):
        Fetcher(SHORT).get(endpoint("https://id.example/"), {})
    assert time.monotonic() - started < 1
    done.set()


def _certificate(folder: Path, name: str) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(built.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(folder / "cert.pem"), str(folder / "key.pem")


_DISTRUST = "the certificate of localhost is not one to trust"


@pytest.mark.parametrize(
    ("name", "trusted", "said"),
    [("localhost", True, '{"tls":true}'), ("localhost", False, _DISTRUST), ("other.example", True, _DISTRUST)],
)
def test_certificates_and_names_are_verified(tmp_path: Path, name: str, trusted: bool, said: str) -> None:
    certificate, key = _certificate(tmp_path, name)
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(certificate, key)
    context = ssl.create_default_context(cafile=certificate if trusted else None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve_tls, args=(listener, inside))
        thread.start()
        address = endpoint(f"https://localhost:{listener.getsockname()[1]}/")
        assert _body_or_reason(address, context) == said
        thread.join()


def _body_or_reason(address: Endpoint, context: ssl.SSLContext) -> str:
    try:
        return Fetcher(NetLimits(total=2), tls=context).get(address, {}).body.decode()
    except FetchFailed as failure:
        return str(failure)


def _serve_tls(listener: socket.socket, context: ssl.SSLContext) -> None:
    listener.settimeout(2)
    connection, _ = listener.accept()
    try:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(answer(b'{"tls":true}'))
    except OSError:
        connection.close()


@pytest.mark.parametrize("body", [b"{}", b'{"keys":[]}', b'{"keys":[{"kty":"oct","k":"AAAA"}]}'])
def test_a_fetched_set_without_keys_says_so(body: bytes) -> None:
    with (
        serving(saying(answer(body, kind="application/jwk-set+json"))) as server,
        pytest.raises(FetchFailed) as failure,
    ):
        fetch_key_set(endpoint(server.url), Fetcher(SHORT))
    assert "key" in str(failure.value)
