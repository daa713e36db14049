"""Masks secrets before anything reaches the log: keys and tokens of known shapes, private keys, and what `numbers`,
`codes` and `passwords` find.

The shapes are detect-secrets' (Yelp), whose rules for named providers are precise; its guesses by entropy or by the
words around a value are left out, for a diary is full of those: `passwords` has rules of its own. Each rule takes
linear time: a page may hold anything.
"""

from __future__ import annotations

import bisect
import functools
import re

from satchel.capture import codes, numbers, passwords
from satchel.capture.secret import MASK, hide, holds_mask

__all__ = ["holds_mask", "redact"]

_KEY_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LENGTH = 20_000
# Lines of base64, and what stands between them: white space, also as JSON writes it, and header lines.
_KEY_BODY = re.compile(
    r"(?:\s|\\[rnt]|[A-Za-z0-9+/=]{16,}+|[A-Za-z0-9-]{1,20}: [^\n]{0,200}\n)*+(?:[A-Za-z0-9+/]{0,15}={1,2})?"
)

# Every rule needs one of these in the text: plain searches that spare nearly every message the patterns. They come
# in lower case, for some rules do not look at it; what has no fixed beginning is looked for by shape.
_HINTS = (
    "akia", "asia", "abia", "acca", "a3t", "aws", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-",
    "gldt-", "glft-", "glsoat-", "glrt-", "glcbt-", "glimt-", "glptt-", "glagent-", "gloas-", "gr1348941", "sk-",
    "sk_live", "rk_live", "sk_test", "rk_test", "aiza", "gocspx-", "hf_", "gsk_", "xai-", "xox", "hooks.slack",
    "eyj", "npm_", "_authtoken", "pypi-", "sg.", "accountkey=",
    "sq0csp", "-us", "private key",
)  # fmt: skip
_SHAPES = (re.compile(r"AC[a-z0-9]{32}|SK[a-z0-9]{32}"), re.compile(r"\.[\w-]{6}\."), re.compile(r":[\w-]{35}"))

ROUNDS = 4
"""A mask parts what ran together, so that another secret may show beside it; seldom more than once."""

# A key is masked to its last letter: some providers' have grown since the rule was written.
_REST = r"[A-Za-z0-9_-]*+"

_OWN = (
    # detect-secrets' own rules for these four can take quadratic time or leave a part of the secret standing.
    (
        "JSON Web Token",
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]++={0,2}\.{1,2}[A-Za-z0-9_-]++={0,2}(?:\.[A-Za-z0-9_-]++){0,3}",
    ),
    ("NPM tokens", r"(?<=:_authToken=)\s{0,20}[A-Za-z0-9_+/=-]{20,}+"),
    ("NPM tokens", r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36,}+"),
    ("OpenAI Token", r"(?<![A-Za-z0-9_-])sk-(?=[A-Za-z0-9_-]*?T3BlbkFJ)[A-Za-z0-9_-]{40,}+"),
    ("Telegram Bot Token", r"(?<!\d)\d{8,10}:[0-9A-Za-z_-]{35}(?![\w-])"),
    # Newer keys than detect-secrets' release knows.
    ("OpenAI Token", r"(?<![A-Za-z0-9_-])sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}+"),
    ("Anthropic Token", r"(?<![A-Za-z0-9_-])sk-ant-[A-Za-z0-9_-]{40,}+"),
    ("GitHub Token", r"\bgithub_pat_[A-Za-z0-9_]{40,}+"),
    ("OpenRouter Token", r"(?<![A-Za-z0-9_-])sk-or-v1-[A-Za-z0-9_-]{40,}+"),
    ("Google API Key", r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35,}+"),
    ("Google OAuth Secret", r"(?<![A-Za-z0-9_-])GOCSPX-[A-Za-z0-9_-]{20,}+"),
    ("Hugging Face Token", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,}+"),
    ("Groq Token", r"(?<![A-Za-z0-9_])gsk_[A-Za-z0-9]{40,}+"),
    ("xAI Token", r"(?<![A-Za-z0-9_-])xai-[A-Za-z0-9_-]{40,}+"),
    ("Stripe Access Key", r"(?<![A-Za-z0-9_])[rs]k_test_[A-Za-z0-9]{24,}+"),
    # As `~/.aws/credentials` and shells write it; detect-secrets wants quotes around it.
    (
        "AWS Access Key",
        r"(?i:aws_secret_(?:access_)?key)[ \t]{0,20}[=:][ \t]{0,20}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
    ),
)


@functools.cache
def _rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    # Late: not needed for text without a hint, and slow to import.
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        discord,
        github_token,
        gitlab_token,
        mailchimp,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        twilio,
    )

    detectors = (
        aws.AWSKeyDetector,
        azure_storage_key.AzureStorageKeyDetector,
        discord.DiscordBotTokenDetector,
        github_token.GitHubTokenDetector,
        gitlab_token.GitLabTokenDetector,
        mailchimp.MailchimpDetector,
        pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector,
        slack.SlackDetector,
        square_oauth.SquareOAuthDetector,
        stripe.StripeDetector,
        twilio.TwilioKeyDetector,
    )
    # Tried at every letter of a long word otherwise.
    starts = {discord.DiscordBotTokenDetector: r"(?<![\w-])", mailchimp.MailchimpDetector: r"(?<![0-9a-z])"}
    theirs = [
        (str(d.secret_type), re.compile(f"{starts.get(d, '')}(?:{pattern.pattern}){_REST}", pattern.flags))
        for d in detectors
        for pattern in d.denylist
    ]
    return (*((name, re.compile(pattern)) for name, pattern in _OWN), *theirs)


def _may_hold_secrets(text: str) -> bool:
    lower = text.lower()
    return any(hint in lower for hint in _HINTS) or any(shape.search(text) for shape in _SHAPES)


def redact(text: str) -> tuple[str, int]:
    """`text` with its secrets masked, and how many there were. Text without any comes back as it is."""
    masked = 0
    if _may_hold_secrets(text):
        text, masked = _mask_private_keys(text)
        for name, pattern in _rules():
            text, more = pattern.subn(MASK.format(name), text)
            masked += more
    for _ in range(ROUNDS):
        before = masked
        # What proves itself goes first: what stands beside a word for a password is only the likeliest.
        for find in (numbers.find, codes.find, passwords.find):
            text, more = hide(text, find(text))
            masked += more
        if masked == before:
            break
    return text, masked


def _mask_private_keys(text: str) -> tuple[str, int]:
    """Masks from the first line of a key to its last; where that is missing, as far as it looks like a key."""
    ends = [end.end() for end in _KEY_END.finditer(text)]
    kept: list[str] = []
    at = 0
    for begin in _KEY_BEGIN.finditer(text):
        if begin.start() < at:
            continue
        following = bisect.bisect(ends, begin.end())
        if following < len(ends) and ends[following] - begin.end() <= _KEY_LENGTH:
            end = ends[following]
        else:
            body = _KEY_BODY.match(text, begin.end())
            if body is None or not body[0].strip():
                continue  # somebody writes about keys
            end = body.end()
        kept += (text[at : begin.start()], MASK.format("Private Key"))
        at = end
    return "".join((*kept, text[at:])), len(kept) // 2
