"""Numbers that give themselves away by their check digits: payment cards, IBANs, national ids.

The checks are python-stdnum's. A check digit alone passes one number in ten, so a card must also begin as an issuer's
do, or stand beside a word for it; and what is plainly an order's or a parcel's number is left alone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from satchel.capture.secret import Secret

_SPACE = r"[ \u00a0\u2007\u2009\u202f]"
_GAP = r"[ \u00a0\u2007\u2009\u202f.\u2010-\u2013-]"
# Chinese leaves no space around a number, so a boundary is the lack of these only.
_BEFORE = r"(?<![\dA-Za-z_])"
_AFTER = r"(?![\dA-Za-z_])"

_CARD = re.compile(
    rf"{_BEFORE}(?<!\d\.)(?<!\+)(?:\d{{4}}(?:{_GAP}\d{{4}}){{3}}(?P<rest>{_GAP}\d{{1,3}}{_AFTER})?"
    rf"|\d{{4}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}|\d{{4}}(?:{_GAP}\d{{4}}){{2}}{_GAP}\d{{1,2}}|\d{{13,19}}){_AFTER}(?!\.\d)"
)
# Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, RuPay, Maestro, Mir, Troy, Hipercard and Elo;
# thirteen digits, and nineteen in one piece, are as often an id of something else.
_ISSUERS = re.compile(
    r"4\d{15}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}"
    r"|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}|8[12]\d{14}"
    r"|(?:5018|5020|5038|5[678]\d\d|6304|6759|676[1-3])\d{12}|220[0-4]\d{12}|9792\d{12}|(?:6062|6363|5067|4576)\d{12}"
)
_CARD_WORDS = re.compile(
    r"card\b|credit|debit|visa|maestro|amex|karte|carte\b|cb\b|tarjeta|cart[aã]o|卡", re.IGNORECASE
)
_OTHER_WORDS = re.compile(
    r"(?<![A-Za-z])(?:order|tracking|parcel|shipment|invoice|ticket|reference|ref|booking|serial|imei|isbn|ean"
    r"|gtin|model|item|case"
    r"|bestell\w*|sendung\w*|rechnung\w*|auftrag\w*|serien\w*|commande|colis|facture|suivi|pedido|factura|rastreo"
    r"|rastreio|fatura|phone|tel|订单|单号|编号|ids?)(?:[^\d\n]{0,15})$",
    re.IGNORECASE,
)
_NEAR = 40
"""Characters before a number in which a word says what it is."""

_IBAN = re.compile(rf"{_BEFORE}[A-Za-z]{{2}}\d{{2}}(?=(?:{_GAP}?[A-Za-z0-9]){{11}})")


class _Id(NamedTuple):
    """`module` of python-stdnum checks what `pattern` finds; `words`, if any, must stand before it."""

    module: str
    name: str
    pattern: re.Pattern[str]
    words: re.Pattern[str] | None = None


def _words(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{words})[^\d\n]{{0,25}}$", re.IGNORECASE)


_SSN = "social security number"
_IDS = (
    _Id("us.ssn", _SSN, re.compile(rf"{_BEFORE}(?<!-)\d{{3}}[-\u2010-\u2013]\d{{2}}[-\u2010-\u2013]\d{{4}}{_AFTER}(?!-)")),  # noqa: E501
    _Id("us.ssn", _SSN, re.compile(rf"{_BEFORE}\d{{3}}{_SPACE}?\d{{2}}{_SPACE}?\d{{4}}{_AFTER}"), _words(r"\bssn|social security")),  # noqa: E501
    _Id("br.cpf", "national id number", re.compile(rf"{_BEFORE}\d{{3}}\.\d{{3}}\.\d{{3}}-\d{{2}}{_AFTER}")),
    _Id("br.cpf", "national id number", re.compile(rf"{_BEFORE}\d{{11}}{_AFTER}"), _words(r"\bcpf")),
    _Id("cn.ric", "national id number", re.compile(rf"{_BEFORE}[1-9]\d{{16}}[\dXx]{_AFTER}")),
    _Id("fr.nir", "national id number", re.compile(
        rf"{_BEFORE}[12]{_SPACE}?\d\d{_SPACE}?(?:0[1-9]|1[0-2]){_SPACE}?(?:\d\d"
        rf"|2[ABab]){_SPACE}?\d{{3}}{_SPACE}?\d{{3}}"
        rf"{_SPACE}?\d\d{_AFTER}")),
    _Id("es.dni", "national id number", re.compile(rf"{_BEFORE}\d{{8}}[ -]?[A-Za-z]{_AFTER}"), _words(r"\bdni|\bnif")),
    _Id("es.nie", "national id number", re.compile(rf"{_BEFORE}[XYZxyz][ -]?\d{{7}}[ -]?[A-Za-z]{_AFTER}"), _words(r"\bnie")),  # noqa: E501
    _Id("de.idnr", "national id number", re.compile(rf"{_BEFORE}\d{{2}}(?:{_SPACE}?\d{{3}}){{3}}{_AFTER}"), _words(r"steuer\w*|\btax id|idnr")),  # noqa: E501
    _Id("pt.nif", "national id number", re.compile(rf"{_BEFORE}\d{{3}}{_SPACE}?\d{{3}}{_SPACE}?\d{{3}}{_AFTER}"), _words(r"\bnif|contribuinte")),  # noqa: E501
    _Id("gb.nhs", "national id number", re.compile(rf"{_BEFORE}\d{{3}}[ -]?\d{{3}}[ -]?\d{{4}}{_AFTER}"), _words(r"\bnhs")),  # noqa: E501
    _Id("", "national id number", re.compile(rf"{_BEFORE}[A-Za-z]{{2}}(?: ?\d\d){{3}} ?[A-Da-d]{_AFTER}"), _words(r"national insurance|\bnino|\bni n(?:umber|o)")),  # noqa: E501
    _Id("", "passport number", re.compile(rf"{_BEFORE}(?=(?:[A-Za-z]*\d){{3}})[A-Za-z0-9]{{7,9}}{_AFTER}"), _words(r"(?:passport|reisepass) ?(?:number|no\.?|nr\.?|nummer|#)|reisepassnummer|passeport n°|n[uú]mero de passap?orte?|护照号码?")),  # noqa: E501
)  # fmt: skip


def find(text: str) -> Iterator[Secret]:
    """The numbers in `text` that are nobody's business. Linear: each is looked at over a bounded length."""
    if not re.search(r"\d[^\n]{0,8}\d", text):
        return
    yield from _ibans(text)
    yield from _cards(text)
    yield from _national_ids(text)


def _cards(text: str) -> Iterator[Secret]:
    from stdnum import luhn

    at = 0
    while found := _CARD.search(text, at):
        start, end = found.span()
        at = end
        if not _is_card(text, start, end, luhn.is_valid):
            end = start if found["rest"] is None else found.start("rest")
            if start == end or not _is_card(text, start, end, luhn.is_valid):
                at = start + 4  # the next may begin within this one's groups
                continue
        yield Secret(start, end, "card number")


def _is_card(text: str, start: int, end: int, valid: Callable[[str], bool]) -> bool:
    number = re.sub(r"\D", "", _ascii(text[start:end]))
    if len(set(number)) == 1 or not valid(number):
        return False
    before = text[max(0, start - _NEAR) : start]
    if _CARD_WORDS.search(before):
        return True
    # A number in one piece may be anybody's id.
    bare = len(number) == end - start
    return bool(_ISSUERS.fullmatch(number)) and not (bare and (_OTHER_WORDS.search(before) or _in_address(text, start)))


def _in_address(text: str, start: int) -> bool:
    word = text[max(0, start - 200) : start].split()
    return bool(word) and not text[start - 1].isspace() and "://" in word[-1]


def _ibans(text: str) -> Iterator[Secret]:
    from stdnum import iban

    for found in _IBAN.finditer(text):
        length = _iban_length(found[0][:2].upper())
        if not length:
            continue
        run = re.compile(rf"[A-Za-z0-9]{{4}}(?:{_GAP}?[A-Za-z0-9]){{{length - 4}}}{_AFTER}").match(text, found.start())
        if run and iban.is_valid(_ascii(re.sub(_GAP, "", run[0])), check_country=False):
            yield Secret(*run.span(), "IBAN")


@functools.cache
def _iban_length(country: str) -> int:
    """How long a country's numbers are, as the registry that python-stdnum carries has it; 0: it has none."""
    from stdnum import numdb

    known = numdb.get("iban").info(country)[0][1]
    return 4 + sum(map(int, re.findall(r"(\d+)!", known["bban"]))) if "bban" in known else 0


def _national_ids(text: str) -> Iterator[Secret]:
    for one in _IDS:
        for found in one.pattern.finditer(text):
            before = text[max(0, found.start() - 2 * _NEAR) : found.start()]
            if one.words is not None and not one.words.search(before):
                continue
            if one.words is None and _OTHER_WORDS.search(before[-_NEAR:]):
                continue
            if not one.module or _check(one.module)(_ascii(re.sub(r"\s", "", found[0]))):
                yield Secret(*found.span(), one.name)


def _ascii(number: str) -> str:
    """With the digits of other scripts, full-width ones for instance, as 0 to 9."""
    return "".join(str(int(c)) if c.isdecimal() else c for c in number)


@functools.cache
def _check(module: str) -> Callable[[str], bool]:
    from importlib import import_module

    valid: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return valid
