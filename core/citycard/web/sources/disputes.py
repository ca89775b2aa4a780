"""What happens after clearing: exceptions, disputes, and their money, as far as somebody may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import attrs

from citycard.bank.codes import CaseState
from citycard.clearing.adjusting import PostedAdjustment, adjustments_about
from citycard.clearing.codes import Code
from citycard.clearing.disputes import Dispute, DisputeState, Evidence, dispute_of, evidence_of, find_disputes
from citycard.clearing.drilldown import masked_card
from citycard.clearing.exceptions import ExceptionCase, exception_of, find_exceptions, history
from citycard.store import reading
from citycard.store.steps import CaseStep
from citycard.wallet.addresses import partner_payable
from citycard.web.permissions import OWN, Actor

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "DisputeStory",
    "read_dispute",
    "read_disputes",
    "read_exception",
    "read_exceptions",
]

_MOST = 200


@attrs.frozen(kw_only=True)
class DisputeStory:
    """A dispute with its evidence, its steps, and the money that was moved for it.

    A partner sees no steps, and of the money what is its own.
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
        state=CaseState[wanted.state.upper()] if wanted.state else None,
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
    """Read one exception with its steps and its money; raise RecordUnknown, RecordNoException."""
    with reading(city.engine) as conn:
        case = exception_of(city, conn, record)
        steps = () if actor.role in OWN else tuple(history(conn, case.id))
        moved = _own(adjustments_about(conn, about=case.id), actor)
    return _seen(case, actor), steps, moved


def read_disputes(city: City, state: str, partner: str) -> tuple[Dispute, ...]:
    """Read disputes of a state, of every state when it is empty, by the day they must be decided."""
    with reading(city.engine) as conn:
        wanted = DisputeState(state) if state else None
        return tuple(find_disputes(conn, state=wanted, partner=partner, limit=_MOST))


def read_dispute(city: City, identity: UUID, actor: Actor) -> DisputeStory:
    """Read one dispute; raise DisputeUnknown."""
    with reading(city.engine) as conn:
        found = dispute_of(conn, identity)
        return DisputeStory(
            dispute=found,
            evidence=tuple(evidence_of(conn, identity)),
            steps=() if actor.role in OWN else tuple(history(conn, str(identity))),
            adjustments=_own(adjustments_about(conn, cause=str(identity)), actor),
        )


def _seen(case: ExceptionCase, actor: Actor) -> ExceptionCase:
    return attrs.evolve(case, card=masked_card(case.card)) if actor.role in OWN else case


def _own(moved: list[PostedAdjustment], actor: Actor) -> tuple[PostedAdjustment, ...]:
    mine = partner_payable(actor.subject)
    return tuple(one for one in moved if actor.role not in OWN or mine in {one.debit, one.credit})
