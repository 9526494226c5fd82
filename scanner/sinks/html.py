"""A page for people who have no terminal: what must be acted on first, one row a secret. No script, nothing fetched."""

from __future__ import annotations

from html import escape
from typing import BinaryIO

from scanner.model import Finding, Skipped, Summary
from scanner.sinks.grouped import Groups, Secret, advice, identity, totals, until

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4rem .7rem;border-bottom:1px solid #d8dee4}
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.state{font-weight:600;white-space:nowrap}
.live,.not_yet_valid{color:#b3261e}.no_expiry{color:#7b2d8e}.unknown{color:#8a5a00}
.expired,.revoked,.unusable{color:#57606a}
"""


class HtmlSink:
    """Writes to a binary stream at the end. The page's own policy forbids scripts and fetching."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._groups = Groups()

    def begin(self) -> None:
        """Nothing is known yet."""

    def finding(self, finding: Finding) -> None:
        self._groups.add(finding)

    def skipped(self, skipped: Skipped) -> None:
        self._groups.skip(skipped)

    def finish(self, summary: Summary) -> None:
        self._write(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>bearertrap report</title>'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            f"<style>{_STYLE}</style><h1>bearertrap report</h1><p>{escape(totals(summary, len(self._groups)))}</p>"
        )
        self._write("<table><tr><th>State<th>Secret<th>Whose<th>Until<th>Where<th>Do first</tr>")
        for secret in self._groups.by_urgency():
            self._write(_row(secret))
        self._write("</table>")
        if self._groups.more:
            self._write(f"<p>… and findings of {self._groups.more} more secrets; a jsonl report has all.</p>")
        if self._groups.skipped:
            self._write("<h2>Not scanned</h2><ul>")
            for skipped in self._groups.skipped:
                self._write(f"<li><code>{escape(skipped.stream.shown)}</code>: {escape(skipped.reason)}")
            self._write("</ul>")
        self._write("</html>\n")
        self._stream.flush()

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace") + b"\n")


def _row(secret: Secret) -> str:
    worst = secret.worst
    state = worst.verdict.state.value
    places = "<br>".join(f"<code>{escape(place)}</code>" for place in secret.places)
    more = f"<br>+{secret.count - len(secret.places)} more" if secret.count > len(secret.places) else ""
    told = until(worst) or worst.verdict.reason
    return (
        f'<tr><td class="state {state}">{state.replace("_", " ")}'
        f"<td>{worst.kind.value}<br><code>{escape(worst.preview)}</code><br><code>{worst.fingerprint[:8]}</code>"
        f"<td>{escape(identity(worst))}<td>{escape(told)}<td>{places}{more}<td>{escape(advice(worst) or '')}</tr>"
    )
