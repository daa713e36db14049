"""Card numbers, IBANs and national ids are known by their check digits; other long numbers stay."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn

from capture.told import check_left_alone, check_masked
from satchel.capture.redact import redact

# The issuers' own examples.
CARDS = [
    "‹4111 1111 1111 1111›",
    "pay with ‹4111-1111-1111-1111›, 12/26",
    "‹4111111111111111›,12/26,Bob",
    "‹5500005555555559›",
    "‹2223 0031 2200 3222›",
    "‹378282246310005›",
    "‹3782 822463 10005›.",
    "‹3056 930902 5904›",
    "‹30569309025904›",
    "‹3530111333300000› and ‹6011111111111117›",
    "‹6222 0212 3456 7890 128›",
    "Meine Karte: ‹4012.8888.8888.1881›",
    "卡号是‹4111111111111111›，谢谢",
    "‹４１１１ １１１１ １１１１ １１１１›",
    "Visa card ‹4222222222222›",
    "1234 ‹4111 1111 1111 1111› 123",
    "https://shop.example/pay?card=‹4111111111111111›",
]
IBANS = [
    "IBAN ‹DE89 3704 0044 0532 0130 00›",
    "‹GB29NWBK60161331926819› is mine",
    "‹fr14 2004 1010 0505 0001 3m02 606›, merci",
    "‹NL91ABNA0417164300›/‹BE68 5390 0754 7034›",
    "‹ES91-2100-0418-4502-0005-1332›",
    "aa12 3456 ‹CH93 0076 2011 6238 5295 7› and more",
    "转账到‹DE89370400440532013000›谢谢",
]
IDS = [
    ("my SSN is ‹123-45-6788›", "social security number"),
    ("SSN: ‹123456788›", "social security number"),
    ("social security ‹123 45 6788›", "social security number"),
    ("CPF ‹111.444.777-35›", "national id number"),
    ("身份证‹11010519491231002X›", "national id number"),
    ("‹1 84 12 76 451 089 46›", "national id number"),
    ("mi DNI es ‹54362315K›", "national id number"),
    ("Meine Steuer-ID ist ‹36 574 261 809›", "national id number"),
    ("national insurance number ‹AB 12 34 56 C›", "national id number"),
    ("passport number: ‹C01X00T47›", "passport number"),
]
OTHERS = [
    "Order number 4539148803436467",
    "https://example.org/item/4539148803436467",
    "order 4111111111111112",
    "IMEI 356938035643809",
    "ISBN 978-3-16-148410-0, EAN 4006381333931",
    "call +49 30 901820 12, +1 (415) 555-2671, 123-456-7890 or 555-0199",
    "tel +4915112345678",
    "550e8400-e29b-41d4-a716-446655440000",
    "commit 3b2ce86d1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c",
    "1711929600000 and 1711929600000123456",
    "2026-03-01 12:30:00, 01.03.2026",
    "0.4111111111111111 and 3.1415926535897932",
    "1,299.00 EUR, 12 000 000",
    "DE89 3704 0044 0532 0130 01",
    "AB12 CD34 EF56 GH78 IJ90",
    "part 900-12-3456, lot 666-12-3456, 12-34-5678",
    "0000 0000 0000 0000",
    "snowflake 1234567890123456789",
    "192.168.100.200, 10.0.0.1",
    "kernel 6.1.0-13-amd64",
]


@pytest.mark.parametrize("text", CARDS)
def test_a_card_number_is_masked_however_it_is_grouped(text: str) -> None:
    check_masked(text, "card number")


@pytest.mark.parametrize("text", IBANS)
def test_an_iban_is_masked_to_its_last_digit(text: str) -> None:
    check_masked(text, "IBAN")


@pytest.mark.parametrize(("text", "name"), IDS)
def test_a_national_id_is_masked(text: str, name: str) -> None:
    check_masked(text, name)


@pytest.mark.parametrize("text", OTHERS)
def test_other_long_numbers_stay(text: str) -> None:
    check_left_alone(text)


@settings(deadline=None)
@given(
    st.sampled_from(["4", "51", "2221", "6011", "3528"]),
    st.text("0123456789", min_size=15, max_size=15),
    st.sampled_from(["", " ", "-", "."]),
    st.sampled_from(["Pay with {}.", "{}", "({}), thanks", "a\n{}\nb", "卡{}。"]),
)
def test_no_valid_card_number_is_left(prefix: str, digits: str, gap: str, around: str) -> None:
    number = (prefix + digits)[:15]
    number += luhn.calc_check_digit(number)
    grouped = gap.join(number[at : at + 4] for at in range(0, 16, 4))
    text, masked = redact(around.format(grouped))
    assert masked == 1
    assert not re.search(r"\d", text)


@settings(deadline=None)
@given(
    st.text("0123456789", min_size=18, max_size=18),
    st.sampled_from(["", " "]),
    st.sampled_from(["{}", "To {}, please"]),
)
def test_no_valid_iban_is_left(digits: str, gap: str, around: str) -> None:
    number = "DE" + iban.calc_check_digits("DE00" + digits) + digits
    grouped = gap.join(number[at : at + 4] for at in range(0, 22, 4))
    text, masked = redact(around.format(grouped))
    assert masked == 1
    assert not re.search(r"\d", text)
