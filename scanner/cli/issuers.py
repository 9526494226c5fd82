"""Options that name keys and issuers, and what a scan makes of them. Nothing here is asked unless it was named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scanner.cli.options import option, section
from scanner.errors import UsageError

if TYPE_CHECKING:
    from scanner.asking import Asker
    from scanner.evidence.fetcher import Fetcher
    from scanner.evidence.introspection import Asking
    from scanner.evidence.key_set import KeySet
    from scanner.model import Skipped

ISSUERS = section(
    "Issuers",
    option(
        "--jwks", multiple=True, metavar="FILE|URL",
        help="Check JWT signatures against this key set (RFC 7517). Repeatable.",
    ),
    option(
        "--issuers", "issuer_map", metavar="FILE",
        help="TOML file that says of each issuer where its keys are and how it is asked (docs/liveness.md).",
    ),
    option("--introspect", metavar="URL", help="Ask this endpoint (RFC 7662) whether tokens are active; it sees them."),
    option("--userinfo", metavar="URL", help="Ask this OpenID Connect UserInfo endpoint instead; it sees the tokens."),
    option(
        "--issuer", "issuers", multiple=True, metavar="ISS",
        help="The iss of the JWTs --introspect or --userinfo speaks for. Default: its own host. Repeatable.",
    ),
    option("--client-id", metavar="ID", help="Who asks --introspect."),
    option("--client-secret-env", metavar="NAME", help="Environment variable that holds that client's secret."),
    option("--client-secret-file", metavar="FILE", help="File whose first line is that client's secret."),
    option(
        "--client-auth", type=click.Choice(["basic", "post"]), default="basic",
        help="How the client shows its secret: in the header, or in the form.",
    ),
    option("--allow-private", is_flag=True, help="The hosts named here may lie in private networks."),
    option(
        "--ask-rate", type=click.FloatRange(0.01, 1000), default=5.0, show_default=True, metavar="N",
        help="Requests a second to one host, in the long run.",
    ),
    option(
        "--ask-timeout", type=click.FloatRange(0.1, 600), default=15.0, show_default=True, metavar="SECONDS",
        help="The most one request may take.",
    ),
    option(
        "--ask-most", type=click.IntRange(1), default=10_000, show_default=True, metavar="N",
        help="Requests in one run.",
    ),
)  # fmt: skip


class Named:
    """The key sets and endpoints the user named. Raises UsageError for options that don't go together.

    `missing` are the keys that could not be had: the scan goes on without them, and is not whole.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self.missing: list[Skipped] = []
        self.key_sets: tuple[KeySet, ...] = ()
        self.asker: Asker | None = None
        names = ("jwks", "issuer_map", "introspect", "userinfo")
        if any(options[name] for name in names):
            self._prepare()
        elif options["client_id"] or options["client_secret_env"] or options["client_secret_file"]:
            raise UsageError("a client is of use with --introspect only")

    def _prepare(self) -> None:
        from scanner.asking import Asker
        from scanner.evidence.introspection import Introspector
        from scanner.evidence.issuers import key_sets, load_issuers

        fetcher = self._fetcher()
        issuers = load_issuers(self._options["issuer_map"]) if self._options["issuer_map"] else ()
        askings = [*self._askings(), *(asking for issuer in issuers for asking in issuer.askings)]
        found, self.missing = key_sets(issuers, fetcher)
        self.key_sets = (*self._named_sets(fetcher), *found)
        if askings:
            self.asker = Asker(Introspector(askings, fetcher))

    def _fetcher(self) -> Fetcher:
        from scanner.evidence.fetcher import Fetcher, NetLimits

        total = self._options["ask_timeout"]
        limits = NetLimits(
            connect=min(5.0, total), total=total, rate=self._options["ask_rate"], requests=self._options["ask_most"]
        )
        return Fetcher(limits)

    def _named_sets(self, fetcher: Fetcher) -> list[KeySet]:
        from scanner.evidence.answers import fetch_key_set
        from scanner.evidence.endpoint import endpoint
        from scanner.evidence.issuers import not_fetched
        from scanner.evidence.jwks import read_key_set
        from scanner.evidence.wire import FetchFailed

        found = []
        for source in self._options["jwks"]:
            if "://" not in source:
                found.append(read_key_set(source))
                continue
            address = endpoint(source, private=self._options["allow_private"])
            try:
                found.append(fetch_key_set(address, fetcher))
            except FetchFailed as error:
                self.missing.append(not_fetched(address, error))
        return found

    def _askings(self) -> list[Asking]:
        from scanner.evidence.endpoint import endpoint
        from scanner.evidence.introspection import Asking, Client, Way, secret_from

        private = self._options["allow_private"]
        issuers = frozenset(self._options["issuers"])
        askings = []
        if self._options["introspect"]:
            if not self._options["client_id"]:
                raise UsageError("--introspect needs --client-id, and --client-secret-env or --client-secret-file")
            secret = secret_from(variable=self._options["client_secret_env"], file=self._options["client_secret_file"])
            client = Client(self._options["client_id"], secret, self._options["client_auth"] == "post")
            address = endpoint(self._options["introspect"], private=private)
            askings.append(Asking(address, Way.INTROSPECTION, client, issuers))
        if self._options["userinfo"]:
            address = endpoint(self._options["userinfo"], private=private)
            askings.append(Asking(address, Way.USERINFO, None, issuers))
        return askings
