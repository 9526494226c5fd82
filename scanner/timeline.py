"""How many usable credentials were exposed at each moment of a run's records: steps, for reports.

A credential is exposed from the first record it was seen in to its end; a static one has none. One whose end is not
known is counted apart, and so is one whose records name no time.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime

from msgspec import Struct, field

from scanner.model import Finding, State

MOST_SECRETS = 200_000  # distinct ones that are followed, of some 200 bytes each
MOST_LISTED = 1_000  # exposures in a report, the first ones
MOST_STEPS = 1_000  # of a timeline; more are joined, which a picture does not show

_NO_USE = frozenset({State.UNUSABLE})


class Exposure(Struct, frozen=True):
    """One credential: exposed in [since, until); None: no end, as far as is known."""

    fingerprint: str
    since: datetime
    until: datetime | None


class Step(Struct, frozen=True):
    """From `at` on, `count` usable credentials were exposed, until the next step."""

    at: datetime
    count: int


class Timeline(Struct):
    """Told of each finding; copies of one secret are one credential, exposed from the first record on."""

    _known: dict[str, tuple[datetime | None, datetime | None, State]] = field(default_factory=dict)
    left_out: int = 0  # findings of credentials there was no room for

    def add(self, finding: Finding) -> None:
        """Takes a finding in."""
        verdict = finding.verdict
        if verdict.state in _NO_USE:
            return
        known = self._known.get(finding.fingerprint)
        if known is None:
            if len(self._known) >= MOST_SECRETS:
                self.left_out += 1
                return
            known = (None, None, verdict.state)
        since, until, state = known
        times = [one for one in (since, finding.logged_at) if one]
        end = verdict.as_of if verdict.state is State.REVOKED else verdict.expires_at  # since when, nobody says
        ends = [one for one in (until, end) if one]
        surer = state if verdict.state is State.UNKNOWN else verdict.state
        self._known[finding.fingerprint] = (min(times, default=None), max(ends, default=None), surer)

    def exposures(self) -> list[Exposure]:
        """Those whose beginning and end are known, and those without an end, by their beginning."""
        found = [
            Exposure(fingerprint, since, until)
            for fingerprint, (since, until, state) in self._known.items()
            if since and (until is not None or state is State.NO_EXPIRY) and (until is None or until > since)
        ]
        return sorted(found, key=lambda one: one.since)

    @property
    def untimed(self) -> int:
        """Credentials of which no record tells when they were seen."""
        return sum(since is None for since, _, _ in self._known.values())

    @property
    def open(self) -> int:
        """Credentials that were seen, and whose end is not known: any of them may be usable still."""
        return sum(
            since is not None and until is None and state is not State.NO_EXPIRY
            for since, until, state in self._known.values()
        )

    def steps(self) -> list[Step]:
        """The moments at which the number changes, at most MOST_STEPS of them."""
        changes: dict[datetime, int] = {}
        for one in self.exposures():
            changes[one.since] = changes.get(one.since, 0) + 1
            if one.until is not None:
                changes[one.until] = changes.get(one.until, 0) - 1
        steps: list[Step] = []
        count = 0
        for at in sorted(changes):
            if changes[at]:
                count += changes[at]
                steps.append(Step(at, count))
        return _thinned(steps)


def _thinned(steps: list[Step]) -> list[Step]:
    """Of each stretch of equal length the highest step, and the last of all: a peak is never hidden."""
    if len(steps) <= MOST_STEPS:
        return steps
    first, last = steps[0].at, steps[-1].at
    width = (last - first) / (MOST_STEPS - 1)
    edges = [first + width * i for i in range(1, MOST_STEPS - 1)]
    highest: dict[int, Step] = {}
    for step in steps[:-1]:
        cell = bisect_right(edges, step.at)
        if cell not in highest or step.count > highest[cell].count:
            highest[cell] = step
    return [*highest.values(), steps[-1]]
