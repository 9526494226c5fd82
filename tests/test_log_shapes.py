"""Log lines of many frameworks: each secret is one finding of its kind in its place, and nothing else is found."""

from __future__ import annotations

import json
import random

import pytest

from scanner.fingerprint import fingerprint
from tests.log_shapes.table import Shape, shapes
from tests.scanning import KEY, scan

SECRETS = shapes(
    "jvm",
    "python",
    "node",
    "dotnet",
    "go_rust",
    "php_ruby_beam",
    "mobile",
    "edge",
    "stores",
    "ci",
    "system",
    "infrastructure",
    "identity",
    "recorders",
    "messages",
    "saas",
    "applications",
    "languages",
    "commands",
    "configuration",
    "operations",
)
NOTHING = shapes("negatives", "infrastructure_negatives", "applications_negatives", "operations_negatives")
SEEDS = 5


def _id(shape: Shape) -> str:
    return f"{shape.table}/{shape.name}"


@pytest.mark.parametrize("shape", SECRETS, ids=_id)
def test_each_secret_of_a_shape_is_one_finding(shape: Shape) -> None:
    for seed in range(SEEDS):
        text, made = shape.instance(seed)
        planted = [one for one in made if one.kinds != ("no",)]
        found = scan(b"2026-11-22 10:00:00 INFO start\n" + text + b"\n2026-11-22 10:50:00 INFO end\n")
        assert [f.fingerprint for f in found] == [fingerprint(KEY, secret.value) for secret in planted], seed
        for finding, secret in zip(found, planted, strict=True):
            assert finding.kind.value in secret.kinds, seed
            if secret.place:
                start, end = (at + 31 for at in secret.place)
                assert [(span.start, span.end) for span in finding.spans] == [(start, end)], seed


@pytest.mark.parametrize("shape", NOTHING, ids=_id)
def test_nothing_is_found_in_what_only_looks_like_a_secret(shape: Shape) -> None:
    for seed in range(SEEDS):
        text, _ = shape.instance(seed)
        assert not scan(b"2026-11-22 10:00:00 INFO start\n" + text + b"\n2026-11-22 10:50:00 INFO end\n"), seed


# Their keys and values are columns of rows or stand in lines: in a JSON string they have no line ends.
_BY_LINES = frozenset(
    [
        "devtools-headers-tab",
        "appsettings-jwt-section",
        "postfix-sasl-passwd",
        "behave-table",
        "psql-table",
        "postgres-copy",
        "csv-header-row",
        "csv-quoted-header",
        "csv-semicolon",
        "tsv-header",
        "dovecot-auth-debug",
        "xl2tpd",
    ]
)


@pytest.mark.parametrize("shape", [s for s in SECRETS + NOTHING if s.name not in _BY_LINES], ids=_id)
def test_a_text_in_a_record_of_json_is_as_it_stands_alone(shape: Shape) -> None:
    """Not found less, nor more, and the span ends with the secret."""
    text, planted = shape.instance(0)
    message = json.dumps(text.decode("latin-1"), ensure_ascii=False).encode("latin-1")
    found = scan(b'{"level":"info","msg":' + message + b',"n":1}\n')
    wanted = [fingerprint(KEY, one.value) for one in planted if one.kinds != ("no",)]
    assert sorted(f.fingerprint for f in found) == sorted(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 3, 4])
def test_shapes_do_not_spoil_each_other(seed: int) -> None:
    """Dozens of them in one file, in any order, what is no secret among them."""
    everything = SECRETS + NOTHING
    random.Random(seed).shuffle(everything)
    for first in range(0, len(everything), 12):
        made = [shape.instance(seed) for shape in everything[first : first + 12]]
        found = scan(b"".join(text + b"\n" for text, _ in made))
        wanted = [fingerprint(KEY, one.value) for _, planted in made for one in planted if one.kinds != ("no",)]
        assert sorted(f.fingerprint for f in found) == sorted(wanted), [s.name for s in everything[first : first + 12]]
