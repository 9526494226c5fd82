"""The library: bytes, streams, and what goes through `logging`."""

from __future__ import annotations

import gzip
import io
import json
import logging
import logging.handlers
import pickle
import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import scanner
from scanner.errors import InputError
from tests.archives import tar, zipped
from tests.hprof_make import cache
from tests.hprof_walk import walk
from tests.scanning import KEY, jwt, opaque
from tests.test_docs import blocks

ROOT = Path(__file__).parent.parent


def test_importing_the_package_costs_nothing() -> None:
    code = "import sys, scanner; print(sorted(m for m in sys.modules if m.startswith(('scanner.', 'hyperscan'))))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, timeout=60).stdout
    assert said == b"[]\n"
    assert set(scanner.__all__) == set(dir(scanner))
    with pytest.raises(AttributeError):
        scanner.nothing  # noqa: B018


def test_what_the_document_shows_of_it() -> None:
    (source,) = blocks(ROOT / "docs" / "redaction.md", "python")
    exec(compile(source, "redaction.md", "exec"), {})  # noqa: S102 - our own document is the code under test


def test_bytes_and_streams_give_the_same() -> None:
    data = b"x\nAuthorization: Bearer " + opaque(3) + b"\n" + jwt(4) + b"\n"
    out = io.BytesIO()
    outcome = scanner.redact(io.BytesIO(data), out.write, key=KEY)
    assert out.getvalue() == scanner.redact(data, key=KEY).data
    assert outcome.secrets == 2
    with pytest.raises(TypeError):
        scanner.redact("text", key=KEY)  # type: ignore[call-overload]


def test_bytes_hold_no_copy_either_before_or_behind_the_place_a_value_was_found_at() -> None:
    token = opaque(3)
    data = (
        b"seen " + token + b"\nAuthorization: Bearer " + token + b"\nagain " + token + b" and " + token.hex().encode()
    )
    made = scanner.redact(data, key=KEY).data
    assert token not in made and token.hex().encode() not in made
    assert made.startswith(b"seen [REDACTED:bearer_token:")


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: tar({"a": data}), lambda data: zipped({"a": data})])
def test_what_is_packed_does_not_pass_unseen(pack: Callable[[bytes], bytes]) -> None:
    data = pack(b"Authorization: Bearer " + opaque(3) + b"\n")
    with pytest.raises(InputError, match="unpack it before"):
        scanner.redact(data, key=KEY)
    out = io.BytesIO()
    outcome = scanner.redact_stream(io.BytesIO(data), out.write, key=KEY)
    assert out.getvalue() == b"" and outcome.trouble and "unpack it before" in outcome.trouble.reason


def test_a_dump_keeps_its_length_whatever_stands_before_a_secret() -> None:
    heap = cache([jwt(seed) for seed in range(3)])
    heap.bytes_(b"x" * 200 + b" Authorization: Bearer " + opaque(5))
    dump = heap.data()
    made = scanner.redact(dump, key=KEY).data
    out = io.BytesIO()
    scanner.redact_stream(io.BytesIO(dump), out.write, key=KEY)
    for data in (made, out.getvalue()):
        assert len(data) == len(dump) and opaque(5) not in data and walk(data) == walk(dump)


def logged(*arguments: object, **more: object) -> str:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.addFilter(scanner.RedactingFilter(key=KEY))
    log = logging.getLogger("tests.redacted")
    log.propagate = False
    log.handlers = [handler]
    log.error(*arguments, **more)  # type: ignore[arg-type]
    return said.getvalue()


def test_a_record_is_redacted_args_exception_and_stack() -> None:
    token = opaque(9).decode()
    assert token not in logged("Authorization: Bearer %s", token)
    assert token not in logged("sent %(h)s", {"h": {"access_token": token}})
    try:
        raise RuntimeError(f"401 for Authorization: Bearer {token}")
    except RuntimeError:
        text = logged("call failed", exc_info=True)
    assert token not in text and "RuntimeError: 401 for Authorization: Bearer [REDACTED:" in text
    text = logged("where", stack_info=True)  # Authorization: Bearer
    assert "Stack (most recent call last)" in text


def test_a_record_that_can_not_be_formatted_becomes_a_marker() -> None:
    class Bad:
        def __str__(self) -> str:
            raise ValueError(opaque(9).decode())

    assert logged("value %s", Bad()) == "[REDACTED:error]\n"
    assert logged("value %d", "x" + opaque(9).decode()) == "[REDACTED:error]\n"


def handled(record: logging.LogRecord) -> logging.LogRecord:
    assert scanner.RedactingFilter(key=KEY).filter(record)
    return record


def made(message: object, *args: object, kind: type[logging.LogRecord] = logging.LogRecord, **extra: object) -> Any:
    record = kind("tests", logging.INFO, "tests.py", 1, message, args, None)
    vars(record).update(extra)
    return handled(record)


def test_what_extra_adds_is_redacted_in_any_depth_and_else_untouched() -> None:
    """What formatters of JSON write, and what a format names."""
    token, other = opaque(9).decode(), object()
    record = made(
        "x", headers={"Authorization": f"Bearer {token}"}, refresh_token=token, n=3, who=("a", "b"), other=other,
        deep=[{"body": f'{{"client_secret":"{token}"}}'}], odd={1: token, (2, 3): f"access_token={token}"},
    )  # fmt: skip
    assert token not in repr(vars(record))
    assert record.n == 3 and record.who == ("a", "b") and record.other is other
    assert record.headers["Authorization"].startswith("Bearer [REDACTED:bearer_token:")
    assert json.loads(record.deep[0]["body"])["client_secret"].startswith("[REDACTED:")
    circle: dict[str, object] = {"access_token": token}
    circle["self"] = circle
    assert token not in repr(vars(made("x", circle=circle)))


def test_a_value_that_the_message_names_goes_from_exception_and_fields_too() -> None:
    token = opaque(9).decode()
    try:
        raise ValueError(f"no session for {token}")
    except ValueError:
        record = logging.LogRecord("tests", 40, "t.py", 1, "access_token=%s", (token,), sys.exc_info())
    record.cached = f"seen {token}"
    handled(record)
    assert token not in repr(vars(record)) and "no session for [REDACTED:" in str(record.exc_text)


def test_a_message_that_is_a_mapping_stays_one() -> None:
    """As structlog hands records to its formatter, which copies it."""
    token = opaque(9).decode()
    record = made({"event": "login", "access_token": token, "n": 1}, _name="info")
    assert record.msg.copy()["n"] == 1 and record.msg["access_token"].startswith("[REDACTED:")
    assert made({"event": "login"}).msg == {"event": "login"}
    assert token not in made("%s", {"access_token": token}).getMessage()


class Braces(logging.LogRecord):
    """Messages of another style."""

    def getMessage(self) -> str:  # noqa: N802 - the name of logging
        return str(self.msg).format(*self.args or ())


def test_records_of_other_kinds_are_formatted_once() -> None:
    token = opaque(9).decode()
    text = made("{{access_token={}}}", token, kind=Braces).getMessage()
    assert text.startswith("{access_token=[REDACTED:") and token not in text


def test_records_pass_queues_and_pickles() -> None:
    token = opaque(9).decode()
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(waiting)
    handler.addFilter(scanner.RedactingFilter(key=KEY))
    log = logging.getLogger("tests.queued")
    log.handlers, log.propagate = [handler], False
    try:
        raise ValueError(f"Authorization: Bearer {token}")
    except ValueError:
        log.exception("access_token=%s", token, extra={"refresh_token": token})
    sent = pickle.dumps(vars(waiting.get()))
    assert token.encode() not in sent and sent.count(b"REDACTED") >= 3


def test_what_looks_like_the_ends_of_texts_does_not_shift_them() -> None:
    token = opaque(9).decode()
    record = made(f"a\n\x1e\nclient_secret={token}\n\x1e\nb", note=f"access_token={token}\n{{}}")
    assert token not in repr(vars(record)) and record.msg.startswith("a\n\x1e\nclient_secret=[REDACTED:")
    assert record.msg.endswith("\n\x1e\nb") and record.note.endswith("]\n{}")
