"""Passwords on command lines whose options do not name them: `-p`, `-w`, `-a`, each the manual of its program says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.fields import Field
from detectors.keyed import of_value
from detectors.keys import Meaning

_SECRET = Meaning(Kind.CLIENT_SECRET, True, True)
LONGEST = 1000  # bytes of a command line looked at behind the program's name
# What the program's name ends in (see the anchors) -> the option before its password.
_OPTIONS = {
    b"sshpass ": rb"-p[ ]?",
    b"redis-cli ": rb"(?:-a|--pass)[ ]",
    b"ldapsearch ": rb"-w[ ]",
    b"ldapmodify ": rb"-w[ ]",
    b"ldapadd ": rb"-w[ ]",
    b"mosquitto_pub ": rb"-P[ ]",
    b"mosquitto_sub ": rb"-P[ ]",
    b"docker login ": rb"-p[ ]",
    b"podman login ": rb"-p[ ]",
    b"registry login ": rb"-p[ ]",
    b"mysql ": rb"-p",
    b"mysqldump ": rb"-p",
    b"mariadb ": rb"-p",
    b"mongosh ": rb"-p[ ]",
    b"cqlsh ": rb"-p[ ]",
    b"sqlcmd ": rb"-P[ ]?",
    b"ipmitool ": rb"-P[ ]",
    b"az login ": rb"-p[ ]",
    b"openssl ": rb"-pass(?:in|out)?[ ]pass:",
    b"keytool ": rb"-(?:store|key)pass[ ]",
}
_PASSWORD = {
    name: re.compile(rb"""(?<=\s)""" + option + rb"""(?P<q>["'])?([^\s"'$<|;&-][^\s"'|;&]{5,256})""")
    for name, option in _OPTIONS.items()
}


def confirm(text: Text) -> Iterator[Match]:
    """The password behind the option of the program an anchor marked."""
    name = next((name for name in _OPTIONS if text.data.endswith(name, 0, text.hit)), None)
    if name is None:
        return
    end = text.data.find(b"\n", text.hit)
    if end < 0 and text.cut and len(text.data) < text.hit + LONGEST:
        raise NeedMore
    limit = min(text.hit + LONGEST, end if end >= 0 else len(text.data))
    found = _PASSWORD[name].search(text.data, text.hit - 1, limit)
    if found is None:
        return
    if found.end() == len(text.data) and text.cut:
        raise NeedMore
    place = Field(b"password", found.start(), found.start(2), found.end(2), bool(found["q"]), closed=True, flag=True)
    match = of_value(text, place, _SECRET)
    if match:
        yield match


_V = b"Hq8vN2xT5mR9kL4p"

DETECTOR = Detector(
    id="command-password",
    kind=Kind.CLIENT_SECRET,
    title="Password on a command line",
    anchors=tuple(Anchor(name) for name in _OPTIONS),
    confirm=confirm,
    reference="https://dev.mysql.com/doc/refman/8.4/en/password-security-user.html",
    examples=((b"sshpass -p " + _V + b" ssh svc@host", _V), (b"mysql -h db -u svc -p" + _V + b" orders", _V)),
    counterexamples=(
        b"mysql -h db -u svc -p orders",
        b"docker login -u ci -p $TOKEN r.example",
        b"sshpass -p '<password>'",
    ),
)
