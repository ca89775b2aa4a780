"""Decide an exception: pay it as charged, reject it for good, or leave it to the partner; each once."""

from __future__ import annotations

from uuid import UUID

import attrs
from sqlalchemy import Connection, insert

from citycard.bank.codes import CaseState
from citycard.clearing.adjusting import (
    Adjustment,
    adjustment,
    adjustments_about,
    order_adjustments,
)
from citycard.clearing.casecodes import AdjustmentCode, Bearer, Ruling, trimmed
from citycard.clearing.casetables import clearing_decision
from citycard.clearing.codes import Code, State
from citycard.clearing.context import ClearingContext
from citycard.clearing.exceptions import DECIDED, PROPOSED, STEPS, TAKEN, ExceptionCase, exception_of
from citycard.clearing.finding import find_record
from citycard.clearing.rating import ask_rate
from citycard.clearing.settled import settle
from citycard.errors import CaseClosed, DecisionRefused, Phrase
from citycard.money import split
from citycard.store.engine import reading, write_alone, writing
from citycard.store.steps import too_long
from citycard.wallet.addresses import LOSS_CLEARING, card_purse, partner_payable

__all__ = ["UNPROVEN", "Decision", "card_is_ours", "decide", "take"]

UNPROVEN = frozenset(
    {
        Code.R01,
        Code.R02,
        Code.R03,
        Code.R08,
        Code.D01,
        Code.D04,
        Code.T01,
        Code.T03,
        Code.T04,
        Code.B03,
        Code.G04,
    }
)
"""Codes under which nothing shows that the money left a card of the city's: the card never pays for these."""

_EVIDENCE_MOST = 200
_UNPAYABLE = {
    Code.R01: "it has no amount that could be read",
    Code.X01: "the city that issued the card says whether it is paid",
}


@attrs.frozen(kw_only=True)
class Decision:
    """How a person decides an exception, and why; ``bearer`` says who pays what is accepted.

    ``accepted`` pays the partners as charged, by the city (``issuer``) or by the ``card``. ``rejected`` pays
    nothing, for good. ``left`` pays nothing either: the partner may bring evidence in a dispute.
    ``evidence`` says where the ground for it is kept.
    """

    how: Ruling = attrs.field(converter=Ruling)
    bearer: Bearer | None = attrs.field(default=None, converter=attrs.converters.optional(Bearer))
    reason: str = attrs.field(converter=trimmed)
    evidence: str = attrs.field(default="", converter=trimmed)

    @property
    def words(self) -> str:
        """Say it in a line."""
        told = " by ".join(filter(None, [self.how.value, self.bearer and self.bearer.value]))
        return f"{told}: {self.grounds}"

    @property
    def grounds(self) -> str:
        """Give the reason, and where the ground for it is kept."""
        return " · ".join(filter(None, [self.reason, self.evidence]))


def take(
    context: ClearingContext, record: str, *, actor: str, step: UUID, from_other: bool = False
) -> ExceptionCase:
    """Take an exception to work on it; the same ``step`` again changes nothing.

    What somebody else has is taken only where ``from_other`` says so; otherwise raise CaseTaken. Raise
    RecordUnknown, RecordNoException, CaseClosed when it is decided, CaseStepConflict.
    """
    with writing(context.engine) as conn:
        case = _held(context, conn, record)
        if not STEPS.is_done(conn, case.id, step, TAKEN, actor):
            _must_be_open(case)
            others = case.taken_by not in {"", actor[:100]}
            if others and not from_other:
                raise STEPS.taken(conn, case.id, context.terms.timezone)
            before = f"from {case.taken_by}" if others else ""
            STEPS.write(conn, case.id, step, TAKEN, actor, before, context.clock.now())
    with reading(context.engine) as conn:
        return exception_of(context, conn, record)


def decide(
    context: ClearingContext, record: str, decision: Decision, *, actor: str, step: UUID
) -> ExceptionCase:
    """Decide an exception, once; the same ``step`` again changes nothing. The next run posts what it pays.

    A held record is taken up no more once it is accepted or rejected.

    More than ``second_person_fen`` of the terms is only proposed at first: it is decided when another person
    says the same. Raise CaseTaken when somebody else works on it, CaseClosed when it is decided,
    CaseStepConflict, and DecisionRefused when it does not fit the record.
    """
    with writing(context.engine) as conn:
        case = _held(context, conn, record)
        if any(STEPS.is_done(conn, case.id, step, what, actor, decision.words) for what in _of(conn, step)):
            return exception_of(context, conn, record)
        _must_be_open(case)
        _check(case, decision)
        proposed_by = case.proposed_by
        if case.taken_by not in {"", actor[:100]} and not proposed_by:
            raise STEPS.taken(conn, case.id, context.terms.timezone)
        at = context.clock.now()
        if decision.how is Ruling.ACCEPTED and case.amount_fen > context.terms.second_person_fen:
            said = STEPS.history(conn, case.id)[-1:]
            if not proposed_by or proposed_by == actor[:100] or said[0].detail != decision.words:
                STEPS.write(conn, case.id, step, PROPOSED, actor, decision.words, at)
                return exception_of(context, conn, record)
        else:
            proposed_by = ""
        if decision.how is not Ruling.LEFT:
            settle(context, conn, case.id)
        if decision.how is Ruling.ACCEPTED:
            order_adjustments(conn, _adjustments(context, conn, case, decision))
        row = {
            "record": case.id,
            "run": case.run,
            "how": decision.how.value,
            "bearer": decision.bearer.value if decision.bearer else "",
            "amount_fen": case.amount_fen if decision.how is Ruling.ACCEPTED else 0,
            "reason": decision.reason,
            "evidence": decision.evidence,
            "actor": actor[:100],
            "proposed_by": proposed_by,
            "at": at,
        }
        conn.execute(insert(clearing_decision), row)
        STEPS.write(conn, case.id, step, DECIDED, actor, decision.words, at)
    with reading(context.engine) as conn:
        return exception_of(context, conn, record)


def card_is_ours(context: ClearingContext, conn: Connection, record: str) -> bool:
    """Say whether a record's card was issued here; only such a card has an account that can pay."""
    found = find_record(context, conn, record).record
    return found is not None and found.issuer in context.terms.issuers


def _held(context: ClearingContext, conn: Connection, record: str) -> ExceptionCase:
    """Give an exception; until the transaction ends nobody else decides one."""
    write_alone(conn, clearing_decision)
    return exception_of(context, conn, record)


def _of(conn: Connection, step: UUID) -> tuple[str, ...]:
    """Give what a step can have been: a decision over the limit may have been a proposal."""
    known = STEPS.find(conn, step)
    return () if known is None else (known.what if known.what in {PROPOSED, DECIDED} else DECIDED,)


def _must_be_open(case: ExceptionCase) -> None:
    if case.state is CaseState.RESOLVED:
        assert case.decision is not None
        raise CaseClosed(
            case=case.id,
            how=Phrase("{how}, {reason}", how=case.decision.how.value, reason=case.decision.reason),
        )


def _check(case: ExceptionCase, decision: Decision) -> None:
    def refused(reason: str) -> DecisionRefused:
        return DecisionRefused(case=case.id, reason=reason)

    if not decision.reason:
        raise refused("say why, for the history")
    if len(decision.evidence) > _EVIDENCE_MOST:
        told = Phrase(
            "{fields}: {count} characters, expected {most} at most",
            fields="evidence",
            count=len(decision.evidence),
            most=_EVIDENCE_MOST,
        )
        raise refused(Phrase("{reason}: a reference is enough", reason=told))
    if wrong := too_long("reason and evidence", decision.grounds, decision.words):
        raise refused(wrong)
    if (decision.how is Ruling.ACCEPTED) is not (decision.bearer is not None):
        raise refused("say who pays what is accepted, the card or the issuer, and only that")
    if decision.how is Ruling.LEFT:
        return
    if case.ended is State.ACCEPTED:
        raise refused("it is paid already: say left, when it is clear where the card's money came from")
    if decision.how is Ruling.ACCEPTED:
        _check_payment(case, decision)


def _check_payment(case: ExceptionCase, decision: Decision) -> None:
    def refused(reason: str) -> DecisionRefused:
        return DecisionRefused(case=case.id, reason=reason)

    if decision.bearer not in {Bearer.CARD, Bearer.ISSUER}:
        raise refused("the card or the issuer pays an exception that is accepted")
    if not decision.evidence:
        raise refused("say where the ground for paying it is kept")
    if Code[case.code] in _UNPAYABLE or not case.amount_fen:
        raise refused(_UNPAYABLE.get(Code[case.code], "there is nothing to pay"))
    if not case.partner:
        raise refused("its terminal belongs to no partner: there is nobody to pay")
    if decision.bearer is Bearer.CARD and Code[case.code] in UNPROVEN:
        raise refused(
            Phrase("under {code} nothing shows that the card paid: let the issuer bear it", code=case.code)
        )


def _adjustments(
    context: ClearingContext, conn: Connection, case: ExceptionCase, decision: Decision
) -> list[Adjustment]:
    if adjustments_about(conn, about=case.id):
        raise DecisionRefused(case=case.id, reason="a dispute about it was upheld: it is paid already")
    by_card = decision.bearer is Bearer.CARD
    if by_card and not card_is_ours(context, conn, case.id):
        raise DecisionRefused(case=case.id, reason="the card is another city's: let the issuer bear it")
    return [
        adjustment(
            AdjustmentCode.A01 if by_card else AdjustmentCode.A02,
            about=case.id,
            cause=case.id,
            debit=card_purse(case.card) if by_card else LOSS_CLEARING,
            credit=partner_payable(partner),
            amount_fen=amount_fen,
            reason=decision.reason,
            at=context.clock.now(),
        )
        for partner, amount_fen in _parts(context, conn, case)
    ]


def _parts(context: ClearingContext, conn: Connection, case: ExceptionCase) -> list[tuple[str, int]]:
    """Say who would have got how much; without a rule that says so, all of it is the terminal's partner's."""
    record = find_record(context, conn, case.id).record
    rating = ask_rate(context.rate, record)[0] if record is not None else None
    shares = [one for one in rating.shares if one.weight] if rating else []
    if not shares:
        return [(case.partner, case.amount_fen)]
    weights = sorted((one.partner or case.partner, one.weight) for one in shares)
    amounts = split(case.amount_fen, [weight for _, weight in weights])
    return [(partner, fen) for (partner, _), fen in zip(weights, amounts, strict=True) if fen]
