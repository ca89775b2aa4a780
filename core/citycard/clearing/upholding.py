"""Decide a dispute: upheld in full or in part, or refused; by a person, or by rule when its days are over.

What is upheld is posted by the next run. Two rules decide what nobody did: without evidence in time it is
refused (``no-evidence``); with evidence and no decision in time it is upheld in full, and the city bears it
(``undecided``), unless the amount needs two persons or it is about a position of a statement, which nobody
can check without looking: then it stays open.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select

from citycard.clearing.adjusting import Adjustment, adjustment, order_adjustments
from citycard.clearing.casecodes import AdjustmentCode, Bearer, Party, Verdict, trimmed
from citycard.clearing.casetables import clearing_decision, clearing_dispute_decision
from citycard.clearing.codes import Code
from citycard.clearing.context import ClearingContext
from citycard.clearing.deciding import UNPROVEN, card_is_ours
from citycard.clearing.disputable import check_free, subject_of
from citycard.clearing.disputes import Dispute, DisputeState, dispute_of, find_disputes
from citycard.clearing.exceptions import DECIDED, PROPOSED, STEPS, today
from citycard.clearing.records import ClearedRecord
from citycard.clearing.settled import settle
from citycard.clearing.standing import standing_of
from citycard.errors import DisputeDecided, DisputeRefused, Phrase, RecordUnknown
from citycard.ids import derived_id
from citycard.money import split, yuan
from citycard.registry.tables import partner as partner_table
from citycard.store.engine import reading, write_alone, writing
from citycard.store.steps import too_long
from citycard.wallet.addresses import CITY_PREFIX, LOSS_CLEARING, card_purse, card_refund, partner_payable
from citycard.wallet.tables import purchase_refund

__all__ = ["NO_EVIDENCE", "UNDECIDED", "Judgement", "decide_dispute", "decide_overdue"]

NO_EVIDENCE, UNDECIDED = "no-evidence", "undecided"
_BEARERS = {
    Party.PARTNER: {Bearer.CARD, Bearer.ISSUER, Bearer.PARTNER},
    Party.HOLDER: {Bearer.PARTNERS, Bearer.ISSUER},
}


@attrs.frozen(kw_only=True)
class Judgement:
    """How a dispute is decided, and why.

    ``amount_fen`` is what is upheld in part. ``bearer`` pays what is upheld: to a partner the ``card``, the
    city (``issuer``), or the ``partner`` that ``payer`` names; to a holder the ``partners`` that were paid,
    or the city.
    """

    outcome: Verdict = attrs.field(converter=Verdict)
    amount_fen: int = 0
    bearer: Bearer | None = attrs.field(default=None, converter=attrs.converters.optional(Bearer))
    payer: str = ""
    reason: str = attrs.field(converter=trimmed)

    @property
    def payers(self) -> str:
        """Name who pays, as the decision keeps it."""
        if self.bearer is None:
            return ""
        return f"{self.bearer}:{self.payer}" if self.payer else self.bearer.value

    @property
    def words(self) -> str:
        """Say it in a line."""
        told = [self.outcome.value, f"{self.amount_fen} fen" if self.amount_fen else "", self.payers]
        return f"{' '.join(filter(None, told))}: {self.reason}"


def decide_dispute(
    context: ClearingContext, identity: UUID, judgement: Judgement, *, actor: str, step: UUID
) -> Dispute:
    """Decide a dispute, once; the same ``step`` again changes nothing. The next run posts what is upheld.

    More than ``second_person_fen`` of the terms is only proposed at first: it is decided when another person
    says the same. Raise DisputeUnknown, CaseStepConflict, and DisputeRefused when it is decided already, or
    when the judgement does not fit it.
    """
    return _decide(context, identity, judgement, actor=actor, step=step)


def decide_overdue(context: ClearingContext, *, actor: str) -> list[Dispute]:
    """Let the rules decide every open dispute whose days are over, and return those that they decided.

    What somebody else decided meanwhile is left as it is.
    """
    day = today(context)
    with reading(context.engine) as conn:
        late = [one for one in find_disputes(conn) if one.overdue(day)]
    decided = []
    for one in late:
        if not one.pieces:
            told = f"no evidence came until {one.evidence_until}"
            wish, rule = Judgement(outcome=Verdict.REFUSED, reason=told), NO_EVIDENCE
        elif one.about_record and one.amount_fen <= context.terms.second_person_fen:
            told = f"not decided until {one.decide_until}"
            wish, rule = Judgement(outcome=Verdict.UPHELD, bearer=Bearer.ISSUER, reason=told), UNDECIDED
        else:
            continue
        with suppress(DisputeDecided):
            decided.append(_decide_by_rule(context, one, wish, rule, actor))
    return decided


def _decide_by_rule(
    context: ClearingContext, one: Dispute, wish: Judgement, rule: str, actor: str
) -> Dispute:
    step = derived_id("clearing", "dispute", one.id, rule)
    try:
        return _decide(context, one.id, wish, actor=actor, step=step, rule=rule)
    except DisputeDecided:
        raise
    except (DisputeRefused, RecordUnknown) as refused:
        # A refund, or another dispute, has given back meanwhile what this one claims.
        nothing = Judgement(outcome=Verdict.REFUSED, reason=f"{wish.reason}; {refused}"[:250])
        return _decide(context, one.id, nothing, actor=actor, step=step, rule=rule)


def _decide(
    context: ClearingContext, identity: UUID, wish: Judgement, *, actor: str, step: UUID, rule: str = ""
) -> Dispute:
    about = str(identity)
    with writing(context.engine) as conn:
        # Whoever decides an exception, or gives a refund of the same record, waits.
        write_alone(conn, clearing_decision)
        write_alone(conn, purchase_refund)
        found = dispute_of(conn, identity)
        if rule and found.decision is not None:
            raise DisputeDecided(
                about=found.about, reason=Phrase("it is decided already: {state}", state=found.state)
            )
        known = STEPS.find(conn, step)
        if known is not None:
            what = known.what if known.what in {PROPOSED, DECIDED} else DECIDED
            STEPS.is_done(conn, about, step, what, actor, wish.words)
            return found
        amount_fen = _checked(conn, found, wish)
        moves = _adjustments(context, conn, found, wish, amount_fen)
        at, proposed_by = context.clock.now(), ""
        if amount_fen > context.terms.second_person_fen:
            said = next(reversed(STEPS.history(conn, about)), None)
            if (
                said is None
                or said.what != PROPOSED
                or said.actor == actor[:100]
                or said.detail != wish.words
            ):
                STEPS.write(conn, about, step, PROPOSED, actor, wish.words, at)
                return dispute_of(conn, identity)
            proposed_by = said.actor
        if moves and found.about_record:
            settle(context, conn, found.about)
        order_adjustments(conn, moves)
        row = {
            "dispute": identity,
            "outcome": wish.outcome.value,
            "amount_fen": amount_fen,
            "bearer": wish.payers,
            "reason": wish.reason,
            "actor": actor[:100],
            "proposed_by": proposed_by,
            "rule": rule,
            "at": at,
        }
        conn.execute(insert(clearing_dispute_decision), row)
        STEPS.write(conn, about, step, DECIDED, actor, wish.words, at)
        return dispute_of(conn, identity)


def _checked(conn: Connection, found: Dispute, wish: Judgement) -> int:
    """Check a judgement against its dispute, and give what it upholds, in fen."""
    if found.state is not DisputeState.OPEN:
        raise DisputeDecided(
            about=found.about, reason=Phrase("it is decided already: {state}", state=found.state)
        )
    wrong = ""
    if not wish.reason:
        wrong = "say why, for both sides"
    elif told := too_long("reason", wish.reason, wish.words):
        wrong = told
    elif wish.outcome is Verdict.REFUSED:
        wrong = "nobody pays what is refused" if wish.bearer is not None or wish.amount_fen else ""
    else:
        wrong = _wrong_payer(conn, found, wish) or _wrong_amount(found, wish)
    if wrong:
        raise DisputeRefused(about=found.about, reason=wrong)
    return {Verdict.UPHELD: found.amount_fen, Verdict.PART: wish.amount_fen}.get(wish.outcome, 0)


def _wrong_payer(conn: Connection, found: Dispute, wish: Judgement) -> str:
    if wish.bearer not in _BEARERS[found.party]:
        return Phrase(
            "say who pays what is upheld: {bearers}", bearers=" or ".join(sorted(_BEARERS[found.party]))
        )
    if (wish.bearer is Bearer.PARTNER) is not bool(wish.payer):
        return "name the other partner where one pays, and only there"
    named = select(partner_table.c.id).where(partner_table.c.id == wish.payer)
    stranger = wish.payer == found.partner or conn.scalar(named) is None
    return Phrase("{payer} is no other partner", payer=wish.payer) if wish.payer and stranger else ""


def _wrong_amount(found: Dispute, wish: Judgement) -> str:
    if wish.outcome is Verdict.UPHELD:
        whole = wish.amount_fen in {0, found.amount_fen}
        return (
            ""
            if whole
            else Phrase("upheld in full it is {amount_yuan} yuan", amount_yuan=yuan(found.amount_fen))
        )
    part = 0 < wish.amount_fen < found.amount_fen
    return (
        ""
        if part
        else Phrase("a part of it is 0.01 to {most_yuan} yuan", most_yuan=yuan(found.amount_fen - 1))
    )


def _adjustments(
    context: ClearingContext, conn: Connection, found: Dispute, wish: Judgement, amount_fen: int
) -> list[Adjustment]:
    if not amount_fen:
        return []
    subject = subject_of(context, conn, found.about, found.partner)
    check_free(context, conn, subject, found.party, found.partner, amount_fen, only_got=True)
    moves = _to_holder if found.party is Party.HOLDER else _to_partner
    shared: dict[str, Any] = {
        "about": found.about,
        "cause": str(found.id),
        "reason": wish.reason,
        "at": context.clock.now(),
    }
    return [
        adjustment(code, debit=debit, credit=credit, amount_fen=fen, **shared)
        for code, debit, credit, fen in moves(context, conn, found, wish, amount_fen, subject.record)
    ]


_Move = tuple[AdjustmentCode, str, str, int]


def _to_partner(
    context: ClearingContext,
    conn: Connection,
    found: Dispute,
    wish: Judgement,
    amount_fen: int,
    record: ClearedRecord | None,
) -> list[_Move]:
    payable = partner_payable(found.partner)
    if wish.bearer is Bearer.ISSUER:
        return [(AdjustmentCode.A04, LOSS_CLEARING, payable, amount_fen)]
    if wish.bearer is Bearer.PARTNER:
        return [(AdjustmentCode.A05, partner_payable(wish.payer), payable, amount_fen)]
    if record is None or Code[record.code] in UNPROVEN or not card_is_ours(context, conn, record.id):
        raise DisputeRefused(about=found.about, reason="nothing shows that a card paid it: let the issuer")
    left_fen = record.amount_fen - standing_of(conn, record).card_fen
    if amount_fen > left_fen:
        raise DisputeRefused(
            about=found.about,
            reason=Phrase("{left_yuan} yuan of it are left on the card", left_yuan=yuan(left_fen)),
        )
    return [(AdjustmentCode.A03, card_purse(record.card), payable, amount_fen)]


def _to_holder(
    _context: ClearingContext,
    conn: Connection,
    found: Dispute,
    wish: Judgement,
    amount_fen: int,
    record: ClearedRecord | None,
) -> list[_Move]:
    assert record is not None
    owed = card_refund(record.card)
    if wish.bearer is Bearer.ISSUER:
        return [(AdjustmentCode.A07, LOSS_CLEARING, owed, amount_fen)]
    got = {name: fen for name, fen in sorted(standing_of(conn, record).got_fen.items()) if fen > 0}
    if any(name.startswith(CITY_PREFIX) for name in got):
        raise DisputeRefused(about=found.about, reason="another city was paid for it: let the issuer bear it")
    if amount_fen > sum(got.values()):
        told = Phrase("the partners have {held_yuan} yuan of it", held_yuan=yuan(sum(got.values())))
        raise DisputeRefused(about=found.about, reason=told)
    amounts = split(amount_fen, list(got.values()))
    return [
        (AdjustmentCode.A06, partner_payable(name), owed, fen)
        for name, fen in zip(got, amounts, strict=True)
        if fen
    ]
