"""Options that commands share, in the sections `--help` shows them in.

A section is a decorator made of options. Whoever adds a capability adds its section here (or, where it is long, in a
file of its own beside this one) and one line above the commands that have it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from scanner.decoders import Limits
    from scanner.sources import WalkRules

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}  # of each command

F = TypeVar("F", bound=Callable[..., Any])


class Option(click.Option):
    """An option that knows its section. `--help` itself is none."""

    section = ""


class Sectioned(click.Command):
    """A command whose help shows its options section by section, in the order they were declared."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            name = param.section if isinstance(param, Option) else "" if isinstance(param, click.Option) else None
            record = param.get_help_record(ctx)
            if name is not None and record is not None:
                sections.setdefault(name, []).append(record)
        sections["Other"] = sections.pop("", [])  # --help
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


def section(name: str, *options: Callable[[F], F]) -> Callable[[F], F]:
    """A decorator that adds the options, all in one section."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
            declared = function.__click_params__  # type: ignore[attr-defined]  # where click keeps them till the end
            declared[-1].section = name
        return function

    return decorate


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """An option of a section."""
    return click.option(*names, cls=Option, **settings)


def instant(_ctx: click.Context, _param: click.Parameter, value: str) -> datetime:
    """`now` or ISO 8601; without a zone it is UTC."""
    if value == "now":
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("not a time: write 2026-11-22T12:00:00Z, 2026-11-22 or now") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def maybe_instant(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Like `instant`, where the option may be absent."""
    return None if value is None else instant(ctx, param, value)


def maybe_zone(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tzinfo | None:
    """A zone by its offset or its name."""
    if value is None:
        return None
    from scanner.zones import zone_of

    zone = zone_of(value)
    if zone is None:
        raise click.BadParameter("not a zone: write UTC, +02:00 or Europe/Berlin")
    return zone


REPORT = section(
    "Report",
    option(
        "-o", "--output", multiple=True, metavar="FILE",
        help="Write a report; the suffix tells the format: jsonl json sarif csv html txt; - is stdout. Repeatable.",
    ),
    option(
        "-f", "--format", "format_", metavar="FORMAT",
        help="Format on stdout: text (default on a terminal), jsonl (default elsewhere), json, sarif, csv, html.",
    ),
    option(
        "--by", type=click.Choice(["owner"]),
        help="Group text and json reports: which class, field, mapping or file holds how many usable credentials.",
    ),
    option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour of text reports."),
    option(
        "--inventory", metavar="FILE",
        help="The identities you know (TOML or CSV): owner, rotation, how to revoke. See docs/identities.md.",
    ),
    option("--exit-zero", is_flag=True, help="Exit 0 even with findings."),
)  # fmt: skip

VERDICT = section(
    "Verdict",
    option(
        "--at", "as_of", default="now", callback=instant, metavar="TIME",
        help="Judge as of this instant (ISO 8601, UTC where no zone is given). Default: now.",
    ),
    option(
        "--leeway", type=click.FloatRange(0, 86400), default=0.0, metavar="SECONDS",
        help="Clock skew granted to expiry times.",
    ),
    option(
        "--max-lifetime", type=click.FloatRange(0, min_open=True), default=3600.0, metavar="SECONDS", show_default=True,
        help="How long an access token should live at most; one that lives longer is a weakness.",
    ),
    option(
        "--zone", callback=maybe_zone, metavar="ZONE",
        help="Zone of log times that name none (UTC, +02:00, Europe/Berlin). Default: not known, and verdicts say so.",
    ),
    option(
        "--key-file", metavar="FILE",
        help="Key of the fingerprints. Default: BEARERTRAP_KEY, else one kept in the state folder.",
    ),
)  # fmt: skip

_OWN_RULES = (
    option("--rules", multiple=True, metavar="FILE", help="Rules of your own, in the gitleaks format. Repeatable."),
    option("--skip-rule", multiple=True, metavar="ID", help="Leave out this rule of the rules files. Repeatable."),
    option("--entropy", is_flag=True, help="Random strings that nothing names too, of low confidence: for dumps."),
)
OWN_RULES = section("Rules", *_OWN_RULES)  # of a redaction, which lets nothing pass that is known
RULES = section(
    "Rules",
    *_OWN_RULES,
    option("--allow", metavar="FILE", help="Known findings to suppress; how many is in the summary."),
)

SECOND = section(
    "Second look",
    option(
        "--copies", type=click.Choice(["auto", "always", "never"]), default="auto",
        help="Search again for bare copies: auto (default; of secrets only their context gave away), always, never.",
    ),
    option(
        "--weak-secrets", metavar="FILE",
        help="Secrets to try on HMAC-signed tokens beside those found and the notorious ones; one a line.",
    ),
)  # fmt: skip

WALK = section(
    "Input",
    option("--include", multiple=True, metavar="GLOB", help="In folders, only files that match. Repeatable."),
    option("--exclude", multiple=True, metavar="GLOB", help="In folders, no files or folders that match. Repeatable."),
    option("--newer", callback=maybe_instant, metavar="TIME", help="In folders, only files modified at TIME or later."),
    option("--max-size", type=click.IntRange(0), metavar="BYTES", help="In folders, only files of at most this size."),
    option("--one-file-system", is_flag=True, help="Do not enter folders on other file systems."),
)

LIMITS = section(
    "Limits on what a file unfolds to",
    option(
        "--max-depth", type=click.IntRange(1, 64), default=8, show_default=True, metavar="N",
        help="Archives and compressions inside each other. A log in gzip in tar in zip has three.",
    ),
    option(
        "--max-members", type=click.IntRange(1), default=1_000_000, show_default=True, metavar="N",
        help="Members of all archives in a file. A year of minutely logs has half as many.",
    ),
    option(
        "--max-ratio", type=click.IntRange(1), default=2_000, show_default=True, metavar="N",
        help="Times its size, past the first GiB. DEFLATE makes 1032 at most, repetitive logs in xz 500.",
    ),
    option(
        "--max-member-size", type=click.IntRange(1), default=1 << 40, show_default="1 TiB", metavar="BYTES",
        help="Bytes of one member. More memory than the machines that get dumped have.",
    ),
    option(
        "--max-unpacked", type=click.IntRange(1), default=1 << 42, show_default="4 TiB", metavar="BYTES",
        help="Bytes of all members together: an hour or two of scanning.",
    ),
)  # fmt: skip

_JOBS = option(
    "--jobs", type=click.IntRange(1, 256), default=lambda: os.cpu_count() or 1, show_default="cores",
    help="Processes to use.",
)  # fmt: skip
_SAID = (
    option("-q", "--quiet", is_flag=True, help="No messages and no progress on stderr."),
    option("--progress/--no-progress", default=None, help="Show progress on stderr. Default: on a terminal."),
)
WORK_ANEW = section("Work", _JOBS, *_SAID)  # of a redaction, which keeps no state
WORK = section(
    "Work",
    _JOBS,
    option(
        "--state", metavar="FILE",
        help="Keep what was read to its end: files that have not changed since are not read again.",
    ),
    *_SAID,
)  # fmt: skip


def limits_of(given: dict[str, Any]) -> Limits:
    """What the options of LIMITS ask for."""
    from scanner.decoders import Limits

    return Limits(
        depth=given["max_depth"],
        ratio=given["max_ratio"],
        members=given["max_members"],
        member_bytes=given["max_member_size"],
        total_bytes=given["max_unpacked"],
    )


def walk_rules_of(given: dict[str, Any]) -> WalkRules:
    """What the options of WALK ask for."""
    from scanner.sources import WalkRules

    return WalkRules(
        include=given["include"],
        exclude=given["exclude"],
        newer=None if given["newer"] is None else given["newer"].timestamp(),
        max_size=given["max_size"],
        one_file_system=given["one_file_system"],
    )
