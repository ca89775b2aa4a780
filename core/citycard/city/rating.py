"""What a record should have cost and who gets it, asked of the plugin that owns the record's service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from citycard.card import decode
from citycard.clearing.context import Rating
from citycard.clearing.pricing import PriceRequest
from citycard.errors import ServiceUnknown
from citycard.terminal.record import RecordFlag, TransactionRecord

if TYPE_CHECKING:
    from citycard.clearing.columns import Array
    from citycard.clearing.pricing import RuleBook
    from citycard.kernel.reading import Reading
    from citycard.kernel.services import Service

__all__ = ["alike", "claimed_fen", "of_day", "rate", "spent_place", "with_claims"]


def rate(plugins: Reading, rules: RuleBook, record: TransactionRecord) -> Rating:
    """Price a record by the rules and name its payees; ServiceUnknown when no plugin has its service."""
    owned = plugins.service(record.service)
    if owned is None:
        raise ServiceUnknown(number=record.service)
    service = owned.record
    facts = _facts(service, record.facts)
    request = service.request(record, facts) if service.request else _as_listed(service, record)
    quote = rules.quote(request)
    shares = tuple(service.shares(record, facts, quote)) if service.shares else ()
    return Rating(quote=quote, shares=shares)


def _facts(service: Service, data: bytes) -> Any:
    """Read what a record says to its service; bytes that the layout does not use are not looked at."""
    if service.facts is None:
        return None
    from citycard.card.codec import layout_of

    return decode(service.facts, data[: layout_of(service.facts).size])


def claimed_fen(plugins: Reading, service: int, records: Array) -> Array | None:
    """Give what terminals say that cards paid before on the day; None where a service does not ask for it."""
    import numpy as np

    place = spent_place(plugins, service)
    if place is None:
        return None
    from citycard.clearing.columns import digits

    found: Array = np.ascontiguousarray(digits(records, "facts")[:, place]).view(">u4")[:, 0].astype(np.int64)
    return found


def with_claims(plugins: Reading, service: int, records: Array, spent_fen: Array) -> Array:
    """Give records whose terminals claim this instead."""
    place = spent_place(plugins, service)
    assert place is not None
    told = records.copy()
    told["facts"][:, place] = spent_fen.astype(">u4").view("u1").reshape(-1, 4)
    return told


def of_day(plugins: Reading, service: int) -> bool | None:
    """Say whether a service has a price that asks what the card paid on its day; None for no service."""
    return None if plugins.service(service) is None else spent_place(plugins, service) is not None


def spent_place(plugins: Reading, service: int) -> slice | None:
    """Say where in the facts of a service it stands what the card paid before on the day."""
    from citycard.card.codec import layout_of

    owned = plugins.service(service)
    if owned is None or not owned.record.spent_today or owned.record.facts is None:
        return None
    field = next(one for one in layout_of(owned.record.facts).fields if one.name == owned.record.spent_today)
    return slice(field.offset, field.offset + field.kind.size)


def alike(plugins: Reading, rules: RuleBook, service: int, records: Array) -> Array | None:
    """Give a row of bytes for each record of a service, so that equal rows cost the same and pay the same.

    None when nobody knows: the service does not say what its price depends on, or a rule of somebody else
    has a word in it.
    """
    import numpy as np

    from citycard.clearing.columns import digits, dtype_of, unclear

    owned = plugins.service(service)
    if owned is None:
        return np.zeros((len(records), 1), np.uint8)
    mine = owned.record
    if mine.alike is None or _meddled(plugins, rules, owned.owner.plugin):
        return None
    facts = np.zeros((len(records), 0), np.uint8)
    told = []
    if mine.facts is not None:
        kind = dtype_of(mine.facts)
        facts = np.ascontiguousarray(digits(records, "facts")[:, : kind.itemsize]).view(kind)[:, 0]
        told.append(unclear(facts, mine.facts))
    for column in mine.alike(records, facts):
        values = np.ascontiguousarray(column)
        told.append(values.view(np.uint8).reshape(len(records), values.itemsize))
    return np.concatenate(told, axis=1)


def _meddled(plugins: Reading, rules: RuleBook, owner: str) -> bool:
    """Say whether a rule of somebody else may have a word in the prices of a plugin's services."""
    others = {one.record.name for one in plugins.services() if one.owner.plugin != owner}
    return any(
        rule.owner != owner and not (rule.services and others.issuperset(rule.services))
        for rule in rules.rules
    )


def _as_listed(service: Service, record: TransactionRecord) -> PriceRequest:
    return PriceRequest(
        service=service.name,
        at=record.at,
        list_price_fen=record.list_price_fen,
        transfer=bool(record.flags & RecordFlag.TRANSFER),
    )
