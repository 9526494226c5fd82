"""Many sources over a concurrent.futures.Executor (or inline), one iterator of events out, in order.

A unit of work is a handful of small sources, or a byte range of a large plain one. Units know
nothing of each other: what a range finds is what a scan of the whole file finds there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from scanner.model import Finding, Skipped, Source
from scanner.run.meter import Meter
from scanner.run.options import Notice, Options, Progress, Tell
from scanner.run.sequence import Sequence
from scanner.signing import Trials
from scanner.values import Keep

if TYPE_CHECKING:  # what is imported where it is used: a scan without a state or without workers starts sooner
    from concurrent.futures import Executor

    from scanner.run.state import State

__all__ = ["Options", "Progress", "run"]


def _unheard(_text: str) -> None:
    """Notices of a run that nobody asked for."""


def run(
    sources: Iterable[Source],
    options: Options,
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    progress: Tell | None = None,
    keep: Keep | None = None,
    state: State | None = None,
    notice: Notice = _unheard,
    trials: Trials | None = None,
) -> Iterator[Finding | Skipped]:
    """Scans the sources in order and yields what is found: of each source its findings in order of stream and offset,
    then the bare copies of their values in the same order.

    `keep` is given each finding's value, its finding placed in the file, before the finding is yielded. `notice` is
    told in words what of a second look was left out, though everything was scanned. `trials` takes what may be a
    signing key and tokens to try it on, each before its finding is yielded; nothing comes from an executor.

    With a `state`, sources it knows are not read again (and `keep` is not given their values): what was found in them
    comes in their place, judged as of now.

    With an `executor`, units run there (it must accept this package's functions: processes, Dask).
    With `jobs` > 1 processes of our own are used, and one that dies loses only its unit, which is
    tried once more alone and then reported as skipped. Else all happens here and events stream.
    """
    everything = list(sources)
    away = executor is not None
    tried = trials is not None and not away
    options = replace(options, keep_values=keep is not None, trials=tried, away=away, overlap=jobs > 1)
    meter = Meter(everything, progress)
    sequence = Sequence(options, executor, jobs, meter, keep, notice, trials)
    if state is None:
        for _, events in sequence.scanned(everything):
            yield from events
        return
    identities = [state.identity(source) for source in everything]
    known = [state.known(*one) for one in zip(everything, identities, strict=True)]
    left = [source for source, done in zip(everything, known, strict=True) if not done]
    with closing(sequence.scanned(left)) as fresh:
        for source, identity, done in zip(everything, identities, known, strict=True):
            if done:
                yield from _known_events(state, source, trials)
                meter.read(source, source.size or 0)
                meter.done(source)
            else:
                _, events = next(fresh)
                yield from state.keeping(source, identity, events)


def _known_events(state: State, source: Source, trials: Trials | None) -> Iterator[Finding | Skipped]:
    for event in state.events(source):
        if trials and isinstance(event, Finding):
            trials.pass_over(event)
        yield event
