"""Merchants: somebody applies, a second person approves, and partner, terminals and fee tier are there.

An application for a merchant that is there already asks for another tier, more terminals, or both.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, func, insert, select, update

from citycard import registry
from citycard.errors import Phrase
from citycard.ids import derived_id
from citycard.store import publish, writing
from citycard.store.bulk import insert_missing
from citycard.store.engine import write_alone
from citycard_retail.errors import (
    ApplicationDiffers,
    ApplicationRefused,
    ApplicationUnknown,
    MerchantUnknown,
    RetailValueInvalid,
)
from citycard_retail.events import APPROVED
from citycard_retail.market import Market
from citycard_retail.settings import RetailSettings, Tier
from citycard_retail.tables import application, merchant, merchant_tier, terminal

__all__ = [
    "Merchant",
    "MerchantApplication",
    "MerchantWish",
    "applications",
    "apply",
    "decide",
    "find_application",
    "merchant_of_terminal",
    "merchants",
    "tier_on",
    "tills",
]

_MOST_TERMINALS = 200
_LAST_TERMINAL = 99_999_999


def _text(most: int, *, least: int = 0) -> Any:
    return [attrs.validators.min_len(least), attrs.validators.max_len(most)]


@attrs.frozen(kw_only=True)
class MerchantWish:
    """What somebody applies for; ``contact`` is whom the city calls, no tier means the category's first."""

    id: UUID
    partner: str
    name: str = attrs.field(validator=_text(100, least=1))
    category: str
    tier: str = ""
    district: str = ""
    account_name: str = attrs.field(default="", validator=_text(100))
    account_no: str = ""
    bank_bic: str = ""
    contact: str = attrs.field(default="", validator=_text(200))
    terminals: int = attrs.field(
        default=1, validator=[attrs.validators.ge(0), attrs.validators.le(_MOST_TERMINALS)]
    )

    def partner_record(self) -> registry.Partner:
        """Give the partner that is made of it; raise RegistryInvalid for what no partner may have."""
        return registry.Partner(
            id=self.partner,
            name=self.name,
            kind=self.category,
            account_name=self.account_name or self.name,
            account_no=self.account_no,
            bank_bic=self.bank_bic,
            district=self.district or None,
        )


@attrs.frozen(kw_only=True)
class MerchantApplication:
    """An application and what became of it: ``state`` is open, approved or rejected; moments are local."""

    id: UUID
    partner: str
    name: str
    category: str
    tier: str
    district: str
    account_name: str
    account_no: str
    bank_bic: str
    terminals: int
    state: str
    applied_by: str
    applied_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str


@attrs.frozen(kw_only=True)
class Merchant:
    """A merchant as it is now; ``code`` is the 15 digits that its POS send in field 42."""

    partner: str
    number: int
    name: str
    category: str
    tier: str
    code: str
    terminals: tuple[str, ...]
    since: datetime


def apply(market: Market, wish: MerchantWish, *, actor: str) -> MerchantApplication:
    """Write an application down, once for each id; nothing is opened before a second person approves.

    Raise ApplicationDiffers, TierUnknown, RetailValueInvalid, RegistryInvalid or RegistryMissing.
    """
    tier = market.settings.tier(wish.category, wish.tier)
    wish.partner_record()
    if wish.partner == market.settings.fees_partner:
        raise RetailValueInvalid(field="partner", value=wish.partner, expected="not the partner of the fees")
    wanted = attrs.asdict(wish) | {"tier": tier.name}
    with writing(market.city.engine) as conn:
        if wish.district:
            _check_district(conn, wish.district)
        known = conn.execute(select(application).where(application.c.id == wish.id)).one_or_none()
        if known is not None:
            _same(market, known, wanted)
            return _application(known)
        row = wanted | {
            "contact": market.seal(wish.contact),
            "state": "open",
            "applied_by": actor,
            "applied_at": market.city.now_local(),
            "decided_by": "",
            "decided_at": None,
            "reason": "",
        }
        if not insert_missing(conn, application, [row]):
            _same(market, conn.execute(select(application).where(application.c.id == wish.id)).one(), wanted)
        return find_application(conn, wish.id)


def decide(
    market: Market, identity: UUID, *, approve: bool, reason: str = "", actor: str
) -> MerchantApplication:
    """Approve or reject an application, as somebody else than who applied; decided so again, nothing happens.

    Raise ApplicationUnknown, ApplicationRefused, RegistryConflict.
    """
    with writing(market.city.engine) as conn:
        query = select(application).where(application.c.id == identity).with_for_update()
        row = conn.execute(query).one_or_none()
        if row is None:
            raise ApplicationUnknown(id=identity)
        state = "approved" if approve else "rejected"
        if row.state != "open":
            if row.state == state:
                return _application(row)
            raise ApplicationRefused(
                id=identity,
                reason=Phrase("it was {state} by {decided_by}", state=row.state, decided_by=row.decided_by),
            )
        if row.applied_by == actor:
            raise ApplicationRefused(
                id=identity, reason=Phrase("{actor} applied: a second person decides", actor=actor)
            )
        if not approve and not reason.strip():
            raise ApplicationRefused(id=identity, reason="a rejection needs a reason")
        at = market.city.now_local()
        conn.execute(
            update(application)
            .where(application.c.id == identity)
            .values(state=state, decided_by=actor, decided_at=at, reason=reason[:200])
        )
        if approve:
            write_alone(conn, merchant)  # numbers are given one after the other
            _open(market, conn, row, actor, at)
            body = {"partner": row.partner, "category": row.category, "tier": row.tier}
            publish(conn, APPROVED, [body], at=market.city.clock.now())
        return find_application(conn, identity)


def find_application(conn: Connection, identity: UUID) -> MerchantApplication:
    """Give an application; raise ApplicationUnknown."""
    row = conn.execute(select(application).where(application.c.id == identity)).one_or_none()
    if row is None:
        raise ApplicationUnknown(id=identity)
    return _application(row)


def applications(conn: Connection, *, state: str = "", limit: int = 200) -> tuple[MerchantApplication, ...]:
    """Give the newest applications, newest first; those in one state when it is named."""
    query = select(application).order_by(application.c.applied_at.desc(), application.c.id).limit(limit)
    if state:
        query = query.where(application.c.state == state)
    return tuple(map(_application, conn.execute(query)))


def merchants(market: Market, conn: Connection, *, partner: str = "") -> tuple[Merchant, ...]:
    """Give the merchants by number; with ``partner`` that one alone, and raise MerchantUnknown without it."""
    query = select(merchant).order_by(merchant.c.number)
    if partner:
        query = query.where(merchant.c.partner == partner)
    rows = conn.execute(query).all()
    if partner and not rows:
        raise MerchantUnknown(what=Phrase("partner {partner!r}", partner=partner))
    numbers: dict[str, list[str]] = {}
    mine = select(terminal).order_by(terminal.c.number)
    if partner:
        mine = mine.where(terminal.c.partner == partner)
    for row in conn.execute(mine):
        numbers.setdefault(row.partner, []).append(row.number)
    now = market.city.now_local()
    return tuple(
        Merchant(
            **row._mapping,  # noqa: SLF001 - the documented way to read a row by name
            tier=tier_on(conn, market.settings, row.partner, now).name,
            code=_code(market, row),
            terminals=tuple(numbers.get(row.partner, ())),
        )
        for row in rows
    )


def merchant_of_terminal(conn: Connection, number: str) -> str:
    """Give the partner that has a terminal of retail; raise MerchantUnknown."""
    partner: str | None = conn.scalar(select(terminal.c.partner).where(terminal.c.number == number))
    if partner is None:
        raise MerchantUnknown(what=Phrase("terminal {number}", number=number))
    return partner


def tier_on(conn: Connection, settings: RetailSettings, partner: str, at: datetime) -> Tier:
    """Give the tier that a merchant had at a local moment, its first before that; raise MerchantUnknown."""
    query = select(merchant_tier.c.tier).where(merchant_tier.c.partner == partner)
    found = conn.scalar(
        query.where(merchant_tier.c.since <= at).order_by(merchant_tier.c.since.desc()).limit(1)
    ) or conn.scalar(query.order_by(merchant_tier.c.since).limit(1))
    if found is None:
        raise MerchantUnknown(what=Phrase("partner {partner!r}", partner=partner))
    return settings.tier_named(found)


# ── approving ────────────────────────────────────────────────────────────────────────────────────


def _open(market: Market, conn: Connection, row: Row[Any], actor: str, at: datetime) -> None:
    known = conn.execute(select(merchant).where(merchant.c.partner == row.partner)).one_or_none()
    if known is None:
        _add(conn, row, at)
    elif known.category != row.category:
        reason = Phrase(
            "merchant {partner} is a {category}, which does not change",
            partner=row.partner,
            category=known.category,
        )
        raise ApplicationRefused(id=row.id, reason=reason)
    before = conn.scalar(
        select(merchant_tier.c.tier)
        .where(merchant_tier.c.partner == row.partner)
        .order_by(merchant_tier.c.since.desc())
        .limit(1)
    )
    if before != row.tier:
        # A first tier holds at once; another one from the next day on, so that a day has one price.
        since = at if before is None else datetime.combine(at.date() + timedelta(days=1), time.min)
        changed = {
            "id": derived_id("retail tier", row.id),
            "partner": row.partner,
            "tier": row.tier,
            "since": since,
            "asked_by": row.applied_by,
            "approved_by": actor,
        }
        same = (merchant_tier.c.partner == row.partner) & (merchant_tier.c.since == since)
        conn.execute(merchant_tier.delete().where(same))
        conn.execute(insert(merchant_tier), changed)
    numbers = _free_numbers(market, conn, row.terminals)
    opened = [registry.Terminal(number=one, partner=row.partner, opened_on=at.date()) for one in numbers]
    registry.add_terminals(conn, opened)
    if numbers:
        conn.execute(insert(terminal), [{"number": one, "partner": row.partner} for one in numbers])


def _add(conn: Connection, row: Row[Any], at: datetime) -> None:
    wish = MerchantWish(
        **{
            field.name: getattr(row, field.name)
            for field in attrs.fields(MerchantWish)
            if field.name != "contact"
        }
    )
    registry.add_partners(conn, [wish.partner_record()])
    number = (conn.scalar(select(func.max(merchant.c.number))) or 0) + 1
    made = {
        "partner": row.partner,
        "number": number,
        "name": row.name,
        "category": row.category,
        "since": at,
    }
    conn.execute(insert(merchant), made)


def _free_numbers(market: Market, conn: Connection, count: int) -> list[str]:
    code = market.city.code
    last = conn.scalar(select(func.max(terminal.c.number)))
    at = int(last[4:]) + 1 if last else market.settings.first_terminal
    taken = {one.number for one in registry.terminals(conn)} if count else set()
    found: list[str] = []
    while len(found) < count:
        if at > _LAST_TERMINAL:
            raise RetailValueInvalid(
                field="first_terminal", value=market.settings.first_terminal, expected="free numbers after it"
            )
        number = f"{code}{at:08d}"
        if number not in taken:
            found.append(number)
        at += 1
    return found


def _code(market: Market, row: Row[Any]) -> str:
    return f"{market.city.code}{market.settings.category(row.category).mcc}{row.number:07d}"


def _same(market: Market, known: Row[Any], wanted: dict[str, Any]) -> None:
    for field, value in wanted.items():
        there = market.open(known.contact) if field == "contact" else getattr(known, field)
        if there != value:
            raise ApplicationDiffers(id=known.id, field=field)


def _check_district(conn: Connection, district: str) -> None:
    known = [one.id for one in registry.districts(conn)]
    if district not in known:
        raise RetailValueInvalid(
            field="district",
            value=district,
            expected=Phrase("one of {known}", known=", ".join(known) or "none"),
        )


def _application(row: Row[Any]) -> MerchantApplication:
    return MerchantApplication(
        **{field.name: getattr(row, field.name) for field in attrs.fields(MerchantApplication)}
    )


def tills(market: Market, conn: Connection) -> dict[str, dict[str, Any]]:
    """Give what each till must know: by its number the merchant, the number of its tier, and its code."""
    found = {}
    active = {one.id for one in registry.partners(conn) if one.status is registry.PartnerStatus.ACTIVE}
    for one in merchants(market, conn):
        if one.partner not in active:
            continue
        category = market.settings.category(one.category)
        tier = market.settings.tier_named(one.tier)
        for number in one.terminals:
            found[number] = {"merchant": one.partner, "tier": tier.number, "mcc": category.mcc}
    return found
