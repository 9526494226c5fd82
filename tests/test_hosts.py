"""Which host a record names as its own, and which names it only mentions."""

from __future__ import annotations

import json

import pytest

from scanner import hosts
from tests.commands import scan as command
from tests.scanning import jwt, opaque, scan
from tests.test_identities import of_client, roll

TOKEN = b"Authorization: Bearer " + jwt(1)


NAMED = {
    "RFC 5424": b"<165>1 2026-11-22T11:30:00.003Z web1.example.com app 1234 ID47 - " + TOKEN,
    "RFC 3164": b"<34>Nov 22 11:30:00 web1.example.com app: " + TOKEN,
    "journalctl": b"Nov 22 11:30:00 web1.example.com app[77]: " + TOKEN,
    "journalctl -o short-iso": b"2026-11-22T11:30:00+0000 web1.example.com app[77]: " + TOKEN,
    "journalctl -o short-full": b"Sun 2026-11-22 11:30:00 UTC web1.example.com app[77]: " + TOKEN,
    "journalctl -o json": b'{"_HOSTNAME":"web1.example.com","PRIORITY":"7","MESSAGE":"%s"}' % TOKEN,
    "bunyan": b'{"name":"x","hostname":"web1.example.com","pid":3,"msg":"%s"}' % TOKEN,
    "GELF": b'{"version":"1.1","host":"web1.example.com","short_message":"%s"}' % TOKEN,
    "Elastic": b'{"host":{"os":"linux","name":"web1.example.com"},"message":"%s"}' % TOKEN,
    "Elastic, flat": b'{"host.name":"web1.example.com","message":"%s"}' % TOKEN,
    "Kubernetes": b'{"log":"%s","kubernetes":{"labels":{"app":"a"},"host":"web1.example.com"}}' % TOKEN,
    "Kubernetes, nested": b'{"log":"%s","kubernetes":{"node":{"name":"web1.example.com"},"pod":{"name":"a"}}}' % TOKEN,
    "Kubernetes, flat": b'{"log":"%s","kubernetes.node_name":"web1.example.com"}' % TOKEN,
    "the node before the pod's own": b'{"hostname":"pod-7","log":"%s","node_name":"web1.example.com"}' % TOKEN,
    "logfmt": b"ts=2026-11-22T11:30:00Z hostname=web1.example.com " + TOKEN,
    "Windows": b"<Event><System><Computer>web1.example.com</Computer></System><Data>%s</Data></Event>" % TOKEN,
    "the record above": b"2026-11-22T11:30:00Z web1.example.com app[77]: dump follows\n  " + TOKEN,
    "an environment": b"PATH=/bin\0HOSTNAME=web1.example.com\0API_TOKEN=%s\0HOME=/root\0" % jwt(1),
}


@pytest.mark.parametrize("record", NAMED.values(), ids=NAMED)
def test_a_record_s_own_host(record: bytes) -> None:
    assert [one.host for one in scan(record + b"\n")] == ["web1.example.com"]


OTHERS = {
    "a request's": b'{"request":{"headers":{"host":"api.example.com","authorization":"Bearer %s"}}}' % jwt(1),
    "a header": b"GET / HTTP/1.1\nHost: api.example.com\n" + TOKEN,
    "a level": b"2026-11-22T11:30:00Z DEBUG app[77]: " + TOKEN,
    "a class": b"2026-11-22T11:30:00Z INFO com.acme.Auth - " + TOKEN,
    "a word": b"2026-11-22T11:30:00Z hello world: " + TOKEN,
    "a URL": b'{"host":"https://api.example.com/x","m":"%s"}' % TOKEN,
    "another object's": b"HOSTNAME=web1\0" + b"x" * 200 + b" " + TOKEN + b"\0",
    "a secret in its place": b'{"host":"%s","m":"%s"}' % (opaque(3), TOKEN),
}


@pytest.mark.parametrize("record", OTHERS.values(), ids=OTHERS)
def test_names_that_are_no_host_of_the_record(record: bytes) -> None:
    assert {one.host for one in scan(record + b"\n")} == {None}


def test_a_record_that_is_all_of_one_kind_is_read_in_time() -> None:
    for line in (b'"host":' * 9000, b'{"kubernetes":{' * 4000, b"hostname=" * 7000, b"<Computer>" * 6000):
        hosts.of_line(b"{" + line)


def test_an_identity_is_spread_over_hosts() -> None:
    rows = [b"Nov 22 11:30:00 web%d app[7]: " % n + of_client("batch", 5 + n) for n in (1, 2, 1)]
    (one,) = roll(*rows)
    assert one.hosts == ("web1", "web2")
    report = command("-", stdin=b"".join(rows))
    assert report.of_type("identity")[0]["hosts"] == ["web1", "web2"]
    assert [found["host"] for found in report.findings] == ["web1", "web2", "web1"]
    text = command("-f", "text", "-", stdin=b"".join(rows))
    assert b"in 1 file of 2 hosts" in text.out
    assert json.loads(command("-f", "json", "-", stdin=b"".join(rows)).out)["identities"][0]["hosts"]
