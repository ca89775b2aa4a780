"""The city hall answers queries of other parties about its residents, as any node does.

The consent is looked up in the city's own list. The citizen sees the query among those who read the file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete

from citycard.clock import Clock, SystemClock
from citycard.store import writing
from citycard.store.bulk import insert_missing
from citycard_egov import chain
from citycard_egov.asking import city_id
from citycard_egov.consents import covering
from citycard_egov.errors import ConsentMissing, EgovInvalid, ResidentUnknown
from citycard_egov.files import FileReader, open_file
from citycard_egov.messages import Envelope, sha256
from citycard_egov.office import Office
from citycard_egov.queries import WITHIN, QueryRefused, check_sent, reply
from citycard_egov.register import find_by_number
from citycard_egov.tables import came_query, exchange_log

__all__ = ["answer_query"]


def answer_query(office: Office, query: Envelope, *, clock: Clock | None = None) -> Envelope:
    """Answer a query that a party of the settings signed, or refuse it; both are written down and signed."""
    now = (clock or SystemClock()).now()
    content: Mapping[str, Any] = {}
    refused: QueryRefused | None = None
    values: Mapping[str, str] | None = None
    with writing(office.engine) as conn:
        try:
            content = query.content
            values = _values(conn, office, query, content, now)
        except EgovInvalid as wrong:
            refused = QueryRefused("malformed", str(wrong))
        except (ConsentMissing, ResidentUnknown):
            refused = QueryRefused("consent", "no consent of the citizen covers this")
        except QueryRefused as no:
            refused = no
        row = {
            "event": f"refused: {refused.code}" if refused else "given",
            "query": str(content.get("id", ""))[:36],
            "node": query.signer,
            "asker": str(content.get("asker", ""))[:40],
            "fields": sorted(values or ()),
            "purpose": str(content.get("purpose", ""))[:200],
            "request": sha256(query.payload),
            "signature": query.signature,
            "head": content.get("head") if refused is None else None,
            "at": now.isoformat(),
        }
        head = chain.append(conn, exchange_log, row)
    return reply(
        city_id(office),
        office.city.exchange_signer,
        sha256(query.payload),
        head,
        now,
        query=str(content.get("id", "")),
        values=values,
        refused=refused,
    )


def _values(
    conn: Connection, office: Office, query: Envelope, content: Mapping[str, Any], now: dt.datetime
) -> Mapping[str, str]:
    node = next((one for one in office.settings.nodes if one.id == query.signer), None)
    me = city_id(office)
    key, asks_for = (None, ()) if node is None else (node.key, node.asks_for)
    person, fields = check_sent(query, me=me, key=key, asks_for=asks_for, now=now)
    conn.execute(delete(came_query).where(came_query.c.at < now - 3 * WITHIN))
    if not insert_missing(conn, came_query, [{"id": content["id"], "at": now}]):
        raise QueryRefused("replay", "a query of this id came before")
    who = find_by_number(conn, office, person)
    asker, purpose = content["asker"], content["purpose"]
    covering(conn, office, who, asker=asker, node=me, fields=fields, purpose=purpose)
    reader = FileReader(name=f"party {query.signer}", department=asker, why=f"asks: {purpose}"[:200])
    file = open_file(conn, office, who, reader, fields)
    return {one.name: one.value for one in file.fields}
