"""Many sources over a concurrent.futures.Executor (or inline), one iterator of events out, in order.

A unit of work is a handful of small sources, or a byte range of a large plain one. Units know
nothing of each other: what a range finds is what a scan of the whole file finds there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace

from scanner.model import Finding, Skipped, Source
from scanner.run.meter import Meter
from scanner.run.options import Options, Progress, Tell
from scanner.run.sequence import scanned
from scanner.run.state import State
from scanner.values import Keep

__all__ = ["Options", "Progress", "State", "run"]


def run(
    sources: Iterable[Source],
    options: Options,
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    progress: Tell | None = None,
    keep: Keep | None = None,
    state: State | None = None,
) -> Iterator[Finding | Skipped]:
    """Scans the sources in order and yields what is found, in order of source and offset.

    `keep` is given each finding's value, its finding placed in the file, before the finding is yielded.

    With a `state`, sources it knows are not read again (and `keep` is not given their values): what was found in them
    comes in their place, judged as of now.

    With an `executor`, units run there (it must accept this package's functions: processes, Dask).
    With `jobs` > 1 processes of our own are used, and one that dies loses only its unit, which is
    tried once more alone and then reported as skipped. Else all happens here and events stream.
    """
    everything = list(sources)
    options = replace(options, keep_values=keep is not None, overlap=jobs > 1)
    meter = Meter(everything, progress)
    if state is None:
        for _, events in scanned(everything, options, executor, jobs, meter, keep):
            yield from events
        return
    identities = [state.identity(source) for source in everything]
    known = [state.known(*one) for one in zip(everything, identities, strict=True)]
    left = [source for source, done in zip(everything, known, strict=True) if not done]
    with closing(scanned(left, options, executor, jobs, meter, keep)) as fresh:
        for source, identity, done in zip(everything, identities, known, strict=True):
            if done:
                yield from state.events(source)
                meter.read(source, source.size or 0)
                meter.done(source)
            else:
                _, events = next(fresh)
                yield from state.keeping(source, identity, events)
