"""Codes of providers, which stand for their names in a label (TC260-PG-20252A).

Twenty-seven characters: ``00`` for the form, ``11`` for an organization named by its
unified social credit code, that code (GB 32100-2015, 18 characters with a check
digit), 1 for who generates or 2 for who propagates, and four characters of the
provider's own choice for a model or application.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import UsageError

__all__ = ["LENGTH", "ProviderCode", "looks_like_code"]

LENGTH = 27

_HEAD = "0011"
_ROLES = {"1": "producer", "2": "propagator"}
# GB 32100-2015, 4.2: no I, O, S, V, Z.
_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT = re.compile(rf"[{_DIGITS}]{{18}}")
_APPLICATION = re.compile(r"[0-9A-Z]{4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCode:
    """Who generates or propagates, as a code; ``str()`` of it is that code.

    Parameters
    ----------
    credit_code : str
        Unified social credit code, 18 characters.
    role : str
        ``"producer"`` or ``"propagator"``.
    application : str
        Four digits or capitals of the provider's own choice.

    Raises
    ------
    UsageError
        A part cannot be meant, or the check digit of the credit code is wrong.
    """

    credit_code: str
    role: str = "producer"
    application: str = "0000"

    def __post_init__(self) -> None:
        if not _CREDIT.fullmatch(self.credit_code):
            raise UsageError(
                f"{self.credit_code[:40]!r} is not a unified social credit code",
                hint="It has 18 digits and capitals, without I, O, S, V and Z.",
            )
        due = _check_digit(self.credit_code[:17])
        if self.credit_code[17] != due:
            raise UsageError(
                f"the check digit of {self.credit_code} is {self.credit_code[17]}, "
                f"not {due}",
                hint="Compare the code with the business license.",
            )
        if self.role not in _ROLES.values():
            raise UsageError(
                f"there is no provider in the role {self.role!r}",
                hint=f"Use {' or '.join(_ROLES.values())}.",
            )
        if not _APPLICATION.fullmatch(self.application):
            raise UsageError(
                f"{self.application[:40]!r} is not the code of an application",
                hint="Use four digits or capitals.",
            )

    def __str__(self) -> str:
        role = next(digit for digit, name in _ROLES.items() if name == self.role)
        return f"{_HEAD}{self.credit_code}{role}{self.application}"

    @classmethod
    def parse(cls, text: str) -> ProviderCode:
        """Read a code.

        Raises
        ------
        UsageError
            It is none.
        """
        if len(text) != LENGTH or not text.startswith(_HEAD) or text[22] not in _ROLES:
            raise UsageError(
                f"{text[:40]!r} is not the code of a provider",
                hint=f"It has {LENGTH} characters, begins with {_HEAD}, and tells by "
                "the 23rd whether it produces (1) or propagates (2).",
            )
        return cls(credit_code=text[4:22], role=_ROLES[text[22]], application=text[23:])


def looks_like_code(text: str) -> bool:
    """Tell whether a name is rather meant as a code."""
    return len(text) == LENGTH and text.startswith(_HEAD)


def _check_digit(text: str) -> str:
    """Return the last character of a credit code (GB 32100-2015, 4.5)."""
    total = sum(_DIGITS.index(one) * pow(3, at, 31) for at, one in enumerate(text))
    return _DIGITS[-total % 31]
