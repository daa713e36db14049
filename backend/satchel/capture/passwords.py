"""Passwords, as people tell them and as files hold them: after a word for one, before it, or in an address.

The word alone decides nothing, for most who write it write about it: "I forgot my password", `password = getpass()`.
So what follows must look like a password: quoted, or with a digit or a sign within, or a plain word that ends its
clause and is none of those that passwords are said to be. detect-secrets' keyword rules take whatever follows to the
end of the line, its rule for addresses takes examples too; so neither is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from satchel.capture.codes import FOR, IS, UNITS
from satchel.capture.secret import Secret

_NAME = "password"
_WINDOW = 600
"""Characters after a word for a password within which the password ends."""

_WORD = re.compile(
    r"(?P<long>pass-?words?|passwd|pass-?phrases?|pass-?codes?|passw[oö]rt(?:er)?|passwörter|kennw[oö]rt(?:er)?"
    r"|losungswort"
    r"|mots? de passe|contraseñas?|contrasenas?|palavras?-passe|密码|密碼|口令"
    r"|(?:wi-?fi|wlan|wpa2?|network|netzwerk)[ -]?(?:key|pass(?![a-z-])|code|schlüssel)|cl[ée] (?:du )?wi-?fi"
    r"|clave (?:del? )?(?:wi-?fi|acceso|la red)|identified by|sshpass -p)"
    r"|(?<![A-Za-z0-9])(?P<short>pw|pwd|mdp|senhas?|(?P<pass>pass))(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_HINTS = (
    "pass", "pw", "kennw", "losung", "mdp", "contras", "senha", "clave", "clé", "cle", "密", "口令", "wifi", "wi-fi", "wlan",  # noqa: E501
    "wpa", "network", "netzwerk", "identified by",
)  # fmt: skip
"""One of these stands in every text with a word for a password: plain searches that spare most texts the patterns."""
_MASK = re.compile(r"\[[A-Za-z0-9 -]{1,60} masked by Satchel\]")

_QUOTED = r"(?P<q>[\"'`“„«‹「『])(?P<quoted>[^\n\"'`“”„«»‹›「」『』]{1,200})[\"'`“”»›」』]"
_BARE = r"(?P<bare>[^\s\"'`“”„«»<>，。；、！？「」]{1,200}+)"
_VALUE = f"(?:{_QUOTED}|{_BARE})"
_LATIN_VALUE = r"(?P<bare>[!#-&(-;=?-_a-~]{1,200}+)"
"""Chinese goes on without a space."""

_ASSIGNED = re.compile(
    r"(?:[\"'`\]]|\\\"){0,2}(?:[ \t]?\([^()\n\[\]]{1,30}\))?[ \t]{0,8}[*_]{0,2}"
    r"(?P<sign>:=|=>|={1,3}|->|→|[:：](?:[ \t]?[A-Za-z_][\w.\[\]"
    r"| ]{0,30}[ \t]?=(?!=))?)(?P<space>[ \t]{0,8})[*_]{0,2}[ \t]{0,2}\\?" + _VALUE
)
_SAID = re.compile(
    rf"{FOR}(?:[ \t]?\([^()\n\[\]]{{1,30}}\))?[ \t]{{1,3}}{IS}[ \t]{{0,2}}[:：]?[ \t]{{1,3}}"
    rf"(?:(?:now|still|just|simply|currently|jetzt|also|immer noch)[ \t]{{1,2}})?{_VALUE}",
    re.IGNORECASE,
)
_SAID_FOR = re.compile(rf"{FOR}[ \t]{{0,2}}[:：=][ \t]{{0,3}}{_VALUE}", re.IGNORECASE)
_SET = re.compile(rf"{FOR}[ \t]{{1,3}}(?:to|auf|en|à|a|para)[ \t]{{1,3}}(?:be[ \t]{{1,2}})?{_VALUE}", re.IGNORECASE)
_CHINESE = re.compile(
    rf"(?:现在|目前|还)?[ ]?(?:是|为|為|就是|改成|改为|设为|[:：=])?[ ]?[:：]?[ ]?(?:{_QUOTED}|{_LATIN_VALUE})"
)
_DIRECT = re.compile(rf"[ \t]{{1,3}}{_VALUE}")
# The password first: "hunter2 is my wifi password", "log in with hunter2 as the password".
_FIRST = re.compile(
    rf"(?:{_QUOTED}|(?<!\S)(?P<bare>[^\s\"'`“”„«»<>\[\]]{{4,64}}+))[ \t]{{1,2}}(?:is|ist|est|es|é|as|als|comme"
    rf"|como)[ \t]{{1,2}}"
    r"(?:(?:my|the|our|a|your|mein|das|unser|dein|le|mon|notre|la|mi|nuestra|a|minha|nossa)[ \t]{1,2})?"
    r"(?:[^\s:=.,;!?\[\]]{1,20}[ \t-]{1,2}){0,3}[^\s:=.,;!?\[\]]{0,12}$",
    re.IGNORECASE,
)
_BEFORE = 140

_STRIP = ".,:?)]}>\"'…*"
_CLAUSE_ENDS = re.compile(
    r"[\"'`”»*_]{0,3}[ \t]{0,2}(?:$|[\n.,;!?)/|<]|(?:and|und|et|y|e|but|aber|or|btw|user|login|-|–|—|\()(?![A-Za-z]))",
    re.IGNORECASE,
)

# What passwords are said to be, have or need; and what stands in their place where none is shown.
_ABOUT_WORDS = """
    a an the my your his her its our their this that these those it not never no none nothing one some any all
    both each same always often usually probably maybe only also too very so quite really still already again
    almost just now here there what which who where when why how if then than as at in on of to for from by with
    without about into over under or and but is are was were be been being has have had do does did can could must
    should shall will would may might wrong incorrect correct right valid invalid empty blank weak strong secure
    insecure safe unsafe long short longer shorter stronger weaker secret private public hidden visible plain
    plaintext clear cleartext encrypted hashed salted masked stored saved kept sent set reset changed updated
    unique different similar identical new old fine ok okay good bad great terrible awful easy hard simple complex
    random known unknown unavailable forgotten lost gone missing required optional needed necessary mandatory
    expired expiring compromised leaked stolen hacked breached rejected accepted ignored shared reused guessable
    predictable trivial default admin written typed entered displayed shown generated created provided given case
    sensitive null nil undefined true false yes string str text bytes int char object boolean input value field
    fields type label placeholder please enter choose click see below above attached soon later tomorrow today
    authentication authenticated protected protection manager policy policies prompt recovery hint hints strength
    rotation rules length list lists box dialog form page screen hash hashes hashing salt file files database
    login dump entropy generator checker confirmation change changes complexity requirement requirements attempt
    attempts vault vaults falsch richtig leer sicher unsicher weg kurz lang abgelaufen geändert vergessen bekannt
    geheim nicht kein keine zu sehr immer noch nur neu alt gleich anders schwach stark gespeichert gesperrt
    ungültig gültig mir dir hier dort der die das ein eine einen dem den und oder wie folgt unklar egal nötig
    erforderlich verloren notiert verschlüsselt faux oublié perdu expiré trop très le la les un une des pas plus
    dans sur pour avec sans que qui quoi fort faible court vide ici nécessaire requis obligatoire changé modifié
    stocké enregistré invalide valide incorrecta correcta olvidada perdida muy demasiado el los las una en con sin
    es está débil fuerte segura insegura corta larga vacía aquí necesaria obligatoria caducada cambiada guardada
    inválida válida secreta errada certa esquecida muito fraca forte curta longa vazia aqui necessária obrigatória
    expirada alterada salva não um uma com sem github gitlab lastpass keepass keepassxc bitwarden icloud onedrive
    javascript typescript youtube linkedin whatsapp paypal bcrypt scrypt argon postgres postgresql mysql mongodb
    redis ldap oauth saml kerberos totp webauthn
"""
_ABOUT = frozenset(_ABOUT_WORDS.split())
_PARTICIPLE = re.compile(
    r"(?:.{3,}(?:ed|ing|able|ible|ly|ive|ful|less|ous)|ge.{3,}t|ver.{4,}t|.{4,}(?:ada|ado|ida|ido|iert|lich|bar"
    r"|ées?|ement))",
    re.IGNORECASE,
)
_TECHNICAL = re.compile(
    r"(?:sha-?\d+|md\d|base-?\d+|utf-?\d+|argon2\w*|pbkdf2|oauth-?2?|[bs]crypt\w*|aes-?\d*\w*|rsa-?\d*|http[s2]?"
    r"|ipv\d|v\d+(?:\.\d+)*|x\.?509|[234]fa"
    r"|web3|pkcs\d*|p12|win(?:dows)?\d+|wpa\d|m365|o365|\d+x|\d+(?:st|nd|rd|th)|\d+%|1password|\d+\+?-?(?:chars?"
    r"|characters?|digits?|letters?|bits?"
    r"|zeichen|stellig\w*|min|h|hrs?|days?|d|s|ms|kb|mb|years?|y))[-\w]*", re.IGNORECASE
)  # fmt: skip
_OWNER = r"(?:your|my|new|old|the|some|a|any|dein|mein|ihr|votre|mon|ton|tu|mi|su|seu|sua|minha|current|confirm|repeat|hashed|plain|test)"  # noqa: E501
_PLACEHOLDER = re.compile(
    r"[*•·xX.…_?#=-]+|<.*|\$.*|\{.*|%[A-Za-z_({%].*|&&.*|\|\|.*|\[.*|\(.*|https?:.*|[A-Za-z_][\w.]*\(.*"
    r"|[A-Za-z_]\w*\[.*|\w+::.*|-{1,2}[a-z].*"
    rf"|(?:{_OWNER}[ _-]?){{0,2}}(?:user|db|admin|root|super|secret|strong|secure|own|wifi|login|hash|raw)?[ _-]?"
    r"(?:pass-?words?|passwort|passwd|passphrase|pwd|pass|pw|kennwort|contraseñas?|senhas?|mots?[ _-]de[ _-]passe"
    r"|mdp|secret|密码)"
    r"[ _-]?(?:here|hier|hash|field|input|value|ici|aqu[ií]|\d)?"
    r"|(?:Secret|Secure|Optional|Nullable)\w*|var(?:char|binary)\W?\d*|\w*(?:REPLACE|CHANGE|INSERT)_?ME\w*", re.IGNORECASE  # noqa: E501
)  # fmt: skip
_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*(?:\??\.[A-Za-z_]\w*)+[;,)]*")
_CAMEL = re.compile(r"[a-z]+(?:[A-Z][a-z]+)+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z_]*")
_PATH = re.compile(r"[~.]{0,2}/|[A-Za-z]:\\")

# The rest of what a line of configuration or an address holds.
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@\"'<>\[\]]{0,100}:(?P<value>[^\s/\"'<>\[\]]{1,200})@(?=[A-Za-z0-9_\[$%{.-])"
)
_AUTHORIZATION = re.compile(
    r"authorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?:basic|bearer"
    r"|token)[ \t]{1,3}(?P<value>[A-Za-z0-9._~+/=-]{12,2000}+)",
    re.IGNORECASE,
)
_WIFI_CODE = re.compile(
    r"WIFI:(?:[A-Z0-9]{1,3}:[^;\n\[\]]{0,64}+;){0,6}?P:(?P<value>(?:\\.|[^;\\\n\[\]]){1,63})", re.IGNORECASE
)


def find(text: str) -> Iterator[Secret]:
    """The passwords in `text`. Linear: around each word for one a bounded stretch is looked at."""
    lower = text.lower()
    if "://" in lower:
        for found in _ADDRESS.finditer(text):
            value = found["value"]
            if not _PLACEHOLDER.fullmatch(value):
                yield Secret(*found.span("value"), _NAME)
    if "authorization" in lower:
        for found in _AUTHORIZATION.finditer(text):
            yield Secret(*found.span("value"), "authorization")
    if "wifi:" in lower:
        for found in _WIFI_CODE.finditer(text):
            yield Secret(*found.span("value"), _NAME)
    if not any(hint in lower for hint in _HINTS):
        return
    for word in _WORD.finditer(text):
        if text.startswith(" masked by Satchel]", word.end()):
            continue
        secret = _after(text, word) or _before(text, word)
        if secret is not None:
            yield secret


def _after(text: str, word: re.Match[str]) -> Secret | None:
    at = word.end()
    limit = at + _WINDOW
    if text[at - 1] > "\u2e80":
        found = _CHINESE.match(text, at, limit)
        return _judged(text, found, linked=found[0][:1] not in "!-~") if found else None
    if re.match(r"[A-Za-z0-9]|[_-][A-Za-z]", text[at : at + 2]):
        return None  # a name of something else: password_hash, password-reset, passwordless
    if found := _ASSIGNED.match(text, at, limit):
        return _assigned(text, word, found)
    if word["pass"]:
        return None
    for pattern in (_SAID, _SAID_FOR):
        if (found := pattern.match(text, at, limit)) and (secret := _judged(text, found, linked=True)):
            return secret
    for pattern in (_SET, _DIRECT):
        if (found := pattern.match(text, at, limit)) and (secret := _judged(text, found, linked=False)):
            return secret
    return None


def _before(text: str, word: re.Match[str]) -> Secret | None:
    found = _FIRST.search(text, max(0, word.start() - _BEFORE), word.start())
    if found is None or word["pass"]:
        return None
    if found["quoted"] is None and not _looks_random(found["bare"].rstrip(_STRIP)):
        return None
    return _judged(text, found, linked=False)


def _assigned(text: str, word: re.Match[str], found: re.Match[str]) -> Secret | None:
    value = found["bare"]
    if value is None:
        return _judged(text, found, linked=True)
    if word["short"] and _PATH.match(value):
        return None  # PWD is also where a shell is
    sign, spaced = found["sign"], bool(found["space"])
    if "=" in sign:
        # Another setting follows in an address, a connection string, a list of arguments.
        value = re.split(r"[;&,]" if not spaced else r"[;,]", value, maxsplit=1)[0] or value
    if ")" in value and "(" not in value:
        value = value.split(")", 1)[0]
    core = value.rstrip(_STRIP + ";")
    if _ATTRIBUTE.fullmatch(value) or _CAMEL.fullmatch(core):
        return None
    shouted = word[0].isupper() and "=" in sign and not spaced
    if (shouted or _in_a_row(text, found)) and len(core) > 2 and not _is_no_password(core):
        return Secret(found.start("bare"), found.start("bare") + len(core), _NAME)
    if "=" in sign and _IDENTIFIER.fullmatch(core):
        return None  # a variable
    if word["pass"] and (not _looks_random(core) or _is_a_ticket(text, word)):
        return None
    return _judged(text, found, linked=True, end=found.start("bare") + len(value))


def _in_a_row(text: str, found: re.Match[str]) -> bool:
    """Whether it is a part of a connection string: `Server=db;User Id=sa;Password=x;`."""
    return (
        "=" in found["sign"]
        and not found["space"]
        and bool(re.search(r"\w=[^;\s]{1,80};[\w ]{0,20}$", text[max(0, found.start() - 120) : found.start()]))
    )


def _is_a_ticket(text: str, word: re.Match[str]) -> bool:
    before = text[max(0, word.start() - 12) : word.start()].lower()
    return bool(re.search(r"(?:boarding|ski|bus|day|season|first|second|press|hall|by)[ -]$", before))


def _judged(text: str, found: re.Match[str], *, linked: bool, end: int | None = None) -> Secret | None:
    """The password that `found` holds, if it looks like one. `linked`: something says that the value is one."""
    quoted = found["quoted"]
    if quoted is not None:
        words = quoted.split()
        if not words or _is_no_password(quoted) or (not linked and not _looks_random(quoted)):
            return None
        if len(words) > 1 and any(word.lower().strip(_STRIP) in _ABOUT for word in words):
            return None  # a message about passwords
        return Secret(*found.span("quoted"), _NAME)
    start, end = found.start("bare"), end or found.end("bare")
    value = text[start:end]
    value = value.split(";", 1)[0]
    core = value.rstrip(_STRIP)
    inner = core.rstrip("!")
    if _MASK.match(text, start) or len(inner) < 4 or _is_no_password(inner) or _is_no_password(core):
        return None
    after = start + len(core)
    if inner.isdecimal():
        return Secret(start, after, _NAME) if linked and not UNITS.match(text, after) else None
    if _looks_random(inner) and not (not linked and re.search(r"[=:(){}<>/\\|]", inner)):
        return Secret(start, after, _NAME)
    if not linked or not inner.isalpha():
        return None
    return _plain_words(text, start, after)


def _plain_words(text: str, start: int, end: int) -> Secret | None:
    """A word, or several, without anything that marks a password: only if they are all that is said."""
    word = text[start:end].rstrip("!")
    if not _PARTICIPLE.fullmatch(word) and _CLAUSE_ENDS.match(text, start + len(word)):
        return Secret(start, end, _NAME)
    phrase = re.compile(r"[a-z]{3,12}(?: [a-z]{3,12}){2,7}(?=[ \t]{0,2}(?:$|[\n.]))").match(text, start)
    if phrase and not any(part in _ABOUT or _PARTICIPLE.fullmatch(part) for part in phrase[0].split()):
        return Secret(*phrase.span(), _NAME)
    return None


def _is_no_password(value: str) -> bool:
    bare = value.strip(_STRIP + "!")
    return (
        not bare
        or bare.lower() in _ABOUT
        or bool(_TECHNICAL.fullmatch(bare))
        or bool(_PLACEHOLDER.fullmatch(value) or _PLACEHOLDER.fullmatch(bare))
    )


def _looks_random(value: str) -> bool:
    """Whether it has what people put into passwords, and seldom into words: a digit, a sign, a capital within."""
    letters = any(c.isalpha() for c in value)
    digits = any(c.isdecimal() for c in value)
    signs = any(c in "!@#$%^&*+=?_~" for c in value)
    capitals = re.search(r"[a-zäöü][A-Z]", value) is not None
    return letters and (digits or signs or capitals) and not (_PATH.match(value) and not signs)
