"""Short numbers that only the words beside them give away: one-time codes, PINs, a card's security code, accounts.

A word, what links it to its number ("is", ":", "lautet", "是"), and the number: nothing else may stand between them but
what the word is for ("my PIN for the bank is 4821"). English, German, French, Spanish, Portuguese and Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from satchel.capture.secret import Secret

FOR = (
    r"(?:[ \t](?:for|of|on|to|at|from|in|für|fürs|vom|von|zum|zur|bei|der|des|meiner|meines|pour|de|du|del|para|da|do"
    r"|em|no|na)(?:[ \t][^\s:=：\[\]]{1,40}+){1,5}?)?"
)
"""What a secret is for: at most five words after the first."""
IS = r"(?:is|was|are|=|ist|war|lautet|heißt|est|c'est|c’est|es|era|é|foi|being|now)"
_LINK = (
    rf"(?:[ \t]{{0,3}}\([^()\n\[\]]{{1,30}}\))?[*_`\"']{{0,3}}(?:[ \t]{{0,3}}(?:[:：=]|->|→|是|为|為|就是)"
    rf"|[ \t]{{1,3}}{IS}(?=[ \t:]))"
    r"{1,2}[ \t]{0,3}(?:(?:now|still|jetzt|also|just)[ \t])?[*_`\"'“„«]{0,3}"
)
_NEXT = r"(?:[ \t]{0,3}[:：=#*_`\"'“„«]{0,3}[ \t]{0,3})"
"""What may stand between a word that leaves no doubt and its number."""
_START = r"(?<![A-Za-z0-9_])"
_END = r"(?![\dA-Za-z_])(?![.,:/-]\d)"
UNITS = re.compile(
    r"[ \t]{0,2}[-‐‑]?[ \t]{0,2}(?:[%€$£]|(?:char|digit|letter|word|symbol|bit|byte|line|loc|row|file|page|day"
    r"|week|month|year"
    r"|hour|minute|second|time|attempt|percent|long\b|or more|people|user|token|step|point|eur|usd|dollar|[ck]?m\b"
    r"|kb|mb|gb"
    r"|zeichen|stellen|ziffern|buchstaben|wörter|zeilen|tage|jahre|caract|chiffre|lettre|mots|lignes|jours|dígito|letra"
    r"|palabra|palavra|linha|línea|día|años|anos))|[位个個字行天年次元]",
    re.IGNORECASE,
)
"""What makes of a number before it a length, a count or a date."""


class _Rule(NamedTuple):
    name: str
    pattern: re.Pattern[str]


def _rule(name: str, words: str, value: str, *, between: str = _LINK) -> _Rule:
    return _Rule(name, re.compile(rf"{_START}(?:{words}){FOR}{between}(?P<value>{value}){_END}", re.IGNORECASE))


_OTP = "one-time code"
_SENT = (
    r"verification|security|log-?in|log-in|sign-?in|confirmation|authenticat(?:ion|or)|auth|2fa|mfa|two[- ]factor"
    r"|2[- ]step"
    r"|two[- ]step|one[- ]time|single[- ]use|otp|sms|activation|passkey|backup|recovery"
)
_OTP_WORDS = (
    rf"(?:{_SENT})(?: (?:{_SENT}|access))?[ -](?:code|pin|token|passcode|password)|otp|totp"
    r"|(?:bestätigungs|sicherheits|verifizierungs|verifikations|anmelde|login|freigabe|aktivierungs|einmal|prüf)-?code"
    r"|einmalpasswort|einmalkennwort|(?-i:(?:m|sms|push|photo|chip)?-?TAN)"
    r"|code (?:de (?:vérification|sécurité|connexion|confirmation|validation)|à usage unique|d['’]authentification|sms)"
    r"|c[oó]digo (?:de (?:verificaci[oó]n|seguridad|acceso|confirmaci[oó]n|autenticaci[oó]n|un solo uso)"
    r"|de (?:verificação|segurança|acesso|confirmação|autenticação))|验证码|驗證碼|动态码|動態碼|校验码"
    r"|一次性密码|动态密码"
)
_DIGITS = r"(?:[A-Z]-)?\d{3}[ -]\d{3}|(?:[A-Z]-)?\d{4,8}"
_LETTERED = r"(?-i:(?=[A-Z-]*\d)[A-Z0-9]{4,6}-[A-Z0-9]{4,6}|(?=[A-Z]*\d)[A-Z0-9]{6,10})"
_DOOR = (
    r"(?:door|gate|alarm|entry|safe|vault|garage|lock|lockbox|key ?safe|unlock|access|building|front door|sim|phone)"
)
_PIN_WORDS = (
    r"pins?|(?:card|bank|sim|phone|atm|debit|credit)[ -]?pin(?:[ -]?(?:code|number))?|pin[ -]?(?:number|nummer|码"
    r"|碼)|pin-code"
    rf"|{_DOOR}[ -](?:code|combination|pin)|geheimzahl|(?:tür|alarm|tor|haus|safe|tresor|zugangs)-?code"
    r"|code (?:pin|secret|confidentiel|d['’](?:entrée|accès)|de la porte|de l['’]alarme)"
    r"|c[oó]digo (?:pin|secreto|de la (?:puerta|alarma)|da porta|do alarme)|取款密码|支付密码"
    r"|门禁密码|门锁密码|开锁密码"
)
_CVV_WORDS = (
    r"cvv2?|cvc2?|cvn2?|(?:card )?security (?:code|number)|card verification (?:code|number|value)|kartenprüfnummer"
    r"|kartenprüfziffer|prüfnummer|sicherheitscode|cryptogramme(?: visuel)?|code de sécurité|c[oó]digo de seguridad"
    r"|código de segurança|(?:three|3|four|4) digits on the (?:back|front)(?: of (?:the|my) card)?|安全码"
)
_ACCOUNT_WORDS = (
    r"(?:bank |checking |savings |current |giro ?)?(?:account|acct|a/c)\.? ?(?:number|no\.?|num\.?|nr\.?|#)"
    r"|konto-?(?:nummer|nr\.?)|(?:num[eé]ro|n°) de compte"
    r"|n[uú]mero de cuenta|n[uú]mero da conta"
    r"|银行账号|银行账户|银行卡号|账户号码|银行帐号|卡号"
)
_ACCOUNT = r"\d(?:[ -]?\d){5,16}"
_KIND_OF_ACCOUNT = (
    r"(?:bank|checking|savings|current|chequing) (?:account|acct)|conta (?:corrente|bancária|poupança)"
    r"|cuenta (?:corriente|bancaria|de ahorros)"
)
_RULES = (
    _rule(_OTP, r"(?:backup|recovery|2fa|mfa|verification|one[- ]time)[ -]code", _LETTERED),
    _rule(_OTP, _OTP_WORDS, _DIGITS),
    _rule(_OTP, _OTP_WORDS, _DIGITS, between=_NEXT),
    _rule(_OTP, r"(?:your|ihr|dein|votre|ton|tu|su|seu|o seu)(?: (?-i:(?!Error|Postal|Promo|Area|Discount|Zip)[A-Z]\w{1,20}))?"  # noqa: E501
                r" (?:access |login )?(?:code|código|codigo)", _DIGITS),
    _rule(_OTP, r"(?:my|the|mein|der|mon|le|mi|el|meu) (?:sms )?(?:code|código)(?: (?:i got|they sent|from the sms))?",
          r"\d{6}|\d{3}[ -]\d{3}"),
    _rule("card security code", _CVV_WORDS, r"\d{3,4}"),
    _rule("card security code", r"cvv2?|cvc2?|kartenprüf(?:nummer|ziffer)|安全码", r"\d{3,4}", between=_NEXT),
    _rule("PIN", _PIN_WORDS, r"\d{4,8}|\d\d \d\d"),
    _rule("PIN", r"(?-i:PIN)(?: code)?|geheimzahl|(?:my|meine?|mon|ma|mi|meu) pin(?: code)?", r"\d{4}", between=_NEXT),
    _rule("PIN", r"(?:my|meine?|card|sim|bank|mon|mi|meu) pin[ -]?code", r"\d{4,8}"),
    _rule("PIN", r"pin[ -]?code", r"\d{4}"),
    _rule("sort code", r"sort[ -]?code", r"\d\d[- ]?\d\d[- ]?\d\d", between=f"(?:{_LINK}|{_NEXT})"),
    _rule("account number", _ACCOUNT_WORDS, _ACCOUNT, between=f"(?:{_LINK}|{_NEXT})"),
    _rule("account number", _KIND_OF_ACCOUNT, r"\d(?:[ -]?\d){7,16}", between=f"(?:{_LINK}|{_NEXT})"),
)  # fmt: skip
_ROUTING = _rule("routing number", r"routing(?: (?:and transit )?(?:number|no\.?|num\.?|#|code))?|aba(?: routing)?(?: number)?|rtn",  # noqa: E501
                 r"\d{9}", between=f"(?:{_LINK}|{_NEXT})")  # fmt: skip
_BESIDE_BANK = _rule("account number", r"account|acct|acc|a/c", r"\d(?:[ -]?\d){6,11}", between=f"(?:{_LINK}|{_NEXT})")
_BANK_WORDS = re.compile(r"sort[ -]?code|routing|\baba\b", re.IGNORECASE)
_NEAR = 120
"""Characters between a bank's number and the account at it."""

# The number first, as messages of services have it: "482913 is your Google verification code".
_FIRST = re.compile(
    rf"{_START}(?P<value>{_DIGITS})[\"'*`]{{0,3}} (?:is|ist|est|es|é|as|als|comme|como)(?: (?:your|my|the|a|ihr"
    rf"|dein|mein|votre|tu|su|seu|o|le"
    rf"|el|our))(?: [^\s\[\]]{{1,20}}){{0,3}}? (?:{_OTP_WORDS}|code|código|(?-i:PIN))(?![\w-])",
    re.IGNORECASE,
)
_FIRST_CHINESE = re.compile(
    r"(?<!\d)(?P<value>\d{4,8})[ ]?[(（]?(?:是|为)?[^\s\d\[\]。]{0,8}(?:验证码|驗證碼|动态码|校验码)"
)
_PHRASE = re.compile(
    rf"{_START}(?:(?:seed|recovery|mnemonic|backup)[ -](?:phrase|words)){FOR}{_LINK}"
    r"(?P<value>(?:(?:\d{1,2}[.)] ?)?[a-z]{3,8}[ ,\n]{1,2}){11,23}(?:\d{1,2}[.)] ?)?[a-z]{3,8})(?![a-z])",
    re.IGNORECASE,
)

_HINTS = (
    "code", "código", "codigo", "pin", "cvv", "cvc", "cvn", "otp", "tan", "digits on", "account", "acct", "acc", "a/c", "konto",  # noqa: E501
    "compte", "cuenta", "conta", "routing", "aba", "rtn", "geheimzahl", "prüf", "einmal", "cryptogramme", "combination",
    "password", "passcode", "token", "phrase", "words", "码", "碼", "账", "帐", "卡号",
)  # fmt: skip
"""One of these stands in every text with a number that is found: plain searches that spare most texts the patterns."""


def find(text: str) -> Iterator[Secret]:
    """The numbers in `text` that a word beside them makes a secret. Linear: what stands between is bounded."""
    lower = text.lower()
    if (not re.search(r"\d", text) and "phrase" not in lower) or not any(hint in lower for hint in _HINTS):
        return
    for rule in _RULES:
        yield from _found(text, rule)
    yield from _found(text, _Rule(_OTP, _FIRST))
    yield from _found(text, _Rule(_OTP, _FIRST_CHINESE))
    yield from _found(text, _Rule("recovery phrase", _PHRASE))
    if _BANK_WORDS.search(text):
        yield from _at_a_bank(text)


def _found(text: str, rule: _Rule) -> Iterator[Secret]:
    for found in rule.pattern.finditer(text):
        if not UNITS.match(text, found.end("value")):
            yield Secret(*found.span("value"), rule.name)


def _at_a_bank(text: str) -> Iterator[Secret]:
    from stdnum.us import rtn

    for secret in _found(text, _ROUTING):
        if rtn.is_valid("".join(str(int(c)) for c in text[secret.start : secret.end])):
            yield secret
    for secret in _found(text, _BESIDE_BANK):
        if _BANK_WORDS.search(text, max(0, secret.start - _NEAR), secret.end + _NEAR):
            yield secret
