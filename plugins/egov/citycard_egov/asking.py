"""Queries that a department of the city asks another party: consented, signed, written down on both sides.

The query is in the city's log and in the citizen's list of readers before it is sent. Its time is the
machine's own, since both sides have to agree on it whatever day the city's books are at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs

from citycard.clock import Clock, SystemClock
from citycard.errors import Phrase
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard_egov import chain
from citycard_egov.consents import Consent, covering
from citycard_egov.errors import EgovInvalid, ExchangeFailed, ExchangeRefused
from citycard_egov.files import FileReader, write_reading
from citycard_egov.messages import Envelope, sha256, signed
from citycard_egov.office import Office, checked_number
from citycard_egov.queries import Party, send_query
from citycard_egov.register import find_by_number
from citycard_egov.settings import Node
from citycard_egov.tables import exchange_log

__all__ = ["Answer", "ask", "city_id", "city_key", "receipt", "receipt_for", "seen_head"]


@attrs.frozen(kw_only=True)
class Answer:
    """What a party answered: whether it knows the person, and each field that it gave."""

    query: UUID
    node: str
    known: bool
    values: Mapping[str, str]


def city_id(office: Office) -> str:
    """Give the id under which the city hall signs, ``city-9901``."""
    return office.party


def city_key(office: Office) -> str:
    """Give the public key of what the city hall signs, 64 hexadecimal digits."""
    return office.city.exchange_signer.key.public32.hex()


def receipt(office: Office, consent: Consent, id_number: str, *, clock: Clock | None = None) -> Envelope:
    """Sign that a consent is alive now, for the party that answers."""
    content = {
        "kind": "consent",
        "id": consent.id,
        "person": checked_number(id_number),
        "asker": consent.asker,
        "node": consent.node,
        "fields": list(consent.fields),
        "purpose": consent.purpose,
        "until": consent.until,
        "at": (clock or SystemClock()).now(),
    }
    return signed(content, city_id(office), office.city.exchange_signer)


def ask(
    office: Office,
    node_id: str,
    id_number: str,
    fields: Sequence[str],
    *,
    asker: str,
    purpose: str,
    actor: str,
    clock: Clock | None = None,
) -> Answer:
    """Ask a party for fields about a resident, for a department and a purpose that the citizen consented to.

    Raise ConsentMissing before anything is sent; ExchangeRefused when the party says no, and ExchangeFailed
    when no answer comes or it is not one that it signed for this very query.
    """
    node, clock = _node(office, node_id), clock or SystemClock()
    query = _query(office, node, id_number, sorted(fields), asker, purpose, actor, clock)
    told = {"query": query.content["id"], "node": node.id}
    try:
        answer = send_query(Party(id=node.id, url=node.url, key=node.key), query, clock)
    except (ExchangeFailed, ExchangeRefused) as wrong:
        _write(office, clock, told | {"event": "failed", "reason": str(wrong)})
        raise
    given = answer.content
    signature = {"answer": sha256(answer.payload), "signature": answer.signature, "head": given["head"]}
    _write(office, clock, told | {"event": "answered", "known": given["known"]} | signature)
    return Answer(query=UUID(told["query"]), node=node.id, known=given["known"], values=given["values"])


def receipt_for(
    office: Office, node: str, id_number: str, fields: Sequence[str], *, asker: str, purpose: str
) -> Envelope:
    """Give a department the receipt of a consent for a query of its own node; raise ConsentMissing."""
    with reading(office.engine) as conn:
        who = find_by_number(conn, office, id_number)
        found = covering(conn, office, who, asker=asker, node=node, fields=fields, purpose=purpose)
    return receipt(office, found, id_number)


def seen_head(office: Office, node_id: str) -> chain.Head:
    """Give the newest head of a party's log that its answers told."""
    with reading(office.engine) as conn:
        for _, content in chain.entries(conn, exchange_log):
            if content["node"] == node_id and content["event"] == "answered":
                return chain.Head(**content["head"])
    return chain.Head(seq=0, hash=bytes(32).hex())


def _query(
    office: Office,
    node: Node,
    id_number: str,
    fields: Sequence[str],
    asker: str,
    purpose: str,
    actor: str,
    clock: Clock,
) -> Envelope:
    """Find the consent, and write the query down for both the log and the citizen; then it may be sent."""
    with writing(office.engine) as conn:
        who = find_by_number(conn, office, id_number)
        consent = covering(conn, office, who, asker=asker, node=node.id, fields=fields, purpose=purpose)
        why = f"asks {node.title}: {purpose}"[:200]
        write_reading(conn, office, who, FileReader(name=actor, department=asker, why=why), fields)
        shared = {"asker": asker, "fields": list(fields), "purpose": purpose, "at": clock.now().isoformat()}
        query_id = str(new_id())
        content = shared | {
            "kind": "query",
            "id": query_id,
            "from": city_id(office),
            "to": node.id,
            "person": checked_number(id_number),
            "consent": attrs.asdict(receipt(office, consent, id_number, clock=clock)),
            "head": chain.head(conn, exchange_log).as_json(),
        }
        query = signed(content, city_id(office), office.city.exchange_signer)
        row = shared | {
            "event": "asked",
            "query": query_id,
            "node": node.id,
            "by": actor,
            "resident": str(who),
            "consent": str(consent.id),
            "request": sha256(query.payload),
            "signature": query.signature,
        }
        chain.append(conn, exchange_log, row)
    return query


def _node(office: Office, node_id: str) -> Node:
    for one in office.settings.nodes:
        if one.id == node_id:
            if not one.url:
                raise EgovInvalid(field="node", value=node_id, expected="a party with an url in city.toml")
            return one
    known = ", ".join(one.id for one in office.settings.nodes) or "none"
    raise EgovInvalid(field="node", value=node_id[:40], expected=Phrase("one of {known}", known=known))


def _write(office: Office, clock: Clock, row: Mapping[str, Any]) -> None:
    with writing(office.engine) as conn:
        chain.append(conn, exchange_log, {**row, "at": clock.now().isoformat()})
