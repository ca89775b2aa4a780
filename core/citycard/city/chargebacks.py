"""Charge-backs in a city: the case, its money, and the card that is refused when nobody can be reached.

open → accepted, or open → disputed → won or lost. Each step is one transaction and is taken once.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import evolve
from sqlalchemy import select

from citycard.city.cardmoney import CardMoney
from citycard.city.office import Office
from citycard.errors import ChargebackRefused, Phrase
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode
from citycard.ledger.tables import account, request
from citycard.registry.tables import card
from citycard.store import reading, writing
from citycard.wallet.addresses import holder_claim
from citycard.wallet.chargebacks import (
    FOLLOWING,
    Chargeback,
    ChargebackState,
    bear,
    begin,
    chargebacks,
    find_chargeback,
    note_step,
    recover,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City
    from citycard.ledger.records import Transfer

__all__ = ["accept_overdue", "open_chargeback", "pay_claim", "take_step"]

_TOPPED_UP = frozenset({AccountCode.CARD_FLOAT, AccountCode.ONLINE_ACCOUNTS})
_BORNE = frozenset({ChargebackState.ACCEPTED, ChargebackState.LOST})


def open_chargeback(
    city: City,
    identity: UUID,
    topup: UUID,
    amount_fen: int | None,
    *,
    reason: str,
    deadline: dt.date,
    actor: str,
    taken_from: str = "",
) -> Chargeback:
    """Open a case for a top-up (its transfer's id) of which a bank or provider takes an amount, or all.

    The money leaves ``taken_from``, where the top-up came from unless given: the trust account, a provider's
    or an agent's receivable. What the online account has of it is held. Again under the same id it is the
    same case. Raise ChargebackRefused or ChargebackConflict.
    """
    with writing(city.engine) as conn:
        found = city.ledger.find(conn, [topup])
        if topup not in found:
            raise ChargebackRefused(
                id=identity, reason=Phrase("there is no top-up {topup} in the ledger", topup=topup)
            )
        moved = found[topup].transfer
        source = taken_from or moved.debit_address
        _check(conn, identity, moved, source, reason)
        case = Chargeback(
            id=identity,
            topup=topup,
            owner=moved.credit_address.split("/")[1],
            account=moved.credit_address,
            taken_from=source,
            amount_fen=moved.amount_fen if amount_fen is None else amount_fen,
            reason=reason,
            deadline=deadline,
        )
        return begin(conn, city.ledger, case, moved, actor=actor, at=city.now_local())


def take_step(
    city: City, identity: UUID, wanted: ChargebackState, *, evidence: str, actor: str
) -> Chargeback:
    """Let a case be accepted, disputed, won or lost; again without harm.

    Accepted and lost, the holder bears it: the online account first, and what is left becomes a claim on the
    holder, whose card is blocked. Won, the money is back where it was. Raise ChargebackUnknown, or
    ChargebackRefused for a step that does not follow, and for a dispute without evidence or after its day.
    """
    with writing(city.engine) as conn:
        case = find_chargeback(conn, identity, held=True)
        if case.state is wanted:
            return case
        if wanted not in FOLLOWING[case.state]:
            raise ChargebackRefused(
                id=identity,
                reason=Phrase("it is {state}: it cannot become {wanted}", state=case.state, wanted=wanted),
            )
        if wanted is ChargebackState.DISPUTED:
            _check_dispute(city, case, evidence)
        at = city.now_local()
        if wanted in _BORNE:
            claim_fen = bear(conn, city.ledger, case, at=at)
            if claim_fen:
                _block(city, conn, case, claim_fen, actor)
        elif wanted is ChargebackState.WON:
            recover(conn, city.ledger, case, at=at)
        note_step(conn, case, wanted, evidence=evidence, actor=actor, at=city.clock.now())
        return evolve(case, state=wanted)


def accept_overdue(city: City, *, actor: str) -> int:
    """Accept every open case whose last day to dispute is over, and return how many there were."""
    today = city.now_local().date()
    with reading(city.engine) as conn:
        late = [one for one in chargebacks(conn, state=ChargebackState.OPEN) if one.deadline < today]
    for case in late:
        evidence = f"not disputed until {case.deadline}"
        take_step(city, case.id, ChargebackState.ACCEPTED, evidence=evidence, actor=actor)
    return len(late)


def pay_claim(city: City, identity: UUID, asn: str, amount_fen: int) -> int:
    """Take from a holder, in cash, what they owe for a card, and return what is left of the claim.

    Again under the same id nothing is taken twice. Raise ChargebackRefused when less is owed.
    """
    with writing(city.engine) as conn:
        money = CardMoney(city, conn)
        conn.execute(select(account.c.id).where(account.c.address == holder_claim(asn)).with_for_update())
        claim_fen = money.balance_fen(holder_claim(asn))
        moved = derived_id("claim", identity)
        if conn.scalar(select(request.c.id).where(request.c.id == moved)) is None:
            if not 0 < amount_fen <= claim_fen:
                reason = Phrase(
                    "the holder of {asn} owes {claim_fen} fen, not {amount_fen}",
                    asn=asn,
                    claim_fen=claim_fen,
                    amount_fen=amount_fen,
                )
                raise ChargebackRefused(id=identity, reason=reason)
            money.claim_paid(asn, amount_fen, identity=moved)
        return money.balance_fen(holder_claim(asn))


def _check(conn: Connection, identity: UUID, moved: Transfer, source: str, reason: str) -> None:
    query = select(account.c.address, account.c.code)
    found = conn.execute(query.where(account.c.address.in_([moved.credit_address, source])))
    codes = {row.address: row.code for row in found}
    if codes.get(moved.credit_address) not in _TOPPED_UP or not moved.kind.moves:
        raise ChargebackRefused(id=identity, reason=Phrase("transfer {id} topped nothing up", id=moved.id))
    if str(codes.get(source, ""))[:1] != "1":
        expected = "the trust account or a receivable, by its address"
        raise ChargebackRefused(
            id=identity,
            reason=Phrase(
                "{source} is not what it was taken from: expected {expected}",
                source=source,
                expected=expected,
            ),
        )
    if not reason.strip():
        raise ChargebackRefused(id=identity, reason="say why it was taken back")


def _check_dispute(city: City, case: Chargeback, evidence: str) -> None:
    if not evidence.strip():
        raise ChargebackRefused(id=case.id, reason="a dispute needs evidence: say where it lies")
    if city.now_local().date() > case.deadline:
        raise ChargebackRefused(
            id=case.id, reason=Phrase("it could be disputed until {deadline}", deadline=case.deadline)
        )


def _block(city: City, conn: Connection, case: Chargeback, claim_fen: int, actor: str) -> None:
    """Refuse the card at every terminal; an online account without a card has none to refuse."""
    if conn.scalar(select(card.c.asn).where(card.c.asn == case.owner)) is not None:
        Office(city, actor).block_within(
            conn, case.owner, reason=f"charge-back {case.id}: {claim_fen} fen are owed"[:200]
        )
