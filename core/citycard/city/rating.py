"""What a record should have cost and who gets it, asked of the plugin that owns the record's service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.card import decode
from citycard.clearing.context import Rating
from citycard.clearing.pricing import PriceRequest
from citycard.errors import ServiceUnknown
from citycard.terminal.record import RecordFlag, TransactionRecord

if TYPE_CHECKING:
    from citycard.clearing.pricing import RuleBook
    from citycard.kernel.plugins import Plugins
    from citycard.kernel.services import Service

__all__ = ["rate"]


def rate(plugins: Plugins, rules: RuleBook, record: TransactionRecord) -> Rating:
    """Price a record by the rules and name its payees; ServiceUnknown when no plugin has its service."""
    owned = plugins.service(record.service)
    if owned is None:
        raise ServiceUnknown(number=record.service)
    service = owned.record
    facts = decode(service.facts, record.facts) if service.facts else None
    request = service.request(record, facts) if service.request else _as_listed(service, record)
    quote = rules.quote(request)
    shares = tuple(service.shares(record, facts, quote)) if service.shares else ()
    return Rating(quote=quote, shares=shares)


def _as_listed(service: Service, record: TransactionRecord) -> PriceRequest:
    return PriceRequest(
        service=service.name,
        at=record.at,
        list_price_fen=record.list_price_fen,
        transfer=bool(record.flags & RecordFlag.TRANSFER),
    )
