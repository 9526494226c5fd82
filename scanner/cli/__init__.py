"""The command line: one file a command, each imported when it is asked for."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

import click

from scanner import hygiene
from scanner.cli import stdio
from scanner.errors import OutputClosed, OutputError

COMMANDS = {
    "scan": "Find secrets in logs, archives and dumps, and say which are live.",
    "redact": "Rewrite logs without their secrets: a stream, copies or in place.",
    "inspect": "Explain one token, read from stdin or a prompt.",
    "detectors": "List what is looked for.",
    "completion": "Print the completion script for a shell.",
}
BUG, USAGE, INTERRUPTED, CLOSED = 1, 2, 130, 141
ORDINARY = (0, 10, 11, 12)  # ends of a command that did what it was to do


class _Lazy(click.Group):
    """Imports a command's module when the command is run: `--version` must not wait for the engine."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if _module(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS or not _module(cmd_name):
            return None
        command = import_module(f"scanner.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


def _module(name: str) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(__file__), f"{name}.py"))


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"bearertrap {version('bearertrap')}")
        ctx.exit()


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def cli() -> None:
    """Find bearer tokens, JWTs and client secrets that spilled into logs, archives and dumps,
    say of each whether it is still live, and report without repeating it.

    \b
    bearertrap scan /var/log                     sweep a folder
    app | bearertrap scan -                      watch a pipe
    bearertrap scan heap.hprof -o found.jsonl    keep the findings for other programs

    Exit codes: 0 nothing found; 10 findings, none usable; 11 at least one usable or unknown;
    12 some input could not be scanned; 2 usage error; 1 a bug of ours.
    """


def program() -> None:
    """The console script: `main`, and the end of the process without taking the interpreter apart, which takes 16 ms.

    All is written by then, and workers end with the process that started them, which Linux sees to. Not where something
    went wrong: then workers of a redaction are still clearing away what they had in the making.
    """
    try:
        main()
    except SystemExit as done:
        if done.code not in ORDINARY or sys.platform != "linux" or sys.getprofile():
            raise
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream:
                    stream.flush()
        except (OSError, ValueError):
            raise done from None  # the interpreter says what went wrong
        os._exit(int(done.code or 0))


def main() -> None:
    """The command. Whatever goes wrong, no scanned byte is shown. Raises SystemExit with its code."""
    stdio.prepare()
    hygiene.seal()
    gc.set_threshold(50_000, 20, 20)  # findings are many and live briefly; the default looks at them far too often
    try:
        code = cli.main(prog_name="bearertrap", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = USAGE
    except SystemExit:  # click's own: it completed a word
        code = 0
    except OutputClosed:
        code = CLOSED
    except OutputError as error:
        sys.stderr.write(f"bearertrap: {error}\n")
        code = USAGE
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception as error:  # the last line of defence: a message is shown without the exception's own words
        sys.stderr.write(f"bearertrap: {hygiene.described(type(error), error.__traceback__)}\n")
        code = BUG
    sys.exit(code if isinstance(code, int) else 0)
