"""What happens after clearing: exceptions, disputes, and their money, as far as somebody may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import attrs

from citycard.bank.codes import CaseState
from citycard.clearing.adjusting import PostedAdjustment, adjustments_about
from citycard.clearing.codes import Code
from citycard.clearing.disputes import (
    Claim,
    Dispute,
    DisputeState,
    Evidence,
    dispute_of,
    evidence_of,
    find_disputes,
    open_dispute,
)
from citycard.clearing.drilldown import masked_address, masked_card
from citycard.clearing.exceptions import ExceptionCase, exception_of, find_exceptions, history
from citycard.clearing.finding import record_key
from citycard.clearing.records import terminals_of
from citycard.errors import DisputeForeign, RecordUnknown
from citycard.store import reading
from citycard.store.steps import CaseStep
from citycard.wallet.addresses import partner_payable
from citycard.web.permissions import OWN, Actor

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "ALL_STATES",
    "DISPUTES_A_PAGE",
    "DisputeStory",
    "open_for",
    "read_dispute",
    "read_disputes",
    "read_exception",
    "read_exceptions",
]

DISPUTES_A_PAGE = 200
ALL_STATES = "all"
_MOST = 200


@attrs.frozen(kw_only=True)
class DisputeStory:
    """A dispute with its evidence, its steps, and the money that was moved for it.

    A partner sees no steps, of the money what is its own, and nobody's name.
    """

    dispute: Dispute
    evidence: tuple[Evidence, ...]
    steps: tuple[CaseStep, ...]
    adjustments: tuple[PostedAdjustment, ...]


class _Wanted(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def partner(self) -> str: ...
    @property
    def run(self) -> int: ...
    @property
    def older_than(self) -> int: ...
    @property
    def at_least_fen(self) -> int: ...


def read_exceptions(city: City, wanted: _Wanted, actor: Actor) -> tuple[ExceptionCase, ...]:
    """Read the exceptions that were asked for; cards are masked for who sees only its own."""
    found = find_exceptions(
        city,
        state=CaseState(wanted.state) if wanted.state and wanted.state != ALL_STATES else None,
        decided_too=wanted.state == ALL_STATES,
        code=Code[wanted.code] if wanted.code else None,
        partner=wanted.partner,
        run=wanted.run or None,
        older_than=wanted.older_than,
        at_least_fen=wanted.at_least_fen,
        limit=_MOST,
    )
    return tuple(_seen(one, actor) for one in found)


def read_exception(
    city: City, record: str, actor: Actor
) -> tuple[ExceptionCase, tuple[CaseStep, ...], tuple[PostedAdjustment, ...]]:
    """Read one exception with its steps and its money; raise RecordUnknown, RecordNoException.

    To who sees only its own, what others' terminals handed in is not known, however it ended.
    """
    with reading(city.engine) as conn:
        if actor.role in OWN and record_key(record)[0] not in terminals_of(conn, actor.subject):
            raise RecordUnknown(record=record)
        case = exception_of(city, conn, record)
        steps = () if actor.role in OWN else tuple(history(conn, case.id))
        moved = _own(adjustments_about(conn, about=case.id), actor)
    return _seen(case, actor), steps, moved


def read_disputes(
    city: City, actor: Actor, *, state: str, partner: str, decided: bool = False, page: int = 1
) -> tuple[Dispute, ...]:
    """Read a page, counted from 1, of the disputes of a state, or of every one, the last opened first."""
    with reading(city.engine) as conn:
        found = find_disputes(
            conn,
            state=DisputeState(state) if state else None,
            partner=partner,
            decided=decided,
            newest=True,
            limit=DISPUTES_A_PAGE,
            offset=(page - 1) * DISPUTES_A_PAGE,
        )
    return tuple(_nameless(one, actor) for one in found)


def open_for(city: City, identity: UUID, claim: Claim, actor: Actor, name: str) -> Dispute:
    """Open a dispute as ``open_dispute`` does; to who sees only its own, others' records are not known."""
    try:
        return _nameless(open_dispute(city, identity, claim, actor=name), actor)
    except DisputeForeign:
        if actor.role in OWN:
            raise RecordUnknown(record=claim.about) from None
        raise


def read_dispute(city: City, identity: UUID, actor: Actor) -> DisputeStory:
    """Read one dispute; raise DisputeUnknown."""
    with reading(city.engine) as conn:
        found = dispute_of(conn, identity)
        return DisputeStory(
            dispute=_nameless(found, actor),
            evidence=tuple(
                attrs.evolve(one, actor="") if actor.role in OWN else one
                for one in evidence_of(conn, identity)
            ),
            steps=() if actor.role in OWN else tuple(history(conn, str(identity))),
            adjustments=_own(adjustments_about(conn, cause=str(identity)), actor),
        )


def _seen(case: ExceptionCase, actor: Actor) -> ExceptionCase:
    if actor.role not in OWN:
        return case
    decision = case.decision and attrs.evolve(case.decision, actor="", proposed_by="")
    card = masked_card(case.card)
    return attrs.evolve(case, card=card, taken_by="", proposed_by="", proposal="", decision=decision)


def _nameless(found: Dispute, actor: Actor) -> Dispute:
    """Leave out who in the city worked on a dispute, for who sees only its own."""
    if actor.role not in OWN:
        return found
    decision = found.decision and attrs.evolve(found.decision, actor="", proposed_by="")
    return attrs.evolve(found, opened_by="", proposed_by="", proposal="", decision=decision)


def _own(moved: list[PostedAdjustment], actor: Actor) -> tuple[PostedAdjustment, ...]:
    if actor.role not in OWN:
        return tuple(moved)
    mine = partner_payable(actor.subject)
    return tuple(
        attrs.evolve(one, debit=masked_address(one.debit), credit=masked_address(one.credit))
        for one in moved
        if mine in {one.debit, one.credit}
    )
