"""Look things up in the registry: one record by its key, or all of a kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Select, Table, func, select

from citycard.errors import RegistryMissing
from citycard.registry import tables
from citycard.registry.records import Card, District, Partner, Place, Product, ProductVersion, Terminal
from citycard.store.bulk import select_in

__all__ = [
    "cards_by_asn",
    "cards_of_holder",
    "count_cards",
    "count_versions",
    "districts",
    "find_card",
    "find_partner",
    "find_place",
    "find_product",
    "find_product_version",
    "find_terminal",
    "hold_card",
    "latest_product_version",
    "partners",
    "places",
    "product_versions",
    "products",
    "terminals",
]

_Record = TypeVar("_Record")


def districts(conn: Connection) -> list[District]:
    """Give all districts by id."""
    return _all(conn, District, select(tables.district).order_by(tables.district.c.id))


def partners(conn: Connection, *, district: str | None = None) -> list[Partner]:
    """Give all partners by id, or those of one district."""
    query = select(tables.partner).order_by(tables.partner.c.id)
    return _all(
        conn, Partner, query if district is None else query.where(tables.partner.c.district == district)
    )


def places(conn: Connection) -> list[Place]:
    """Give all places by code."""
    return _all(conn, Place, select(tables.place).order_by(tables.place.c.code))


def terminals(conn: Connection, *, partner: str | None = None) -> list[Terminal]:
    """Give all terminals by number, or those of one partner."""
    query = select(tables.terminal).order_by(tables.terminal.c.number)
    return _all(
        conn, Terminal, query if partner is None else query.where(tables.terminal.c.partner == partner)
    )


def products(conn: Connection) -> list[Product]:
    """Give all card products by name."""
    return _all(conn, Product, select(tables.product).order_by(tables.product.c.name))


def product_versions(conn: Connection, product: str) -> list[ProductVersion]:
    """Give the versions of a product, oldest first."""
    versions = tables.product_version
    query = select(versions).where(versions.c.product == product).order_by(versions.c.version)
    return _all(conn, ProductVersion, query)


def find_partner(conn: Connection, partner: str) -> Partner:
    """Give one partner; raise RegistryMissing."""
    return _one(conn, Partner, tables.partner, partner)


def find_place(conn: Connection, code: int) -> Place:
    """Give one place; raise RegistryMissing."""
    return _one(conn, Place, tables.place, code)


def find_terminal(conn: Connection, number: str) -> Terminal:
    """Give one terminal; raise RegistryMissing."""
    return _one(conn, Terminal, tables.terminal, number)


def find_product(conn: Connection, name: str) -> Product:
    """Give one card product; raise RegistryMissing."""
    return _one(conn, Product, tables.product, name)


def find_product_version(conn: Connection, product: str, version: int) -> ProductVersion:
    """Give one version of a product; raise RegistryMissing."""
    return _one(conn, ProductVersion, tables.product_version, product, version)


def latest_product_version(conn: Connection, product: str) -> ProductVersion | None:
    """Give the newest version of a product, or None where it has none yet."""
    versions = product_versions(conn, product)
    return versions[-1] if versions else None


def find_card(conn: Connection, asn: str) -> Card:
    """Give one card; raise RegistryMissing."""
    return _one(conn, Card, tables.card, asn)


def hold_card(conn: Connection, asn: str) -> Card:
    """Give one card, held until the transaction ends, so that two desks cannot both take a step with it."""
    conn.execute(select(tables.card.c.asn).where(tables.card.c.asn == asn).with_for_update())
    return find_card(conn, asn)


def cards_by_asn(conn: Connection, asns: Sequence[str]) -> dict[str, Card]:
    """Give those of many cards that are registered."""
    return {
        row.asn: _record(Card, row) for row in select_in(conn, select(tables.card), tables.card.c.asn, asns)
    }


def cards_of_holder(conn: Connection, holder: UUID) -> list[Card]:
    """Give the cards of a holder, by number."""
    return _all(
        conn, Card, select(tables.card).where(tables.card.c.holder == holder).order_by(tables.card.c.asn)
    )


def count_cards(conn: Connection) -> dict[str, int]:
    """Count the cards by status."""
    query = select(tables.card.c.status, func.count().label("cards")).group_by(tables.card.c.status)
    return {row.status: row.cards for row in conn.execute(query)}


def count_versions(conn: Connection, product: str) -> dict[int, int]:
    """Count the cards of a product by the version that they carry."""
    version = tables.card.c.product_version
    query = select(version, func.count().label("cards")).where(tables.card.c.product == product)
    return {row.product_version: row.cards for row in conn.execute(query.group_by(version))}


def _record(kind: type[_Record], row: Any) -> _Record:
    return kind(**row._mapping)  # noqa: SLF001 - the documented way to read a row by name


def _all(conn: Connection, kind: type[_Record], query: Select[Any]) -> list[_Record]:
    return [_record(kind, row) for row in conn.execute(query)]


def _one(conn: Connection, kind: type[_Record], table: Table, *key: object) -> _Record:
    query = select(table)
    for column, part in zip(table.primary_key, key, strict=True):
        query = query.where(column == part)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise RegistryMissing(record=table.name.replace("_", " "), key="/".join(str(part) for part in key))
    return _record(kind, row)
