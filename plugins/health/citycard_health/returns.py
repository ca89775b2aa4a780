"""Give back a visit, whole or line by line: each payer gets its own part, and the year's counters too.

Insurance gets back what it paid for the lines that are returned. The patient's part comes back in the
reverse of the order in which it was paid: the purse, then the account's own money, then subsidies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, insert, select, update

from citycard.errors import Phrase, PurchaseRefundRefused
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard.wallet.refunds import Destination
from citycard_health.claims import make_claim
from citycard_health.errors import AlreadyDone, NotFound, VisitRefused
from citycard_health.events import VisitChanged, tell
from citycard_health.patients import hold_patient
from citycard_health.split import LineSplit, used_by
from citycard_health.tables import line as line_table
from citycard_health.tables import paid_record as paid_table
from citycard_health.tables import purse_return as return_table
from citycard_health.tables import refund as refund_table
from citycard_health.tables import visit as visit_table
from citycard_health.used import change_used, held_used
from citycard_health.visits import ClinicVisit, VisitState, hold_visit, visit_of

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "VisitReturned",
    "even_out",
    "finish_return",
    "return_lines",
    "settle_state",
    "waiting_evening",
    "waiting_returns",
]

_LONGEST = 100
_BEGUN, _DONE = "begun", "done"


@attrs.frozen(kw_only=True)
class VisitReturned:
    """What was given back of a visit: insured + purse + online = amount, to the fen.

    ``purse_fen`` lowers what the purse has to bear; what it paid already is owed to the card and loaded when
    the card is next held to a reader that does so.
    """

    id: UUID
    visit: UUID
    amount_fen: int
    insured_fen: int
    purse_fen: int
    online_fen: int
    reason: str
    state: str


def return_lines(
    city: City, identity: UUID, visit: UUID, places: Sequence[int] = (), *, reason: str, actor: str
) -> VisitReturned:
    """Give back lines of a visit by their places from 1, or all that are left; once for each ``identity``.

    Raise VisitRefused, NotFound, or AlreadyDone for an id under which something else was given back.
    """
    if not (0 < len(reason.strip()) <= _LONGEST and reason.isprintable()):
        raise VisitRefused(reason=Phrase("expected a reason of 1 to {longest} characters", longest=_LONGEST))
    wanted = sorted(set(places))
    digest = hashlib.blake2b(json.dumps([str(visit), wanted]).encode(), digest_size=16).digest()
    with writing(city.engine) as conn:
        held = hold_visit(conn, visit)
        known = conn.execute(select(refund_table).where(refund_table.c.id == identity)).one_or_none()
        if known is None:
            _begin(conn, city, identity, held, wanted, digest, reason, actor)
        elif bytes(known.digest) != digest:
            raise AlreadyDone(what="refund", id=identity, field="visit or lines")
    return finish_return(city, identity)


def _begin(
    conn: Connection,
    city: City,
    identity: UUID,
    visit: ClinicVisit,
    places: Sequence[int],
    digest: bytes,
    reason: str,
    actor: str,
) -> None:
    if visit.state is VisitState.CHARGING:
        raise VisitRefused(reason="it is being charged: try again in a moment")
    left = _left(conn, visit.id)
    chosen = places or sorted(left)
    missing = [place for place in chosen if place not in left]
    if missing or not chosen:
        told = ", ".join(map(str, missing)) or "all of it"
        raise VisitRefused(
            reason=Phrase("line {lines} was given back already, or never was in it", lines=told)
        )
    parts = [left[place] for place in chosen]
    back = used_by(parts)
    hold_patient(conn, visit.patient)
    held_used(conn, visit.patient, visit.year)
    change_used(conn, visit.patient, visit.year, back, back=True)
    if back.insured_fen:
        make_claim(
            conn,
            city,
            derived_id("health refund claim", identity),
            visit=visit.id,
            insurer=visit.insurer,
            clinic=visit.clinic,
            amount_fen=-back.insured_fen,
        )
    patient_fen = sum(part.patient_fen for part in parts)
    purse_fen = min(patient_fen, visit.due_fen)
    row = {
        "id": identity,
        "visit": visit.id,
        "at": city.now_local(),
        "state": _BEGUN,
        "digest": digest,
        "amount_fen": sum(part.amount_fen for part in parts),
        "insured_fen": back.insured_fen,
        "purse_fen": purse_fen,
        "online_fen": patient_fen - purse_fen,
        "reason": reason.strip(),
        "actor": actor[:80],
    }
    conn.execute(insert(refund_table), row)
    mine = update(line_table).where(line_table.c.visit == visit.id, line_table.c.place.in_(chosen))
    conn.execute(mine.values(refund=identity))
    values: dict[str, Any] = {"due_fen": visit.due_fen - purse_fen}
    values["online_returned_fen"] = visit.online_returned_fen + patient_fen - purse_fen
    if len(chosen) == len(left):
        values["state"] = VisitState.RETURNED.value
    conn.execute(update(visit_table).where(visit_table.c.id == visit.id).values(values))
    settle_state(conn, visit.id)
    tell(conn, _event(visit, row), name="health.visit-returned")


def _left(conn: Connection, visit: UUID) -> dict[int, LineSplit]:
    query = select(line_table).where(line_table.c.visit == visit, line_table.c.refund.is_(None))
    return {
        row.place: LineSplit(
            amount_fen=row.amount_fen, deductible_fen=row.deductible_fen, insured_fen=row.insured_fen
        )
        for row in conn.execute(query)
    }


def _event(visit: ClinicVisit, row: dict[str, Any]) -> VisitChanged:
    return VisitChanged(
        visit=str(visit.id),
        asn=visit.asn,
        clinic=visit.clinic,
        amount_fen=row["amount_fen"],
        insured_fen=row["insured_fen"],
        online_fen=row["online_fen"],
        purse_fen=row["purse_fen"],
    )


def settle_state(conn: Connection, visit: UUID) -> None:
    """Let a visit be paid when the purse has nothing left to pay, and due when it has."""
    found = hold_visit(conn, visit)
    if found.state not in {VisitState.DUE, VisitState.PAID}:
        return
    state = VisitState.DUE if found.left_fen else VisitState.PAID
    conn.execute(update(visit_table).where(visit_table.c.id == visit).values(state=state.value))


def finish_return(city: City, identity: UUID) -> VisitReturned:
    """Go on with a refund whose insurance part stands: the online payment and the purse."""
    from citycard.city.charging import give_back

    with reading(city.engine) as conn:
        row = conn.execute(select(refund_table).where(refund_table.c.id == identity)).one_or_none()
    if row is None:
        raise NotFound(what="refund", name=identity)
    visit = visit_of(city, row.visit)
    if row.state == _BEGUN:
        if row.online_fen:
            assert visit.payment is not None
            mine = derived_id("health refund", identity)
            give_back(city, mine, visit.payment, row.online_fen, note=row.reason, actor="health")
        with writing(city.engine) as conn:
            conn.execute(update(refund_table).where(refund_table.c.id == identity).values(state=_DONE))
    even_out(city, visit.id)
    names = [field.name for field in attrs.fields(VisitReturned)]
    found = {name: getattr(row, name) for name in names}
    return VisitReturned(**found | {"state": _DONE})


def waiting_returns(conn: Connection) -> list[UUID]:
    """List the refunds that were broken off."""
    return list(conn.scalars(select(refund_table.c.id).where(refund_table.c.state == _BEGUN)))


def waiting_evening(conn: Connection) -> dict[UUID, str]:
    """Give the visits whose purse is owed something that was not posted yet, each with a record of it."""
    query = select(return_table.c.visit, return_table.c.record).where(return_table.c.state == _BEGUN)
    return {row.visit: row.record for row in conn.execute(query.order_by(return_table.c.record))}


# ── what the purse paid too much ─────────────────────────────────────────────────────────────────


def even_out(city: City, visit: UUID) -> int:
    """Owe the card what its purse paid beyond what it has to bear, record by record; return how many fen.

    Records come late: what was given back meanwhile, and what was paid twice, is noticed here. What people
    accepted after a run can be given back by a dispute alone; until one did, it waits.
    """
    with writing(city.engine) as conn:
        found = hold_visit(conn, visit)
        excess_fen = found.purse_paid_fen - found.purse_returned_fen - found.due_fen
        if excess_fen > 0:
            _plan_returns(conn, visit, excess_fen)
            more = visit_table.c.purse_returned_fen + excess_fen
            conn.execute(update(visit_table).where(visit_table.c.id == visit).values(purse_returned_fen=more))
    with reading(city.engine) as conn:
        mine = (return_table.c.visit == visit, return_table.c.state == _BEGUN)
        begun = conn.execute(select(return_table).where(*mine)).all()
    return sum(row.amount_fen for row in begun if _give_back(city, row))


def _give_back(city: City, row: Row[Any]) -> bool:
    """Give back what is owed of a record; say whether that is done."""
    from citycard.city.refunds import give_refund, purchase_of

    try:
        give_refund(
            city,
            row.id,
            purchase_of(city, row.record),
            row.amount_fen,
            Destination.PURSE,
            reason="visit given back",
            approved_by="health",
            evidence=f"visit {row.visit}",
            actor="health",
        )
    except PurchaseRefundRefused:
        if not _came_back(city, row.record):
            return False
    with writing(city.engine) as conn:
        conn.execute(update(return_table).where(return_table.c.id == row.id).values(state=_DONE))
    return True


def _came_back(city: City, record: str) -> bool:
    """Say whether no more of a record is its card's to bear than the visit needs of it, by a dispute."""
    from citycard.clearing.records import find_cleared
    from citycard.clearing.standing import standing_of

    with reading(city.engine) as conn:
        paid = conn.execute(select(paid_table).where(paid_table.c.record == record)).one()
        cleared = find_cleared(city, conn, record)
        assert cleared is not None, "a run judged what was paid"
        standing = standing_of(conn, cleared)
    needed_fen: int = paid.amount_fen - paid.returned_fen
    return standing.card_fen - standing.returned_fen <= needed_fen


def _plan_returns(conn: Connection, visit: UUID, excess_fen: int) -> None:
    """Take the excess from the records of the visit, the last one first."""
    query = select(paid_table).where(paid_table.c.visit == visit).order_by(paid_table.c.record.desc())
    for row in conn.execute(query).all():
        back_fen = min(excess_fen, row.amount_fen - row.returned_fen)
        if not back_fen:
            continue
        identity = derived_id("health purse return", row.record, row.returned_fen)
        plan = {"id": identity, "visit": visit, "record": row.record, "amount_fen": back_fen, "state": _BEGUN}
        conn.execute(insert(return_table), plan)
        mine = update(paid_table).where(paid_table.c.record == row.record)
        conn.execute(mine.values(returned_fen=row.returned_fen + back_fen))
        excess_fen -= back_fen
