"""Chat and telephony. Slack's app configuration tokens live 12 hours, the others until revoked."""

from __future__ import annotations

import base64
import zlib

from detectors.detector import Confidence, Kind
from detectors.vendor import checksums as sums
from detectors.vendor.family import ALNUM, B62, B64U, DIGITS, HEX, LOWER, UPPER, URLSAFE, Family, detectors

SLACK = "https://docs.slack.dev/authentication/tokens"
SLACK_ROTATION = "https://docs.slack.dev/authentication/using-token-rotation"
DISCORD = "https://discord.com/developers/docs/reference#authentication"
TELEGRAM = "https://core.telegram.org/bots/api#authorizing-your-bot"
MATRIX = "https://github.com/element-hq/synapse/blob/develop/synapse/handlers/auth.py"
MAS = "https://element-hq.github.io/matrix-authentication-service/"

HOURS_12 = 43200.0
_PATH = ALNUM | frozenset(b"_-/")


def _discord_id(token: bytes) -> bool:
    """The first part is the bot's id in base64: 17 to 20 decimal digits."""
    head = token.split(b".")[0]
    try:
        decoded = base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4))
    except ValueError:
        return False
    return 17 <= len(decoded) <= 20 and decoded.isdigit()


def _synapse(head: bytes) -> bytes:
    return head + b"_" + sums.digits(zlib.crc32(head), sums.BASE62, 6)


DETECTORS = detectors(
    Family(
        "slack-bot",
        "Slack bot token",
        (b"xoxb-",),
        rb"xoxb-[0-9]{8,16}-(?:[0-9]{8,16}-)?[0-9A-Za-z]{18,48}",
        b"xox" + b"b-" + DIGITS[:12] + b"-" + DIGITS[3:16] + b"-" + B62[:24],
        SLACK,
    ),
    Family(
        "slack-user",
        "Slack user token",
        (b"xoxp-",),
        rb"xoxp-(?:[0-9]{8,16}-){2,3}[0-9A-Za-z]{24,48}",
        b"xox" + b"p-" + DIGITS[:12] + b"-" + DIGITS[2:14] + b"-" + DIGITS[1:14] + b"-" + HEX[:32],
        SLACK,
    ),
    Family(
        "slack-app",
        "Slack app-level token",
        (b"xapp-",),
        rb"xapp-[0-9]-[0-9A-Z]{6,16}-[0-9]{8,16}-[0-9a-f]{32,80}",
        b"xap" + b"p-1-A" + UPPER[:10] + b"-" + DIGITS[:13] + b"-" + HEX[:64],
        SLACK,
    ),
    Family(
        "slack-config-access",
        "Slack app configuration or rotated access token",
        (b"xoxe.xox",),
        rb"xoxe\.xox[bp]-[0-9]-[0-9A-Za-z]{120,200}",
        b"xox" + b"e.xoxp-1-" + B62[:164],
        SLACK_ROTATION,
        lifetime=HOURS_12,
        static=False,
        dense=True,
    ),
    Family(
        "slack-config-refresh",
        "Slack refresh token",
        (b"xoxe-",),
        rb"xoxe-[0-9]-[0-9A-Za-z]{120,180}",
        b"xox" + b"e-1-" + B62[:146],
        SLACK_ROTATION,
        Kind.REFRESH_TOKEN,
        static=False,
        dense=True,
    ),
    Family(
        "slack-legacy",
        "Slack legacy or client token",
        (b"xoxa-", b"xoxr-", b"xoxs-", b"xoxo-", b"xoxc-"),
        rb"xox[arsoc]-(?:[0-9]{1,16}-){0,4}[0-9A-Za-z]{10,72}",
        b"xox" + b"s-" + DIGITS[:11] + b"-" + DIGITS[2:13] + b"-" + DIGITS[3:14] + b"-" + HEX[:10],
        SLACK,
    ),
    Family(
        "slack-cookie",
        "Slack session cookie",
        (b"xoxd-",),
        rb"xoxd-[0-9A-Za-z+/%=_-]{100,400}",
        b"xox" + b"d-" + B62[:160],
        SLACK,
        Kind.SESSION_COOKIE,
        static=False,
        dense=True,
    ),
    Family(
        "slack-webhook",
        "Slack incoming webhook, workflow or trigger URL",
        (b"hooks.slack.com/", b"hooks.slack-gov.com/"),
        rb"(?:https?://)?hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[0-9A-Z]{8,14}/[0-9A-Z]{8,20}/"
        rb"(?:[0-9]{10,24}/)?[0-9A-Za-z]{20,48}",
        b"https://hooks.slack" + b".com/services/T" + UPPER[:10] + b"/B" + UPPER[12:22] + b"/" + B62[:24],
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
        goes_on=_PATH,
        back=32,
    ),
    Family(
        "discord-webhook",
        "Discord webhook URL",
        (b"/api/webhooks/",),
        rb"(?:https?://)?(?:[a-z]{2,6}\.)?discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[0-9A-Za-z_-]{60,72}",
        b"https://discord" + b".com/api/webhooks/" + DIGITS[:18] + b"/" + B64U[:68],
        "https://discord.com/developers/docs/resources/webhook",
        goes_on=URLSAFE,
        back=48,
    ),
    Family(
        # Base64 of 17 to 20 digits, a time, an HMAC. Three digits (0011aaaa 0011bbbb 0011cccc) become four
        # characters of which each has few values: that is the anchor.
        "discord-bot",
        "Discord bot token",
        (),
        rb"(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5}[0-9A-Za-z]{2,8}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,40}",
        base64.b64encode(b"998379260724061743").rstrip(b"=") + b"." + B64U[4:10] + b"." + B64U[20:58],
        DISCORD,
        goes_on=URLSAFE,
        weak=True,
        check=_discord_id,
        must_check=True,
        back=32,
        patterns=(rb"(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5}",),
        counterexamples=(b"Mabc5678901234567890123.abcdef." + B64U[:38],),
    ),
    Family(
        "twitch-chat",
        "Twitch chat OAuth token",
        (b"oauth:",),
        rb"oauth:(?P<secret>[0-9a-z]{30})",
        LOWER[:30],
        "https://dev.twitch.tv/docs/chat/irc/",
        Kind.BEARER_TOKEN,
        weak=True,
        static=False,
        context=b"PASS oauth:",
        confidence=Confidence.MEDIUM,
    ),
    Family(
        "telegram-bot",
        "Telegram bot token",
        (b":AA",),
        rb"(?<![0-9])[0-9]{8,10}:AA[0-9A-Za-z_-]{32,33}",
        DIGITS[:10] + b":A" + b"A" + B64U[:33],
        TELEGRAM,
        goes_on=URLSAFE,
        back=13,
        counterexamples=(b"00:1A:2B:AA:4D:5E",),
    ),
    Family(
        "teams-webhook",
        "Microsoft Teams incoming webhook URL",
        (b"/IncomingWebhook/",),
        rb"https://[0-9A-Za-z.-]{3,64}/webhook(?:b2)?/[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}"
        rb"(?:/[0-9A-Za-z_-]{20,80})?",
        b"https://contoso.webhook.office.com/webhookb2/3f9c04e7-b1d8-42a6-87e0-194f8b6d235e@a97c10f4-8e2b-4d53-90fa-"
        b"47c18de2635b/Incoming" + b"Webhook/" + HEX[:32] + b"/5b3f9c04-e7b1-4852-a6c7-e0194f8b6d23",
        "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook",
        back=176,
    ),
    Family(
        "google-chat-webhook",
        "Google Chat webhook URL",
        (b"chat.googleapis.com/v1/spaces/",),
        rb"https://chat\.googleapis\.com/v1/spaces/[0-9A-Za-z_-]{8,16}/messages\?key=[0-9A-Za-z_-]{39}&token=[0-9A-Za-z_%-]{30,120}",
        b"https://chat.googleapis.com/v1/spaces/"
        + B62[:11]
        + b"/messages?key=AI"
        + b"za"
        + B64U[:35]
        + b"&token="
        + B64U[:43],
        "https://developers.google.com/workspace/chat/quickstart/webhooks",
        goes_on=URLSAFE,
        back=44,
    ),
    Family(
        # The SID of an API key; the secret that goes with it has no mark of its own.
        "twilio-api-key",
        "Twilio API key",
        (),
        rb"SK[0-9a-f]{32}",
        b"S" + b"K" + HEX[:32],
        "https://www.twilio.com/docs/iam/api-keys",
        weak=True,
        back=20,
        patterns=(rb"SK[0-9a-f]{16}",),
        confidence=Confidence.MEDIUM,
    ),
    Family(
        "matrix-access",
        "Matrix access token (Synapse)",
        (b"syt_",),
        rb"syt_[0-9A-Za-z+/_-]{2,200}_[A-Za-z]{20}_[0-9A-Za-z]{6}",
        _synapse(b"sy" + b"t_Ym9i_" + b"QmZxRaLkVtYbNcWpEsUd"),
        MATRIX,
        check=sums.crc_base62_whole,
        must_check=True,
        static=False,
    ),
    Family(
        "matrix-refresh",
        "Matrix refresh token (Synapse)",
        (b"syr_",),
        rb"syr_[0-9A-Za-z+/_-]{2,200}_[A-Za-z]{20}_[0-9A-Za-z]{6}",
        _synapse(b"sy" + b"r_Ym9i_" + b"RaLkVtYbNcWpEsUdJfHg"),
        MATRIX,
        Kind.REFRESH_TOKEN,
        check=sums.crc_base62_whole,
        must_check=True,
        static=False,
    ),
    Family(
        "matrix-mas",
        "Matrix Authentication Service token",
        (b"mat_", b"mct_", b"mpt_"),
        rb"m[acp]t_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}",
        _synapse(b"ma" + b"t_" + B62[:30]),
        MAS,
        check=sums.crc_base62_whole,
        must_check=True,
        static=False,
    ),
    Family(
        # Base64 of "tok:" and a hexadecimal string between underscores; shape from observed tokens, not documented.
        "intercom",
        "Intercom access token",
        (b"dG9rOj",),
        rb"dG9rOj[0-9A-Za-z+/]{40,80}={0,2}",
        base64.b64encode(b"tok:" + b"3f9c04e7_b1d8_42a6_87e0_194f8b6d235e:1:0"),
        "https://developers.intercom.com/docs/build-an-integration/learn-more/authentication",
        weak=True,
        confidence=Confidence.MEDIUM,
    ),
)
