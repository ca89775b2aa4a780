"""What the holder of a card is entitled to at a moment, and who says so."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, or_, select

from citycard import registry
from citycard.kernel.services import Holder
from citycard.registry.tables import entitlement
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["Right", "entitlements"]


@attrs.frozen(kw_only=True, order=True)
class Right:
    """An entitlement by name, with who vouches for it, and its last day or None.

    ``source`` is ``product``, what the registry names, or a plugin as ``plugin zoo``.
    """

    name: str
    source: str
    until: date | None = attrs.field(default=None, order=False)


def entitlements(city: City, asn: str, at: datetime) -> tuple[Right, ...]:
    """List what a card gives its holder at a local moment, by name; raise RegistryMissing for no such card.

    It is what the product gives, what the registry says of the card and its holder, and what every plugin
    vouches for; a plugin that raises vouches for nothing.
    """
    with reading(city.engine) as conn:
        card = registry.find_card(conn, asn)
        rights = _registered(conn, card, at.date())
    for product in city.issuing.declared():
        if product.name == card.product:
            rights += [Right(name=name, source="product") for name in product.entitlements]
    holder = Holder(asn=asn, product=card.product, holder=str(card.holder) if card.holder else None)
    for vouched in city.plugins.entitlements(holder, at):
        if vouched.record.until is None or vouched.record.until >= at.date():
            source = f"plugin {vouched.owner.plugin}"
            rights.append(Right(name=vouched.record.name, source=source, until=vouched.record.until))
    return tuple(sorted(rights))


def _registered(conn: Connection, card: registry.Card, on: date) -> list[Right]:
    whose = entitlement.c.asn == card.asn
    if card.holder is not None:
        whose = or_(whose, entitlement.c.holder == card.holder)
    query = select(entitlement.c.name, entitlement.c.source, entitlement.c.ends_on).where(
        whose,
        entitlement.c.starts_on <= on,
        or_(entitlement.c.ends_on.is_(None), entitlement.c.ends_on >= on),
    )
    return [Right(name=row.name, source=row.source, until=row.ends_on) for row in conn.execute(query)]
