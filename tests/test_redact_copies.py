"""What a stream has shown once is masked wherever it stands bare from then on, whatever the chunks."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.detector import Kind, Secret
from detectors.shapes import is_wordy
from scanner.redaction import fragments, leftovers, recent
from scanner.redaction.leftovers import Known
from scanner.redaction.library import BytesReader, redact, scanner_for
from scanner.redaction.mask import Style
from scanner.redaction.recent import Recent
from scanner.redaction.stream import StreamRedactor
from tests.scanning import KEY, jwt, opaque

SHOWN = b"Authorization: Bearer %s\n"


def redacted(data: bytes, chunk: int = 1 << 30, style: Style = Style.LABEL) -> tuple[bytes, int]:
    parts: list[bytes] = []
    outcome = StreamRedactor(scanner_for(KEY), style).run(BytesReader(data, chunk), parts.append)
    return b"".join(parts), outcome.copies


@pytest.mark.parametrize("style", [Style.LABEL, Style.EQUAL_LENGTH, Style.PSEUDONYM])
@pytest.mark.parametrize("gap", [0, 70_000, 600_000])
def test_a_bare_copy_goes_once_its_value_is_known(style: Style, gap: int) -> None:
    token = opaque(7)
    before, after = b"queue " + token + b" waits\n", b"worker took " + token + b" from cache\n"
    made, copies = redacted(before + SHOWN % token + b"quiet line\n" * (gap // 11) + after, style=style)
    assert made.startswith(before), "in a stream only what is known so far"
    assert made.count(token) == 1 and copies == 1
    assert b"worker took " in made and made.endswith(b" from cache\n")


def test_utf16_copies_of_a_value_found_in_utf16() -> None:
    text = f"Authorization: Bearer {opaque(3).decode()}\r\nseen {opaque(3).decode()} again\r\n"
    made, copies = redacted(text.encode("utf-16-le"))
    assert copies == 1 and opaque(3).decode() not in made.decode("utf-16-le")


def test_a_short_value_inside_a_longer_word_stays() -> None:
    token = opaque(4, 18)
    made, copies = redacted(SHOWN % token + b"x" + token + b" \\n" + token + b" " + token + b"\n")
    assert made.count(token) == 1 and copies == 2


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 40)), max_size=20), st.integers(1, 5000))
def test_chunks_do_not_matter(lines: list[tuple[int, bool, int]], chunk: int) -> None:
    data = b"".join(
        (SHOWN if header else b"cache holds %s today\n") % (jwt(seed) if seed % 2 else opaque(seed))
        + b"2026-11-22 INFO done\n" * (gap * gap)
        for seed, header, gap in lines
    )
    assert redacted(data, chunk) == redacted(data)


def test_what_has_to_make_room_counts_up_to_the_same_offset_for_all_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "RECENT", 3)
    data = b"".join(
        SHOWN % opaque(i) + b"cached " + opaque(max(0, i - 2)) + b" " + opaque(max(0, i - 5)) + b"\n" for i in range(9)
    )
    whole = redacted(data)
    assert whole[1] == 12  # two a line while there is room for the oldest, then one
    assert all(redacted(data, chunk) == whole for chunk in (1, 7, 100, 400))


def test_values_do_not_show() -> None:
    shown = Recent()
    shown.add(Secret(opaque(1)), Kind.BEARER_TOKEN, "f" * 64, (), 0)
    ((_, _, form),) = shown.places(opaque(1), 0, 0)
    assert opaque(1).decode() not in repr(form)


def test_values_without_room_for_their_fragments_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Known()
    for seed in range(5):
        known.take(Secret(opaque(seed)), Kind.BEARER_TOKEN, f"{seed:064x}")
    known.prepare(Style.LABEL)
    assert known.unsplit == 0
    monkeypatch.setattr(leftovers, "MOST_WORDS", 220)
    known.prepare(Style.LABEL)
    assert 0 < known.unsplit < 5


def fragments_left(data: bytes, chunk: int, *values: tuple[bytes, Kind]) -> list[tuple[int, int]]:
    known = Known()
    for number, (value, kind) in enumerate(values):
        known.take(Secret(value), kind, f"{number:064x}")
    known.prepare(Style.LABEL)
    left = known.left(lambda: iter([(0, BytesReader(data, chunk))])).get(0, [])
    return [(span.start, span.end) for target in left for span in target.spans]


@given(st.integers(0, 28), st.integers(12, 30), st.integers(0, 9), st.integers(1, 90), st.sampled_from(["le", "be"]))
def test_fragments_in_utf16_are_met_wherever_they_stand(at: int, size: int, lead: int, chunk: int, order: str) -> None:
    token = opaque(7)
    part = token[at : at + size].decode()
    code = f"utf-16-{order}"
    data = ("x" * lead + " " + part + " cut").encode(code)
    begin = 2 * lead + 2
    spans = fragments_left(data, chunk, (token, Kind.BEARER_TOKEN))
    if len(part) < 12:
        assert spans == []
    elif is_telling(part.encode()):
        shift = order == "be"  # UTF-16 of the other order is seen one byte off; what it covers is the same letters
        assert spans == [(begin + shift, begin + 2 * len(part) + shift)]


@given(st.integers(0, 20), st.integers(12, 40), st.binary(max_size=5), st.integers(1, 90), st.booleans())
def test_fragments_in_base64_are_met_from_18_characters_on(
    at: int, size: int, lead: bytes, chunk: int, url: bool
) -> None:
    token = opaque(7)
    part = token[at : at + size]
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    data = b"blob " + encode(lead + part + b" cut here\n") + b" end"
    spans = fragments_left(data, chunk, (token, Kind.BEARER_TOKEN))
    if len(part) >= 20 and is_telling(part[1:-1]):
        ((start, end),) = spans
        assert 5 + len(lead) * 4 // 3 <= start <= end <= 5 + -(-(len(lead) + len(part)) * 4 // 3)
        assert (end - start) * 6 >= (len(part) - 2) * 8
    elif len(part) < 16:
        assert spans == []


def is_telling(part: bytes) -> bool:
    return len(fragments._CHANGE.findall(part)) >= fragments.CHANGES and not is_wordy(part)


def test_claims_and_user_names_are_no_fragments() -> None:
    """They stand in other tokens and lines by right; a signature and a password do not."""
    token, pair = jwt(3), b"service-account-07XyZ:" + opaque(8, 24)
    header, payload, signature = token.split(b".")
    values = (token, Kind.JWT), (pair, Kind.BASIC_CREDENTIALS)
    for part in (header, payload, b"service-account-07XyZ"):
        assert fragments_left(b"x " + part + b" y", 99, *values) == []
    for part in (signature[5:], pair[30:]):
        assert fragments_left(b"x " + part + b" y", 99, *values) == [(2, 2 + len(part))]


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be"])
def test_a_line_with_a_fragment_in_utf16_stays_utf16(code: str, style: Style) -> None:
    token = opaque(7).decode()
    data = f"Authorization: Bearer {token}\r\nretry with {token[3:25]}... soon\r\n".encode(code)
    made = redact(data, style=style, key=KEY).data.decode(code)
    assert token[3:25] not in made and made.count("\r\n") == 2
    assert made.splitlines()[1].startswith("retry with ") and made.endswith("... soon\r\n")
