"""The personal data that city hall keeps about the holder of a card: handed over, and erased.

What is sealed is opened for its holder at ``/egov/cards/<card>/file``; here it is said what there is. Who
read the file stays: those lines name a resident by a number that leads nowhere once the rest is erased.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select, update

from citycard.kernel.data import PersonalData
from citycard_egov.tables import (
    application,
    application_step,
    card,
    challenge,
    conflict,
    consent,
    plan_line,
    proof,
    reading_log,
    resident,
    standing,
    ticket,
    told,
)

__all__ = ["PERSONAL_DATA"]


def _holder(conn: Connection, asn: str) -> UUID | None:
    found: UUID | None = conn.scalar(select(card.c.resident).where(card.c.asn == asn))
    return found


def _cards(who: UUID) -> Any:
    return select(card.c.asn).where(card.c.resident == who)


def _hand_over(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    who = _holder(conn, asn)
    if who is None:
        return
    for row in conn.execute(select(told).where(told.c.resident == who).order_by(told.c.seq)):
        yield {"told": row.field, "by": row.source, "of": row.day.isoformat(), "at": row.at.isoformat()}
    mine = select(reading_log).where(reading_log.c.resident == who)
    for row in conn.execute(mine.order_by(reading_log.c.seq)):
        yield {"read by": row.reader, "why": row.why, "fields": list(row.fields), "at": row.at.isoformat()}
    for row in conn.execute(select(application).where(application.c.resident == who)):
        yield {"application": row.service, "state": row.state, "filed at": row.filed_at.isoformat()}
    for row in conn.execute(select(consent).where(consent.c.resident == who)):
        yield {"consent": row.purpose, "asker": row.asker, "party": row.node, "until": row.until.isoformat()}
    for row in conn.execute(select(plan_line).where(plan_line.c.asn.in_(_cards(who)))):
        yield {"payment plan": row.plan, "amount_fen": row.amount_fen, "state": row.state}


def _erase(conn: Connection, asn: str) -> int:
    who = _holder(conn, asn)
    if who is None:
        return 0
    mine = select(application.c.id).where(application.c.resident == who)
    # What was paid stays in the books; whose line of the plan it was does not.
    conn.execute(update(plan_line).where(plan_line.c.asn.in_(_cards(who))).values(asn=None))
    count = 0
    for table, which in (
        (ticket, ticket.c.asn.in_(_cards(who))),
        (challenge, challenge.c.asn.in_(_cards(who))),
        (application_step, application_step.c.application.in_(mine)),
        (application, application.c.resident == who),
        (consent, consent.c.resident == who),
        (proof, proof.c.resident == who),
        (conflict, conflict.c.resident == who),
        (standing, standing.c.resident == who),
        (told, told.c.resident == who),
        (card, card.c.resident == who),
        (resident, resident.c.id == who),
    ):
        count += conn.execute(delete(table).where(which)).rowcount
    return count


PERSONAL_DATA = PersonalData(
    name="egov-file",
    title="The resident's file: fields and who told them, readings, applications, consents, payments",
    export=_hand_over,
    erase=_erase,
)
