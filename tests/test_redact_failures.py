"""Whatever of our own fails, wherever: no line goes out in clear, and the failure is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from detectors.detector import Kind, Secret
from scanner.fingerprint import fingerprint
from scanner.looking import Work
from scanner.pipeline import Scanner
from scanner.redaction import mask, rewriting, stream
from scanner.redaction.copying import MARKER, Copy
from scanner.redaction.files import Settings, redact_file
from scanner.redaction.leftovers import Known
from scanner.redaction.library import BytesReader, scanner_for
from scanner.redaction.mask import Style
from scanner.redaction.recent import Recent
from scanner.redaction.stream import StreamRedactor
from scanner.run import Options
from scanner.windows import Window
from tests.scanning import AS_OF, KEY, jwt, opaque
from tests.streams import source_of

TOKENS, SIGNED = [opaque(seed) for seed in range(20)], [jwt(seed) for seed in range(20)]
LOG = b"".join(
    b'%d INFO quiet\n%d Authorization: Bearer %s tail\n{"access_token":"%s","x":"\\\\n"}\n' % (number, number, *pair)
    for number, pair in enumerate(zip(TOKENS, SIGNED, strict=True))
)
PLACES: list[tuple[Any, str]] = [
    *((stream, name) for name in ("fingerprint", "replace")),
    (rewriting, "edits"),
    (mask, "_text"),
    *((Copy, name) for name in ("edit", "read", "line_end", "cover", "mark", "_replaced", "_out")),
    *((Recent, name) for name in ("add", "places")),
    *((Work, name) for name in ("_look", "take")),
    *((StreamRedactor, name) for name in ("_edit", "_apply", "_mask_copies", "_step")),
    *((Scanner, name) for name in ("finding", "state")),
    *((Window, name) for name in ("release", "slice")),
]


@pytest.mark.parametrize("chunk", [1 << 30, 300])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].__name__}.{place[1]}")
def test_a_failure_anywhere_is_closed_and_told(
    place: tuple[Any, str], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real code, of which one call fails: the first, the second, a later one."""
    owner, name = place
    inner = getattr(owner, name)
    reached = 0
    for fails_at in (1, 2, 3, 8, 21, 34):
        calls = 0

        def failing(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == fails_at:  # noqa: B023 - called within the turn
                raise RuntimeError(opaque(99).decode())
            return inner(*arguments, **named)

        parts: list[bytes] = []
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, failing)
            redactor = StreamRedactor(scanner_for(KEY), Style.LABEL, on_finding=lambda _: None)
            outcome = redactor.run(BytesReader(LOG, chunk), parts.append)
        made = b"".join(parts)
        assert not any(token in made for token in TOKENS)
        assert not any(token[-30:] in made for token in SIGNED)
        if calls >= fails_at:
            reached += 1
            assert outcome.failures and MARKER in made
    assert reached or name in ("state", "cover", "mark", "line_end"), "which are called where something else matters"


@pytest.mark.parametrize("lacking", ["some of it stays", "all of it stays", "a byte stays out"])
def test_the_proof_finds_what_a_faulty_replacement_leaves(
    lacking: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A secret that is not replaced, or not whole, is found in what was written, and nothing is placed."""
    path, place = tmp_path / "app.log", tmp_path / "made.log"
    path.write_bytes(LOG)
    known = Known()
    for token in TOKENS:
        known.take(Secret(token), Kind.BEARER_TOKEN, fingerprint(KEY, token))
    known.prepare(Style.LABEL)
    inner = mask._text

    def faulty(secret: Any, pieces: list[bytes], before: bytes, after: bytes) -> list[bytes]:
        if pieces[0] != TOKENS[7]:
            return inner(secret, pieces, before, after)
        return {"all of it stays": pieces, "some of it stays": [b"***" + pieces[0][3:]]}.get(lacking, [pieces[0][:-1]])

    monkeypatch.setattr(mask, "_text", faulty)
    done = redact_file(source_of(path), os.fsencode(place), known, Settings(Options(AS_OF, KEY)))
    if done.placed:  # a later round has taken it, by the faultless part
        assert TOKENS[7][-12:] not in place.read_bytes() and TOKENS[7][:12] not in place.read_bytes()
    else:
        assert done.trouble and "even after" in done.trouble.reason and os.listdir(tmp_path) == ["app.log"]
    assert done.placed is (lacking != "all of it stays")
