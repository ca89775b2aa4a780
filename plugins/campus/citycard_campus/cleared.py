"""What clearing accepted of campus: the records of a run with what their facts say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, select

from citycard import registry
from citycard.card.codec import decode
from citycard.clearing.casetables import clearing_decision
from citycard.clearing.files import literal
from citycard.clearing.finding import find_record, is_city, record_id, record_key
from citycard.clearing.queries import cleared
from citycard.clearing.records import terminals_of
from citycard.clearing.tables import segment
from citycard.errors import CodecError
from citycard.store import reading
from citycard.terminal.record import TransactionRecord, read_record

if TYPE_CHECKING:
    from citycard_campus.campus import Campus

__all__ = ["ClearedUse", "accepted_by_people", "accepted_of"]

# A suspended record in which only the pot paid is nothing that clearing's own decisions could pay; one that
# is held decides itself later.
_WANTED = (
    "list_contains($services, service) AND (state = 'accepted' OR (state = 'suspended' AND amount_fen = 0"
    " AND code NOT IN ('G01', 'T03', 'X01')))"
)
_DAYS = f"SELECT DISTINCT business_date FROM outcomes WHERE {_WANTED}"  # noqa: S608 - no value is in it
_QUERY = (
    "SELECT o.terminal, o.batch_number, o.line, o.state, o.code, r.raw"  # noqa: S608 - no value is in it
    f" FROM (SELECT * FROM outcomes WHERE {_WANTED}) o"
    " JOIN read_parquet($paths, hive_partitioning = false) r ON r.batch_terminal = o.terminal"
    " AND r.batch_number = o.batch_number AND r.line = o.line"
    ' ORDER BY o.asn, o."at", o.terminal, o.batch_number, o.line'
)


@attrs.frozen(kw_only=True)
class ClearedUse:
    """A record that clearing judged: who used which card for what, with the facts as they lie there.

    ``partner`` has the terminal; it is empty for what another city handed in. ``suspended`` is the code of a
    record of 0 fen that clearing suspended, empty for what it accepted.
    """

    record: str
    asn: str
    service: int
    at: dt.datetime
    amount_fen: int
    partner: str
    facts: Any
    suspended: str = ""


def accepted_of(campus: Campus, run: int, services: Collection[int]) -> list[ClearedUse]:
    """Give what a run accepted of services, by card and time, and what it suspended of 0 fen."""
    city = campus.city
    with reading(city.engine) as conn:
        with cleared(city, conn, None, range(run, run + 1)) as engine:
            values: dict[str, Any] = {"services": list(services)}
            days = [] if engine is None else [day for (day,) in engine.execute(_DAYS, values).fetchall()]
            if engine is None or not days:
                return []
            lying = select(segment.c.path).where(segment.c.business_date.in_(days))
            values["paths"] = [literal(city.folder / path) for path in conn.scalars(lying)]
            rows: list[tuple[Any, ...]] = engine.execute(_QUERY, values).fetchall()
        owners = _owners(conn, {row[0] for row in rows})
    layouts = {number: city.plugins.service(number) for number in services}
    found = []
    for terminal, batch, line, state, code, raw in rows:
        record = read_record(raw)
        owned = layouts[record.service]
        facts = _facts(record, None if owned is None else owned.record.facts)
        if facts is not None:
            found.append(
                ClearedUse(
                    record=record_id(terminal, batch, line),
                    asn=record.asn,
                    service=record.service,
                    at=record.at,
                    amount_fen=record.amount_fen,
                    partner=owners[terminal],
                    facts=facts,
                    suspended="" if state == "accepted" else code,
                )
            )
    return found


def accepted_by_people(campus: Campus, service: int, known: Collection[str]) -> list[tuple[int, ClearedUse]]:
    """Give what people accepted of a service after a run had not, with the run, but for known records.

    Only what came from terminals of those who run canteens is looked at.
    """
    city = campus.city
    owned = city.plugins.service(service)
    found = []
    with reading(city.engine) as conn:
        partners = {
            number: canteen.id
            for canteen in campus.settings.canteens
            for number in terminals_of(conn, canteen.id)
        }
        decisions = select(clearing_decision.c.record, clearing_decision.c.run)
        accepted = decisions.where(clearing_decision.c.how == "accepted").order_by(clearing_decision.c.record)
        for row in conn.execute(accepted).all():
            partner = partners.get(record_key(row.record)[0])
            if partner is None or row.record in known:
                continue
            record = find_record(city, conn, row.record).record
            facts = None if record is None or owned is None else _facts(record, owned.record.facts)
            if record is None or facts is None or record.service != service:
                continue
            use = ClearedUse(
                record=row.record,
                asn=record.asn,
                service=service,
                at=record.at,
                amount_fen=record.amount_fen,
                partner=partner,
                facts=facts,
            )
            found.append((row.run, use))
    return found


def _owners(conn: Connection, terminals: Collection[str]) -> dict[str, str]:
    return {
        number: "" if is_city(number) else registry.find_terminal(conn, number).partner
        for number in terminals
    }


def _facts(record: TransactionRecord, layout: Any) -> Any:
    # Facts that cannot be read say nothing; clearing has accepted the debit all the same.
    try:
        return None if layout is None else decode(layout, record.facts)
    except CodecError:
        return None
