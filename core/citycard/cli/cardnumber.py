"""A card's number as people type it: 20 digits, or the 19 that are printed on a T-Union card."""

from __future__ import annotations

import re
from typing import Any

import click

from citycard.errors import RegistryInvalid

__all__ = ["CardNumber", "card_number"]

_WHOLE, _PRINTED = re.compile(r"[0-9]{20}"), re.compile(r"[0-9]{19}")


def card_number(text: str) -> str:
    """Return a number of 20 digits; 19 are those that are printed, without the zero in front.

    Raises RegistryInvalid for anything else.
    """
    digits = text.strip().replace(" ", "")
    if _PRINTED.fullmatch(digits):
        digits = f"0{digits}"
    if _WHOLE.fullmatch(digits) is None:
        expected = "20 digits, or the 19 that are printed on the card"
        raise RegistryInvalid(
            record="card", key=text[:40], field="number", value=text[:40], expected=expected
        )
    return digits


class CardNumber(click.types.StringParamType):
    """The number of a card, for arguments and options."""

    name = "asn"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the number in 20 digits."""
        return card_number(str(value))
