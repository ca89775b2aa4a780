"""What is sent to the endpoints of bills, and what they answer beside the records of other modules."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs

from citycard_utilities.importing import FileReport
from citycard_utilities.mandates import MandateView

__all__ = [
    "Assigned",
    "BillQuery",
    "BillSlip",
    "BillToAssign",
    "BillToPay",
    "BillerFiles",
    "CardMandates",
    "MandateQuery",
    "MandateToMake",
    "ReversalToMake",
    "SlipQuery",
]


def _text(most: int) -> Any:
    told = f"at most {most} characters"
    return attrs.field(default="", metadata={"expected": told, "range": (0, most)})


@attrs.frozen(kw_only=True)
class BillQuery:
    """Whose bills: the biller's id and the household's number; ``state`` open leaves out what is paid."""

    biller: str = _text(32)
    household: str = _text(16)
    state: str = _text(4)


@attrs.frozen(kw_only=True)
class SlipQuery:
    """Which bill: the biller's id and its number."""

    biller: str = _text(32)
    bill: str = _text(20)


@attrs.frozen(kw_only=True)
class BillSlip:
    """The text of a bill's bar code, for kiosks and printers."""

    barcode: str


@attrs.frozen(kw_only=True)
class BillToPay:
    """A bill to pay from an online account (its number, or its card's); ``id`` is made by the client."""

    id: UUID
    account: str
    biller: str
    bill: str


@attrs.frozen(kw_only=True)
class ReversalToMake:
    """Why a receipt is reversed, and who allowed it; ``id`` is made by the client."""

    id: UUID
    reason: str
    approved_by: str


@attrs.frozen(kw_only=True)
class BillToAssign:
    """The bill that money without one is to pay."""

    bill: str


@attrs.frozen(kw_only=True)
class Assigned:
    """What of a receipt pays the bill now."""

    receipt: str
    bill: str
    applied_fen: int


@attrs.frozen(kw_only=True)
class MandateToMake:
    """A mandate: ``most_fen`` is the most for one bill, 0 for any; ``id`` is made by the client."""

    id: UUID
    account: str
    biller: str
    household: str = attrs.field(validator=attrs.validators.matches_re(r"[0-9A-Z][0-9A-Z-]{0,15}"))
    most_fen: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(10**12)])


@attrs.frozen(kw_only=True)
class MandateQuery:
    """Whose mandates: the card's number."""

    card: str = _text(20)


@attrs.frozen(kw_only=True)
class CardMandates:
    """The mandates made with a card."""

    mandates: tuple[MandateView, ...]


@attrs.frozen(kw_only=True)
class BillerFiles:
    """What came of the newest files of a biller."""

    files: tuple[FileReport, ...]
