"""What tells a secret from a name, a placeholder or source code: random draws, names, values met in logs."""

from __future__ import annotations

import base64
import random
import string

import pytest

from detectors.shapes import is_other_data, is_reference, is_wordy, plausible, random_looking

ALPHABETS = {
    "base62": string.ascii_letters + string.digits,
    "base64url": string.ascii_letters + string.digits + "-_",
    "base36": string.ascii_lowercase + string.digits,
    "lower": string.ascii_lowercase,
    "base32": string.ascii_uppercase + "234567",
    "hex": string.digits + "abcdef",
}
NAMES = (
    b"oldNoLineTerminatorAfterNode forInOrInitHeadAccumulate isIMultiModeLexerDefinition RDSDatabasePassword "
    b"SslCertificateS3Path EVP_PKEY_new_raw_public_key com.apple.xpc.activity PassphraseCallableT sfntCMapEncoding "
    b"ConvertTo-SecureString experimentTemplateId org.springframework.boot.SpringApplication kubectl-proxy "
    b"InvalidParameterException refresh_token_rotation id:api_key snapshot disabled tokenIsTSTypeOperator "
    b"javax.net.ssl.trustStorePassword default-token-rotation-policy AUTHENTICATION_REQUIRED"
).split()
OTHER = (
    b"android.os.BinderProxy@2bd79ce", b"[B@1b2c3d4e", b"io.acme.Token$Ref@7f31", b"static:::1a:2b:3c:4d",
    b"2001:db8::8a2e:370:7334", b"00:1A:2B:AA:4D:5E", b"eli:x:2098:1000:Eli", b"A128CBC-HS256", b"RSA-OAEP-256",
    b"/secret_foo=SECRET_FOO:latest", b"),B?$e.createElement(", b",t=f.href)),i&&(C.delete(", b"a-zA-Z0-9\\-._~",
    b"dpapi_machinekey:0x{0}", b"options?.initialAccessToken", b"e.currentTokenParent.kind!==249", b"settings.set?(",
    b"newPos+component.count", b"+refresh+",
)  # fmt: skip
REFERENCES = (b"%{GREEDYDATA:password}", b"@SECRET_KEY", b"PKCS11_DEFAULT_PROMPT", b"DB_PASSWORD:latest", b"${X}")


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize(("size", "share"), [(12, 0.04), (16, 0.005), (24, 0.003), (32, 0.001), (48, 0.0003)])
def test_a_random_draw_is_hardly_ever_taken_for_words(alphabet: str, size: int, share: float) -> None:
    draw = random.Random(size)
    values = ["".join(draw.choices(ALPHABETS[alphabet], k=size)).encode() for _ in range(4000)]
    assert sum(map(is_wordy, values)) <= max(share, 0.5 if alphabet == "lower" and size == 12 else 0) * len(values)


@pytest.mark.parametrize("alphabet", ["base62", "base64url", "base36", "base32"])
def test_a_token_is_not_taken_for_words_once_in_thousands(alphabet: str) -> None:
    """A stream that is redacted passes what is: that words stand in a draw by chance is not enough."""
    draw = random.Random(11)
    values = ["".join(draw.choices(ALPHABETS[alphabet], k=40)).encode() for _ in range(40_000)]
    assert sum(map(is_wordy, values)) <= 1


@pytest.mark.parametrize("alphabet", ["base62", "base64url"])
def test_a_random_draw_is_taken_for_one(alphabet: str) -> None:
    draw = random.Random(5)
    values = ["".join(draw.choices(ALPHABETS[alphabet], k=32)).encode() for _ in range(4000)]
    assert sum(map(random_looking, values)) >= 0.995 * len(values)
    assert sum(map(plausible, values)) >= 0.998 * len(values)


def test_base64_with_its_slashes_is_hardly_ever_taken_for_a_path() -> None:
    draw = random.Random(7)
    values = [base64.b64encode(draw.randbytes(32)) for _ in range(10_000)]
    assert sum(map(plausible, values)) >= 0.9995 * len(values)
    assert is_other_data(b"Ljava/lang/String;") and is_other_data(b"[Lorg/acme/Token")


@pytest.mark.parametrize("name", NAMES)
def test_names_are_words(name: bytes) -> None:
    assert is_wordy(name) and not plausible(name)


@pytest.mark.parametrize("value", OTHER)
def test_what_programs_print_is_no_secret(value: bytes) -> None:
    assert is_other_data(value) and not plausible(value)


@pytest.mark.parametrize("value", REFERENCES)
def test_the_name_of_a_secret_is_not_the_secret(value: bytes) -> None:
    assert is_reference(value) and not plausible(value)


@pytest.mark.parametrize("word", [b"todo", b"none", b"null", b"test", b"nil"])
def test_a_short_word_inside_a_random_value_masks_nothing(word: bytes) -> None:
    assert plausible(b"HqphnnkQPohyzgn5K" + word + b"Q7Xw2")
    assert not plausible(word + b"-" + word)
