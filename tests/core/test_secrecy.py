"""Names that look like those of secrets."""

from __future__ import annotations

import pytest

from backburner.core.secrecy import is_secret

HIDDEN = """
password passwd pwd PASSWORD Password user_password userPassword hashed_password password_hash passwordDigest
token auth_token authToken accessToken AuthToken csrf_token tokens refresh_tokens bearertoken
secret client_secret clientSecret secrets clientsecret SECRET
key api_key apiKey APIKey apikey API_KEY private_key privateKey privatekey secret_key ssh_key key_1 keys encryptionKey
key2 new_password2
credential credentials aws_credentials otp otp_code totp pin user_pin userPIN pin_code PIN ssn SSN user_ssn
cvv cvv2 card_cvv cvc card_number cardNumber cardnumber CARD_NUMBER credit_card creditCard debit_card card_no
passphrase passcode iban salt password_salt _password __token social_security_number
"""

SHOWN = """
name email keyboard monkey turkey hockey keynote hotkey keyed secretary spin pinned opinion pins option optional
author tokenizer tokenized card card_note discard_note number credit passport passenger compass user id created_at
salted Straße
"""


@pytest.mark.parametrize("name", HIDDEN.split())
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", SHOWN.split())
def test_names_of_other_things(name: str) -> None:
    assert not is_secret(name)


def test_any_text_may_be_a_name() -> None:
    assert not is_secret("")
    assert not is_secret("\ud800 \x00 ☃ 7")
