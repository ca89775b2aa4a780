"""Add many records at once: what is there as wanted is left alone, what differs is an error."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import attrs
from sqlalchemy import ColumnElement, Connection, Table, select, tuple_

from citycard.errors import RegistryConflict, RegistryMissing
from citycard.registry import tables
from citycard.registry.records import Card, District, Partner, Place, Product, ProductVersion, Terminal
from citycard.store.bulk import insert_all, insert_missing, select_in

__all__ = [
    "add_cards",
    "add_districts",
    "add_new_cards",
    "add_partners",
    "add_places",
    "add_product_versions",
    "add_products",
    "add_rows",
    "add_terminals",
    "require",
]


def add_districts(conn: Connection, records: Sequence[District]) -> int:
    """Add districts and return how many are new; raise RegistryConflict when one exists and differs."""
    return add_rows(conn, tables.district, records)


def add_partners(conn: Connection, records: Sequence[Partner]) -> int:
    """Add partners and return how many are new; the status of one that is there is not touched.

    Raise RegistryConflict when one exists and differs, RegistryMissing when its district does not exist.
    """
    require(conn, tables.district, [record.district for record in records if record.district])
    return add_rows(conn, tables.partner, records, mutable=("status",))


def add_places(conn: Connection, records: Sequence[Place]) -> int:
    """Add places and return how many are new.

    Raise RegistryConflict when one exists and differs, RegistryMissing when its partner does not exist.
    """
    require(conn, tables.partner, [record.partner for record in records if record.partner])
    return add_rows(conn, tables.place, records)


def add_terminals(conn: Connection, records: Sequence[Terminal]) -> int:
    """Add terminals and return how many are new; the status of one that is there is not touched.

    Raise RegistryConflict when one exists and differs, RegistryMissing for its partner or place.
    """
    require(conn, tables.partner, [record.partner for record in records])
    require(conn, tables.place, [record.place for record in records if record.place is not None])
    return add_rows(conn, tables.terminal, records, mutable=("status",))


def add_products(conn: Connection, records: Sequence[Product]) -> int:
    """Add card products and return how many are new; raise RegistryConflict when one exists and differs."""
    return add_rows(conn, tables.product, records, mutable=("retired_on",))


def add_product_versions(conn: Connection, records: Sequence[ProductVersion]) -> int:
    """Add versions of products and return how many are new; a version is never changed.

    Raise RegistryConflict when one exists with another layout, RegistryMissing when its product does not.
    """
    require(conn, tables.product, [record.product for record in records])
    return add_rows(conn, tables.product_version, records, mutable=("created_on",))


def add_cards(conn: Connection, records: Sequence[Card]) -> int:
    """Add cards and return how many are new; what can change of one that is there is not touched.

    That is its status and holder, its version since a domain was loaded, its last day since it was renewed.

    Raise RegistryConflict when one exists and differs, RegistryMissing for its product version or holder.
    """
    require(conn, tables.product_version, [(record.product, record.product_version) for record in records])
    require(conn, tables.holder, [record.holder for record in records if record.holder is not None])
    changing = ("status", "holder", "product_version", "expires_on")
    return add_rows(conn, tables.card, records, mutable=changing)


def add_new_cards(conn: Connection, asns: Sequence[str], likes: Iterable[Card]) -> None:
    """Add very many cards, each like another one but for its number; one that is there is an error.

    Raise RegistryMissing for a product version.
    """
    names = [field.name for field in attrs.fields(Card)]
    known: dict[Card, tuple[Any, ...]] = {}

    def rows() -> Iterator[tuple[Any, ...]]:
        for asn, like in zip(asns, likes, strict=True):
            if like not in known:
                require(conn, tables.product_version, [(like.product, like.product_version)])
                known[like] = tuple(_stored(getattr(like, name)) for name in names if name != "asn")
            yield (asn, *known[like])

    insert_all(conn, tables.card, ["asn", *(name for name in names if name != "asn")], rows())


def add_rows(conn: Connection, table: Table, records: Sequence[Any], *, mutable: Collection[str] = ()) -> int:
    """Add records whose fields are the columns of ``table``; ``mutable`` fields are not compared."""
    if not records:
        return 0
    names = [field.name for field in attrs.fields(type(records[0]))]
    fixed = [name for name in names if name not in mutable]
    key_of, fixed_of = _getter([column.name for column in table.primary_key]), _getter(fixed)
    wanted: dict[Any, Any] = {}
    for record in records:
        first = wanted.setdefault(key_of(record), record)
        if first is not record and fixed_of(first) != fixed_of(record):
            _conflict(record, key_of(record), fixed, first)
    missing = _missing(conn, table, wanted, fixed)
    rows = [{name: _stored(getattr(record, name)) for name in names} for record in missing]
    added = insert_missing(conn, table, rows)
    if added < len(rows):
        # Somebody else added some of them in between: they must be the same.
        _missing(conn, table, wanted, fixed)
    return added


def require(conn: Connection, table: Table, keys: Sequence[Any]) -> None:
    """Raise RegistryMissing for the first of ``keys`` that is not in ``table``."""
    wanted = dict.fromkeys(keys)
    key = _key_column(table)
    found = {_plain(row) for row in select_in(conn, select(*table.primary_key), key, list(wanted))}
    for identity in wanted:
        if identity not in found:
            raise RegistryMissing(record=_title(table), key=_text(identity))


def _missing(conn: Connection, table: Table, wanted: dict[Any, Any], fixed: Sequence[str]) -> list[Any]:
    """Compare records with what is stored, and give those that are not there."""
    columns = [*table.primary_key, *(table.c[name] for name in fixed if name not in table.primary_key)]
    width = len(list(table.primary_key))
    key_of, fixed_of, stored_of = slice(0, width), _getter(fixed), _getter(fixed)
    present = set()
    for row in select_in(conn, select(*columns), _key_column(table), list(wanted)):
        key = _plain(row[key_of])
        if stored_of(row) != fixed_of(wanted[key]):
            _conflict(wanted[key], key, fixed, row)
        present.add(key)
    return [record for key, record in wanted.items() if key not in present]


def _conflict(record: Any, key: Any, fixed: Sequence[str], existing: Any) -> None:
    field = next(name for name in fixed if getattr(existing, name) != getattr(record, name))
    raise RegistryConflict(
        record=type(record).__name__.lower(),
        key=_text(key),
        field=field,
        existing=str(getattr(existing, field)),
        wanted=str(getattr(record, field)),
    )


def _getter(names: Sequence[str]) -> Any:
    return attrgetter(*names)


def _key_column(table: Table) -> ColumnElement[Any]:
    columns = list(table.primary_key)
    return columns[0] if len(columns) == 1 else tuple_(*columns)


def _plain(row: Sequence[Any]) -> Any:
    return row[0] if len(row) == 1 else tuple(row)


def _stored(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _text(key: Any) -> str:
    return "/".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def _title(table: Table) -> str:
    return table.name.replace("_", " ")
