"""Users' own rules: the gitleaks format is honoured or refused, by name; no rule hangs a scan."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.detector import Confirm, Detector, Kind, NeedMore, Text
from scanner.context import FileHints
from scanner.errors import RuleError, UsageError
from scanner.judge import Policy
from scanner.matcher import Matcher
from scanner.model import Finding, Skipped, StreamId
from scanner.pipeline import Scanner
from scanner.rules import RuleTimeout, load_rules
from scanner.rules.analysis import needed, widest
from scanner.rules.expression import Expression
from scanner.rules.gosyntax import GoSyntaxError, parse, written
from scanner.rules.prefilter import Prefilter
from tests.scanning import AS_OF, KEY, Chunks, Shape, opaque

TOKEN = r"""
[[rules]]
id = "acme-api-token"
description = "Acme API token"
regex = '''(?i)[\w.-]{0,40}?(?:acme)(?:[ \t\w.-]{0,20})["']?\s?[:=]\s?["']?([a-z0-9]{32})(?:["'\s;]|\\n|$)'''
keywords = ["Acme"]
"""


def rules(tmp_path: Path, text: str) -> tuple[Detector, ...]:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return load_rules(path)


def values(detector: Detector, text: bytes, keyword: bytes = b"acme", path: str | None = None) -> list[bytes]:
    """What a detector makes of the first keyword of a text."""
    confirm: Confirm | None = detector.confirm
    if path is not None:
        assert detector.for_path
        confirm = detector.for_path(path)
    if confirm is None:
        return []
    hit = text.lower().index(keyword) + len(keyword)
    return [match.secret.reveal() for match in confirm(Text(text, hit))]


def scanned(
    found: tuple[Detector, ...], data: bytes, chunk: int = 1 << 30, shape: Shape | None = None
) -> list[Finding]:
    scanner = Scanner(Matcher(found), Policy(as_of=AS_OF), KEY, shape=shape)
    events = list(scanner.scan(StreamId("app.log"), Chunks(data, chunk), FileHints(mtime=None)))
    assert not [event for event in events if isinstance(event, Skipped)]
    return [event for event in events if isinstance(event, Finding)]


SECRET = opaque(7, 32).lower()
LINE = b'2026-11-22 INFO acme_token = "' + SECRET + b'" sent\n'


@pytest.mark.parametrize(
    "form",
    [LINE, LINE.replace(b'"', b'\\"'), LINE.decode().encode("utf-16-le"), base64.b64encode(LINE), LINE.hex().encode()],
    ids=["plain", "json", "utf-16", "base64", "hex"],
)
def test_a_rule_works_in_every_encoding(tmp_path: Path, form: bytes) -> None:
    (finding,) = scanned(rules(tmp_path, TOKEN), b"x\n" * 4000 + form + b"\n" + b"y\n" * 4000)
    assert (finding.detector, finding.kind) == ("rule:acme-api-token", Kind.BEARER_TOKEN)
    (plain,) = scanned(rules(tmp_path, TOKEN), LINE)
    assert finding.fingerprint == plain.fingerprint
    assert LINE[plain.spans[0].start : plain.spans[0].end] == SECRET


@settings(max_examples=40)
@given(st.integers(1, 4000), st.integers(0, 9000), st.integers(0, 9000))
def test_a_rule_finds_the_same_in_any_window(block: int, before: int, after: int) -> None:
    found = tuple(_SHARED)
    data = b"acme is a word\n" * (before // 15) + LINE + b"z" * after + LINE
    whole = [(f.id, f.spans) for f in scanned(found, data)]
    assert len(whole) == 2
    assert [(f.id, f.spans) for f in scanned(found, data, block, Shape(block=block, room=1))] == whole


@pytest.fixture(scope="module", autouse=True)
def _shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    _SHARED[:] = rules(tmp_path_factory.mktemp("rules"), TOKEN)


_SHARED: list[Detector] = []


def test_a_match_is_near_its_keyword(tmp_path: Path) -> None:
    (detector,) = rules(tmp_path, "[[rules]]\nid='k'\nregex='[0-9]{12}'\nkeywords=['acme']")
    number = b" 402938475610 "
    assert values(detector, b"acme" + b"." * 1000 + number) == [number.strip()]
    assert values(detector, b"acme" + b"." * 1030 + number) == []
    assert values(detector, number + b"." * 1000 + b"acme ") == [number.strip()]
    assert values(detector, number + b"." * 1030 + b"acme ") == []


def test_more_is_asked_for_where_a_match_could_go_on(tmp_path: Path) -> None:
    (detector,) = rules(tmp_path, "[[rules]]\nid='k'\nregex='acme-[a-z]+'")
    with pytest.raises(NeedMore):
        list(detector.confirm(Text(b"acme-abc", 5, cut=True)))
    assert values(detector, b"acme-abc") == [b"acme-abc"]


def test_groups_choose_the_secret(tmp_path: Path) -> None:
    text = "[[rules]]\nid='k'\nregex='acme (a)?(b+)?(c+)'\n"
    (first,) = rules(tmp_path, text)
    (third,) = rules(tmp_path, text + "secretGroup=3")
    assert values(first, b"acme bbcc") == [b"bb"]
    assert values(third, b"acme bbcc") == [b"cc"]


def test_entropy_must_be_exceeded(tmp_path: Path) -> None:
    (detector,) = rules(tmp_path, "[[rules]]\nid='k'\nregex='acme ([a-z]+)'\nentropy=3.0")
    assert values(detector, b"acme abcdefgh") == []  # exactly 3 bits
    assert values(detector, b"acme abcdefghi") == [b"abcdefghi"]


@pytest.mark.parametrize(
    ("allowlist", "text", "path", "found"),
    [
        ("stopwords=['DEmo']", b"acme=xxdemoxx", "a.log", False),
        ("stopwords=['demo']", b"acme=xxdem0xx", "a.log", True),
        ("regexes=['^xx']", b"acme=xxsecret", "a.log", False),
        ("regexes=['^acme']", b"acme=xxsecret", "a.log", True),
        ("regexes=['^acme']\nregexTarget='match'", b"acme=xxsecret", "a.log", False),
        ("regexes=['DEBUG$']\nregexTarget='line'", b"one\nacme=xxsecret DEBUG\ntwo", "a.log", False),
        ("regexes=['two']\nregexTarget='line'", b"one\nacme=xxsecret DEBUG\ntwo", "a.log", True),
        (r"paths=['(?i)\.TEST$']", b"acme=xxsecret", "x/a.test", False),
        (r"paths=['\.test$']", b"acme=xxsecret", "x/a.test.log", True),
        ("paths=['test']\nstopwords=['demo']\ncondition='AND'", b"acme=xxdemo", "a.test", False),
        ("paths=['test']\nstopwords=['demo']\ncondition='AND'", b"acme=xxdemo", "a.log", True),
        ("paths=['test']\nstopwords=['demo']\ncondition='AND'", b"acme=xxreal", "a.test", True),
        ("paths=['test']\nstopwords=['demo']\ncondition='OR'", b"acme=xxreal", "a.test", False),
    ],
)
@pytest.mark.parametrize("spelling", ["[[rules.allowlists]]", "[rules.allowlist]", "[[allowlists]]", "[allowlist]"])
def test_allowlists(tmp_path: Path, spelling: str, allowlist: str, text: bytes, path: str, found: bool) -> None:
    (detector,) = rules(tmp_path, f"[[rules]]\nid='k'\nregex='acme=([a-z0-9]+)'\n{spelling}\n{allowlist}")
    assert bool(values(detector, text, path=path)) is found


def test_a_global_allowlist_may_name_its_rules(tmp_path: Path) -> None:
    text = "\n".join(f"[[rules]]\nid='{name}'\nregex='acme=([a-z]+)'" for name in "ab")
    a, b = rules(tmp_path, text + "\n[[allowlists]]\ntargetRules=['a']\nstopwords=['demo']")
    assert values(a, b"acme=demo") == []
    assert values(b, b"acme=demo") == [b"demo"]


def test_a_rule_may_be_for_some_paths_only(tmp_path: Path) -> None:
    (detector,) = rules(
        tmp_path,
        r"""[[rules]]
id='k'
regex='acme=([a-z]+)'
path='\.ya?ml$'""",
    )
    assert values(detector, b"acme=secret", path="conf/app.yml") == [b"secret"]
    assert values(detector, b"acme=secret", path="conf/app.yml.log") == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("acme-access-token", Kind.BEARER_TOKEN),
        ("acme-client-secret", Kind.CLIENT_SECRET),
        ("acme-api-key", Kind.API_KEY),
        ("private-key", Kind.PRIVATE_KEY),
        ("acme-refresh-token", Kind.REFRESH_TOKEN),
        ("acme", Kind.API_KEY),
        ("monkey", Kind.API_KEY),
    ],
)
def test_kinds_by_the_words_of_the_id(tmp_path: Path, name: str, kind: Kind) -> None:
    (detector,) = rules(tmp_path, f"[[rules]]\nid='{name}'\nregex='acme[0-9]+'")
    assert detector.kind == kind


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[extend]\nuseDefault=true", "extend"),
        ("", "no .*rules"),
        ("rules = 3", "list of tables"),
        ("not toml", "not TOML"),
        ("[[rules]]\nregex='abcd'", "rule number 1"),
        ("[[rules]]\nid='r'", "'r'.*no regex"),
        ("[[rules]]\nid='r'\npath='x'", "'r'.*paths alone"),
        ("[[rules]]\nid='r'\nregex='[a-z]+'", "'r'.*add keywords"),
        ("[[rules]]\nid='r'\nregex='abcd|[a-z]+'", "'r'.*add keywords"),
        ("[[rules]]\nid='r'\nregex='abc('", "'r'.*missing"),
        ("[[rules]]\nid='r'\nregex='abc(?=d)'", "'r'.*look-around"),
        ("[[rules]]\nid='r'\nregex='abcd'\nkeywords=['']", "'r'.*keyword"),
        ("[[rules]]\nid='r'\nregex='abcd'\nkeywords='x'", "'r'.*keywords must be a list"),
        ("[[rules]]\nid='r'\nregex='(abcd)'\nsecretGroup=2", "'r'.*secretGroup"),
        ("[[rules]]\nid='r'\nregex='abcd'\nentropy='x'", "'r'.*entropy"),
        ("[[rules]]\nid='r'\nregex='abcd'\nskipReport=true", "'r'.*skipreport"),
        ("[[rules]]\nid='r'\nregex='abcd'\n[[rules.allowlists]]\ncommits=['a']", "'r'.*commits"),
        ("[[rules]]\nid='r'\nregex='abcd'\n[[rules.allowlists]]\ndescription='x'", "'r'.*neither"),
        ("[[rules]]\nid='r'\nregex='abcd'\n[[rules.allowlists]]\nregexes=['(']", "'r'.*missing"),
        ("[[rules]]\nid='r'\nregex='abcd'\n[[rules]]\nid='r'\nregex='abcd'", "'r'.*twice"),
        ("[[rules]]\nid='r'\nregex='abcd'\n[[allowlists]]\ntargetRules=['q']\nstopwords=['x']", "'q'"),
    ],
)
def test_what_cannot_be_honoured_is_an_error_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RuleError) as error:
        rules(tmp_path, text)
    assert re.search(says, str(error.value), re.DOTALL)
    assert "rules.toml" in str(error.value)


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_rules(tmp_path / "none.toml")


# Expression, text, what Go's engine matches first (None: nothing): the small print in which dialects differ.
SMALL_PRINT = [
    (r"a(?i)b|c", "aB", "aB"),
    (r"x(?:a(?i)b|c)D", "xCD", "xCD"),
    (r"x(?:a(?i)b|c)D", "xCd", None),
    (r"(?i)abc(?-i:D)", "aBcD", "aBcD"),
    (r"(?i)abc(?-i:D)", "aBcd", None),
    (r"a{,2}", "aa a{,2}", "a{,2}"),
    (r"a{x", "a{x", "a{x"),
    (r"a$", "a\n", None),
    (r"(?m)a$", "a\nb", "a"),
    (r"^b", "a\nb", None),
    (r"(?m)^b", "a\nb", "b"),
    (r"a\z", "ba", "a"),
    (r"a.b", "a\nb", None),
    (r"(?s)a.b", "a\nb", "a\nb"),
    (r"[[:alnum:]]+", "-a9_", "a9"),
    (r"[^[:space:]x]+", " xab c", "ab"),
    (r"[]a]+", "x]a", "]a"),
    (r"[a-]+", "b-a", "-a"),
    (r"[\w-]+", " a-b", "a-b"),
    (r"[a&&b||c~~]+", "z&|~", "&|~"),
    (r"[[a]+", "x[a", "[a"),
    (r"\pL+\PL", "1ab2", "ab2"),
    (r"\p{Lu}\p{^Lu}", "aAb", "Ab"),
    (r"\Qa.c\E+", "abc a.cc", "a.cc"),
    (r"\x41\x{42}\103", "ABC", "ABC"),
    (r"(?P<one>a)(?<two>b)", "ab", "ab"),
    (r"a{2}b{1,}c{0,1}", "aabbc", "aabbc"),
    (r"a+?b*?", "aab", "a"),
    (r"(?i)[a-c]+", "xABC", "ABC"),
    (r"(?i)[^a-c]+", "ABCx", "x"),
    (r"\s", "\v", None),
    (r"\bfoo\b", "a foo.", "foo"),
    ("caf\u00e9", "a caf\u00e9", "caf\u00e9"),
    (r"~!@#%&_=:;<>,`'\"/", "~!@#%&_=:;<>,`'\"/", "~!@#%&_=:;<>,`'\"/"),
]


@pytest.mark.parametrize(("pattern", "text", "match"), SMALL_PRINT)
def test_go_syntax(pattern: str, text: str, match: str | None) -> None:
    found = regex.search(written(parse(pattern)), text.encode(), regex.V0)
    assert (found[0].decode() if found else None) == match


@pytest.mark.parametrize(
    "pattern",
    [r"a++", r"a**", r"(?=a)", r"(?!a)", r"(?<=a)b", r"(?>a)", r"(?#c)", r"\1", r"(a)\1", r"\p{Greek}", "(?U)a+",
     "a{1001}", "*a", "a|*", "[z-a]", "[a", "(a", "a)", r"\C", r"\8", "a{2}{3}", "[[:no:]]", "(?)", "[\u00e9]", "\\",
     "(" * 200 + ")" * 200],
)  # fmt: skip
def test_what_is_not_go_is_refused(pattern: str) -> None:
    with pytest.raises(GoSyntaxError):
        parse(pattern)


ATOMS = st.sampled_from(
    ["a", "b", "ab", "[ab]", "[Aa]", "(?i:ab)", ".", r"\w", "(a|bb)", "(?:abab|b)", "", r"\b", "(ab)?"]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda ones: "(?:" + "|".join(ones) + ")"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "+?"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
    ),
    max_leaves=12,
)


@given(PATTERNS, st.text("abAB ", max_size=24))
def test_each_match_holds_what_is_needed_and_is_no_wider(pattern: str, text: str) -> None:
    node = parse(pattern)
    literals, width = needed(node), widest(node)
    for match in regex.finditer(written(node), text.encode(), regex.V0, overlapped=True):
        said = match[0]
        held = [one.data.lower() in said.lower() if one.fold else one.data in said for one in literals or ()]
        assert literals is None or any(held)
        assert width is None or len(said) <= width


@given(PATTERNS, st.text("abAB ", max_size=24))
def test_what_is_asked_first_never_denies_a_match(pattern: str, text: str) -> None:
    node = parse(pattern)
    matches = regex.search(written(node), text.encode(), regex.V0) is not None
    assert Prefilter(node).may_be_in(text.encode()) or not matches


@pytest.mark.parametrize(("pattern", "text", "match"), SMALL_PRINT)
def test_what_is_asked_first_knows_go_s_small_print(pattern: str, text: str, match: str | None) -> None:
    assert Prefilter(parse(pattern)).may_be_in(text.encode()) or match is None


def test_what_is_asked_first_denies_what_has_only_the_keyword() -> None:
    asked = Prefilter(parse(r"(?i)[\w.-]{0,50}?(?:api)[\s'\"]{0,3}(?:=|:)['\"]{0,5}([a-z0-9_-]{32})(?:['\"\s;]|$)"))
    assert asked.may_be_in(b"the api=" + b"a1" * 16)
    assert not asked.may_be_in(b"GET /api/v1/orders api=orders api: keys " * 20)


@given(PATTERNS, st.text("abAB ", max_size=24))
def test_dropping_a_lazy_lead_keeps_the_groups(pattern: str, text: str) -> None:
    source = r"[\w.-]{0,5}?" + f"(?:{pattern})(?:A)([ab]+)"
    whole, short = Expression(source), Expression(source, groups_only=True)
    assert whole.widest != short.widest or whole.widest is None
    data = text.encode()
    assert [spans[1:] for spans in whole.all_in(data)] == [spans[1:] for spans in short.all_in(data)]


def test_an_evil_rule_that_wants_what_is_not_there_is_not_searched_for(tmp_path: Path) -> None:
    (detector,) = rules(tmp_path, "[[rules]]\nid='evil'\nregex='acme(.*a){25}b'")
    assert detector.for_path and (confirm := detector.for_path("a.log"))
    assert list(confirm(Text(b"acme" + b"a" * 20_000 + b"!", 4))) == []


@pytest.mark.parametrize("evil", ["(a+)+$", "(a|aa)+$"])
def test_no_rule_hangs_a_scan(tmp_path: Path, evil: str) -> None:
    (detector,) = rules(tmp_path, f"[[rules]]\nid='evil'\nregex='acme{evil}'")
    assert detector.for_path
    confirm = detector.for_path("a.log")
    assert confirm
    started = time.monotonic()
    for attempt in range(100):
        data = b"acme" + b"a" * 20_000 + b"!%d" % attempt
        with pytest.raises(RuleTimeout) as timeout:
            list(confirm(Text(data, 4)))
        assert timeout.value.rule == "rule:evil"
        assert "aaaa" not in str(timeout.value)
        assert timeout.value.given_up == (attempt >= 4)
    assert time.monotonic() - started < 15  # 5 times 0.2 s, then no more
    elsewhere = detector.for_path("b.log")
    assert elsewhere
    assert isinstance(list(elsewhere(Text(b"acme aa", 4))), list)  # another stream starts anew
