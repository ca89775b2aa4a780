"""What of a payment goes on from the partner that was paid: a fee, another partner's share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection

from citycard.errors import Phrase, WalletInvalid
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.wallet.addresses import INCOME_CLEARING_FEE, partner_payable
from citycard.wallet.context import WalletContext

__all__ = ["Onward", "moved_on", "told"]

_PARTNER, _PAYABLE = "partner/", "/payable"


@attrs.frozen(kw_only=True)
class Onward:
    """A part of a payment that goes on in the same step: to which account of the ledger, how much, and why.

    ``address`` is the payable of another partner, the city's fees, or an account that a plugin declares.
    """

    address: str
    amount_fen: int
    code: int = int(TransferCode.FEE)

    @classmethod
    def fee(cls, amount_fen: int) -> Onward:
        """Give what the city keeps of a payment."""
        return cls(address=INCOME_CLEARING_FEE, amount_fen=amount_fen)

    @classmethod
    def share(cls, partner: str, amount_fen: int) -> Onward:
        """Give what another partner gets of a payment."""
        return cls(address=partner_payable(partner), amount_fen=amount_fen, code=int(TransferCode.PAYABLE))


def moved_on(
    conn: Connection,
    context: WalletContext,
    identity: UUID,
    partner: str,
    amount_fen: int,
    onward: Sequence[Onward],
    *,
    back: bool = False,
) -> list[Transfer]:
    """Make the transfers of what goes on from a partner, or with ``back`` of what comes back to it.

    Raise WalletInvalid for a part that is no amount, or when all parts are more than was paid.
    """
    _check(identity, amount_fen, onward)
    context.ledger.open_accounts(conn, [_spec(one.address) for one in onward if _core(one.address)])
    payable, word = partner_payable(partner), "back" if back else "onward"
    return [
        context.transfer(
            derived_id("payment", identity, word, place),
            one.address if back else payable,
            payable if back else one.address,
            one.amount_fen,
            one.code,
            ref=f"{'refund' if back else 'payment'}/{identity}",
            group=derived_id("refund" if back else "payment", identity),
        )
        for place, one in enumerate(onward)
        if one.amount_fen
    ]


def told(onward: Sequence[Onward]) -> Mapping[str, Any]:
    """Give what must be the same when a payment is asked for again; nothing where nothing goes on."""
    return {"onward": [list(attrs.astuple(one)) for one in onward]} if onward else {}


def _check(identity: UUID, amount_fen: int, onward: Sequence[Onward]) -> None:
    parts = [one.amount_fen for one in onward]
    if any(type(part) is not int or part < 0 for part in parts) or sum(parts) > amount_fen:
        expected = Phrase("parts of 0 fen or more, together at most {amount_fen}", amount_fen=amount_fen)
        raise WalletInvalid(
            record=Phrase("payment {id}", id=identity), field="onward", value=parts, expected=expected
        )


def _core(address: str) -> bool:
    return address == INCOME_CLEARING_FEE or _owner(address) is not None


def _owner(address: str) -> str | None:
    payable = address.startswith(_PARTNER) and address.endswith(_PAYABLE)
    return address.removeprefix(_PARTNER).removesuffix(_PAYABLE) if payable else None


def _spec(address: str) -> AccountSpec:
    owner = _owner(address)
    if owner is None:
        return AccountSpec(address=address, code=AccountCode.FEES)
    return AccountSpec(address=address, code=AccountCode.PAYABLE_TO_PARTNERS, owner=owner)
