"""Credentials behind an option of one letter, in a command that logs in: `-u svc -p V`, `auth init -t V`.

Which letter it is, each program decides for itself; that a user or a login stands before it and something random
behind it, is common to all. The table of commands.py knows programs whose passwords may be words, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.fields import Field
from detectors.keyed import of_value
from detectors.keys import Meaning
from detectors.patterns import pattern

BACK = 400  # bytes before an option in which its command says that it logs in
LONGEST = 512  # bytes of a value
# A blank between arguments: a shell's, a list's, auditd's.
_BETWEEN = rb"(?:[ =]|\\{0,4}[\"'](?:,[ ]?|[ ]a\d{1,3}=)\\{0,4}(?=[\"']))"
_HEAD = pattern(rb"(?<=[\s\"'])(-[pPtkw])" + _BETWEEN + rb"\\{0,4}(?P<q>[\"'])?\Z")
_VALUE = pattern(rb"[^\s\"'|;&\\]{12,512}")
# A word of its own, in a shell's line or in a list of arguments.
_LOGIN = pattern(
    rb"(?<=[\s\"'/])(?:log[io]n|signin|auth|authenticate|-u|-U|--user(?:name)?|--login|--service-principal"
    rb"|(?:[a-z]{2,8}_)?ldap_?[a-z]{3,8}|add-[a-z]{5,8}-password)(?=[\s\"'=\\])"
)
_SECRET = Meaning(Kind.CLIENT_SECRET, False, True, plain=True)
_TOKEN = Meaning(Kind.API_KEY, False, True, plain=True)
_PROBE = 12  # characters of the value that the anchors look at


def confirm(text: Text) -> Iterator[Match]:
    """The value behind the option, the first characters of which an anchor matched too."""
    start = text.hit - _PROBE
    low = max(text.data.rfind(b"\n", max(0, start - BACK), start) + 1, start - BACK, 0)
    option = _HEAD.search(text.data, low, start)
    value = _VALUE.match(text.data, start)
    if option is None or value is None or not _LOGIN.search(text.data, low, option.start()):
        return
    if value.end() == len(text.data) and text.cut:
        raise NeedMore
    said = _TOKEN if option[1] in (b"-t", b"-k") else _SECRET
    place = Field(b"password", option.start(), start, value.end(), bool(option["q"]), closed=True, flag=True)
    match = of_value(text, place, said)
    if match:
        yield match


_V = b"Hq8vN2xT5mR9kL4pW7c"

DETECTOR = Detector(
    id="login-option",
    kind=Kind.CLIENT_SECRET,
    title="Credential behind an option of a login",
    anchors=(
        Anchor(pattern=rb"[ ]-[pPtkw][ =][\"']?[A-Za-z0-9][!-~]{11}"),
        Anchor(pattern=rb"[\"']-[pPtkw]\\{0,4}[\"'],[ ]?\\{0,4}[\"'][A-Za-z0-9][!-~]{11}"),
        Anchor(pattern=rb"\"-[pPtkw]\"[ ]a[0-9]=\"[A-Za-z0-9][!-~]{11}"),
    ),
    confirm=confirm,
    reference="https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap12.html",
    examples=(
        (b"$ helm registry login r.acme.io -u ci -p " + _V + b"\n", _V),
        (b"Command arguments: ['login', '-u', 'svc', '-p', '" + _V + b"', '--debug']", _V),
        (b"doctl auth init -t " + _V + b" --context ci", _V),
    ),
    counterexamples=(
        b"ssh -p 22 -i id deploy@host; mkdir -p /srv/orders/releases",
        b"login -u svc -p $PASSWORD_OF_SVC_USER",
        b"nmap -p T:1-65535,U:53,111,137",
        b"tar -u -k orders-2026-11-22.tar.gz",
    ),
    before=BACK + 64,
    after=LONGEST + 16,
)
