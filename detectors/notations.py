"""What stands between a key and its value, in the notations of loggers, serialisers, configurations and people.

Each is an expression that matches from the key's end to the value's start. Its group `q` is the quote that opened
the value (None or empty: a bare value), its group `n`, where there is one, the value's length in bytes as written
before it.
"""

from __future__ import annotations

import re

from msgspec import Struct

from detectors.patterns import pattern

# Named parts of the expressions below. `open`: what may stand before the value's own quote: options and newtypes (Rust,
# Swift, Java, F#), lists, casts and lengths (PHP's var_dump, Go's spew), addresses (gdb), prefixes of strings (Python,
# Erlang, R, SQL, shells), YAML's tags and anchors.
_PARTS = {
    b"{open}": rb"""(?:\(string\)[ ](?:\(len=\d{1,6}\)[ ])?|{newtype}|chr[ ](?=")"""
    rb"""|(?:Optional|List|Secret|Slice|Set|Str)[(\[]\[?|Some(?:\(|[ ](?="))|Just[ ]\(?"""
    rb"""|{items}|\[\]string\{|[\[(]\s{0,60}(?=[bru]?["'`\[(])|[\[({]|<<|[burN](?=["'])|string\(\d{1,6}\)\ """
    rb"""|0x[0-9a-f]{6,16}[ ](?=")|\$(?=')|@(?=")"""
    rb"""|!{1,2}[A-Za-z/:]{1,20}[ ]|&[A-Za-z]\w{0,20}[ ]){0,3}""",
    # The first of several values, as Go's spew and PHP print them.
    b"{items}": rb"""(?:\(\[\]string\)[ ]\(len=\d{1,6}(?:[ ]cap=\d{1,6})?\)[ ]\{\s{1,60}"""
    rb"""|Array\s{1,40}\(\s{1,60}\[0\][ ]=>[ ]|array\(\d{1,6}\)[ ]\{\s{1,60}\[0\]=>\s{1,60}"""
    rb"""|array[ ]\(\s{1,60}0[ ]=>[ ])""",
    b"{newtype}": rb"""[A-Z][A-Za-z]{1,24}(?:(?:\.[A-Za-z]{1,24})?[(\[]\s{0,60}"""
    rb"""|[ ]\{[a-z]\w{0,24}[ ]=[ ])(?=["'`\[])""",
    # On the next line only where a quote or bracket opens there.
    b"{next}": rb"""(?:[ \t\r\n]{0,60}(?=["'`\[(<{]|string\(|array[ (])|[ \t]{0,40})""",
    # `value`, ParameterValue, stringVal; and a member of its own in an object: {"stringValue": "V"}
    b"{typed}": rb"(?:\{{wrap}{member}{0,2}{value}{wrap})?",
    b"{value}": rb"{quote}?(?:[A-Za-z]{2,16}[_.]?)?[vV]al(?:ue)?{quote}?{line}{is}",
    b"{member}": rb"""(?:{quote}?[A-Za-z_]{1,24}{quote}?[ ]?[:=][ ]?(?:{quote}[^"'`\r\n]{0,60}{quote}"""
    rb"""|[A-Za-z0-9_.-]{1,24})[,;]?{wrap})""",
    b"{attributes}": rb"""(?:\s{1,20}[\w:.-]{1,40}[ ]?=[ ]?["'][^"'<>\r\n]{0,200}["']){0,4}\s{0,20}""",
    # What stands before an element's text or its first child: a line that is not indented is no more of its text.
    b"{within}": rb"(?:\s{0,60}(?=<)|[ \t]{0,40}(?:\r?\n[ \t]{1,60})?)",
    b"{inner}": rb"(?:<!\[CDATA\[)?(?P<q>)(?=[^\s<])",
    b"{visible}": rb"""(?:(?::"?[\w\\]{1,80}"?)?:(?:protected|private))?""",
    b"{bar}": rb"(?:\||\xe2\x94[\x82\x83]|\xe2\x95\x91)",  # | and the vertical lines of box drawing
    b"{is}": rb"(?:=>|[:=])",
    b"{line}": rb"[ \t]{0,40}",
    b"{wrap}": rb"[ \t\r\n]{0,60}",
    b"{quote}": rb"""["'`]""",
}


class Notation(Struct, frozen=True):
    """`element`: a `<` ends the value, whatever else stands in it. `listed`: the key's two quotes must be alike.

    `doubtful`: key and value may be neither, the value must look random.
    """

    between: re.Pattern[bytes]
    element: bool = False
    doubtful: bool = False
    listed: bool = False


def _notation(expression: bytes, *, element: bool = False, doubtful: bool = False, listed: bool = False) -> Notation:
    for name, part in _PARTS.items():  # a part only names parts that come after it
        expression = expression.replace(name, part)
    return Notation(pattern(expression), element, doubtful, listed)


NOTATIONS = (
    # "name": "KEY", "type": "text", "value": "V"   <add key="KEY" value="V"/>   name: KEY\n value: V
    _notation(rb"""{quote}?(?:\):)?{wrap}[,;]?{wrap}{member}{0,4}?(?:-[ ])?{value}{next}{typed}{open}(?P<q>["'`])?"""),
    # "KEY": {"sensitive": true, "value": "V"}   {"S": "V"}   {"string": "V"}   [{"key": "value", "value": "V"}
    _notation(
        rb"""{quote}?{line}{is}{wrap}["']?(?:\[{wrap})?\{{wrap}{member}{0,4}"""
        rb"""(?:{value}|{quote}(?:S|(?:inline_)?string|text|\#text|\$t){quote}{line}{is}){wrap}{open}(?P<q>["'`])?"""
    ),
    # --name KEY --type SecureString --value V
    _notation(rb"""["']?(?:[ ]--?[a-z-]{1,24}[ =][^\s-]\S{0,40}){0,3}[ ]--value[ =](?P<q>["'])?"""),
    # KEY";s:40:"V"   KEY|s:40:"V"  (PHP)   KEY,40:V,  (tnetstrings)   KEY\r\n$40\r\nV  (RESP)
    _notation(rb"""(?:["']?[;|])?s:(?P<n>\d{1,5}):(?P<q>")"""),
    _notation(rb",(?P<n>\d{1,5}):(?P<q>)"),
    _notation(rb"\r?\n\$(?P<n>\d{1,5})\r?\n(?P<q>)"),
    # KEY:\n    V   KEY: >-\n    V   KEY:\n  - V   KEY:\n- "V"
    _notation(
        rb"""{quote}?:[ \t]{0,4}(?:[>|][-+0-9]{0,2})?[ \t]{0,4}\r?\n[ \t]{1,80}(?:-[ ])?(?P<q>)"""
        rb"""(?=[^\s:"'#\[{-]\S{7,}[ \t]{0,40}(?:\r?\n|\Z))"""
    ),
    _notation(rb"""{quote}?:[ \t]{0,4}\r?\n[ \t]{0,80}-[ ](?P<q>["'])(?=[^\s"']{8,}["'][ \t]{0,40}(?:[\r\n"']|\Z))"""),
    # KEY: Type = "V"   KEY As String = "V"   KEY:STRING=V
    _notation(rb"""(?:[ ]?:[ ]?|[ ]As[ ])[A-Za-z][\w<>\[\]?*.]{1,20}[ ]{0,4}=[ ]{0,4}(?P<q>["'`])"""),
    _notation(rb":(?:STRING|INTERNAL|UNINITIALIZED)=(?P<q>)"),
    # variable "KEY" {\n default = "V"   (HCL)
    _notation(rb"""["'][ ]\{{wrap}{member}{0,4}?(?:default|value){line}=[ ](?P<q>["'])"""),
    # "KEY" string => "V"
    _notation(rb"""["'][ ][a-z]{3,10}[ ]=>[ ](?P<q>["'])"""),
    # (KEY) to V   (wget's report of its options)
    _notation(rb"""\)[ ]to[ ](?P<q>["'])?"""),
    # ((KEY)::text = 'V'::text)  (PostgreSQL's plans)
    _notation(rb"""\)?::[a-z ]{2,20} = (?P<q>')"""),
    # name="KEY"\r\n\r\nV   (multipart/form-data, RFC 7578)
    _notation(rb"""["'](?:\r?\n[A-Za-z-]{1,40}:[^\r\n]{0,120}){0,3}\r?\n\r?\n(?P<q>)(?=[^\s"'<>]{8})"""),
    # KEY <> 'V'   KEY != "V"   KEY === 'V'   KEY LIKE 'V'   KEY IN ('V', …)   KEY IS NOT DISTINCT FROM 'V'
    _notation(
        rb"""["'`\]]?[)]?[ ]{0,4}(?:<>|!={1,2}|={2,3}|<=>|(?<=[ ])(?i:(?:not[ ])?(?:r?like|ilike|in[ ]?\()"""
        rb"""|is[ ](?:not[ ])?distinct[ ]from))[ ]{0,4}[Nn]?(?P<q>["'])"""
    ),
    # KEY[value=V, …]   KEY {value='V'}
    _notation(rb"""[ ]?[\[({][ ]?(?:token|secret)?[vV]alue=(?P<q>["'])?"""),
    # KEY: V   "KEY": "V"   KEY=V   KEY => V   KEY := V   [KEY]=V   KEY -> V   KEY\=V (CEF)
    # ["KEY":protected]=> V  (PHP)
    _notation(
        rb"""["'`]{0,2}{visible}[\])}]{0,2}(?:>>)?{line}(?:=>|->|:=|==|::|\\{0,2}=|:)(?!=){next}{open}"""
        rb"""(?P<q>["'`]{1,3}(?:(?<='''|\"\"\")\r?\n)?)?"""
    ),
    # 'KEY' to value 'V'   "KEY" is set to "V"
    _notation(rb"""{quote}[ ](?:is[ ])?(?:set[ ])?(?:to|with|has)(?:[ ]value)?[ ](?P<q>["'`])""", doubtful=True),
    # "--KEY" a2="V"  (auditd's EXECVE records)
    _notation(rb"""["'][ ]a\d{1,3}=(?P<q>["'])?"""),
    # ('KEY', 'V')   "KEY" "V"   <<"KEY">>,longstr,<<"V">>   ("KEY",String "V")
    _notation(
        rb"""["'`](?:>>)?{line}(?:,(?:[a-z]{1,12},)?)?{line}(?:`?[A-Z][a-z]{2,16}[ ])?{open}(?P<q>["'`])""", listed=True
    ),
    # {<<"KEY">>,\n <<"V">>}  (Erlang)
    _notation(rb"""["']>>,{wrap}<<(?P<q>["'])"""),
    # :KEY "V"   PASSWORD 'V'   *KEY* "V"   KEY . "V"   "KEY" . "V"
    _notation(rb"""\*?[ \t]{1,4}N?(?P<q>["'])"""),
    _notation(rb"""["']?[ ]\.[ ](?P<q>")"""),
    # KEY-'V'  (Prolog's pairs)
    _notation(rb"""(?<=-)(?P<q>')"""),
    # variable=KEY;issecret=true]V  (logging commands of build agents)
    _notation(rb"(?:;[A-Za-z]{1,16}=[A-Za-z]{1,8}){0,4}\](?P<q>)(?=[A-Za-z0-9])"),
    # <KEY>V</KEY>
    _notation(rb"{attributes}>{within}{inner}", element=True),
    # <KEY><value>V
    _notation(rb"{attributes}>\s{0,60}<[vV]alue(?:\s[^<>]{0,200})?>\s{0,20}{inner}", element=True),
    # <entry key="KEY">V   <setting name="KEY"><value>V   <elementProp name="KEY"><stringProp name="Argument.value">V
    _notation(
        rb"""["']{attributes}>{within}(?:<boolProp[^<>]{0,80}>\w{0,8}</boolProp>\s{0,60}){0,3}"""
        rb"""(?:<(?:value|string(?:Prop)?)(?:\s[^<>]{0,200})?>\s{0,20})?{inner}""",
        element=True,
    ),
    # <name>KEY</name><value>V</value>   <td>KEY</td><td>V</td>
    _notation(
        # no element that HTML leaves empty
        rb"""["'\])]{0,4}</[\w:.-]{1,40}>\s{0,60}<(?!(?i:input|br|hr|img|meta|link|wbr)\b)[A-Za-z][\w:.-]{0,40}(?:\s[^<>]{0,200})?>\s{0,20}{inner}""",
        element=True,
    ),
    # KEY != "V"   KEY === "V"   (KEY) -m str V  (HAProxy)
    _notation(rb"""["'\])}]{0,3}[ ]?[!=]==?[ ]?(?P<q>["'`])""", doubtful=True),
    _notation(rb"""\)[ ](?:-i[ ])?-m[ ]str[ ](?P<q>["'])?""", doubtful=True),
    # [KEY, V]   KEY, V
    _notation(rb",[ ]?(?P<q>)(?=[A-Za-z0-9])", doubtful=True),
    # {KEY, <<"V">>}  (Erlang)
    _notation(rb""",[ ]?(?:<<)?(?P<q>["'])""", doubtful=True),
    # KEY("V")   KEY(V)   KEY(user, V)
    _notation(rb"""\([ ]?(?P<q>["'`])""", doubtful=True),
    _notation(rb"""\((?P<q>)(?=[A-Za-z0-9])(?=[^\s()"'=,]{16,4096}\))""", doubtful=True),
    _notation(rb"""\(["']?[\w.@-]{1,60}["']?,[ ]?(?P<q>["'])?(?=[^\s()"'=,]{8,400}["']?\))""", doubtful=True),
    # KEY | V   a row of a table
    _notation(rb"""{quote}?{line}{bar}{line}(?P<q>["'])?""", doubtful=True),
    # KEY\nV   KEY:\nV   what a store's client and a browser's list of headers print
    _notation(
        rb"""(?:[ ]|:)?\r?\n(?:\[1\][ ])?(?P<q>["'])?(?=[^\s"']{12,}["']?[ \t]{0,4}(?:\r?\n|\Z))""", doubtful=True
    ),
)
# --KEY V   --KEY\n    V  (one argument a line)   - --KEY\n- V
FLAG = _notation(rb"""["']?(?:[ \0]{1,4}|[ \t]{0,4}\r?\n[ \t]{1,40}(?:-[ ])?|\r?\n-[ ])(?P<q>["'`])?(?![-/])""")
COLUMN = _notation(rb"[ \t]{2,40}(?:REG_(?:EXPAND_)?SZ[ \t]{1,40})?(?P<q>)(?=[^ \t\r\n=:-])")
# KEY V   a directive of a configuration   KEY [V]   KEY was V   KEY has value V
BLANK = _notation(rb"[ \t]{1,40}(?:(?:is|was|has[ ]value)[ ])?[\[<]?(?P<q>)(?=[A-Za-z0-9])", doubtful=True)
# ['KEY',\n 'V']   and, further on in a list of names and values, 'KEY',\n 'V'
PAIR = _notation(rb"""["'`],{wrap}(?P<q>["'`])""")
LATER_PAIR = _notation(rb"""["'`],\s{0,4}\n[ \t]{1,60}(?P<q>["'`])""", doubtful=True)
