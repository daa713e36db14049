"""Passwords are masked wherever people put them; talk about passwords, and code that handles them, is not."""

from __future__ import annotations

import pytest

from capture.told import check_left_alone, check_masked

PASSWORDS = [
    "my wifi password is ‹hunter2›",
    "My password is ‹Tr0ub4dor&3›.",
    "my wifi password is ‹swordfish› and the router is in the hall",
    "The password for Netflix is ‹blue4horse›, mine not yours.",
    "password for the router in the kitchen: ‹blue4horse›",
    "the password (guest network) is ‹blue4horse›",
    "pw: ‹Sommer2024!›",
    "PW = ‹Sommer2024!›",
    "Password: ‹P@ssw0rd!›",
    "**Password:** `‹hunter2›`",
    "The passphrase is \"‹purple elephant dance›\"",
    "wifi password: ‹purple elephant dance›",
    "I changed my password to ‹Blue!Sky9›",
    "log in with user bob and password ‹Xk29fj2›",
    "user: bob pass: ‹Xk29fj2›",
    "‹hunter2› is my wifi password",
    "use \"‹letmein99›\" as the password",
    "our wifi key is ‹AbCd-1234-EfGh›",
    "the password is ‹12345678›",
    "first password: ‹hunter2›, second password: ‹hunter3›",
    "PASSWORD=‹swordfish›",
    "export PGPASSWORD=‹s3cr3tpw›",
    "DB_PASSWORD=\"‹x y z›\"",
    "password = '‹hunter2›'",
    "password: ‹hunter2›  # the staging one",
    '{"user": "bob", "password": "‹hunter2›"}',
    "--password=‹hunter2›",
    "https://example.org/login?user=bob&password=‹hunter2›&next=home",
    "Server=db;User Id=sa;Password=‹abcdef›;Timeout=5",
    "CREATE USER bob IDENTIFIED BY '‹hunter2›'",
    "sshpass -p ‹hunter2› ssh bob@host",
    "postgres://bob:‹hunter22›@db.example.org:5432/app",
    "mysql://root:‹p@ss›@localhost/x",
    "amqp://guest:‹guest›@mq:5672 and redis://:‹geheim1›@cache",
    "WIFI:T:WPA;S:home;P:‹sekrit123›;;",
    "mein Passwort lautet ‹Sommer›",
    "Das Passwort lautet: ‹Gartenzaun›",
    "das WLAN-Passwort ist ‹Gartenzaun77›",
    "Das Kennwort für den Drucker ist ‹Toner99›.",
    "le mot de passe est ‹Soleil42›",
    "mon mdp c'est ‹chaton99›",
    "Mot de passe : ‹chaton99›",
    "la contraseña del wifi es ‹mariposa22›",
    "mi contraseña es: ‹Mariposa›",
    "a senha do wifi é ‹gato1234›",
    "minha senha é ‹gato1234›.",
    "wifi密码是‹abc12345›",
    "密码：‹88888888›",
    "我的密码是‹Abc!2345›，别告诉别人",
]  # fmt: skip
NO_PASSWORDS = [
    "I forgot my password",
    "the password field is empty",
    "my password is wrong",
    "My password is wrong!",
    "is my password secure? I think it's too short.",
    "password must be at least 8 characters",
    "Password: must be at least 8 characters",
    "the password is stored in the vault",
    "the password is hashed with bcrypt",
    "the password is SHA256-hashed",
    "the password is 12 characters long",
    "my password is 16 characters",
    "The password is the name of my dog",
    "the password is required.",
    "Password is case-sensitive",
    "my password manager says 'correct horse battery staple' is fine.",
    "which password manager is best, 1Password?",
    "I changed my password to something stronger",
    "use a strong password like everyone",
    "use the password from the email",
    "Set the PASSWORD environment variable",
    "password = getpass.getpass()",
    'password = os.environ["PASSWORD"]',
    "password=password",
    "login(user=user, password=pw)",
    "def login(user: str, password: str) -> None:",
    "password: str = Field(min_length=8)",
    "password: string;",
    "password VARCHAR(255) NOT NULL",
    "const password = req.body.password;",
    "password: formData.userInput,",
    "password: newPassword,",
    "if password != confirm_password:",
    '<input type="password" name="pw" id="pw1">',
    "PASSWORD=${DB_PASSWORD}",
    "PASSWORD=<your password>",
    "password: ********",
    'password: "Enter your password"',
    '"password": "string"',
    'password_hash = "abc123def"',
    "--password-file /run/secrets/db1",
    "postgres://user:password@localhost/db",
    "http://localhost:8080/a@b and https://example.org/@bob",
    "pwd: /home/bob",
    "PWD=/home/bob/x1",
    "first pass: 1234 tests, boarding pass: X1Y2Z3A",
    "passwordless login v2, password-reset flow",
    "Das Passwort ist falsch",
    "ich habe mein Passwort vergessen",
    "Mein Passwort wird nicht akzeptiert, warum?",
    "le mot de passe est incorrect",
    "j'ai oublié mon mot de passe",
    "la contraseña es incorrecta",
    "a senha é muito curta",
    "密码是什么？",
    "我忘了密码",
    "密码是6位数字，密码长度是8位",
    "a resenha é longa, o desenho é 2D",
]


@pytest.mark.parametrize("text", PASSWORDS)
def test_a_password_is_masked_and_nothing_around_it(text: str) -> None:
    check_masked(text, "password")


@pytest.mark.parametrize("text", NO_PASSWORDS)
def test_talk_of_passwords_and_code_for_them_is_left_alone(text: str) -> None:
    check_left_alone(text)


def test_credentials_in_a_header_are_masked() -> None:
    check_masked("Authorization: Basic ‹Ym9iOmh1bnRlcjI=›", "authorization")
    check_masked("curl -H 'Authorization: Bearer ‹abcdefghijklmnop1234›' https://example.org", "authorization")
    check_left_alone("Authorization: Bearer $TOKEN, Authorization: Basic <yours>")
