"""Disputes: a partner, or a holder through a clerk, says that a record or a statement is wrong, and why.

A dispute is opened within its days, gets evidence, and is decided (``upholding``). What it is about is the id
of a record, or a position of the partner's own statement: ``run/3``, ``run/3/2018-09-01`` or
``run/3/2018-09-01/T01``.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, insert, select

from citycard.clearing.casecodes import Party, Verdict
from citycard.clearing.casetables import (
    clearing_dispute,
    clearing_dispute_decision,
    clearing_dispute_evidence,
)
from citycard.clearing.codes import Code
from citycard.clearing.context import ClearingContext
from citycard.clearing.disputable import Subject, check_days, check_free, is_position, subject_of
from citycard.clearing.exceptions import PROPOSED, STEPS, today
from citycard.clearing.standing import standing_of
from citycard.errors import (
    ArchiveDamaged,
    DisputeConflict,
    DisputeDecided,
    DisputeForeign,
    DisputeRefused,
    DisputeStanding,
    DisputeUnknown,
    EvidenceConflict,
    Phrase,
)
from citycard.files import write_whole
from citycard.money import yuan
from citycard.store.engine import reading, write_alone, writing

__all__ = [
    "LARGEST_EVIDENCE",
    "Claim",
    "Dispute",
    "DisputeDecision",
    "DisputeState",
    "Evidence",
    "add_evidence",
    "dispute_of",
    "evidence_of",
    "evidence_path",
    "find_disputes",
    "open_dispute",
    "read_evidence",
]

LARGEST_EVIDENCE = 10 * 1024 * 1024
_LARGEST_FEN = 2**63 - 1


class DisputeState(StrEnum):
    """Where a dispute is: open, or how it ended."""

    OPEN = "open"
    UPHELD = "upheld"
    PART = "part"
    REFUSED = "refused"


@attrs.frozen(kw_only=True)
class Claim:
    """What somebody disputes: who (``partner`` is empty for a holder), what about, how much, and why."""

    party: Party = attrs.field(converter=Party)
    partner: str = ""
    about: str
    amount_fen: int
    reason: str


@attrs.frozen(kw_only=True)
class DisputeDecision:
    """How a dispute ended. ``rule`` names the rule that decided it where nobody did in time."""

    outcome: Verdict = attrs.field(converter=Verdict)
    amount_fen: int
    bearer: str
    reason: str
    actor: str
    proposed_by: str
    rule: str
    at: datetime


@attrs.frozen(kw_only=True)
class Dispute:
    """A dispute, and how far it is.

    ``run`` cleared what it is about. Until ``evidence_until`` its evidence must have come, until
    ``decide_until`` it must be decided. ``pieces`` counts the evidence. ``proposal`` is what ``proposed_by``
    proposed, in words: a second person has to say the same.
    """

    id: UUID
    party: Party = attrs.field(converter=Party)
    partner: str
    about: str
    run: int
    amount_fen: int
    reason: str
    opened_by: str
    opened_at: datetime
    evidence_until: date
    decide_until: date
    pieces: int = 0
    proposed_by: str = ""
    proposal: str = ""
    decision: DisputeDecision | None = None

    @property
    def about_record(self) -> bool:
        """Say whether it is about one record, and not about a line of a statement."""
        return not is_position(self.about)

    @property
    def state(self) -> DisputeState:
        """Say where it is."""
        return DisputeState.OPEN if self.decision is None else DisputeState(self.decision.outcome.value)

    def overdue(self, day: date) -> bool:
        """Say whether a rule decides it on a day: its evidence, or its decision, did not come in time."""
        late = day > self.decide_until or (day > self.evidence_until and not self.pieces)
        return self.decision is None and late


@attrs.frozen(kw_only=True)
class Evidence:
    """A piece of evidence: a file under its SHA-256 (``evidence_path``), or a note, whose digest it is."""

    id: UUID
    name: str
    digest: str
    size: int
    note: str
    actor: str
    at: datetime


def open_dispute(context: ClearingContext, identity: UUID, claim: Claim, *, actor: str) -> Dispute:
    """Open a dispute; again under the same id it is the one that was opened.

    Raise DisputeConflict when it was another one, DisputeStanding when the same party disputes the same thing
    already, DisputeRefused when its days are over, or more is claimed than can be owed, DisputeForeign when
    the record does not concern the partner, RecordUnknown, RunUnknown, StatementUnknown.
    """
    with reading(context.engine) as conn:
        known = _rows(conn, clearing_dispute.c.id == identity)
        if known:
            return _same(known[0], claim)
        # What is looked for in files is looked for before anybody has to wait.
        subject = _subject(context, conn, claim)
        check_days(context, conn, claim.about, subject.run)
    with writing(context.engine) as conn:
        write_alone(conn, clearing_dispute)
        known = _rows(conn, clearing_dispute.c.id == identity)
        if known:
            return _same(known[0], claim)
        same = (clearing_dispute.c.party == claim.party.value, clearing_dispute.c.partner == claim.partner)
        for standing in _rows(conn, *same, clearing_dispute.c.about == subject.about):
            raise _standing(standing)
        check_free(context, conn, subject, claim.party, claim.partner, claim.amount_fen)
        day, calendar = today(context), context.terms.calendar
        row = {
            "id": identity,
            "party": claim.party.value,
            "partner": claim.partner,
            "about": subject.about,
            "run": subject.run,
            "amount_fen": claim.amount_fen,
            "reason": claim.reason.strip()[:300],
            "opened_by": actor[:100],
            "opened_at": context.clock.now(),
            "evidence_until": calendar.add(day, context.terms.evidence_days),
            "decide_until": calendar.add(day, context.terms.decision_days),
        }
        conn.execute(insert(clearing_dispute), row)
    with reading(context.engine) as conn:
        return dispute_of(conn, identity)


def find_disputes(
    conn: Connection,
    *,
    state: DisputeState | None = DisputeState.OPEN,
    partner: str = "",
    about: str = "",
    decided: bool = False,
    newest: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> list[Dispute]:
    """Give disputes, by the day until which they must be decided; open ones unless told, all with None.

    ``decided`` gives those alone that are, however; ``newest`` the last opened first. ``offset`` leaves out
    as many of the first.
    """
    conditions: list[Any] = [clearing_dispute_decision.c.outcome.is_not(None)] if decided else []
    if partner:
        conditions.append(clearing_dispute.c.partner == partner)
    if about:
        conditions.append(clearing_dispute.c.about == about)
    if state is DisputeState.OPEN:
        conditions.append(clearing_dispute_decision.c.outcome.is_(None))
    elif state is not None:
        conditions.append(clearing_dispute_decision.c.outcome == state.value)
    return _rows(conn, *conditions, newest=newest, limit=limit, offset=offset)


def dispute_of(conn: Connection, identity: UUID) -> Dispute:
    """Give one dispute; raise DisputeUnknown."""
    found = _rows(conn, clearing_dispute.c.id == identity)
    if not found:
        raise DisputeUnknown(id=identity)
    return found[0]


def evidence_of(conn: Connection, identity: UUID) -> list[Evidence]:
    """Give the evidence of a dispute, the oldest first."""
    table = clearing_dispute_evidence
    columns = [table.c[field.name] for field in attrs.fields(Evidence)]
    query = select(*columns).where(table.c.dispute == identity).order_by(table.c.seq)
    return [Evidence(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def evidence_path(digest: str) -> str:
    """Give the place of a piece of evidence, relative to the city's folder."""
    return f"evidence/{digest[:2]}/{digest}"


def read_evidence(context: ClearingContext, digest: str) -> bytes:
    """Read a file that was added as evidence; raise ArchiveDamaged when it is gone, or not as it came."""
    path = context.folder / evidence_path(digest)
    try:
        data = path.read_bytes()
    except OSError as missing:
        raise ArchiveDamaged(path=path) from missing
    if hashlib.sha256(data).hexdigest() != digest:
        raise ArchiveDamaged(path=path)
    return data


def add_evidence(
    context: ClearingContext,
    identity: UUID,
    piece: UUID,
    *,
    actor: str,
    name: str = "",
    data: bytes | None = None,
    note: str = "",
) -> Evidence:
    """Add a piece of evidence to an open dispute: a file, by name and bytes, or a note; each once by its id.

    Raise EvidenceConflict when the id was used for another piece, DisputeRefused when the dispute is decided,
    the days for evidence are over and none came, or the piece is empty or too large.
    """
    content = note.strip().encode() if data is None else data
    digest = hashlib.sha256(content).hexdigest()
    row = {
        "id": piece,
        "dispute": identity,
        "name": name[:200],
        "digest": digest,
        "size": len(content),
        "note": note.strip(),
        "actor": actor[:100],
        "at": context.clock.now(),
    }
    with reading(context.engine) as conn:
        about = dispute_of(conn, identity).about
    if not 0 < len(content) <= LARGEST_EVIDENCE or len(note) > 2000:  # noqa: PLR2004 - what the column holds
        told = Phrase(
            "evidence is a file of 1 to {most} bytes, or a note of up to 2000 characters",
            most=LARGEST_EVIDENCE,
        )
        raise DisputeRefused(about=about, reason=told)
    if data is not None:
        # The file first: a row that is there names a file that is there.
        write_whole(context.folder / evidence_path(digest), data)
    with writing(context.engine) as conn:
        write_alone(conn, clearing_dispute_evidence)
        found = dispute_of(conn, identity)
        query = select(clearing_dispute_evidence).where(clearing_dispute_evidence.c.id == piece)
        known = conn.execute(query).one_or_none()
        if known is None:
            _check_evidence(found, today(context))
            conn.execute(insert(clearing_dispute_evidence), row)
        else:
            for field in ("dispute", "digest", "actor"):
                if getattr(known, field) != row[field]:
                    raise EvidenceConflict(id=piece, field=field)
    with reading(context.engine) as conn:
        return next(one for one in evidence_of(conn, identity) if one.id == piece)


def _check_evidence(found: Dispute, day: date) -> None:
    if found.decision is not None:
        told = Phrase("it is decided already: {state}", state=found.decision.outcome)
        raise DisputeDecided(about=found.about, reason=told)
    if day > found.evidence_until and not found.pieces:
        told = Phrase("evidence had to come until {until}", until=found.evidence_until)
        raise DisputeRefused(about=found.about, reason=told)


def _standing(one: Dispute) -> DisputeStanding:
    decided = Phrase("it is decided already: {state}", state=one.state)
    told = "add evidence to that one" if one.decision is None else decided
    return DisputeStanding(about=one.about, who=one.partner or "the holder", id=one.id, what_then=told)


def _same(known: Dispute, claim: Claim) -> Dispute:
    for field in ("party", "partner", "about", "amount_fen"):
        if getattr(known, field) != getattr(claim, field):
            raise DisputeConflict(id=known.id, field=field)
    return known


def _subject(context: ClearingContext, conn: Connection, claim: Claim) -> Subject:
    """Find what a claim is about, and check that it is its party's to dispute."""

    def refused(reason: str) -> DisputeRefused:
        return DisputeRefused(about=claim.about, reason=reason)

    if not claim.reason.strip():
        raise refused("say why, for whoever decides")
    if not 0 < claim.amount_fen <= _LARGEST_FEN:
        raise refused(Phrase("{amount_yuan} yuan is not an amount", amount_yuan=yuan(claim.amount_fen)))
    if (claim.party is Party.PARTNER) is not bool(claim.partner):
        raise refused("name the partner that disputes; a holder is known by the record")
    if claim.party is Party.HOLDER and is_position(claim.about):
        raise refused("a holder disputes a record, not a statement")
    subject = subject_of(context, conn, claim.about, claim.partner)
    record = subject.record
    if record is not None:
        concerned = {record.partner, *standing_of(conn, record).got_fen}
        if claim.party is Party.PARTNER and claim.partner not in concerned:
            told = Phrase("{partner} neither handed the record in nor was paid for it", partner=claim.partner)
            raise DisputeForeign(about=claim.about, reason=told)
        if record.code == Code.X01.name:
            raise refused("the city that issued the card says whether it is paid")
    return subject


def _rows(
    conn: Connection, *conditions: Any, newest: bool = False, limit: int | None = None, offset: int = 0
) -> list[Dispute]:
    """Give disputes with their evidence counted, what was proposed, and their decisions."""
    decision = {name: clearing_dispute_decision.c[name].label(f"decision_{name}") for name in _DECISION}
    query = (
        select(clearing_dispute, *decision.values())
        .outerjoin(clearing_dispute_decision, clearing_dispute_decision.c.dispute == clearing_dispute.c.id)
        .where(*conditions)
        .order_by(*_NEWEST if newest else _FIRST_DUE)
        .limit(limit)
        .offset(offset)
    )
    return [_dispute(conn, row) for row in conn.execute(query).all()]


_FIRST_DUE = (clearing_dispute.c.decide_until, clearing_dispute.c.opened_at, clearing_dispute.c.id)
_NEWEST = (clearing_dispute.c.opened_at.desc(), clearing_dispute.c.id.desc())
_DECISION = tuple(field.name for field in attrs.fields(DisputeDecision))


def _dispute(conn: Connection, row: Row[Any]) -> Dispute:
    columns = {column.name: getattr(row, column.name) for column in clearing_dispute.c}
    decision = None
    if row.decision_outcome is not None:
        decision = DisputeDecision(**{name: getattr(row, f"decision_{name}") for name in _DECISION})
    last = next(reversed(STEPS.history(conn, str(row.id))), None)
    proposed = last if decision is None and last is not None and last.what == PROPOSED else None
    return Dispute(
        **columns,
        pieces=len(evidence_of(conn, row.id)),
        proposed_by="" if proposed is None else proposed.actor,
        proposal="" if proposed is None else proposed.detail,
        decision=decision,
    )
