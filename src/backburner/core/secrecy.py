"""Which names look like those of secrets."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|[^\W_]")

_WORDS_OF_SECRETS = frozenset(
    {"key", "keys", "apikey", "pw", "pwd", "otp", "totp", "pin", "salt", "token", "tokens", "secret", "secrets"}
    | {"ssn", "socialsecurity", "cvv", "cvc", "iban", "bankaccount"}
    | {"cardnumber", "cardno", "cardnum", "creditcard", "debitcard"}
)
"""One word, or two words that stand side by side."""
_ENDS_OF_WORDS = ("token", "tokens", "secret", "secrets", "pwd")
_ANYWHERE = ("password", "passwd", "passphrase", "passcode", "credential", "privatekey", "secretkey", "accesskey")


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Say whether an attribute of this name should not be shown, such as `api_key`, `userPassword`, `cardNumber`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    pairs = [first + second for first, second in pairwise(words)]
    return (
        not _WORDS_OF_SECRETS.isdisjoint(words + pairs)
        or any(word.endswith(_ENDS_OF_WORDS) for word in words)
        or any(part in "".join(words) for part in _ANYWHERE)
    )
