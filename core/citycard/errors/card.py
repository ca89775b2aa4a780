"""Errors of the card's data: fields, sectors, products."""

from __future__ import annotations

from typing import ClassVar

from citycard.errors.base import CitycardError

__all__ = [
    "BytesInvalid",
    "CardFull",
    "CodecError",
    "FieldInvalid",
    "LayoutInvalid",
    "LengthInvalid",
    "ProductInvalid",
    "SectorInvalid",
]


class CodecError(CitycardError):
    """A record and its bytes do not fit each other."""

    status: ClassVar[int] = 422


class FieldInvalid(CodecError):
    """A value does not fit its field."""

    sentence = "{layout}.{field} cannot be {value}: expected {expected}"


class BytesInvalid(CodecError):
    """Bytes read from a card or a file mean nothing in their field."""

    sentence = "{layout}.{field} at byte {offset} cannot be read from {found}: expected {expected}"


class LengthInvalid(CodecError):
    """A record has the wrong number of bytes."""

    sentence = "{layout} cannot be read from {found} bytes: expected {expected}"


class LayoutInvalid(CodecError):
    """A layout class contradicts itself."""

    sentence = "layout {layout}: {problem}; correct the class"


class SectorInvalid(CitycardError):
    """A sector is declared wrongly."""

    sentence = "sector {sector}: {problem}"


class ProductInvalid(CitycardError):
    """A card product is declared wrongly or its stored version cannot be read."""

    sentence = "card product {product}: {problem}"


class CardFull(CitycardError):
    """The sectors of a product take more room than the card has."""

    status, exit_code = 409, 5
    sentence = (
        "card product {product}: its sectors take {needed} bytes, the card's sector file holds {room}; "
        "sector {sector} is the first without room: leave out a sector, or choose a larger card"
    )
