"""What tells a secret from a placeholder, a mask, a variable, a word or an identifier.

Every test is on the value alone, linear in its length.
"""

from __future__ import annotations

import re

from detectors.entropy import shannon
from detectors.patterns import pattern
from detectors.words import is_drawn, made_of_words

_UUID = pattern(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HEX = pattern(rb"[0-9a-f]+|[0-9A-F]+")
_MASKED = pattern(
    rb"""\*{3} | \.{3} | \xe2\x80\xa6 | [xX]{6} | (?:\xe2\x80\xa2){3} | \#{4} | -{5} | _{5} | \[[A-Z_]+\]
       | <[A-Z_ ]{3,}(?:>|\Z)
       | (?i:redact|censor|filtered|masked|hidden|protected|obfuscat|cleansed|sanitized|scrubbed|omitted|
             truncated|removed|encrypted|placeholder|change-?_?me|your[-_]|[-_]here|example|dummy|sample|secret[-_]?value|
             not[-_ ]?set|undefined|\bnull$|\bnone$|\bnil$|unused|insert|replace[-_]?me|foo-?bar|lorem|
             \btest\b|\btodo\b|deadbeef|0123456789ab)""",
    re.VERBOSE,
)
_VARIABLE = pattern(
    rb"""\$[({] | \{\{ | \}\} | %[({]?[A-Za-z_.]+[)}]?[%sdr]?$ | \$\$ | @@ | !\w+\s | \#\{
       | %\{\w+[:}] | %\[
       | (?:env|var|vars|secrets?|config|process\.env|os\.environ|vault|ref|ssm|file|self|this|params?|args
           |options)[.:\[(]
       | @?_{0,2}[A-Z][A-Z0-9]+(?:_[A-Z0-9]{2,})+_{0,2}(?::latest|:\d{1,6})?$ | __\w+__$ | (?:projects/|arn:|urn:)""",
    re.VERBOSE,
)
_VARIABLE_LIKE = pattern(rb"\$[A-Za-z_]|<[A-Za-z_ -]+>?")  # or a draw that begins so
_NOT_OPAQUE = pattern(
    rb"""@[a-z][\w.-]*/[\w.-]+(?::|$) | (?:A(?:KI|SI|RO|ID)A)[A-Z0-9]{16}(?:$|[/%]) | amzn1\.[a-z]
       | (?:[\w.-]{2,24}/){2}[\w.-]+\.\w{1,4}$
       | (?:https?|ftp|file|jdbc|redis|amqp|urn|arn|data|blob|mailto|spiffe)s?: | /(?:[a-z._-]{2,24}[/=]|[a-z._-]+$)
       | [\[(BCDFIJSZV]*L[a-z][\w$-]*(?:/[\w$-]+)+(?:;|$) # a type's descriptor in a class file (JVMS 4.3)
       | [A-Za-z]{3}[\w$.-]*(?:\\{1,2}[A-Za-z$][\w$ .-]*)+$ | [\w.-]+(?:,[\w.-]+){2,},?$ | [A-Za-z]+:[A-Za-z]+=$
       | [\w./-]{1,80}/\$[A-Za-z_{] | [a-z][a-z0-9+.-]{1,15}:// | \.{1,2}/ | [A-Za-z]:\\ | (?:[a-z_-]{3,24}/){2}
       | [A-Za-z_][\w.-]{1,60}(?:\(.*\)|\[.*\]|\{.*\})$ # a call, an item, ciphertext in ENC[]
       | [A-Z]{3,8}\([A-Za-z0-9+/=]{16,}$ # ciphertext in ENC(), cut at the bracket
       | [A-Za-z][A-Za-z0-9]*(?:-[A-Z0-9]+)+\$ # a hash and its algorithm: SCRAM-SHA-256$4096:
       | HTTP/\d | ["'}\])>]{0,4},\s?["'\w]{1,40}["']?\s?[:=] # the next field of a record
       | md5[0-9a-f]{32}$ | e3b0c44298fc1c14 # of nothing
       | (?:sha(?:1|224|256|384|512)|md5|hmac-sha\d+|crc32|blake2b?|etag|W/"|rsa-sha\d+)[-:=$/]
       | \$2[aby]\$ | \$argon2 | \$scrypt | \$pbkdf2 | \$[0-9a-z]{1,2}\$ | \{(?:SSHA|SHA|bcrypt|pbkdf2|noop)
       | X-[A-Z][A-Za-z]+(?:-[A-Z][A-Za-z]+)*$
       | [\w.-]+\.(?:m?js|css|map|html?|json|xml|ya?ml|conf|log|txt|png|svg|jar|java|py|rb|go|so|dll|exe|gz|zip|pem)$
       | MI[A-L][A-Za-z0-9+/]{100} # DER: certificates, signed messages
       | [a-z_][\w-]{0,31}:[x*!]{1,2}:\d+: # a line of passwd(5)
       | (?:[A-Za-z_$][\w$]*[.$]|\[+[A-Z]|[A-Z][A-Za-z]+)[\w.$;]*@[0-9a-f]{1,16}$ # Object.toString of a JVM
       | (?:[a-z]+:)?[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,}(?:[/%]\w+)?$ # IPv6 and MAC addresses, fingerprints
       | [A-Za-z]{3,24}:(?:\d{4}-\d\d-\d\d$|map\[|\[|\{|<nil>$|0x[0-9a-f]+$) # the next field of a Go struct
       | [A-Za-z_][\w.:]{0,80}(?:(?:Private|Public|Secret|Api|Access)Key|(?:Access|Refresh|Bearer)Token|ClientSecret)$
       | !?[A-Z0-9]{2,8}:[!+-][A-Za-z0-9]{2,8}(?:$|[:@+]) # a list of ciphers
       | [\w-]+(?:\|[\w-]+){2,}$ # choices
       | \d{4}-\d\d-\d\d[T ] | \d{1,3}(?:\.\d{1,3}){3} | [\d.,:+-]+$ | 0x[0-9A-Fa-f]+$ | 0{4}[0-9a-f]{4,12}$
       | (?:A(?:128|192|256)(?:CBC-HS\d{3}|GCM(?:KW)?|KW)|(?:[RHEP]S)(?:256|384|512)|RSA-OAEP(?:-\d+)?|ECDH-ES\b.*)$""",
    re.VERBOSE,
)
_TEMPLATE = pattern(rb"[$%]\{[\w.:?-][^{}]*(?:\}|\Z)")
# A member of an object with a short name, as minified code has it: `t.csrfToken`.
_MEMBER = pattern(rb"[A-Za-z_$][\w$]?\.[A-Za-z_]{2,24}")
_CHOICE = pattern(rb"!?[A-Za-z_$][\w$.]*\?[\w$.!]+:[\w$.!]+")  # `t.length?p:o`
_EXPRESSION = pattern(rb"\(\[\^|/\^\[|a-zA-Z|A-Za-z|a-z0-9|0-9\]|\(\?[:=!<]|\\[wdsbDSW][+*{\]]")
# Source code, format strings and expressions that lost their delimiters, or a draw that happens to read so.
_CODE = pattern(
    rb"""\A[A-Za-z_$]{1,2}=[\w$]+[.(] | \A/[A-Za-z._-]{2,24}=(?!\Z)
       | \A@?(?P<name>[A-Za-z_$][\w$.-]{1,60})(?:=(?!=?\Z)|\|\||&&|\??\(|:?\[|:?\{|\?\.|\?\?|!==)
       | \{(?:\d{1,2}|[A-Za-z_][\w.]*)[}!:(\[]
       | \A[=),;\]}+!?&|.]\S*?(?:[A-Za-z_$][\w$]*\.[A-Za-z_$]{2,}|[A-Za-z_$]{2,}\(|&&|\|\||:![01])
       | \A[A-Za-z_$][\w$]*\.[\w$.]*[+?][A-Za-z_$][\w$.]*\Z
       | \A(?=[^.]{0,80}\.)(?=[^+]{0,80}\+)[A-Za-z_$][\w$]*(?:[.+][A-Za-z_$][\w$]*)+\Z # place+part.size
       | \A\+[ ]?[A-Za-z_$][A-Za-z_$.()]*[ ]?\+\Z # pieces of code between strings""",
    re.VERBOSE,
)
_NUMBERED = pattern(rb"\$\d{1,2}(?=\.[A-Za-z_])")  # `types$1.name`: bundlers number what two modules call alike
_NO_NAME = pattern(rb"[^A-Za-z0-9_.\-/:()*! ]")


def is_uuid(value: bytes) -> bool:
    """Whether it is a UUID in RFC 9562 text form."""
    return _UUID.fullmatch(value) is not None


def is_hex(value: bytes) -> bool:
    """Whether it is hex of one case only, as programs print it."""
    return _HEX.fullmatch(value) is not None


def is_masked(value: bytes) -> bool:
    """A mask, a placeholder or a documentation value."""
    return _MASKED.search(value) is not None or len(set(value)) <= max(3, min(8, len(value) // 12))


_CONTROLS = pattern(rb"[\x00-\x1f\x7f]")


def is_text(value: bytes) -> bool:
    """UTF-8 without control characters, as what people and programs write is; bytes of a binary format seldom are."""
    if _CONTROLS.search(value):
        return False
    try:
        return bool(value.decode())
    except UnicodeDecodeError:
        return False


def is_reference(value: bytes) -> bool:
    """A variable or the name of a place where the secret is kept, not the secret."""
    return _VARIABLE.match(value) is not None or (_VARIABLE_LIKE.match(value) is not None and not is_drawn(value))


def is_other_data(value: bytes) -> bool:
    """A URL, a path, a digest with its algorithm, a password hash, a date, an address, a number, source code."""
    if _NOT_OPAQUE.match(value) is not None or _TEMPLATE.search(value) is not None:
        return True
    if _EXPRESSION.search(value[:400]):
        return True
    if _MEMBER.fullmatch(value) or _CHOICE.fullmatch(value):
        return True
    code = _CODE.search(value[:400])
    if code and code["name"] and len(code["name"]) > 3 and is_wordy(code["name"]):
        return True
    return (code is not None or (value[-1:] == b"=" and len(value) % 4 != 0)) and not is_drawn(value)


def is_wordy(value: bytes) -> bool:
    """Made of words: identifiers, class names, prose, versions."""
    value = _NUMBERED.sub(b"", value.lstrip(b"~@"))
    return _NO_NAME.search(value) is None and made_of_words(value)


def randomness(value: bytes) -> float:
    """Entropy as a share of the most that the value's alphabet allows at its length: 0 to about 1."""
    value = value.translate(None, b"-._")  # what joins the parts of a composed token is no part of its alphabet
    size = len(value)
    if size < 2:
        return 0.0
    if is_hex(value):
        alphabet = 16
    else:
        alphabet = 36 if value.isalnum() and (value.islower() or value.isupper()) else 62
    return shannon(value) / min(_log2(size), _log2(alphabet))


def _log2(n: int) -> float:
    return n.bit_length() - 1 + (n / (1 << (n.bit_length() - 1)) - 1)


def plausible(value: bytes, least: int = 8) -> bool:
    """Could be a secret where its key says that it is one: no mask, no reference, no other data, not one word."""
    if len(value) < least or b" " in value or not is_text(value):
        return False
    if is_masked(value) or is_reference(value) or is_other_data(value):
        return False
    if is_uuid(value):
        return True
    return not is_wordy(value) and shannon(value) >= 2.5


# Names that Kubernetes makes of another: `orders-token-x7k2p`, `orders-6d4cf56db6-x7k2p`.
_GENERATED = pattern(rb"(?:[a-z]{2,24}-){1,8}(?:[a-z0-9]{8,10}-)?[a-z0-9]{5}")


def random_looking(value: bytes, least: int = 16) -> bool:
    """Could hardly be anything but random: for keys that say little. UUIDs and digests are not enough."""
    if not plausible(value, least) or is_uuid(value) or _GENERATED.fullmatch(value):
        return False
    classes = any(48 <= c <= 57 for c in value) + any(65 <= c <= 90 for c in value) + any(97 <= c <= 122 for c in value)
    return classes >= 2 and randomness(value) >= (0.65 if is_hex(value) else 0.75)
