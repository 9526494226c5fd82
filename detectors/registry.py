"""Finds every detector of the package: each module's `DETECTOR` or `DETECTORS`, without a list to keep.

A new detector is a new file, nothing else. The order is that of the modules' dotted names, then of
the tuple inside a module, so it is the same on every machine.
"""

from __future__ import annotations

import hashlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from types import ModuleType

from detectors.detector import Detector

PACKAGE = "detectors"
_SELF = (f"{PACKAGE}.registry", f"{PACKAGE}.detector")


class DuplicateDetector(Exception):
    """Two detectors carry one id; the message names the id and both modules."""


@lru_cache(maxsize=1)
def all_detectors() -> tuple[Detector, ...]:
    """Every detector of the package in stable order. Raises DuplicateDetector."""
    return collect((module.__name__, _declared(module)) for module in _modules())


@lru_cache(maxsize=1)
def on_demand() -> tuple[Detector, ...]:
    """Detectors that only work when asked for: each module's `ON_DEMAND`. Raises DuplicateDetector."""
    everyday = [("all_detectors", all_detectors())]
    rest = [(module.__name__, module.__dict__.get("ON_DEMAND", ())) for module in _modules()]
    return collect([*everyday, *rest])[len(all_detectors()) :]


@lru_cache(maxsize=1)
def public() -> tuple[Detector, ...]:
    """Detectors of what is no secret, for comparison with what is: each module's `PUBLIC`."""
    return collect((module.__name__, module.__dict__.get("PUBLIC", ())) for module in _modules())


def collect(declared: Iterable[tuple[str, Iterable[Detector]]]) -> tuple[Detector, ...]:
    """The detectors of (module name, detectors) pairs, in order. Raises DuplicateDetector."""
    owner: dict[str, str] = {}
    found: list[Detector] = []
    for module, detectors in declared:
        for detector in detectors:
            if detector.id in owner:
                raise DuplicateDetector(f"detector id {detector.id!r} stands in {owner[detector.id]} and in {module}")
            owner[detector.id] = module
            found.append(detector)
    return tuple(found)


def ruleset_digest() -> str:
    """Hex SHA-256 that changes when a rule changes: over ids, anchors, bounds and the package's source bytes.

    A detector is code, and leans on shared modules, so the bytes of every file of the package count
    as each detector's version. Costs some milliseconds; asked for only when a state file is kept.
    """
    digest = hashlib.sha256()
    for detector in (*all_detectors(), *on_demand(), *public()):
        bounds = (detector.kind.value, detector.before, detector.after)
        _feed(digest, repr((detector.id, detector.anchors, bounds)).encode())
    for name, source in _sources():
        _feed(digest, name.encode())
        _feed(digest, source)
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "big"))  # lengths keep "ab"+"c" apart from "a"+"bc"
    digest.update(part)


def _modules() -> Iterator[ModuleType]:
    for name in _names():
        if name not in _SELF:
            yield import_module(name)


def _names() -> list[str]:
    package = import_module(PACKAGE)
    return sorted(info.name for info in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."))


def _declared(module: ModuleType) -> Iterator[Detector]:
    """A re-exported detector would be declared twice, hence only what the module's own names hold."""
    single = module.__dict__.get("DETECTOR")
    if single is not None:
        yield single
    yield from module.__dict__.get("DETECTORS", ())


def _sources() -> Iterator[tuple[str, bytes]]:
    """(module name, bytes of its file) in order of the names; works in a zip as well as in a folder."""
    for name in [PACKAGE, *_names()]:
        spec = import_module(name).__spec__
        if spec and spec.origin and spec.loader:
            # every loader of files has get_data; its abstract base would cost 15 ms to import
            yield name, getattr(spec.loader, "get_data")(spec.origin)  # noqa: B009
