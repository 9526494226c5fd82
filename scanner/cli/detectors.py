"""`bearertrap detectors`: list what is looked for."""

from __future__ import annotations

import click

from scanner.cli.options import SETTINGS


@click.command("detectors", context_settings=SETTINGS)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.option("--kind", metavar="KIND", help="Only those of this kind, such as jwt or api_key.")
def command(as_json: bool, kind: str | None) -> None:
    """List the detectors: id, kind, what it finds. With --json also the specification each is taken from."""
    from detectors.detector import Kind
    from detectors.registry import all_detectors, ruleset_digest

    if kind is not None and kind not in list(Kind):
        raise click.BadParameter(f"one of {', '.join(Kind)}", param_hint="--kind")
    wanted = [detector for detector in all_detectors() if kind in (None, detector.kind)]
    if not as_json:
        width = max(len(detector.id) for detector in wanted)
        for detector in wanted:
            click.echo(f"{detector.id:<{width}}  {detector.kind:<17}  {detector.title}")
        click.echo(f"{len(wanted)} detectors, rule set {ruleset_digest()[:12]}")
        return
    import orjson

    for detector in wanted:
        record = {"id": detector.id, "kind": detector.kind, "title": detector.title, "reference": detector.reference}
        click.echo(orjson.dumps(record))
