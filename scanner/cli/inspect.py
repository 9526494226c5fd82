"""`bearertrap inspect`: explain one token."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.options import SETTINGS, VERDICT, Sectioned, option, section
from scanner.errors import UsageError

if TYPE_CHECKING:
    from scanner.judge import Policy

LARGEST = 256 * 1024  # bytes read: a token with a header around it; the largest that servers take is far smaller
NOTHING, UNUSABLE, USABLE = 0, 10, 11


@click.command("inspect", cls=Sectioned, context_settings=SETTINGS)
@section("Report", option("--json", "as_json", is_flag=True, help="One JSON object, with evidence and claims."))
@VERDICT
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Explain one token, read from stdin or, at a terminal, from a prompt that does not show it.

    It is decoded, judged and explained: its claims, its times in words, the evidence for the verdict, what is
    weak about it, what to do first. A token is never taken from the command line, where it would stay in the
    shell's history. Its signature is not shown.

    \b
    bearertrap inspect                  paste it at the prompt
    pbpaste | bearertrap inspect --json
    """
    from scanner.inspection import inspected

    try:
        found = inspected(_read(), _policy(options), options["key_file"])
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    if found is None:
        click.echo("no token is recognised in this", err=True)
        ctx.exit(NOTHING)
    if as_json:
        import orjson

        click.echo(orjson.dumps(found.record()))
    else:
        click.echo("\n".join(found.lines()))
    ctx.exit(USABLE if found.usable else UNUSABLE)


def _policy(options: dict[str, Any]) -> Policy:
    from scanner.judge import Policy

    return Policy(options["as_of"], options["leeway"], options["max_lifetime"])


def _read() -> bytes:
    """Raises UsageError for what is too large to be a token."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("token: ").encode("utf-8", "surrogateescape")
    data = sys.stdin.buffer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError(f"more than {LARGEST // 1024} KB: to search a file, use `bearertrap scan -`")
    return data
