"""`bearertrap completion`: print the completion script for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from scanner.cli.options import SETTINGS


@click.command("completion", context_settings=SETTINGS)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, /, shell: str) -> None:
    """Print the script that completes commands, options and their values in SHELL.

    \b
    bash   eval "$(bearertrap completion bash)"      in ~/.bashrc
    zsh    eval "$(bearertrap completion zsh)"       in ~/.zshrc
    fish   bearertrap completion fish > ~/.config/fish/completions/bearertrap.fish
    """
    make = get_completion_class(shell)
    assert make is not None
    click.echo(make(ctx.find_root().command, {}, "bearertrap", "_BEARERTRAP_COMPLETE").source())
