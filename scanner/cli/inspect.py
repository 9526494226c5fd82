"""`bearertrap inspect`: explain one token."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from scanner.cli.issuers import ISSUERS, Named
from scanner.cli.options import SETTINGS, VERDICT, Sectioned, option, section
from scanner.errors import UsageError

if TYPE_CHECKING:
    from scanner.judge import Policy

LARGEST = 256 * 1024  # bytes read: a token with a header around it; the largest that servers take is far smaller
UNUSABLE, USABLE, INCOMPLETE = 10, 11, 12


# Extra arguments are refused here, since click repeats them: they may be the token.
@click.command("inspect", cls=Sectioned, context_settings={**SETTINGS, "allow_extra_args": True})
@section("Report", option("--json", "as_json", is_flag=True, help="One JSON object, with evidence and claims."))
@VERDICT
@ISSUERS
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Explain one token, read from stdin or, at a terminal, from a prompt that does not show it.

    It is decoded, judged and explained: its claims, its times in words, the evidence for the verdict, what is
    weak about it, what to do first. A token is never taken from the command line, where it would stay in the
    shell's history. Its signature is not shown. Exit codes: 10 it can't be used; 11 it can, or may; 12 a named key set
    could not be had; 2 nothing in what was read is a token.

    \b
    bearertrap inspect                  paste it at the prompt
    pbpaste | bearertrap inspect --json
    """
    if ctx.args:
        raise click.UsageError(
            "takes no argument: a token there stays in the shell's history; pipe it, or paste it when asked"
        )
    from scanner.inspection import inspected

    try:
        named = Named(options)
        found = inspected(_read(), _policy(options, named), options["key_file"], named.asker)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    for skipped in named.missing:
        click.echo(f"not checked: {skipped.stream.path}: {skipped.reason}", err=True)
    if found is None:
        raise click.ClickException("no token is recognised in this")
    if as_json:
        import orjson

        from scanner.sinks import records

        missing = [records.of_skipped(skipped) for skipped in named.missing]
        click.echo(orjson.dumps({**found.record(), "not_checked": missing}))
    else:
        click.echo("\n".join(found.lines()))
    ctx.exit(INCOMPLETE if named.missing else USABLE if found.usable else UNUSABLE)


def _policy(options: dict[str, Any], named: Named) -> Policy:
    from scanner.judge import Policy

    policy = Policy(options["as_of"], options["leeway"], options["max_lifetime"])
    if not named.key_sets:
        return policy
    from scanner.evidence.signature import Signatures

    return replace(policy, signatures=Signatures(named.key_sets))


def _read() -> bytes:
    """Raises UsageError where nothing can be read, or more than a token is."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("token: ").encode("utf-8", "surrogateescape")
    try:
        os.set_blocking(sys.stdin.fileno(), True)  # whoever shares the pipe may have changed that
        data = sys.stdin.buffer.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"stdin can't be read: {error.strerror}") from None
    if len(data) > LARGEST:
        raise UsageError(f"more than {LARGEST // 1024} KB: to search a file, use `bearertrap scan -`")
    return data
