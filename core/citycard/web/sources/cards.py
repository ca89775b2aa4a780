"""Cards: search, one card with purse and journeys, one record explained. Looks are recorded first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from citycard import registry
from citycard.city.statements import Period, Statement, card_statement
from citycard.city.wheres import Where
from citycard.city.wheres import wheres as wheres_of
from citycard.clearing.explanation import Explanation, explain
from citycard.clearing.pricing import Step
from citycard.clearing.queries import CardTap, card_taps
from citycard.clearing.spent import spent_fen
from citycard.errors import AccountMissing, PageNotFound, Phrase, RegistryMissing
from citycard.registry.tables import card as card_table
from citycard.store import reading, writing
from citycard.terminal.record import RecordKind, TransactionRecord
from citycard.wallet.addresses import card_purse
from citycard.web.permissions import Actor
from citycard.web.readings import Reading, readings, record_reading
from citycard.web.views import (
    CardLine,
    CardRight,
    CardView,
    JourneyView,
    Payment,
    Posting,
    PriceStep,
    RecordView,
    ServiceOff,
    Share,
)

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["ASN_DIGITS", "find_cards", "open_card", "open_record", "open_statement"]

ASN_DIGITS = 20
_SHOWN = 50
_KINDS = {kind.value: kind.name.lower() for kind in RecordKind}


def find_cards(city: City, digits: str, owner: str | None) -> tuple[tuple[CardLine, ...], int]:
    """Find cards whose number begins or ends with these digits; only the owner's, when one is named.

    Return the first fifty by number, and how many there are.
    """
    number = card_table.c.asn
    fits = or_(number.like(f"{digits}%"), number.like(f"%{digits}")) if digits else number.is_not(None)
    if owner is not None:
        fits = fits & (number == owner)
    with reading(city.engine) as conn:
        count = conn.scalar(select(func.count()).select_from(card_table).where(fits)) or 0
        found = list(conn.scalars(select(number).where(fits).order_by(number).limit(_SHOWN)))
        titles = {product.name: product for product in registry.products(conn)}
        cards = registry.cards_by_asn(conn, found)
    return tuple(_line(cards[asn], titles) for asn in found), count


def open_card(
    city: City, asn: str, actor: Actor, *, page: str, at: datetime
) -> tuple[CardView, tuple[Reading, ...]]:
    """Record the look, then read the card and who looked at it; raise RegistryMissing when there is none.

    Journeys come oldest first.
    """
    product = _look(city, asn, actor, page=page, at=at)
    with reading(city.engine) as conn:
        issued = registry.find_card(conn, asn)
        looks = tuple(readings(conn, asn))
        wheres = wheres_of(conn)
        try:
            purse = city.ledger.balance(conn, card_purse(asn))
        except AccountMissing:
            purse = None
        taken_fen = spent_fen(city.folder, conn, [asn]).get(asn, 0)
    view = CardView(
        asn=asn,
        product=issued.product,
        product_title=product.title,
        product_title_zh=product.title_zh,
        product_version=issued.product_version,
        status=issued.status.value,
        issued_on=issued.issued_on,
        expires_on=issued.expires_on,
        balance_fen=(purse.balance_fen if purse else 0) - taken_fen,
        loaded_fen=purse.credits_fen if purse else 0,
        spent_fen=(purse.debits_fen if purse else 0) + taken_fen,
        entitlements=tuple(
            CardRight(name=right.name, source=right.source, until=right.until)
            for right in city.entitlements(asn, city.now_local())
        ),
        journeys=tuple(_tapped(city, tap, wheres) for tap in reversed(card_taps(city, asn))),
    )
    return view, looks


def open_record(city: City, asn: str, record: str, actor: Actor, *, page: str, at: datetime) -> RecordView:
    """Record the look, then explain one record of a card.

    Raise RegistryMissing, RecordUnknown, or PageNotFound when the record is another card's.
    """
    _look(city, asn, actor, page=page, at=at)
    found = explain(city, record)
    if found.record is None or found.record.asn != asn:
        # Whoever may see this card may not learn from an address what another card did.
        raise PageNotFound(thing="record", name=Phrase("{record} of card {asn}", record=record, asn=asn))
    with reading(city.engine) as conn:
        wheres = wheres_of(conn)
        names = {partner.id: partner.name for partner in registry.partners(conn)}
    return _explained(city, found, found.record, wheres, names)


def open_statement(
    city: City, asn: str, period: Period, actor: Actor, *, page: str, at: datetime
) -> Statement:
    """Record the look, then make the statement of a card; raise RegistryMissing when there is none."""
    _look(city, asn, actor, page=page, at=at)
    return card_statement(city, asn, period)


def _look(city: City, asn: str, actor: Actor, *, page: str, at: datetime) -> registry.Product:
    if len(asn) != ASN_DIGITS or not (asn.isascii() and asn.isdigit()):
        raise RegistryMissing(record="card", key=asn[:40])
    with reading(city.engine) as conn:
        product = registry.find_product(conn, registry.find_card(conn, asn).product)
    with writing(city.engine) as conn:
        record_reading(conn, actor, asn=asn, page=page, at=at)
    return product


def _line(card: registry.Card, titles: Mapping[str, registry.Product]) -> CardLine:
    return CardLine(
        asn=card.asn,
        product_title=titles[card.product].title,
        product_title_zh=titles[card.product].title_zh,
        status=card.status.value,
        issued_on=card.issued_on,
        expires_on=card.expires_on,
    )


def _named(city: City, kind: int, service: int, terminal: str, wheres: Mapping[str, Where]) -> dict[str, str]:
    where = wheres.get(terminal, Where())
    owned = city.plugins.service(service)
    return {
        "kind": _KINDS.get(kind, str(kind)),
        "service": owned.record.title if owned else str(service),
        "service_zh": owned.record.title_zh if owned else "",
        "place": where.place,
        "partner": where.partner or terminal,
    }


def _tapped(city: City, tap: CardTap, wheres: Mapping[str, Where]) -> JourneyView:
    return JourneyView(
        **_named(city, tap.kind, tap.service, tap.terminal, wheres),
        id=tap.id,
        at=tap.at,
        list_price_fen=tap.list_price_fen,
        amount_fen=tap.amount_fen,
        balance_after_fen=tap.balance_after_fen,
        counter=tap.counter,
        state=tap.state.value,
        code=tap.code,
    )


def _explained(
    city: City,
    found: Explanation,
    record: TransactionRecord,
    wheres: Mapping[str, Where],
    names: Mapping[str, str],
) -> RecordView:
    price, proofs, outcome = found.price, found.proofs, found.outcome
    off = _off(city, record.service)
    return RecordView(
        journey=JourneyView(
            **_named(city, record.kind, record.service, record.terminal, wheres),
            id=found.id,
            at=record.at,
            list_price_fen=record.list_price_fen,
            amount_fen=record.amount_fen,
            balance_after_fen=record.balance_after_fen,
            counter=record.counter,
            state=outcome.state.value if outcome else "waiting",
            code=outcome.code if outcome else "",
        ),
        file=found.file.name,
        line=found.file.line,
        run=outcome.run if outcome else None,
        terminal=record.terminal,
        terminal_mac=proofs.terminal_mac if proofs else False,
        tac=proofs.tac if proofs else False,
        shares=tuple(
            Share(partner=names.get(partner, partner), amount_fen=part_fen)
            for partner, part_fen in (outcome.parts if outcome else ())
        ),
        off=off,
        price_fen=price.amount_fen if price else None,
        steps=tuple(_step(step) for step in price.steps) if price else (),
        # Without the service's plugin its rules are away, not changed, and no price was asked for.
        same_rules=off is not None or price is None or price.same_rules,
        failure=price.failure if price and not off else "",
        postings=tuple(
            Posting(
                debit=posted.transfer.debit_address,
                credit=posted.transfer.credit_address,
                amount_fen=posted.transfer.amount_fen,
            )
            for posted in found.transfers
        ),
        payments=tuple(
            Payment(
                partner=names.get(line.partner, line.partner),
                reference=line.end_to_end,
                amount_fen=line.amount_fen,
                file=line.file or "",
            )
            for line in found.bank
        ),
    )


def _off(city: City, service: int) -> ServiceOff | None:
    if city.plugins.service(service) is not None:
        return None
    claim = ("service-number", str(service))
    owners = (
        report.title or report.name
        for report in city.plugins.reports()
        if any((one["kind"], one["key"]) == claim for one in report.claims)
    )
    return ServiceOff(number=service, plugin=next(owners, ""))


def _step(step: Step) -> PriceStep:
    return PriceStep(
        rule=step.rule,
        owner=step.owner,
        stage=step.stage.name.lower(),
        before_fen=step.before_fen,
        after_fen=step.after_fen,
        reason=step.reason,
    )
