"""Visits as clearing saw them: read from the records of each run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import attrs
from sqlalchemy import Connection, func, select, update

from citycard.card.codec import decode
from citycard.clearing.finding import find_record, record_id
from citycard.clearing.queries import cleared
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing
from citycard_tourism.office import Office
from citycard_tourism.sectors import RightKind, Step, VisitFacts
from citycard_tourism.services import NUMBERS, VISIT
from citycard_tourism.settings import TourismSettings
from citycard_tourism.tables import ticket, visit

__all__ = ["VenueVisits", "keep_visits", "visits_between"]


@attrs.frozen(kw_only=True)
class VenueVisits:
    """How often a venue was entered in a period, and by how many people, by what let them in."""

    venue: str
    right: str
    name: str
    visits: int
    people: int


def keep_visits(office: Office, run: int) -> int:
    """Keep the visits of a clearing run, and note which tickets were used; again without harm."""
    rows = list(_visits(office, run))
    with writing(office.engine) as conn:
        added = insert_missing(conn, visit, rows)
        for row in rows:
            if (row["right"], row["step"]) == (RightKind.TICKET, Step.ENTER):
                used = update(ticket).where(ticket.c.serial == row["serial"], ticket.c.state == "card")
                conn.execute(used.values(state="used", used_at=row["at"]))
    return int(added)


def visits_between(
    conn: Connection, settings: TourismSettings, since: dt.date, until: dt.date, venue: str | None = None
) -> list[VenueVisits]:
    """Count who came in from one day to another, both included, by venue and what let them in."""
    begin, end = (dt.datetime.combine(day, dt.time()) for day in (since, until + dt.timedelta(days=1)))
    keys = (visit.c.venue, visit.c.right, visit.c.number)
    query = select(*keys, func.count().label("visits"), func.sum(visit.c.people).label("people")).where(
        visit.c.step == int(Step.ENTER), visit.c.at >= begin, visit.c.at < end
    )
    if venue is not None:
        query = query.where(visit.c.venue == settings.venue(venue).number)
    names = {one.number: one.id for one in settings.venues}
    titles = {(True, one.number): one.name for one in settings.shows}
    titles |= {(False, one.number): one.name for one in settings.plans}
    return [
        VenueVisits(
            venue=names.get(row.venue, str(row.venue)),
            right=RightKind(row.right).name.lower(),
            name=titles.get((row.right == RightKind.TICKET, row.number), str(row.number)),
            visits=row.visits,
            people=int(row.people),
        )
        for row in conn.execute(query.group_by(*keys).order_by(*keys))
    ]


def _visits(office: Office, run: int) -> Iterator[dict[str, Any]]:
    query = (
        "SELECT terminal, batch_number, line FROM outcomes WHERE service = $service AND state = 'accepted'"
        " ORDER BY ALL"
    )
    with reading(office.engine) as conn, cleared(office.city, conn, None, range(run, run + 1)) as engine:
        found = [] if engine is None else engine.execute(query, {"service": NUMBERS[VISIT]}).fetchall()
        for terminal, number, line in found:
            name = record_id(terminal, number, line)
            record = find_record(office.city, conn, name).record
            if record is None:
                continue
            facts = decode(VisitFacts, record.facts)
            if facts.step not in {Step.ENTER, Step.LEAVE}:
                continue
            yield {
                "record": name,
                "asn": record.asn,
                "at": record.at,
                "venue": facts.venue,
                "right": int(facts.right),
                "number": facts.number,
                "serial": facts.serial,
                "step": int(facts.step),
                "people": facts.people,
            }
