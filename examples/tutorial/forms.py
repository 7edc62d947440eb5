"""The sign-up form: what was typed, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST_NAME = 80
LONGEST_EMAIL = 254  # RFC 5321
EMAIL = re.compile(r"[^@\s<>()\[\],;:\"\\]+@([a-z0-9-]+\.)+[a-z0-9-]+", re.ASCII | re.IGNORECASE)


@dataclass
class SignUpForm:
    name: str = ""
    email: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, typed: Mapping[str, str]) -> SignUpForm:
        """Take what was typed, without needless spaces."""
        return cls(name=" ".join(typed.get("name", "").split()), email=typed.get("email", "").strip())

    def is_valid(self) -> bool:
        """Check the fields and note in `errors` what is wrong with each."""
        self.errors = {name: error for name, error in self._checks().items() if error}
        return not self.errors

    def _checks(self) -> dict[str, str | None]:
        return {"name": self._wrong_with_name(), "email": self._wrong_with_email()}

    def _wrong_with_name(self) -> str | None:
        if not self.name:
            return "What may we call you?"
        if len(self.name) > LONGEST_NAME or not self.name.isprintable():
            return f"A name has up to {LONGEST_NAME} letters."
        return None

    def _wrong_with_email(self) -> str | None:
        if not self.email:
            return "Where should the welcome mail go?"
        if len(self.email) > LONGEST_EMAIL or not self.email.isascii() or not EMAIL.fullmatch(self.email):
            return "An address looks like ann@example.com."
        return None
