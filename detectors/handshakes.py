"""Passwords in the first message of a binary protocol: MQTT's CONNECT, LDAP's simple bind.

They stand in dumps of packets and memory and in traces of system calls. No key names them; the message's own lengths,
which must all fit, do.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Rank, Secret, Text, TokenFacts
from detectors.shapes import is_masked, is_text

AFTER = 2048  # bytes of a message looked at
SHORTEST = 4  # bytes: what is shorter is a placeholder


class _Message:
    """Reads a message's parts in turn; raises NeedMore where a text that was cut ends in one, else ValueError."""

    def __init__(self, text: Text, at: int) -> None:
        self._text = text
        self.at = at

    def number(self, size: int) -> int:
        start, end = self.take(size)
        return int.from_bytes(self._text.data[start:end])

    def take(self, size: int) -> tuple[int, int]:
        """[start, end) of the next bytes."""
        start, self.at = self.at, self.at + size
        if size > AFTER:
            raise ValueError(size)
        if self.at > len(self._text.data):
            raise NeedMore if self._text.cut else ValueError(size)
        return start, self.at

    def string(self) -> tuple[int, int]:
        return self.take(self.number(2))


def confirm_mqtt(text: Text) -> Iterator[Match]:
    """The password field of CONNECT: MQTT 3.1.1 section 3.1.3.5, MQTT 5 section 3.1.3.6."""
    message = _Message(text, text.hit)
    try:
        level, flags = message.number(1), message.number(1)
        if level not in (3, 4, 5) or not flags & 0x40 or flags & 1:
            return
        message.number(2)  # seconds of keeping alive
        if level == 5:
            message.take(message.number(1))  # properties, at most 127 bytes of them
        message.string()  # the client's id
        if flags & 4:
            if level == 5:
                message.take(message.number(1))
            message.string()
            message.string()
        user = message.string() if flags & 0x80 else None
        yield from _password(text, message.string(), user, "mqtt-connect")
    except ValueError:
        return


def confirm_bind(text: Text) -> Iterator[Match]:
    """The simple authentication of a BindRequest: RFC 4511 section 4.2, in lengths of one byte or of two and three."""
    message = _Message(text, text.hit)
    try:
        user = message.take(_length(message))
        if message.number(1) == 0x80 and user[1] > user[0]:
            yield from _password(text, message.take(_length(message)), user, "ldap-bind")
    except ValueError:
        return


def _length(message: _Message) -> int:
    first = message.number(1)
    if first < 0x80:
        return first
    if first not in (0x81, 0x82):
        raise ValueError(first)
    return message.number(first - 0x80)


def _password(text: Text, place: tuple[int, int], user: tuple[int, int] | None, family: str) -> Iterator[Match]:
    value = text.data[slice(*place)]
    name = text.data[slice(*user)] if user else b""
    if len(value) < SHORTEST or is_masked(value) or not (is_text(value) and (is_text(name) or not name)):
        return
    facts = TokenFacts(client_id=name.decode() or None)
    yield Match(
        *place, Kind.CLIENT_SECRET, Secret(value), Rank.STRUCTURE, facts=facts, family=family, key="password",
        static=True,
    )  # fmt: skip


_V = b"q3ZkXx9QbTmL2v"
_CONNECT = b"\x10\x2a\0\4MQTT\4\xc2\0\x3c\0\6worker\0\3app\0\x0e"
_V5 = b"\x10\x30\0\4MQTT\5\xc6\0\x3c\x05\x11\0\0\0\x3c\0\6worker\0\0\1t\0\1x\0\3app\0\x0e"
_DN = b"cn=app,dc=acme,dc=io"
_NAME = b"\2\1\3\4" + bytes([len(_DN)]) + _DN
_BIND = b"\x30\x2c\2\1\1\x60\x27" + _NAME + b"\x80\x0e"

DETECTORS = (
    Detector(
        id="mqtt-connect",
        kind=Kind.CLIENT_SECRET,
        title="Password in an MQTT CONNECT",
        anchors=(Anchor(b"\0\4MQTT"), Anchor(pattern=rb"\\(?:004|x04|u0004)MQTT")),
        confirm=confirm_mqtt,
        reference="https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901071",
        examples=((_CONNECT + _V + b"\0\0", _V), (_V5 + _V + b"\0", _V)),
        counterexamples=(b"\x10\x12\0\4MQTT\4\2\0\x3c\0\6worker", b"\0\4MQTT is the protocol's name"),
        before=64,
        after=AFTER,
    ),
    Detector(
        id="ldap-bind",
        kind=Kind.CLIENT_SECRET,
        title="Password in an LDAP simple bind",
        # Version 3 and the type of the name that follows; as strace and Python write them.
        anchors=(
            Anchor(pattern=rb"\x02\x01\x03\x04"),
            Anchor(pattern=rb"\\002\\001\\003\\004"),
            Anchor(pattern=rb"\\x02\\x01\\x03\\x04"),
        ),
        confirm=confirm_bind,
        reference="https://www.rfc-editor.org/rfc/rfc4511#section-4.2",
        examples=((_BIND + _V, _V), (b"\x60\x81\x27" + _NAME + b"\x80\x81\x0e" + _V + b"0", _V)),
        counterexamples=(b"\2\1\3\4\0\x80\0", b"\2\1\3\4\x05hello\x83\4abcd"),
        before=64,
        after=AFTER,
    ),
)
