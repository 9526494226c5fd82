"""The host a record comes from, where the record itself tells: syslog, journald, what collectors add, an environment.

A name is taken only from a place that means the machine: `host` at the top of a JSON record is one, `host` among the
headers of a request is the server that was asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.patterns import pattern
from detectors.shapes import randomness

HEAD = 256  # bytes of a line in which a syslog header ends
NEAR = 4096  # bytes around a variable of an environment in which the others are looked at
_V = rb"(?P<v>[A-Za-z0-9][A-Za-z0-9._:-]{0,252})"
_ISO = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_TAG = rb"[A-Za-z0-9_./@()-]{1,60}"
_SYSLOG = (
    # RFC 5424 section 6: priority and version, time, host, and three more words
    pattern(rb"<\d{1,3}>\d (?:-|" + _ISO + rb"(?:Z|[+-]\d\d:\d\d)) " + _V + rb" \S{1,48} \S{1,128} \S{1,32} "),
    # RFC 3164 section 4.1.2, journalctl -o short
    pattern(
        rb"(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})? " + _V + rb" " + _TAG + rb"(?:\[\d+\])?:"
    ),
    # rsyslog's and journald's forms with a whole time; without a process they could be any program's
    pattern(
        rb"(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} )?"
        + _ISO
        + rb"(?:Z| [A-Z]{3,5}|[+-]\d\d:?\d\d) "
        + _V
        + rb" "
        + _TAG
        + rb"\[\d+\]:"
    ),
)
_SEP = rb"""["']?\s?[:=]\s?["']?"""
_NODE = rb"""(?:(?:kubernetes[._])?node_?name|k8s[._]node[._]name|kubernetes[._]host)"""
_NAMED = pattern(
    rb"""(?i)(?<![A-Za-z0-9._-])(?:(?P<node>"""
    + _NODE
    + rb""")|(?P<sure>_hostname|host[._]name|hostname|(?:agent|beat)[._](?:host)?name|computer(?:_?name)?)|"""
    rb"""(?P<top>host|syslog[_-]?host(?:name)?))""" + _SEP + _V + rb"""(?![A-Za-z0-9._:/@-])"""
)
_HOST_OBJECT = pattern(rb"""["']host["']\s?:\s?\{[^{}]{0,600}?["'](?:host)?name["']\s?:\s?["']""" + _V)
_IN_CLUSTER = pattern(
    rb"""["']kubernetes["']\s?:\s?\{[^\n]{0,1200}?["'](?:host|node_?[nN]ame|node["']\s?:\s?\{\s?["']name)["']\s?:\s?["']"""
    + _V
)
_WINDOWS = pattern(rb"<Computer>" + _V + rb"</Computer>")
_FORMS = ((b"kubernetes", _IN_CLUSTER), (b"name", _HOST_OBJECT), (b"<Computer>", _WINDOWS))  # a word each must have
_ENVIRONMENT = pattern(rb"(?:\A|\0)(?:HOSTNAME|COMPUTERNAME)=" + _V + rb"\0")
_VARIABLE = pattern(rb"\0[A-Za-z_][A-Za-z0-9_]{0,100}=\Z")
_LEVELS = frozenset(b"DEBUG INFO WARN WARNING ERROR FATAL TRACE NOTICE CRITICAL stdout stderr".split())


# One stands wherever a key names a host.
_WORDS = (b"OST", b"ode", b"omputer", b"OMPUTER", b"gent", b"beat", b"ubernetes")
_OF_HOST = pattern(rb"""[._]?[nN]ame|["']\s?:\s?\{""")
BEFORE_WORD = 24  # bytes of such a key before the word


def of_line(line: bytes) -> str | None:
    """The host a line names as its own."""
    first = line[:1]
    for form in _SYSLOG[2:] if first.isdigit() else _SYSLOG if first == b"<" or first.isalpha() else ():
        found = form.match(line, 0, HEAD)
        if found and found["v"] not in _LEVELS:
            return _plain(found["v"])
    words = [at for word in _WORDS if (at := line.find(word)) >= 0]
    if (at := _host(line, on_top=first == b"{")) >= 0:
        words.append(at)
    if not words:
        return None
    return next(filter(None, map(_plain, _named(line, max(0, min(words) - BEFORE_WORD)))), None)


def _host(line: bytes, *, on_top: bool) -> int:
    """The index of the first `host` that may name one; -1 if there is none. Alone it only does on top of a record."""
    at = line.find(b"ost")
    while at >= 0 and not on_top and not _OF_HOST.match(line, at + 3):
        at = line.find(b"ost", at + 3)
    return at


def of_environment(data: bytes, start: int, end: int) -> str | None:
    """The host by the other variables of the environment, of a process or a dump, that holds [start, end)."""
    if not _VARIABLE.search(data, max(0, start - 128), start):
        return None
    found = _ENVIRONMENT.search(data, max(0, start - NEAR), end + NEAR)
    return _plain(found["v"]) if found else None


def _named(line: bytes, start: int) -> Iterator[bytes]:
    """The names in a record of keys and values, the surest first: the node, then the machine, then `host` on top.
    Its first key that may name a host begins at `start` or behind it.
    """
    found: list[tuple[int, bytes]] = []
    for one in _NAMED.finditer(line, start):
        depth = line.count(b"{", 0, one.start()) - line.count(b"}", 0, one.start())
        if one["node"] or (one["sure"] and depth <= 2) or (line[:1] == b"{" and depth == 1):
            found.append((0 if one["node"] else 1, one["v"]))
    for rank, (word, form) in enumerate(_FORMS):
        other = form.search(line) if word in line else None
        if other:
            found.append((rank, other["v"]))
    return (name for _, name in sorted(found, key=lambda one: one[0]))


def _plain(name: bytes) -> str | None:
    """A name as RFC 1123 section 2.1 has them. What looks random in it could be a secret that stands in its place."""
    labels = name.rstrip(b".:").split(b".")
    if not all(label and len(label) < 64 for label in labels):
        return None
    if any(len(label) > 24 and b"-" not in label and randomness(label) > 0.85 for label in labels):
        return None
    return b".".join(labels).decode("ascii")
