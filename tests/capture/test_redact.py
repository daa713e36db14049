"""Secrets of known shapes are masked; a diary, code and numbers are left alone."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.capture.redact import holds_mask, redact

# Put together here, so that no scanner takes this file for a leak.
A = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3gH5jK7mN9pR1tV3xZ5" * 4
HEX = "0123456789abcdef" * 4
SECRETS = {
    "AWS access key": ("AWS Access Key", "AKIA" + "Q7ZVZM2LQ4TNXKLB"),
    "AWS temporary key": ("AWS Access Key", "ASIA" + "Q7ZVZM2LQ4TNXKLB"),
    "AWS secret key": ("AWS Access Key", "aws_secret_access_key = '" + A[:40] + "'"),
    "AWS secret key in a credentials file": ("AWS Access Key", "aws_secret_access_key = " + A[:40]),
    "AWS secret key in a shell": ("AWS Access Key", "AWS_SECRET_ACCESS_KEY=" + A[:40]),
    "AWS secret key in YAML": ("AWS Access Key", "aws_secret_access_key: " + A[:40]),
    "Azure storage": ("Azure Storage Account access key", "AccountKey=" + A[:86] + "=="),
    "Discord": ("Discord Bot Token", "M" + A[:23] + "." + A[:6] + "." + A[:27]),
    "GitHub classic": ("GitHub Token", "ghp_" + A[:36]),
    "GitHub fine-grained": ("GitHub Token", "github_pat_" + A[:22] + "_" + A[:59]),
    "GitLab": ("GitLab Token", "glpat-" + A[:20]),
    "GitLab runner": ("GitLab Token", "glrt-" + A[:20]),
    "Google API key": ("Google API Key", "AIza" + A[:35]),
    "Google OAuth": ("Google OAuth Secret", "GOCSPX-" + A[:28]),
    "Groq": ("Groq Token", "gsk_" + A[:52]),
    "Hugging Face": ("Hugging Face Token", "hf_" + A[:34]),
    "JSON Web Token": ("JSON Web Token", "eyJ" + A[:20] + ".eyJ" + A[:30] + "." + A[5:48]),
    "Mailchimp": ("Mailchimp Access Key", HEX[:32] + "-us12"),
    "npm": ("NPM tokens", "npm_" + A[:36]),
    "npmrc": ("NPM tokens", "//registry.npmjs.org/:_authToken=" + "12345678-1234-1234-1234-123456789012"),
    "OpenAI old": ("OpenAI Token", "sk-" + A[:20] + "T3Blbk" + "FJ" + A[20:40]),
    "OpenAI project": ("OpenAI Token", "sk-proj-" + A[:120]),
    "OpenRouter": ("OpenRouter Token", "sk-or-v1-" + HEX[:64]),
    "xAI": ("xAI Token", "xai-" + A[:80]),
    "Anthropic": ("Anthropic Token", "sk-ant-" + "api03-" + A[:93]),
    "PyPI": ("PyPI Token", "pypi-" + "AgEIcHlwaS5vcmc" + A[:80]),
    "SendGrid": ("SendGrid API Key", "SG." + A[:22] + "." + A[:43]),
    "Slack token": ("Slack Token", "xoxb-" + "123456789012-1234567890123-" + A[:24]),
    "Slack webhook": ("Slack Token", "https://hooks.slack.com/" + "services/T0" + A[:8] + "/B0" + A[:8] + "/" + A[:24]),
    "Square": ("Square OAuth Secret", "sq0csp-" + A[:43]),
    "Stripe": ("Stripe Access Key", "sk_live_" + A[:24]),
    "Stripe of today": ("Stripe Access Key", "rk_live_" + A[:99]),
    "Stripe for tests": ("Stripe Access Key", "sk_test_" + A[:24]),
    "Stripe of today for tests": ("Stripe Access Key", "rk_test_" + A[:99]),
    "Telegram": ("Telegram Bot Token", "1234567890:" + "AA" + A[:33]),
    "Twilio": ("Twilio API Key", "AC" + HEX[:32]),
    "RSA key": ("Private Key", "-----BEGIN RSA " + "PRIVATE KEY-----\n" + (A[:64] + "\n") * 8 + "-----END RSA " + "PRIVATE KEY-----"),  # noqa: E501
    "OpenSSH key": ("Private Key", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n" + A[:64] + "\n-----END OPENSSH " + "PRIVATE KEY-----"),  # noqa: E501
    "PGP key": ("Private Key", "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\nVersion: 2\n\n" + A[:64] + "\n-----END PGP " + "PRIVATE KEY BLOCK-----"),  # noqa: E501
    "key in JSON": ("Private Key", "-----BEGIN " + "PRIVATE KEY-----\\n" + A[:64] + "\\n" + A[:64] + "\\n-----END " + "PRIVATE KEY-----\\n"),  # noqa: E501
    "key cut off": ("Private Key", "-----BEGIN " + "PRIVATE KEY-----\n" + (A[:64] + "\n") * 500),
}  # fmt: skip


@pytest.mark.parametrize(("name", "secret"), SECRETS.values(), ids=SECRETS)
def test_a_providers_secret_is_masked_to_its_last_letter_and_counted(name: str, secret: str) -> None:
    text, masked = redact(f"Look: {secret}\nwhy does this fail? And {secret}, too.")
    assert masked == 2
    assert text.count(f"[{name} masked by Satchel]") == 2
    assert text.startswith("Look: ")
    assert "why does this fail? And " in text
    assert text.endswith(", too.")
    for start in range(len(secret) - 20):
        if secret[start : start + 20].isalnum():
            assert secret[start : start + 20] not in text
    assert redact(text) == (text, 0), "what is masked is masked once"


def test_a_token_in_an_address_is_masked() -> None:
    token = "1234567890:" + "AA" + A[:33]
    text, masked = redact(f"https://api.telegram.org/bot{token}/getMe")
    assert (text, masked) == ("https://api.telegram.org/bot[Telegram Bot Token masked by Satchel]/getMe", 1)


ORDINARY = [
    "I was awestruck by the awards at Law's school.",
    'My aws bill was $42.17 last month, the key reason being "data transfer".',
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in your environment.",
    "export OPENAI_API_KEY=sk-... (put yours here)",
    "client = OpenAI(api_key=os.environ['OPENAI_API_KEY'])",
    "The file begins with -----BEGIN PRIVATE KEY----- and then base64 follows. How do I convert it?",
    "Use `ssh-keygen -t ed25519` and keep id_ed25519 to yourself.",
    "ssh-ed25519 " + "AAAAC3NzaC1lZDI1NTE5" + "AAAAIGKmVnDXp0Jv5Q1rC7vW3xS9zB me@laptop",
    "-----BEGIN CERTIFICATE-----\n" + A[:64] + "\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\n" + A[:64] + "\n-----END PUBLIC KEY-----",
    "550e8400-e29b-41d4-a716-446655440000",
    "conversation 0193a2b4-7c1d-7e3f-8a5b-1c2d3e4f5a6b has 12 turns",
    "sha256:" + HEX,
    "commit 3b2ce86d1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c",
    "md5 d41d8cd98f00b204e9800998ecf8427e",
    "The task-force met in desk-space 12; disk-usage was fine.",
    "risk-averse, ask-me-anything, mask-wearing, Minsk-Pinsk",
    "He said sk- twice and then sk_live_ once.",
    "ghp_ is how GitHub's tokens begin, github_pat_ the newer ones.",
    "AIza is how Google's keys begin, hf_ Hugging Face's, gsk_ Groq's, xai- xAI's, GOCSPX- an OAuth secret.",
    "hf_hub_download(repo_id='owner/model', filename='config.json')",
    "from transformers import HfArgumentParser; hf_model_name_or_path = 'x'",
    "https://api.x.ai/v1 and https://openrouter.ai/models?q=sk-or-v1",
    "sk_test_ and rk_test_ keys are Stripe's for tests: use sk_test_... here.",
    "aws_secret_access_key = <yours>, aws_secret_access_key=$(pass aws/secret), aws_secret_access_key: ${AWS_SECRET}",
    "aws_secret_access_key = os.environ['AWS_SECRET_ACCESS_KEY']  # never in the file",
    "npm_config_registry=https://registry.npmjs.org/",
    "//registry.npmjs.org/:_authToken=${NPM_TOKEN}",
    "pip install pypi-simple",
    "https://hooks.slack.com/services/ is where webhooks live",
    "xoxo, see you at 12:30",
    "The eyJ prefix marks base64 of '{\"'.",
    "Meet at 10:45:30, room 12345678: bring the slides.",
    "12345678:short",
    "Ratio 1234567890:1 and time 2026-03-01T10:00:00Z",
    "The price rose from 1,299.00 EUR to $1,349.99 (+3.9%).",
    "Call +49 30 901820 or 555-0199.",
    "https://example.org/path/to/page?utm_source=news&id=1234567890abcdef1234567890abcdef",
    "https://www.google.com/search?q=satchel+memory&oq=satchel&sourceid=chrome",
    "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:",
    "arn:aws:iam::123456789012:role/reader",
    "s3://my-bucket/2026/03/01/data.parquet",
    "docker pull ghcr.io/owner/image:1.2.3@sha256:" + HEX,
    "data:image/png;base64," + A,
    "lorem " * 50,
    "M" * 200,
    "for i in range(10):\n    print(f'{i:>3}: {i ** 2}')",
    "SELECT count(*) FROM message WHERE role = 'user' AND content LIKE '%sk-%';",
    "git rebase -i HEAD~3 && git push --force-with-lease",
    "const token = await getToken({ audience: 'api' }); // never log it",
    "My password manager says 'correct horse battery staple' is fine.",
    "Bearer tokens go into the Authorization header.",
    "ACcording to SKetches by ACme, ACTS 2:38 says so.",
    "The MOON.LANDING.1969 file and N.A.S.A. notes",
    "Nnnnnooooooooooooooooooooooo.... really?",
    "Ich heiße Jürgen und wohne in der Straße 12, 10115 Berlin.",
    "我喜欢住在酒店,价格是每晚四百元。",
    "Меня зовут Анна, мне 34 года.",
    "مرحبا، كيف حالك؟",
    "Привет 👋 — как дела? 😀😀😀",
    "| name | price |\n|---|---|\n| tea | 3.50 |",
    "E = mc^2, and \\frac{a}{b} = \\sqrt{c}",
    "0x7ffee4b3c8d0 0xDEADBEEF 0b101010",
    "#1e90ff, rgb(30, 144, 255), hsl(210, 100%, 56%)",
    "v1.2.3-rc.1+build.456",
    "ISBN 978-3-16-148410-0, DOI 10.1000/182",
    "-rw-r--r-- 1 me me 4096 Mar  1 10:00 notes-us1.txt",
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "The square root of sq0 is unknown; SG. and AC are units, SK a player.",
    "DefaultEndpointsProtocol=https;AccountName=devstoreaccount1;AccountKey=<yours>",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_everyday_text_is_left_alone(text: str) -> None:
    rest, masked = redact(text)
    assert (rest, masked) == (text, 0)
    assert rest is text or rest == text


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_masking_twice_is_masking_once(text: str) -> None:
    once, _ = redact(text)
    assert redact(once) == (once, 0)


PIECES = [
    "my ", "password", "wifi password", "pw", "Passwort", "mot de passe", "密码", "PASSWORD=", " is ", " lautet ", ": ", "=", "是",  # noqa: E501
    "\"", "'", "hunter2", "Sommer2024!", "swordfish", " and ", "\n", ". ", ", ", " for ", "the router", "(", ")", "[", "]",  # noqa: E501
    "4111 1111 1111 1111", "4111111111111111", "378282246310005", "DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819",  # noqa: E501
    "123-45-6788", "111.444.777-35", "482913", "4821", "123", "0", "-", " ", "x", "your code", "TAN", "PIN", "cvv", "验证码",  # noqa: E501
    "account number", "sort code", "20-00-00", "routing number", "021000021", "postgres://bob:", "@db", "://", "AKIA" + "Q7ZVZM2LQ4TNXKLB",  # noqa: E501
    "[password masked by Satchel]", "[IBAN masked by Satchel]", " masked by Satchel]", "as the ", "use ",
]  # fmt: skip
MADE_UP = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
MASK = re.compile(r"\[[A-Za-z0-9 -]{1,60} masked by Satchel\]")


@settings(max_examples=400, deadline=None)
@given(MADE_UP)
def test_masking_what_is_made_of_secrets_twice_is_masking_it_once(text: str) -> None:
    once, _ = redact(text)
    assert redact(once) == (once, 0)


@settings(deadline=None)
@given(MADE_UP)
def test_what_is_not_masked_stays_where_it_was(text: str) -> None:
    rest, masked = redact(text)
    assert holds_mask(rest) == (masked > 0 or holds_mask(text))
    at = 0
    for kept in MASK.split(rest):
        place = text.find(kept, at)
        assert place >= 0
        at = place + len(kept)
    assert text.startswith(MASK.split(rest)[0])
    assert text.endswith(MASK.split(rest)[-1])


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=("Nd", "Cs"))))
def test_a_text_without_a_digit_or_a_word_for_a_secret_is_left_alone(text: str) -> None:
    words = (
        "pass",
        "pw",
        "kenn",
        "losung",
        "mdp",
        "contras",
        "senha",
        "cl",
        "密",
        "口令",
        "wi",
        "wl",
        "wpa",
        "net",
        "ident",
    )
    if not any(word in text.lower() for word in (*words, "phrase", "words", "://", "authorization", "key")):
        assert redact(text) == (text, 0)


UNITS = [
    "I went to the market and asked about awards. ", "M", "sk-", "eyJ", "eyJ=", "eyJ.", "eyJa.", "//", "aws", "aws key", "awskey'",  # noqa: E501
    "//x/:_authToken=", "xoxb-1-", "xoxb-1", "1", "123456789:", "12345678:a", "glagent-", "glagent-a", "0a1b", "-us1", "AC", "SG.",  # noqa: E501
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\na: b\n", "-----BEGIN A A ", "-----END PRIVATE KEY-----",  # noqa: E501
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n", "pypi-AgEIcHlwaS5vcmc", "npm_", "sk-T3Blbk" + "FJ", "sk-a", "AccountKey=",  # noqa: E501
    "https://hooks.slack.com/services/T", "AIza", "AIza.", "GOCSPX-", "hf_", "hf_-", "gsk_a", "xai-", "xai-a.", "sk-or-v1-",  # noqa: E501
    "password is ", "pw for a b c ", "is my password", "PASSWORD='", "密码", "1234 ", "123-45-6789 ", "DE89", "http://a:", "PIN ",  # noqa: E501
    "your code is ", "seed phrase is abc ", "[password masked by Satchel] ",
    "sk_test_", "sk_test_a-", "aws_secret_access_key", "aws_secret_access_key= ", "aws_secret_access_key=a",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_masking_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = "aws eyJ _authToken sk- " + (unit * (size // len(unit) + 1))[:size]
        began = time.process_time()
        redact(text)
        return time.process_time() - began

    redact("aws")
    assert seconds(240_000) < 24 * max(seconds(30_000), 0.02)


def test_nine_megabytes_made_to_be_slow_pass_in_seconds() -> None:
    unit = "eyJsk-aws-----BEGIN PRIVATE KEY-----//M"
    text = unit * (9_000_000 // len(unit))
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 30
