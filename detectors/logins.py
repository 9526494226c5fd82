"""Passwords that their place in a file or a command gives away: a row of a table says where.

Behind `machine` and `login`, under `[client]`, between `user` and `>` it is one, however plain it looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from detectors.connections import password_at
from detectors.detector import Anchor, Detector, Kind, Match, NeedMore, Text
from detectors.patterns import pattern

# Variables that clients read a password from; any name with PASSWORD in it is the field detectors' business.
_NAMES = (b"PGPASSWORD", b"MYSQL_PWD", b"REDISCLI_AUTH", b"SSHPASS", b"RSYNC_PASSWORD", b"SQLCMDPASSWORD")


class Login(Struct, frozen=True):
    """A row. `shape` begins at most `lead` bytes before an anchor's end and ends at most `after` bytes past it; its
    group `v` is the password, `u`, where there is one, the user.
    """

    id: str
    title: str
    anchors: tuple[bytes, ...]
    shape: bytes
    lead: int
    after: int
    reference: str
    examples: tuple[bytes, ...]  # with V for the password
    counterexamples: tuple[bytes, ...]
    caseless: bool = False


_ROWS = (
    Login(
        "oracle-url",
        "Password in an Oracle connection URL",
        (b"jdbc:oracle:",),
        rb"jdbc:oracle:(?:thin|oci8?):(?P<u>[^\s/@:\"']{1,64})/(?P<v>[^\s@\"']{1,128})@",
        12,
        300,
        "https://docs.oracle.com/en/database/oracle/oracle-database/19/jjdbc/data-sources-and-URLs.html",
        (b"url=jdbc:oracle:thin:app/V@//db:1521/o\n",),
        (b"jdbc:oracle:thin:@//db:1521/orders", b"jdbc:oracle:thin:app/****@db"),
    ),
    Login(
        # machine, login and password in any order of lines
        "netrc",
        "Password of a .netrc",
        (b"machine ", b"default login "),
        rb"(?:machine\s{1,8}[^\s\"']{1,255}|default)\s{1,16}(?:port\s{1,8}\w{1,16}\s{1,16})?(?:login|user)\s{1,8}(?P<u>[^\s\"']{1,128})\s{1,16}"
        rb"(?:account\s{1,8}\S{1,128}\s{1,16})?password\s{1,8}(?P<v>[^\s\"']{1,256})",
        14,
        1024,
        "https://everything.curl.dev/usingcurl/netrc.html",
        (b"machine api.acme.io login octo password V\n", b"machine api.acme.io\n  login octo\n  password V\n"),
        (b"the machine is down: login failed, password wrong", b"machine h login u password ****"),
    ),
    Login(
        "mysql-options",
        "Password of a MySQL option file",
        (b"[client", b"[mysql", b"[mariadb"),
        rb"""\[(?:client|mysql|mysqldump|mysqladmin|mysqlimport|mariadb)[\w-]{0,24}\]\s"""
        rb"""(?:[^\[\r\n]{0,200}\r?\n){0,12}?[ \t]{0,4}password[ \t]{0,4}=[ \t]{0,4}["']?(?P<v>[^\s"']{1,256})""",
        9,
        3072,
        "https://dev.mysql.com/doc/refman/8.4/en/option-files.html",
        (b"[client]\nuser=root\npassword=V\n",),
        (b"[client] connected", b"[mysqld]\nport=3306\n[client]\nuser=root\n"),
    ),
    Login(
        # hostname:port:database:username:password. The ports of PostgreSQL and PgBouncer: an expression for any port
        # would halve the speed of a scan.
        "pgpass",
        "Line of a .pgpass",
        (b":5432:", b":5433:", b":6432:", b":*:"),
        rb"(?<![^\r\n])[A-Za-z0-9.*-]{1,253}:(?:[0-9]{4,5}|\*):[A-Za-z0-9_*-]{1,63}:(?P<u>[A-Za-z0-9_*.@-]{1,63}):"
        rb"(?P<v>(?:\\.|[^\\:\s]){4,256})[ \t]{0,4}(?:\r?\n|\Z)",
        150,
        300,
        "https://www.postgresql.org/docs/current/libpq-pgpass.html",
        (b"db.acme.io:5432:orders:app:V\n", b"\n*:*:*:postgres:V\n"),
        (b"\ndb:5432:orders:app:reader:x\n", b"\n10:5432:a:b:c\n"),
    ),
    Login(
        "client-variable",
        "Password in a variable that a database or transfer client reads",
        tuple(name + b"=" for name in _NAMES),
        rb"(?:" + b"|".join(_NAMES) + rb""")=["']?(?P<v>[^\s"';&|<>]{1,256})""",
        20,
        300,
        "https://www.postgresql.org/docs/current/libpq-envars.html",
        (b"PGPASSWORD=V psql -h db", b"SSHPASS='V' sshpass -e ssh h"),
        (b"PGPASSWORD=$PW psql", b"PGPASSWORD= psql", b"MYSQL_PWD=*****"),
    ),
    Login(
        "redis-acl",
        "Password in a rule of Redis' access control list",
        (b"acl setuser ", b'"setuser" "'),
        rb"""(?i:setuser)"?[ ]"?(?P<u>[^\s"]{1,64})"?(?:[ ]"?[^\s">]{1,80}"?){0,40}?[ ]"?>(?P<v>[^\s"]{1,256})""",
        14,
        800,
        "https://redis.io/docs/latest/commands/acl-setuser/",
        (b"ACL SETUSER orders on >V ~* +@all", b'[0 h:1] "ACL" "SETUSER" "orders" "on" ">V" "~*"'),
        (b"ACL SETUSER orders on nopass ~* +@all", b"ACL SETUSER orders on #7f1c ~* > out"),
        caseless=True,
    ),
    Login(
        "chpasswd",
        "Password set for a user of the system",
        (b"chpasswd",),
        rb"""(?:echo[ ]-?e?[ ]?["']?(?P<u>[A-Za-z_][\w-]{0,31}):(?P<v>[^\s"'|]{1,128})["']?"""
        rb"""[ ]?\|[ ]?(?:sudo[ ])?chpasswd|chpasswd:\s{1,20}(?:expire:[ ]\w{4,5}\s{1,20})?"""
        rb"""list:[ ]?\|?\s{1,20}(?P<u2>[\w-]{1,32}):(?P<v2>[^\s"']{1,128}))""",
        200,
        300,
        "https://cloudinit.readthedocs.io/en/latest/reference/modules.html#set-passwords",
        (b"RUN echo 'root:V' | chpasswd", b"chpasswd:\n  list: |\n    root:V\n  expire: False\n"),
        (b"chpasswd: user root does not exist", b"echo root:$PASS | chpasswd"),
    ),
    Login(
        # Type 0 is in clear; the others are hashes or encodings.
        "device-password",
        "Password in a network device's configuration",
        (b"password 0 ", b"secret 0 ", b"isakmp key ", b"password simple "),
        rb"(?:(?:password|secret)[ ](?:0|simple)|isakmp[ ]key(?:[ ]0)?)[ ](?P<v>[^\s\"]{6,64})",
        24,
        128,
        "https://www.cisco.com/c/en/us/support/docs/ip/access-lists/13608-21.html",
        (b"username admin privilege 15 password 0 V\n", b"crypto isakmp key V address 203.0.113.7\n"),
        (b"password 7 0822455D0A16", b"enable secret 5 $1$mERr$hx5rVt7rPNoS4wqbXKX7m0", b"key 0 of the table"),
    ),
    Login(
        "radius-key",
        "Secret shared with a RADIUS or TACACS+ server",
        (b"radius server ", b"radius-server ", b"tacacs server ", b"tacacs-server "),
        rb"(?:radius|tacacs)[ -]server(?:[ ][^\r\n]{0,120}(?:\r?\n(?=[ ])[^\r\n]{0,120}){0,5}?)?[ ]key[ ](?:0[ ])?"
        rb"(?P<v>[^\s\"]{6,64})[ \t]{0,4}(?:[\r\n\"]|\Z)",
        16,
        800,
        "https://www.cisco.com/c/en/us/support/docs/security-vpn/remote-authentication-dial-user-service-radius/index.html",
        (b"radius-server host 10.0.0.1 auth-port 1812 key V\n", b"radius server R1\n address ipv4 10.0.0.1\n key V\n"),
        (b"radius-server host 10.0.0.1 key 7 0822455D0A16\n", b"tacacs server T1\n timeout 5\n"),
    ),
    Login(
        "bundler",
        "Credentials of a gem source",
        (b"BUNDLE_",),
        rb"""BUNDLE_[A-Z0-9_]{1,60}__[A-Z0-9_]{2,60}["']?(?:=|:[ ])["']?(?P<u>[^\s:"'$/]{1,64}):"""
        rb"""(?P<v>[^\s"':/]{6,256})(?=["'\s]|\Z)""",
        7,
        500,
        "https://bundler.io/man/bundle-config.1.html#CREDENTIALS-FOR-GEM-SOURCES",
        (b'BUNDLE_GEMS__ACME__IO="svc:V"\n',),
        (b'BUNDLE_PATH: "vendor:bundle"', b'BUNDLE_MIRROR__HTTPS="https://gems.acme.io"'),
    ),
    Login(
        "relay-password",
        "Password of a mail relay's map",
        (b"]:587 ", b"]:465 ", b"]:25 ", b"]:587\t", b"]:465\t", b"]:25\t"),
        rb"""(?<![^\r\n])\[[\w.-]{1,253}\]:\d{2,5}[ \t]{1,20}(?P<u>[^\s:"']{1,128}):(?P<v>[^\s"']{1,256})""",
        270,
        400,
        "https://www.postfix.org/SASL_README.html#client_sasl_enable",
        (b"[smtp.acme.io]:587 svc:V\n",),
        (b"relay=smtp.acme.io[192.0.2.1]:587 said: 250 2.0.0 Ok: queued", b"to [192.0.2.1]:25 svc:quux"),
    ),
    Login(
        "proxy-password",
        "Password in a proxy's configuration",
        (b"stats auth ", b" login="),
        rb"(?:stats[ ]auth[ ]|cache_peer[ ][^\r\n]{1,200}[ ]login=)(?P<u>[^\s:]{1,64}):(?P<v>[^\s\"]{1,128})",
        240,
        240,
        "https://docs.haproxy.org/3.0/configuration.html#4-stats%20auth",
        (b"  stats auth admin:V\n", b"cache_peer p.acme.io parent 3128 0 login=svc:V no-query\n"),
        (b"cache_peer p.acme.io parent 3128 0 login=PASS", b"last login=10:42:36 tty=1"),
    ),
    Login(
        "cleartext-scheme",
        "Password in clear in a user database",
        (b"{PLAIN}", b"{CLEAR}", b"{CLEARTEXT}"),
        rb"""(?:(?P<u>[^\s:"'{}]{1,128}):)?[ ]?\{(?:PLAIN|CLEAR|CLEARTEXT)\}(?P<v>[^\s:"'<>]{1,256})""",
        140,
        300,
        "https://doc.dovecot.org/2.4.0/core/config/auth/schemes.html",
        (b"svc:{PLAIN}V::::::\n", b"userPassword: {CLEARTEXT}V\n"),
        (b"svc:{SSHA256}LgGkCTbVdzhbHBVQ9LPk", b"default_pass_scheme = {PLAIN} or so"),
    ),
    Login(
        # eap and its kin in ipsec.secrets
        "ipsec-secret",
        "Password in ipsec.secrets",
        (b': EAP "', b': XAUTH "', b': NTLM "'),
        rb"""(?:(?P<u>[^\s:"]{1,128})"?[ \t]{1,4})?(?<![^\s]):[ ](?:EAP|XAUTH|NTLM)[ ]"(?P<v>[^"\r\n]{1,128})\"""",
        150,
        150,
        "https://docs.strongswan.org/docs/latest/config/IpsecSecrets.html",
        (b'svc : EAP "V"\n',),
        (b'received: EAP "identity" request',),
    ),
    Login(
        "neighbour-password",
        "Password of a routing neighbour",
        (b"neighbor ",),
        rb"neighbor[ ][\w.:%-]{2,64}[ ]password[ ](?:0[ ])?(?P<v>[^\s\"]{6,80})(?=[\s\"]|\Z)",
        9,
        200,
        "https://docs.frrouting.org/en/latest/bgp.html",
        (b" neighbor 192.0.2.1 password V\n",),
        (b"neighbor 192.0.2.1 password 7 0822455D0A16", b"neighbor 192.0.2.1 password is configured"),
    ),
    Login(
        "mapped-drive",
        "Password of a mapped drive",
        (b"net use ",),
        rb"(?i:net use)[ ](?:[A-Za-z*]:?[ ])?\\{1,2}[^\s/]{1,200}[ ](?:(?P<v>[^\s/\"]{1,128})[ ]/user:(?P<u>\S{1,128})"
        rb"|/user:(?P<u2>\S{1,128})[ ](?P<v2>[^\s/\"]{1,128}))",
        8,
        500,
        "https://learn.microsoft.com/windows-server/administration/windows-commands/net-use",
        (b"net use \\\\srv\\share V /user:dom\\svc\n", b"net use Z: \\\\srv\\share /user:svc V\n"),
        (b"net use \\\\srv\\share /user:svc *", b"net use \\\\srv\\share"),
        caseless=True,
    ),
    Login(
        "piped-password",
        "Password that a command reads from a pipe",
        (b"| kinit ", b"passwd-on-stdin", b"password-stdin", b"| sudo -S ", b"| cryptsetup ", b"passphrase-fd 0"),
        rb"(?:echo|printf)[ ](?:-[ne]{1,2}[ ])?[\"']?(?P<v>[^\s\"'|]{4,128})[\"']?[ ]?\|[^|\n]{0,200}"
        rb"(?:kinit|passwd-on-stdin|password-stdin|sudo[ ]-S|cryptsetup|passphrase-fd[ ]0)[ ]?",
        400,
        64,
        "https://docs.docker.com/reference/cli/docker/login/#password-stdin",
        (b"echo 'V' | kinit svc@ACME.IO\n", b"echo V | docker login -u ci --password-stdin r.acme.io\n"),
        (b"echo $PASSWORD | docker login -u ci --password-stdin", b"cat token | podman login --password-stdin r"),
    ),
    Login(
        # RFC 959 and RFC 1939, in the summary line of a capture
        "protocol-password",
        "Password sent in clear, in a capture",
        (b"FTP: PASS ", b"POP3: PASS ", b"POP: C: PASS ", b"Request: PASS "),
        rb"(?:FTP|POP3?|C|Request):[ ]PASS[ ](?P<v>[^\s\"]{4,128})",
        16,
        200,
        "https://www.rfc-editor.org/rfc/rfc959",
        (b"length 27: FTP: PASS V\n", b"POP3: PASS V\n"),
        (b"FTP: PASS ********", b"FTP: 230 User logged in"),
    ),
    Login(
        "wireless-key",
        "Key of a wireless network that Windows shows",
        (b"Key Content ",),
        rb"Key Content[ ]{1,20}:[ ](?P<v>[^\r\n\"]{8,63}?)[ ]{0,8}(?:[\r\n\"]|\Z)",
        12,
        120,
        "https://learn.microsoft.com/windows-server/networking/technologies/netsh/netsh-wlan",
        (b"    Key Content            : V\n",),
        (b"Key Content            : ", b"Key Content    of the page"),
    ),
    Login(
        "radius-attribute",
        "Password that a capture's decoder deciphered",
        (b"val=Decrypted: ",),
        rb"User-Password\(2\)[ ]l=\d{1,3}[ ]val=Decrypted:[ ](?P<v>[^\r\n\"]{4,128}?)[ ]{0,4}(?:[\r\n\"]|\Z)",
        48,
        160,
        "https://wiki.wireshark.org/RADIUS",
        (b"t=User-Password(2) l=18 val=Decrypted: V\n",),
        (b"AVP: t=User-Password(2) l=18 val=Encrypted: 7f1c", b"val=Decrypted: \n"),
    ),
    Login(
        "snmp-user",
        "Passwords of an SNMPv3 user in a network device's configuration",
        (b"snmp-server user ",),
        rb"snmp-server user (?P<u>\S{1,64})[^\r\n]{0,60}?[ ]auth[ ](?:md5|sha)(?:[ ]\d{3})?[ ](?P<v>[^\s\"]{4,128})"
        rb"(?:[ ]priv[ ](?:3?des|aes)(?:[ ]\d{3})?[ ](?P<v2>[^\s\"]{4,128}))?",
        17,
        400,
        "https://www.cisco.com/c/en/us/td/docs/ios-xml/ios/snmp/command/nm-snmp-cr-book.html",
        (b"snmp-server user svc grp v3 auth sha V priv aes 128 ****\n",),
        (b"snmp-server user svc grp v3 encrypted", b"snmp-server user svc grp v3 auth sha ****"),
    ),
    Login(
        "chap-secrets",
        "Password of a point-to-point connection",
        (b' * "', b'\t*\t"'),
        rb"""(?<![^\r\n])["']?(?P<u>[\w.@\\-]{1,64})["']?[ \t]{1,20}\*[ \t]{1,20}"(?P<v>[^"\r\n]{4,128})"[ \t]{1,20}"""
        rb"""(?:\*|["']?[\d./]{7,20})""",
        90,
        200,
        "https://man7.org/linux/man-pages/man8/pppd.8.html",
        (b'"svc" * "V" *\n', b'svc\t*\t"V"\t10.0.0.9\n'),
        (b'a * "V" + b', b' * "quoted-words" in a comment'),
    ),
    Login(
        "generated-password",
        "Password that Terraform or Pulumi generated",
        (b"random_password", b"RandomPassword"),
        rb"""[rR]andom_?[pP]assword\b[^}]{0,400}?\bresult["'\\]{0,4}[ ]?[:=][ ]?\\{0,3}"(?P<v>[^"\\\r\n]{4,256})"""
        rb"""(?:"[ ]=>[ ]"(?P<v2>[^"\r\n]{4,256}))?""",
        16,
        500,
        "https://registry.terraform.io/providers/hashicorp/random/latest/docs/resources/password",
        (b'"type":"random_password","instances":[{"attributes":{"length":20,"result":"V"}}]',),
        (b"random_password.db: Creation complete after 0s [id=none]", b'"type":"random_password","result":""'),
    ),
    Login(
        "auth-pair",
        "Password of a pair given as an argument",
        (b"auth=(",),
        rb"""auth=\([ ]{0,2}[ub]?["'](?P<u>[^"'\r\n]{1,128})["'],[ ]{0,2}[ub]?["'](?P<v>[^"'\r\n]{1,256})["']""",
        6,
        400,
        "https://requests.readthedocs.io/en/latest/user/authentication/",
        (b"requests.get(url, auth=('svc', 'V'))\n",),
        (b"auth=('user', 'pass')", b"auth=(user, password)"),
    ),
)  # fmt: skip


def _confirm(row: Login) -> Callable[[Text], Iterator[Match]]:
    shape = pattern(row.shape)

    def confirm(text: Text) -> Iterator[Match]:
        low, high = max(0, text.hit - row.lead), text.hit + row.after
        found = next((m for m in shape.finditer(text.data, low, high) if m.end() >= text.hit), None)
        if text.cut and len(text.data) < high and (found is None or found.end() > len(text.data) - 2):
            raise NeedMore
        if found is None or found.start() > text.hit:
            return
        groups = {name: value for name, value in found.groupdict().items() if value is not None}
        user = groups.get("u") or groups.get("u2")
        for password in ("v", "v2"):
            if password in groups:
                name = user.decode("utf-8", "replace") if user else None
                yield from password_at(text, *found.span(password), row.id, name)

    return confirm


_V = b"q3ZkXx9QbTmL2v"

DETECTORS = tuple(
    Detector(
        id=row.id,
        kind=Kind.CLIENT_SECRET,
        title=row.title,
        # As expressions: files of these kinds are not logged in hex or base64, whose forms would slow every scan.
        anchors=tuple(Anchor(pattern=re.escape(anchor), caseless=row.caseless) for anchor in row.anchors),
        confirm=_confirm(row),
        reference=row.reference,
        examples=tuple((example.replace(b"V", _V, 1), _V) for example in row.examples),
        counterexamples=row.counterexamples,
        before=max(64, row.lead + 42),
        after=row.after,
    )
    for row in _ROWS
)
