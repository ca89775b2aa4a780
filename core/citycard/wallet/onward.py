"""What of a payment goes on from the partner that was paid: a fee, another partner's share; and comes back.

What is given back of a payment comes from those who have it. A fee is the partner's own expense: the partner
was paid all of it, and bears what is given back of it, unless it is said that the fee comes back as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, select

from citycard.errors import Phrase, ShareRefused, WalletInvalid
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.money import split
from citycard.wallet.addresses import INCOME_CLEARING_FEE, partner_payable
from citycard.wallet.context import WalletContext
from citycard.wallet.paymentbook import find_payment
from citycard.wallet.tables import payment_refund, purchase_refund

__all__ = [
    "MOST_PARTS",
    "Onward",
    "PayeeShare",
    "brought_back",
    "comes_back",
    "moved_on",
    "shares_of",
    "told",
]

#: In how many parts a payment may go on at most.
MOST_PARTS = 256

_PARTNER, _PAYABLE = "partner/", "/payable"
_ONWARD, _BACK = "onward", "back"
_FEE = int(TransferCode.FEE)


@attrs.frozen(kw_only=True)
class Onward:
    """A part of a payment that goes on in the same step: to which account of the ledger, how much, and why.

    ``address`` is the payable of another partner, the city's fees, or an account that a plugin declares.
    """

    address: str
    amount_fen: int
    code: int = _FEE

    @classmethod
    def fee(cls, amount_fen: int) -> Onward:
        """Give what the city keeps of a payment."""
        return cls(address=INCOME_CLEARING_FEE, amount_fen=amount_fen)

    @classmethod
    def share(cls, partner: str, amount_fen: int) -> Onward:
        """Give what another partner gets of a payment."""
        return cls(address=partner_payable(partner), amount_fen=amount_fen, code=int(TransferCode.PAYABLE))


@attrs.frozen(kw_only=True)
class PayeeShare:
    """What of a payment went to one account of the ledger, why (``code``), and what came back of it.

    The first of a payment's is the partner's that was paid, less what others got; its fees are in it.
    """

    address: str
    code: int
    amount_fen: int
    returned_fen: int = 0

    @property
    def left_fen(self) -> int:
        """Give what did not come back yet."""
        return max(0, self.amount_fen - self.returned_fen)

    def less(self, amount_fen: int) -> PayeeShare:
        """Give the share after so much more of it came back."""
        return attrs.evolve(self, returned_fen=self.returned_fen + amount_fen)


def moved_on(
    conn: Connection,
    context: WalletContext,
    identity: UUID,
    partner: str,
    amount_fen: int,
    onward: Sequence[Onward],
) -> list[Transfer]:
    """Make the transfers of what goes on from a partner.

    Raise WalletInvalid for a part that is no amount, for too many, or when all are more than was paid.
    """
    return _moved(conn, context, identity, partner, amount_fen, onward, back=False)


def brought_back(
    conn: Connection,
    context: WalletContext,
    identity: UUID,
    payment: UUID,
    amount_fen: int,
    onward: Sequence[Onward] | None,
) -> list[Transfer]:
    """Make the transfers of what comes back to a partner when a payment is given back under ``identity``.

    It comes from whom ``onward`` says, or, where it is None, in the shares in which they have it; the account
    is held. Raise ShareRefused where one would give back more than it has, and WalletInvalid.
    """
    shares = shares_of(conn, context.ledger, payment)
    if onward is None:
        shared = [one for one in shares if one.code != _FEE]
        parts = zip(shared, comes_back(amount_fen, shared), strict=True)
        _, *onward = (Onward(address=one.address, amount_fen=fen, code=one.code) for one, fen in parts)
    else:
        _refuse_more(payment, amount_fen, shares, onward)
    partner = find_payment(conn, payment).partner
    return _moved(conn, context, identity, partner, amount_fen, onward, back=True)


def comes_back(amount_fen: int, shares: Sequence[PayeeShare]) -> list[int]:
    """Split what is given back by what each payee has left: the parts are the whole (largest remainder).

    No part is more than its payee has left; all together have ``amount_fen`` or more.
    """
    return split(amount_fen, [one.left_fen for one in shares])


def shares_of(conn: Connection, ledger: Ledger, payment: UUID) -> tuple[PayeeShare, ...]:
    """Say to whom a payment went and what each gave back, the partner that was paid first.

    It is read from the ledger: what was paid in shares of then. Raise PaymentUnknown.
    """
    paid = find_payment(conn, payment)
    gone: Counter[tuple[str, int]] = Counter()
    for moved in _found(conn, ledger, [payment], _ONWARD):
        gone[moved.credit_address, moved.code] += moved.amount_fen
    back: Counter[tuple[str, int]] = Counter()
    for moved in _found(conn, ledger, _refunds(conn, payment), _BACK) if gone else ():
        back[moved.debit_address, moved.code] += moved.amount_fen
    others = [
        PayeeShare(address=address, code=code, amount_fen=fen, returned_fen=back[address, code])
        for (address, code), fen in gone.items()
    ]
    shared = [one for one in others if one.code != _FEE]
    partner = PayeeShare(
        address=partner_payable(paid.partner),
        code=int(TransferCode.ACCOUNT_PAID),
        amount_fen=paid.amount_fen - sum(one.amount_fen for one in shared),
        returned_fen=paid.returned_fen - sum(one.returned_fen for one in shared),
    )
    return partner, *others


def told(onward: Sequence[Onward] | None) -> Mapping[str, Any]:
    """Give what must be the same when a payment is asked for again; nothing where nothing goes on."""
    return {"onward": [list(attrs.astuple(one)) for one in onward]} if onward else {}


def _refuse_more(
    payment: UUID, amount_fen: int, shares: Sequence[PayeeShare], onward: Sequence[Onward]
) -> None:
    """Refuse what takes more from one than it has; the partner bears what nobody else does."""
    left = Counter({(one.address, one.code): one.left_fen for one in shares})
    wanted: Counter[tuple[str, int]] = Counter()
    for part in onward:
        wanted[part.address, part.code] += part.amount_fen
    others_fen = sum(fen for (_, code), fen in wanted.items() if code != _FEE)
    wanted[shares[0].address, shares[0].code] += amount_fen - others_fen
    for key, fen in wanted.items():
        if fen > left[key]:
            raise ShareRefused(id=payment, address=key[0], left_fen=left[key], wanted_fen=fen)


def _refunds(conn: Connection, payment: UUID) -> list[UUID]:
    """Give the ids under which a payment was given back, in whichever way."""
    queries = (
        select(payment_refund.c.id).where(payment_refund.c.payment == payment),
        select(purchase_refund.c.id).where(purchase_refund.c.purchase == str(payment)),
    )
    return [identity for query in queries for identity in conn.scalars(query)]


def _found(conn: Connection, ledger: Ledger, acts: Iterable[UUID], word: str) -> list[Transfer]:
    ids = [_part_id(act, word, place) for act in acts for place in range(MOST_PARTS)]
    moved = ledger.find(conn, ids)
    return [moved[one].transfer for one in ids if one in moved]


def _moved(
    conn: Connection,
    context: WalletContext,
    identity: UUID,
    partner: str,
    amount_fen: int,
    onward: Sequence[Onward],
    *,
    back: bool,
) -> list[Transfer]:
    _check(identity, amount_fen, onward)
    context.ledger.open_accounts(conn, [_spec(one.address) for one in onward if _core(one.address)])
    payable = partner_payable(partner)
    return [
        context.transfer(
            _part_id(identity, _BACK if back else _ONWARD, place),
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


def _part_id(act: UUID, word: str, place: int) -> UUID:
    return derived_id("payment", act, word, place)


def _check(identity: UUID, amount_fen: int, onward: Sequence[Onward]) -> None:
    parts = [one.amount_fen for one in onward]
    bad = any(type(part) is not int or part < 0 for part in parts)
    if bad or sum(parts) > amount_fen or len(parts) > MOST_PARTS:
        expected = Phrase(
            "at most {most} parts of 0 fen or more, together at most {amount_fen}",
            most=MOST_PARTS,
            amount_fen=amount_fen,
        )
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
