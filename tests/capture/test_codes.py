"""One-time codes, PINs and account numbers are masked beside the words that name them, and only there."""

from __future__ import annotations

import pytest

from capture.told import check_left_alone, check_masked

CODES = [
    ("Your code is ‹482913›", "one-time code"),
    ("Your Google verification code is ‹482913›. Don't share it.", "one-time code"),
    ("‹G-482913› is your Google verification code.", "one-time code"),
    ("Use ‹482 913› as your login code", "one-time code"),
    ("verification code: ‹482913›", "one-time code"),
    ("the 2FA code for the bank is ‹482913›", "one-time code"),
    ("OTP ‹4829›", "one-time code"),
    ("my code is ‹482913›", "one-time code"),
    ("recovery code: ‹X7K2-P9QD›", "one-time code"),
    ("TAN: ‹482913›", "one-time code"),
    ("Ihre TAN lautet ‹482913›", "one-time code"),
    ("Ihr Bestätigungscode lautet ‹482 913›", "one-time code"),
    ("votre code de vérification est ‹482913›", "one-time code"),
    ("tu código de verificación es ‹482913›", "one-time code"),
    ("seu código de verificação é ‹482913›", "one-time code"),
    ("你的验证码是‹482913›，5分钟内有效", "one-time code"),
    ("【Bank】‹482913›(登录验证码)", "one-time code"),
    ("my PIN is ‹4821›", "PIN"),
    ("PIN: ‹4821›", "PIN"),
    ("PIN ‹4821›", "PIN"),
    ("meine PIN ist ‹4821›", "PIN"),
    ("my PIN for the bank card is ‹4821›", "PIN"),
    ("mon code secret est ‹4821›", "PIN"),
    ("mi PIN es ‹4821›", "PIN"),
    ("the door code is ‹4821›", "PIN"),
    ("取款密码是‹482913›", "PIN"),
    ("CVV ‹123›", "card security code"),
    ("cvc: ‹1234›", "card security code"),
    ("the security code is ‹123›", "card security code"),
    ("Kartenprüfnummer ‹123›", "card security code"),
    ("el código de seguridad es ‹123›", "card security code"),
    ("account number: ‹123456789›", "account number"),
    ("Kontonummer: ‹1234567890›", "account number"),
    ("numéro de compte : ‹12345678901›", "account number"),
    ("número de cuenta: ‹1234567890›", "account number"),
    ("银行账号：‹622202123456›", "account number"),
    ("routing number ‹021000021›", "routing number"),
    ("sort code ‹20-00-00›", "sort code"),
    (
        "my recovery phrase is ‹abandon ability able about above absent absorb abstract absurd abuse access accident›",
        "recovery phrase",
    ),
]
OTHERS = [
    "my code is 200 lines long",
    "my code is 2000 lines long",
    "my code is 120000 lines",
    "your code is great, your code is 4000 characters",
    "the code is 150 lines",
    "error code 404123 came up; exit code: 13712",
    "my zip code is 90210, my postal code is 101150, the area code is 0301",
    "promo code SAVE20, discount code: 202600",
    "the verification code never came; enter the verification code",
    "QR code 12345678",
    "the pin is 13 on the Arduino",
    "connect pin 1234567890",
    "PIN code 560001",
    "I pinned 2024 posts",
    "the security code is on the back",
    "tan 123456 and sin(tan(45))",
    "account 1234567 shows an error",
    "my account number is wrong",
    "my savings account: 120000 EUR",
    "account no longer works since 20240101",
    "the sort code of the bank, routing in version 123456789",
    "CSC 101 starts at 9",
    "代码是2000行",
    "booking confirmation number is 48291377",
    "der Fehlercode lautet 482913",
    "mon code postal est 75011",
]


@pytest.mark.parametrize(("text", "name"), CODES)
def test_a_number_beside_the_word_for_it_is_masked(text: str, name: str) -> None:
    check_masked(text, name)


def test_an_account_is_known_by_its_bank_beside_it() -> None:
    from satchel.capture.redact import redact

    assert redact("sort code 20-00-00, account 55779911") == (
        "sort code [sort code masked by Satchel], account [account number masked by Satchel]",
        2,
    )


@pytest.mark.parametrize("text", OTHERS)
def test_other_codes_and_counts_stay(text: str) -> None:
    check_left_alone(text)
