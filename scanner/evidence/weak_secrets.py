"""HMAC secrets that stand in documentation, tutorials and defaults, so that anyone may sign with them.

Compiled from what libraries, frameworks and jwt.io show in their examples. RFC 7518 section 3.2 asks for a key at
least as long as the hash; none of these is one. The empty secret is what an unset variable becomes.
"""

from __future__ import annotations

from pathlib import Path

from scanner.errors import UsageError

LARGEST_FILE = 1024 * 1024  # bytes
MOST_LINES = 20_000

BUILT_IN: tuple[bytes, ...] = tuple(
    word.encode()
    for word in (
        "",
        "secret",
        "Secret",
        "SECRET",
        "secret1",
        "secret123",
        "secretkey",
        "secretKey",
        "secret-key",
        "secret_key",
        "SECRET_KEY",
        "supersecret",
        "super-secret",
        "super_secret",
        "supersecretkey",
        "super-secret-key",
        "topsecret",
        "mysecret",
        "my-secret",
        "my_secret",
        "mysecretkey",
        "my-secret-key",
        "my_secret_key",
        "yoursecret",
        "your-secret",
        "your_secret",
        "yoursecretkey",
        "your-secret-key",
        "your_secret_key",
        "your-secret-key-here",
        "your-256-bit-secret",
        "your-384-bit-secret",
        "your-512-bit-secret",
        "your_jwt_secret",
        "your-jwt-secret",
        "a-string-secret-at-least-256-bits-long",
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
        "jwt",
        "jwtsecret",
        "jwt-secret",
        "jwt_secret",
        "jwt-secret-key",
        "jwt_secret_key",
        "JWT_SECRET",
        "JWT_SECRET_KEY",
        "jwt-key",
        "token",
        "tokensecret",
        "token-secret",
        "access-token-secret",
        "refresh-token-secret",
        "signingkey",
        "signing-key",
        "privatekey",
        "private-key",
        "key",
        "changeme",
        "changeit",
        "change-me",
        "change_me",
        "changethis",
        "replace-me",
        "default",
        "dev",
        "development",
        "test",
        "testing",
        "test-secret",
        "example",
        "example_key",
        "demo",
        "insecure",
        "password",
        "Password1",
        "passw0rd",
        "admin",
        "root",
        "user",
        "qwerty",
        "letmein",
        "keyboard cat",
        "shhhhh",
        "shhhhhhared-secret",
        "123456",
        "12345678",
        "1234567890",
        "abc123",
        "0123456789abcdef",
        "null",
        "undefined",
        "none",
        "None",
        "hs256-secret",
    )
)


def load(path: str | Path) -> tuple[bytes, ...]:
    """A user's list: one secret a line, UTF-8 or any bytes, taken as they stand; empty lines don't count.

    Raises UsageError where it can't be read or has more than 1 MB or 20,000 lines.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise UsageError(f"{path}: the list of weak secrets cannot be read: {reason}") from None
    if len(data) > LARGEST_FILE:
        raise UsageError(f"{path}: larger than {LARGEST_FILE // 1024 // 1024} MB")
    words = [line.rstrip(b"\r") for line in data.split(b"\n")]
    words = [word for word in words if word]
    if len(words) > MOST_LINES:
        raise UsageError(f"{path}: more than {MOST_LINES} secrets")
    return tuple(words)
