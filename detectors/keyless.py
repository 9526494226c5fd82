"""Random strings with nothing beside them that says what they are: only on demand, since most of them are no secret.

Of use on dumps, where a value stands far from its name. Hex is left out: it can't be told from a digest.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.detector import Anchor, Confidence, Detector, Kind, Match, NeedMore, Rank, Secret, Text
from detectors.patterns import pattern
from detectors.shapes import is_hex, is_masked, is_other_data, is_reference, is_uuid, randomness
from detectors.words import made_of_words

SHORTEST = 24  # characters: below, names and numbers are as random as secrets
LONGEST = 160  # characters: above, it is an encoded file, a certificate, a compressed page
_ALPHABET = rb"A-Za-z0-9+/_=\-"
_RUN = pattern(rb"[A-Za-z0-9+/_-]{%d,}={0,2}" % SHORTEST)
_BREAK = rb"[^" + _ALPHABET + rb"\n]{0,2}(?:\n|\\n)[^" + _ALPHABET + rb"\n]{0,8}"
_BESIDE = pattern(_BREAK + rb"([A-Za-z0-9+/_-]{4,}={0,2})")  # the next line of a block
_BEFORE = pattern(rb"([A-Za-z0-9+/_-]{40,}={0,2})" + _BREAK + rb"\Z")
LINE = 60  # characters that a line of an encoded block has at least
_JOINTS = pattern(rb"[/_+=-]+")
RANDOM = 0.82  # share of the entropy that the alphabet allows at the length; a random draw has 0.85 and more
WORDS = 0.25  # the share of words above which it is a path or a name


def confirm(text: Text) -> Iterator[Match]:
    """The run of base64 characters whose first ones an anchor marked."""
    run = _RUN.match(text.data, max(0, text.hit - SHORTEST))
    if run is None:
        return
    if text.cut and len(text.data) - run.end() < LONGEST and len(run[0]) <= LONGEST:
        raise NeedMore
    value = run[0]
    if len(value) <= LONGEST and _is_random(value) and not _is_of_block(text, run.start(), run.end()):
        yield Match(run.start(), run.end(), Kind.API_KEY, Secret(value), Rank.HUNCH, Confidence.LOW)


def _is_random(value: bytes) -> bool:
    if is_hex(value) or is_uuid(value) or is_masked(value) or is_reference(value) or is_other_data(value):
        return False
    classes = (sum(65 <= c <= 90 for c in value), sum(97 <= c <= 122 for c in value), sum(48 <= c <= 57 for c in value))
    if min(classes) < max(1, len(value) // 24):
        return False
    parts = [part for part in _JOINTS.split(value) if part]
    if sum(len(part) for part in parts if made_of_words(part)) > WORDS * len(value) or len(parts) > len(value) // 6:
        return False
    return randomness(value) >= RANDOM


def _is_of_block(text: Text, start: int, end: int) -> bool:
    """Whether it is a line of something longer: the line before it is as long or longer, or the one behind as short."""
    size = end - start
    before = _BEFORE.search(text.data[max(0, start - LONGEST - 8) : start])
    if before and len(before[1]) >= max(size - 2, LINE):
        return True
    behind = _BESIDE.match(text.data, end)
    return behind is not None and size >= LINE and len(behind[1]) <= size + 2


_V = b"q3ZkXx9QbTmL2vRw8YcN0aHsJd5FgKpU7"

ON_DEMAND = (
    Detector(
        id="random-string",
        kind=Kind.API_KEY,
        title="Random string that nothing names (--entropy)",
        anchors=(
            Anchor(pattern=rb"(?:^|[^" + _ALPHABET + rb"])[A-Za-z0-9+/_\-]{%d}" % SHORTEST),
        ),
        confirm=confirm,
        reference="https://people.math.harvard.edu/~ctm/home/text/others/shannon/entropy/entropy.pdf",
        examples=((b"\x00\x08" + _V + b"\x00", _V), (b'["' + _V + b'"]', _V)),
        counterexamples=(
            b"/usr/lib/python3/dist-packages/botocore/session", b"sha256:3f9c04e7b1d852a6c7e0194f8b6d235ea97c10f4",
            b"org.springframework.boot.SpringApplication", b"AbstractAutowireCapableBeanFactory2",
            b"\n".join((_V + _V[:31], _V[::-1] + _V[:31], _V[3:] + _V[:34])),
        ),
        before=LONGEST + SHORTEST + 16,
        after=LONGEST * 2,
    ),
)  # fmt: skip
