"""Passwords on command lines whose options do not name them: `-p`, `-w`, `-a`, each the manual of its program says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.fields import Field
from detectors.keyed import of_value
from detectors.keys import Meaning
from detectors.patterns import pattern

_SECRET = Meaning(Kind.CLIENT_SECRET, True, True)
_API_KEY = Meaning(Kind.API_KEY, True, True)
LONGEST = 1000  # bytes of a command line looked at behind the program's name
# What the program's name ends in (see the anchors) -> the option before its password.
_PASSWORDS = {
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
_TOKENS = {b"snyk auth ": rb"", b"codecov ": rb"-t[ ]", b"codecov.io/bash) ": rb"-t[ ]"}
# Looked for in clear and in UTF-16 only: each form that is looked for in hex and base64 slows every scan.
_SELDOM = {
    **dict.fromkeys((b"smbclient ", b"rpcclient ", b"smbget ", b"net ads "), rb"-U[ =]?[\"']?[^\s%\"']{1,64}%"),
    **dict.fromkeys((b"snmpwalk ", b"snmpget ", b"snmpset ", b"snmpbulkwalk ", b"snmptrap "), rb"-[AX][ ]"),
    **dict.fromkeys((b"racadm ", b"cypher-shell ", b"openfortivpn ", b"psexec ", b"PsExec.exe "), rb"-p[ ]"),
    b"schtasks ": rb"/rp[ ]",
    b"secret-set-value ": rb"--base64[ ]",
    **dict.fromkeys((b"nsupdate ", b"dig "), rb"-y[ ](?:[\w-]{1,24}:)?[\w.-]{1,253}:"),
    **dict.fromkeys((b"mc alias set ", b"mc config host add "), rb"\S{1,64}[ ]https?://\S{1,250}[ ]\S{3,128}[ ]"),
    **_TOKENS,
}
_OPTIONS = {**_PASSWORDS, **_SELDOM}
_VALUE = {
    name: pattern(rb"""(?<=\s)""" + option + rb"""(?P<q>["'])?([^\s"'$<|;&-][^\s"'|;&]{5,256})""")
    for name, option in _OPTIONS.items()
}


def confirm(text: Text) -> Iterator[Match]:
    """The passwords behind the option of the program an anchor marked."""
    name = next((name for name in _OPTIONS if text.data.endswith(name, 0, text.hit)), None)
    if name is None:
        return
    end = text.data.find(b"\n", text.hit)
    if end < 0 and text.cut and len(text.data) < text.hit + LONGEST:
        raise NeedMore
    limit = min(text.hit + LONGEST, end if end >= 0 else len(text.data))
    for found in _VALUE[name].finditer(text.data, text.hit - 1, limit):
        if found.end() == len(text.data) and text.cut:
            raise NeedMore
        place = Field(
            b"password", found.start(), found.start(2), found.end(2), bool(found["q"]), closed=True, flag=True
        )
        match = of_value(text, place, _API_KEY if name in _TOKENS else _SECRET)
        if match:
            yield match


_V = b"Hq8vN2xT5mR9kL4p"

DETECTOR = Detector(
    id="command-password",
    kind=Kind.CLIENT_SECRET,
    title="Password on a command line",
    anchors=(
        *(Anchor(name) for name in _OPTIONS if name not in _SELDOM),
        *(Anchor(pattern=re.escape(name)) for name in _SELDOM),
    ),
    confirm=confirm,
    reference="https://dev.mysql.com/doc/refman/8.4/en/password-security-user.html",
    examples=(
        (b"sshpass -p " + _V + b" ssh svc@host", _V),
        (b"mysql -h db -u svc -p" + _V + b" orders", _V),
        (b"smbclient //srv/share -U 'svc%" + _V + b"' -c ls", _V),
    ),
    counterexamples=(
        b"mysql -h db -u svc -p orders",
        b"docker login -u ci -p $TOKEN r.example",
        b"sshpass -p '<password>'",
    ),
)
