"""A real OAuth 2.0 authorization server (Authlib on Flask) on loopback, for the time of a test.

client_credentials gives RFC 9068 JWTs, password gives opaque tokens with a refresh token; both live 299 seconds. It has
revocation (RFC 7009), introspection (RFC 7662), UserInfo, and a key set that can be rotated.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import flask
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

ISSUER = "https://id.example"
LIFETIME = 299  # seconds
CLIENT, CLIENT_SECRET = "batch-job", "for this test: only+it"  # blanks and signs must survive Basic and forms
AUDITOR, AUDITOR_SECRET = "auditor", "the auditor's: ü"
AUTH_METHODS = ("client_secret_basic", "client_secret_post")


@dataclass
class Client(ClientMixin):  # type: ignore[misc]
    id: str
    secret: str

    def get_client_id(self) -> str:
        return self.id

    @property
    def client_id(self) -> str:
        return self.id

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in AUTH_METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        return True


@dataclass
class User:
    id: str

    def get_user_id(self) -> str:
        return self.id


@dataclass
class Token(TokenMixin):  # type: ignore[misc]
    client: Client
    user: User | None
    access: str
    refresh: str | None
    scope: str
    issued_at: int
    expires_at: int
    revoked: bool = False
    refresh_revoked: bool = False

    def check_client(self, client: Client) -> bool:
        return client.id == self.client.id

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return self.expires_at - self.issued_at

    def is_expired(self) -> bool:
        return time.time() >= self.expires_at

    def is_revoked(self) -> bool:
        return self.revoked

    def get_user(self) -> User | None:
        return self.user

    def get_client(self) -> Client:
        return self.client


class AuthServer:
    """The server's state and what a test does as its client or its operator."""

    def __init__(self) -> None:
        self.clients = {CLIENT: Client(CLIENT, CLIENT_SECRET), AUDITOR: Client(AUDITOR, AUDITOR_SECRET)}
        self.tokens: list[Token] = []
        self.keys: list[RSAKey] = []
        self.asked: list[str] = []  # the paths asked for, to count packets by
        self.host, self.port = "localhost", 0
        self.rotate()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def rotate(self, drop: int = 0) -> str:
        """A new signing key; `drop` of the oldest are published no more. Gives the key's id."""
        kid = f"key-of-{len(self.asked)}-{len(self.keys)}-{time.monotonic_ns()}"
        self.keys = [*self.keys[drop:], RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, auto_kid=False)]
        return kid

    def find(self, value: str) -> Token | None:
        return next((t for t in self.tokens if value in (t.access, t.refresh)), None)

    def expire(self, value: str) -> None:
        """As if 300 seconds had gone by for that token."""
        token = self.find(value)
        assert token is not None
        token.issued_at, token.expires_at = token.issued_at - 300, token.expires_at - 300

    def client_credentials(self) -> str:
        return str(self._token(grant_type="client_credentials", scope="read")["access_token"])

    def password(self) -> dict[str, Any]:
        return self._token(grant_type="password", username="ada", password="lovelace", scope="openid read")

    def refreshed(self, refresh_token: str) -> dict[str, Any]:
        return self._token(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, token: str) -> None:
        self._post("/revoke", {"token": token})

    def _token(self, **form: str) -> dict[str, Any]:
        answer = self._post("/token", form)
        assert answer["expires_in"] == LIFETIME
        return answer

    def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        pair = base64.b64encode(f"{CLIENT}:{quote(CLIENT_SECRET)}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request("POST", path, urlencode(form), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        assert response.status == 200, (path, response.status, answer)
        return dict(answer)


@contextmanager
def running(tls: Any = None) -> Iterator[AuthServer]:
    """The server, listening on a free port of loopback until the block ends. `tls`: (certificate, key) files."""
    state = AuthServer()
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = make_server("127.0.0.1", 0, _app(state), threaded=True, ssl_context=tls)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _app(state: AuthServer) -> flask.Flask:
    app = flask.Flask(__name__)
    authorization = AuthorizationServer(app, state.clients.get, lambda token, request: _save(state, token, request))
    _register(state, authorization)
    protect = ResourceProtector()
    protect.register_token_validator(_validator(state))

    @app.before_request
    def count() -> None:
        state.asked.append(flask.request.path)

    @app.post("/token")
    def token() -> Any:
        return authorization.create_token_response()

    @app.post("/<any(introspection, revocation):name>")
    def endpoint(name: str) -> Any:
        return authorization.create_endpoint_response(name)

    @app.post("/revoke")
    def revoke() -> Any:
        return authorization.create_endpoint_response("revocation")

    @app.get("/keys")
    def keys() -> Any:
        return flask.jsonify(KeySet(state.keys).as_dict(private=False))

    @app.get("/userinfo")
    @protect("openid")
    def userinfo() -> Any:
        user = current_token.get_user()
        return flask.jsonify(sub=user.id if user else current_token.client.id)

    return app


def _save(state: AuthServer, token: dict[str, Any], request: Any) -> None:
    now = int(time.time())
    refresh = token.get("refresh_token")
    scope = token.get("scope", "")
    until = now + int(token["expires_in"])
    state.tokens.append(Token(request.client, request.user, token["access_token"], refresh, scope, now, until))


def _register(state: AuthServer, server: AuthorizationServer) -> None:
    class Jwt(JWTBearerTokenGenerator):  # type: ignore[misc]
        def get_jwks(self) -> Any:
            return state.keys[-1]

    class Password(grants.ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)

        def authenticate_user(self, username: str, password: str) -> User | None:
            return User(username) if (username, password) == ("ada", "lovelace") else None

    class ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)

    class Refresh(grants.RefreshTokenGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
            token = state.find(refresh_token)
            return token if token and token.refresh == refresh_token and not token.refresh_revoked else None

        def authenticate_user(self, refresh_token: Token) -> User | None:
            return refresh_token.user

        def revoke_old_credential(self, refresh_token: Token) -> None:
            refresh_token.revoked = refresh_token.refresh_revoked = True

    class Revocation(RevocationEndpoint):  # type: ignore[misc]
        def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
            return state.find(token_string)

        def revoke_token(self, token: Token, request: Any) -> None:
            token.revoked = token.refresh_revoked = True

    class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
        CLIENT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)

        def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
            return state.find(token_string)

        def check_permission(self, token: Token, client: Client, request: Any) -> bool:
            return client.id == AUDITOR

        def introspect_token(self, token: Token) -> dict[str, Any]:
            return {
                "active": True,
                "iss": ISSUER,
                "exp": token.expires_at,
                "iat": token.issued_at,
                "scope": token.scope,
            }

    lifetimes = dict.fromkeys(("client_credentials", "password", "refresh_token"), LIFETIME)
    config = {"OAUTH2_REFRESH_TOKEN_GENERATOR": True, "OAUTH2_TOKEN_EXPIRES_IN": lifetimes}
    server.register_token_generator("default", server.create_bearer_token_generator(config))
    server.register_token_generator("client_credentials", Jwt(ISSUER, expires_generator=lambda client, grant: LIFETIME))
    for grant in (Password, ClientCredentials, Refresh):
        server.register_grant(grant)
    server.register_endpoint(Revocation)
    server.register_endpoint(Introspection)


def _validator(state: AuthServer) -> BearerTokenValidator:
    class Validator(BearerTokenValidator):  # type: ignore[misc]
        def authenticate_token(self, token_string: str) -> Token | None:
            token = state.find(token_string)
            return token if token and token.access == token_string else None

    return Validator()
