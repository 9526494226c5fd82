"""Progress on stderr: a bar on a terminal, a line every 30 seconds elsewhere if asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from scanner.model import Finding, Skipped, Summary

if TYPE_CHECKING:
    from scanner.run import Progress

EVERY = 30.0  # seconds between lines where there is no terminal: a CI log stays readable, a watcher stays calm
_ORDER = ("live", "not_yet_valid", "no_expiry", "unknown", "expired", "revoked", "unusable")


class Meter:
    """Shows bytes done of all, rate, remaining time, findings by state, and the file at hand."""

    def __init__(self, wanted: bool | None, quiet: bool, summary: Summary) -> None:
        terminal = sys.stderr.isatty()
        self._quiet = quiet
        self._shown = not quiet and (terminal if wanted is None else wanted)
        self._bar: Any = None  # tqdm, imported where there is a terminal to draw on
        self._terminal = terminal
        self._summary = summary
        self._began = self._said = time.monotonic()
        self.progress: Callable[[Progress], None] = self._progress

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def event(self, event: Finding | Skipped) -> None:
        """Says at once what could not be read; the report says it again."""
        if isinstance(event, Skipped) and self._shown and not self._terminal:
            sys.stderr.write(f"bearertrap: skipped {event.stream.shown}: {event.reason}\n")

    def say(self, text: str) -> None:
        """One line, unless no messages are wanted."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.clear()
        sys.stderr.write(f"bearertrap: {text}\n")

    def _progress(self, now: Progress) -> None:
        self._summary.bytes = now.bytes_done
        if not self._shown:
            return
        if self._terminal:
            self._draw(now)
        elif time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            rate = now.bytes_done / max(1e-9, self._said - self._began) / 1e6
            of_all = f" of {now.bytes_total / 1e6:,.0f}" if now.bytes_total else ""
            done = f"{now.bytes_done / 1e6:,.0f}{of_all} MB, {rate:,.0f} MB/s{_left(now, rate)}"
            sys.stderr.write(f"bearertrap: {done}, {self._found()}, {now.current}\n")

    def _draw(self, now: Progress) -> None:
        if self._bar is None:
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # no thread of its own: workers are forked
            self._bar = tqdm(total=now.bytes_total, unit="B", unit_scale=True, leave=False, file=sys.stderr)
        self._bar.set_postfix_str(f"{self._found()} {now.current[-40:]}", refresh=False)
        self._bar.update(now.bytes_done - self._bar.n)

    def _found(self) -> str:
        states = self._summary.by_state
        return ", ".join(f"{states[state]} {state}" for state in _ORDER if state in states) or "nothing found"


def _left(now: Progress, rate: float) -> str:
    """The time that remains, in words, at `rate` MB/s."""
    if not now.bytes_total or rate <= 0:
        return ""
    minutes, seconds = divmod(round(max(0, now.bytes_total - now.bytes_done) / 1e6 / rate), 60)
    return f", {minutes} min {seconds:02} s left"
