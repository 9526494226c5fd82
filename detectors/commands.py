"""Passwords on command lines whose options do not name them: `-p`, `-w`, `-a`, each the manual of its program says."""

from __future__ import annotations

import re
from bisect import bisect_right
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
    # By their place: the second argument; the last of radtest is the secret shared with the server.
    b"net user ": rb"(?<=\A[ ])[^\s/]{1,64}[ ]",
    b"rasdial ": rb"(?<=\A[ ])(?:\"[^\"\r\n]{1,64}\"|[^\s/]{1,64})[ ][^\s/]{1,64}[ ]",
    b"radtest ": rb"(?:(?<=\A[ ])[^\s/]{1,64}|(?<=[ ])\d{1,5})[ ]",
    **_TOKENS,
}
# Of these the argument can be nothing else, however plain it looks.
_KEEPERS_OF_PASSWORDS = frozenset(
    b"rabbitmqctl plink pscp psftp plink.exe pscp.exe htpasswd wpa_passphrase zip 7z 7za xfreerdp xfreerdp3"
    b" wlfreerdp gh rclone".split()
)
# Commands whose first argument, behind the options named here, is the secret itself. What may as well be a name must
# look random.
_FIRST = {
    b"vault login ": rb"(?:-[\w=-]{1,40}[ ]){0,4}(?:token=)?",
    **dict.fromkeys(
        (b"vault unwrap ", b"vault token lookup ", b"vault token renew ", b"vault token revoke "),
        rb"(?:-(?!accessor)[\w=-]{1,40}[ ]){0,4}",
    ),
    **dict.fromkeys((b"vault operator unseal ", b"bao operator unseal ", b"bao login ", b"bao unwrap "), rb""),
    b"consul acl set-agent-token ": rb"(?:-[\w=:/.-]{1,80}[ ]){0,4}[a-z_]{2,24}[ ]",
    b"doctl auth init ": rb"(?:--?[a-z-]{1,20}[ ][\w-]{1,40}[ ]){0,2}(?:-t|--access-token)[ =]",
    b"glab auth login ": rb"(?:--?[a-z-]{1,20}[ ][\w.-]{1,60}[ ]){0,2}-t[ =]?",
    **dict.fromkeys((b"ngrok authtoken ", b"ngrok config add-authtoken "), rb""),
    **dict.fromkeys((b"cloudflared service install ", b"cloudflared.exe service install "), rb""),
    **dict.fromkeys((b"cargo login ", b"flyctl auth token ", b"doppler configure set token "), rb"(?:--[ ])?"),
    b"nuget setapikey ": rb"",
    **dict.fromkeys((b"nuget push ", b"nuget.exe push "), rb"\S{1,200}\.nupkg[ ](?:-k[ ]|(?=[^-\s]))"),
    b"poetry config pypi-token.": rb"[\w-]{1,40}[ ]",
    **dict.fromkeys(
        (b"composer config ", b"composer global config "), rb"(?:-\S{1,20}[ ]){0,3}[\w-]{4,14}-oauth\.\S{3,80}[ ]"
    ),
    b"twilio login ": rb"[A-Z]{2}[0-9a-f]{32}[ ]",
    b"gh secret set ": rb"[\w-]{1,80}[ ](?:-b|--body)[ =]",
    b"rclone obscure ": rb"",
    **dict.fromkeys((b"rabbitmqctl add_user ", b"rabbitmqctl change_password "), rb"[\w.@-]{1,64}[ ]"),
    **dict.fromkeys((b"plink ", b"pscp ", b"psftp ", b"plink.exe ", b"pscp.exe "), rb"(?:\S{1,80}[ ]){0,8}?-pw[ ]"),
    **dict.fromkeys((b"htpasswd -b", b"htpasswd -cb", b"htpasswd -nb"), rb"[BmscC5r]{0,3}[ ](?:\S{1,200}[ ]){1,2}"),
    b"wpa_passphrase ": rb"(?:\"[^\"\r\n]{1,32}\"|'[^'\r\n]{1,32}'|[^\s\"']{1,32})[ ]",
    b"zip -": rb"(?:[a-zA-Z]{1,8}[ ]-){0,4}P[ ]",
    **dict.fromkeys((b"7z x ", b"7z a ", b"7za x ", b"7za a "), rb"(?:\S{1,120}[ ]){0,8}?-p"),
    **dict.fromkeys((b"xfreerdp ", b"xfreerdp3 ", b"wlfreerdp "), rb"(?:\S{1,120}[ ]){0,10}?/p:"),
    b"influx config create ": rb"(?:\S{1,120}[ ]){0,10}?-t[ ]",
}
_PLAIN = frozenset(name for name in _FIRST if name.split()[0] in _KEEPERS_OF_PASSWORDS)
_OPTIONS = {**_PASSWORDS, **_SELDOM}
_VALUE = {
    name: pattern(rb"""(?<=\s)""" + option + rb"""(?P<q>["'])?([^\s"'$<|;&-][^\s"'|;&]{5,256})""")
    for name, option in _OPTIONS.items()
}


_ARGUMENT = {
    name: pattern(option + rb"""(?P<q>["'])?([^\s"'$<|;&-][^\s"'|;&]{5,1024})""") for name, option in _FIRST.items()
}


def confirm_first(text: Text) -> Iterator[Match]:
    """The argument that the program and its subcommand, which an anchor marked, take for a secret."""
    name = max((name for name in _FIRST if text.data.endswith(name, 0, text.hit)), key=len, default=None)
    found = _ARGUMENT[name].match(text.data, text.hit) if name else None
    if found is None or name is None:
        if text.cut and text.data.find(b"\n", text.hit) < 0 and len(text.data) < text.hit + LONGEST:
            raise NeedMore
        return
    if found.end() == len(text.data) and text.cut:
        raise NeedMore
    place = Field(b"argument", text.hit, *found.span(2), bool(found["q"]), closed=True, flag=True)
    match = of_value(text, place, _SECRET if name in _PLAIN else _ARGUMENT_TOKEN)
    if match:
        yield match


_ARGUMENT_TOKEN = Meaning(Kind.API_KEY, False, True, plain=True)


def confirm_piped(text: Text) -> Iterator[Match]:
    """`echo V | docker login --password-stdin`, `gh auth login --with-token <<< V`: what a command reads."""
    line = text.data.rfind(b"\n", max(0, text.hit - PIPED), text.hit) + 1
    before = next(reversed(list(_ECHOED.finditer(text.data, line, text.hit))), None)
    given = before or _HERE.match(text.data, text.hit)
    if given is None:
        if text.cut and len(text.data) < text.hit + PIPED:
            raise NeedMore
        return
    if given.end() == len(text.data) and text.cut:
        raise NeedMore
    start, end = given.span("v")
    if text.data.startswith(b"chpasswd", text.hit - len(b"chpasswd")):
        start = text.data.find(b":", start, end) + 1 or end
    place = Field(b"standard_input", text.hit, start, end, bool(given["q"]), closed=True, flag=True)
    is_token = text.data.startswith(b"--with-token", text.hit - len(b"--with-token"))
    match = of_value(text, place, _API_KEY if is_token else _SECRET)
    if match:
        yield match


PIPED = 400  # bytes of a line in which the other end of a pipe is looked for
_ECHOED = pattern(
    rb"""(?:\becho|\bprintf)[ ](?:-[neE]{1,3}[ ])?(?:["']%s(?:\\n)?["'][ ])?"""
    rb"""(?P<q>["'])?(?P<v>[^\s"'$<|;&][^\s"'|]{5,1024})["']?[ ]?\|[ ]?(?:sudo[ ])?[^|\r\n]{0,200}\Z"""
)
_HERE = pattern(rb"""[^|\r\n<]{0,100}<<<[ ]?(?P<q>["'])?(?P<v>[^\s"'$<|;&][^\s"'|;&]{5,1024})""")


def confirm(text: Text) -> Iterator[Match]:
    """The passwords behind the option of the program an anchor marked."""
    head, _ = _as_line(text.data, max(0, text.hit - BACK), text.hit)
    name = next((name for name in _OPTIONS if head.endswith(name)), None)
    if name is None:
        return
    end = text.data.find(b"\n", text.hit)
    if end < 0 and text.cut and len(text.data) < text.hit + LONGEST:
        raise NeedMore
    limit = min(text.hit + LONGEST, end if end >= 0 else len(text.data))
    line, origins = _as_line(text.data, text.hit, limit)
    for found in _VALUE[name].finditer(b" " + line):
        start, end = (_origin(origins, at - 1) for at in found.span(2))
        if end == len(text.data) and text.cut:
            raise NeedMore
        place = Field(b"password", start, start, end, bool(found["q"]), closed=True, flag=True)
        match = of_value(text, place, _API_KEY if name in _TOKENS else _SECRET)
        if match:
            yield match


BACK = 64  # bytes that the name of a program takes, as it is written in a list
_LISTED = pattern(rb"""\\{0,4}["'](?:,[ ]?|[ ]a\d{1,3}=)\\{0,4}["']""")  # `", "` of an array, `" a1="` of auditd
_PROGRAMS = sorted({re.escape(name.split()[0]) for name in _OPTIONS if b" " not in name.strip()})


def _as_line(data: bytes, low: int, high: int) -> tuple[bytes, list[tuple[int, int]]]:
    """The arguments in [low, high) with a blank between, and where each piece begins: in the line, and in the data."""
    pieces, origins, at = [], [(0, low)], low
    size = 0
    for between in _LISTED.finditer(data, low, high):
        pieces.append(data[at : between.start()] + b" ")
        size += len(pieces[-1])
        at = between.end()
        origins.append((size, at))
    return b"".join([*pieces, data[at:high]]), origins


def _origin(origins: list[tuple[int, int]], position: int) -> int:
    start, at = origins[bisect_right(origins, (position, 1 << 62)) - 1]
    return at + position - start


_V = b"Hq8vN2xT5mR9kL4p"

DETECTORS = (
    Detector(
        id="command-password",
        kind=Kind.CLIENT_SECRET,
        title="Password on a command line",
        anchors=(
            *(Anchor(name) for name in _OPTIONS if name not in _SELDOM),
            *(Anchor(pattern=re.escape(name)) for name in _SELDOM),
            Anchor(
                pattern=rb"(?:" + b"|".join(map(re.escape, _PROGRAMS)) + rb")\\{0,4}[\"'](?:,[ ]?|[ ]a1=)\\{0,4}[\"']"
            ),
        ),
        confirm=confirm,
        reference="https://dev.mysql.com/doc/refman/8.4/en/password-security-user.html",
        examples=(
            (b"sshpass -p " + _V + b" ssh svc@host", _V),
            (b"mysql -h db -u svc -p" + _V + b" orders", _V),
            (b'execve("/usr/bin/mysql", ["mysql", "-u", "svc", "-p' + _V + b'", "orders"]', _V),
            (b"smbclient //srv/share -U 'svc%" + _V + b"' -c ls", _V),
        ),
        counterexamples=(
            b"mysql -h db -u svc -p orders",
            b"docker login -u ci -p $TOKEN r.example",
            b"sshpass -p '<password>'",
        ),
    ),
    Detector(
        id="command-argument",
        kind=Kind.API_KEY,
        title="Secret that a subcommand takes as its argument",
        anchors=tuple(Anchor(pattern=re.escape(name)) for name in _FIRST),
        confirm=confirm_first,
        reference="https://developer.hashicorp.com/vault/docs/commands/login",
        examples=(
            (b"$ vault login " + _V + b"\n", _V),
            (b"doctl auth init -t " + _V + b"\n", _V),
            (b"nuget push Orders.1.2.nupkg " + _V + b" -Source https://nuget.example\n", _V),
            (b"rabbitmqctl change_password orders " + _V + b"\n", _V),
        ),
        counterexamples=(
            b"vault login -method=github",
            b"vault login -method=oidc role=orders-administrators",
            b"cargo login prompts for a token",
            b"vault login $VAULT_TOKEN",
            b"cargo login --registry=orders-internal-registry",
            b"nuget push Orders.1.2.nupkg -Source https://nuget.example/v3",
        ),
        after=LONGEST,
    ),
    Detector(
        id="piped-secret",
        kind=Kind.CLIENT_SECRET,
        title="Secret that a command reads from another",
        anchors=tuple(
            Anchor(pattern=re.escape(flag))
            for flag in (
                b"--password-stdin",
                b"--with-token",
                b"--pass-stdin",
                b"passwd --stdin",
                b"chpasswd",
                b"sudo -S",
            )
        ),
        confirm=confirm_piped,
        reference="https://docs.docker.com/reference/cli/docker/login/#password-stdin",
        examples=(
            (b'echo "' + _V + b'" | docker login -u ci --password-stdin r.example\n', _V),
            (b"gh auth login --with-token <<< " + _V + b"\n", _V),
            (b"echo 'orders:" + _V + b"' | chpasswd\n", _V),
        ),
        counterexamples=(
            b"echo $TOKEN | docker login -u ci --password-stdin r.example",
            b"cat token.txt | gh auth login --with-token",
            b"gh auth login --with-token < token.txt",
            b"echo logging-in | tee log; docker login --password-stdin",
        ),
        before=PIPED,
        after=PIPED,
    ),
)
