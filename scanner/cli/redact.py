"""`bearertrap redact`: the same text without its secrets."""

from __future__ import annotations

import sys
from typing import Any

import click

from scanner.cli.options import (
    LIMITS,
    OWN_RULES,
    SETTINGS,
    VERDICT,
    WALK,
    WORK_ANEW,
    Sectioned,
    option,
    section,
)  # fmt: skip
from scanner.redaction.mask import Style

TARGET = section(
    "Output",
    option("-o", "--output", metavar="DIR", help="Write redacted copies below DIR, which mirrors the tree."),
    option("--in-place", is_flag=True, help="Replace each file by its redacted copy, at once and whole."),
    option(
        "--from", "from_", metavar="FINDINGS",
        help="Apply what an earlier scan found (its JSON Lines), to files that still are what it scanned.",
    ),
    option("--findings", metavar="FILE", help="Write what was found as JSON Lines, live for a stream."),
    option(
        "--verify/--no-verify", default=True, show_default=True,
        help="Scan each result once more before it is placed; what holds a secret is not.",
    ),
    option("--exit-zero", is_flag=True, help="Exit 0 even with findings."),
)  # fmt: skip

STYLE = section(
    "Replacement",
    option(
        "--mask", type=click.Choice(["label", "equal-length"]), default="label", show_default=True,
        help="[REDACTED:kind:fingerprint], or stars of the same length.",
    ),
    option("--keep-claims", is_flag=True, help="Of a JWT take the signature only: its claims can still be read."),
    option("--pseudonym", is_flag=True, help="REDACTED-fingerprint: the same secret, the same placeholder."),
)  # fmt: skip


@click.command("redact", cls=Sectioned, context_settings=SETTINGS)
@click.argument("paths", nargs=-1, type=click.Path(path_type=str, readable=False))
@TARGET
@STYLE
@VERDICT
@OWN_RULES
@WALK
@LIMITS
@WORK_ANEW
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Rewrite PATHs, or stdin to stdout, without bearer tokens, JWTs, client secrets and their kin.

    Line in, line out: what is no secret stays as it was, JSON stays JSON, compressed files come back
    compressed in kind. On a failure of ours a line is replaced by a marker, never passed in clear.

    \b
    app | bearertrap redact - | shipper
    bearertrap redact logs/ -o /safe/copy
    bearertrap redact --in-place --mask equal-length app.log.1.gz
    """
    style = _style(options)
    if options["from_"]:
        if "-" in paths:
            raise click.UsageError("--from is for files")
    elif not paths and sys.stdin.isatty():
        raise click.UsageError("nothing to redact: name a file or a folder, or pipe something in")
    if not options["from_"] and (not paths or "-" in paths):
        if len(paths) > 1 or options["output"] or options["in_place"]:
            raise click.UsageError("stdin goes to stdout: name no other PATH, and neither -o nor --in-place")
        from scanner.cli.redact_stream import StreamRedaction

        ctx.exit(StreamRedaction(options, style).run())
    if bool(options["output"]) == options["in_place"]:
        raise click.UsageError("say where the result goes: -o DIR or --in-place")
    from scanner.cli.redact_files import FilesRedaction

    ctx.exit(FilesRedaction(paths, options, style).run())


def _style(options: dict[str, Any]) -> Style:
    equal_length, claims, pseudonym = options["mask"] == "equal-length", options["keep_claims"], options["pseudonym"]
    if equal_length and pseudonym:
        raise click.UsageError("only one of --mask equal-length and --pseudonym")
    if equal_length:
        return Style.CLAIMS_EQUAL_LENGTH if claims else Style.EQUAL_LENGTH
    if pseudonym:
        return Style.CLAIMS_PSEUDONYM if claims else Style.PSEUDONYM
    return Style.KEEP_CLAIMS if claims else Style.LABEL
