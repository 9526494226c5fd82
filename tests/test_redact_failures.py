"""Whatever of our own fails, wherever: no line goes out in clear, and the failure is told."""

from __future__ import annotations

from typing import Any

import pytest

from scanner.looking import Work
from scanner.pipeline import Scanner
from scanner.redaction import mask, rewriting, stream
from scanner.redaction.copying import MARKER, Copy
from scanner.redaction.library import BytesReader, scanner_for
from scanner.redaction.mask import Style
from scanner.redaction.recent import Recent
from scanner.redaction.stream import StreamRedactor
from scanner.windows import Window
from tests.scanning import KEY, jwt, opaque

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
