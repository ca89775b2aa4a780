"""An order of a top-up that is paid online: what it is for, and where it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs

from citycard.errors import OrderInvalid, Phrase

__all__ = ["OrderState", "PaymentOrder"]

_ASN_DIGITS = 20
_LARGEST_FEN = 1_000_000


class OrderState(StrEnum):
    """Where an order is.

    ``created``: not paid as far as we know; ``paid``: the citizen's money is with the provider, and in
    flight here; ``delivered``: it is on the card or the account; ``refunding``: it goes back and cannot be
    delivered any more; ``refunded``; ``closed``: it was never paid and cannot be any more.
    """

    CREATED = "created"
    PAID = "paid"
    DELIVERED = "delivered"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    CLOSED = "closed"

    @property
    def over(self) -> bool:
        """Say whether nothing happens to it any more by itself."""
        return self in {OrderState.DELIVERED, OrderState.REFUNDED, OrderState.CLOSED}


def _refuse(attribute: attrs.Attribute[Any], value: object, expected: str) -> None:
    raise OrderInvalid(field=attribute.name, value=value, expected=expected)


def _number(_: PaymentOrder, attribute: attrs.Attribute[Any], value: str) -> None:
    if not (len(value) == _ASN_DIGITS and value.isascii() and value.isdigit()):
        _refuse(attribute, value, "20 digits")


def _number_or_nothing(order: PaymentOrder, attribute: attrs.Attribute[Any], value: str) -> None:
    if value:
        _number(order, attribute, value)


def _amount(_: PaymentOrder, attribute: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not int or not 0 < value <= _LARGEST_FEN:
        _refuse(attribute, value, Phrase("1 to {most_fen} fen", most_fen=_LARGEST_FEN))


@attrs.frozen(kw_only=True)
class PaymentOrder:
    """An order. ``id`` is made by the client; moments are aware UTC.

    ``account`` is the online account that gets the money, empty when it is for the purse of card ``asn``;
    ``agreement`` the provider's agreement that pays without asking, empty when the citizen pays at
    ``pay_url``; ``transaction`` the provider's own number; ``load`` the attempt that has, or reserves, the
    money; ``trouble`` what a person should know, or empty; ``look_at`` when the provider is asked next.
    """

    id: UUID
    provider: str
    asn: str = attrs.field(validator=_number)
    account: str = attrs.field(default="", validator=_number_or_nothing)
    amount_fen: int = attrs.field(validator=_amount)
    agreement: str = ""
    actor: str = ""
    state: OrderState = attrs.field(default=OrderState.CREATED, converter=OrderState)
    pay_url: str = ""
    transaction: str = ""
    load: UUID | None = None
    trouble: str = ""
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None = None
    ended_at: datetime | None = None
    look_at: datetime | None = None
    looks: int = 0

    @property
    def number(self) -> str:
        """Give the order's number at the provider: 32 hexadecimal digits."""
        return self.id.hex

    @property
    def for_purse(self) -> bool:
        """Say whether the money goes onto the card itself, at its next sight by a reader."""
        return not self.account
