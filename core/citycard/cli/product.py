"""``citycard product``: the card products of a city, what their cards carry, and which are still made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, table

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """List card products, show what their cards carry, retire them."""


@group.command("list")
@city_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """List the products that plugins declare and those that cards still have.

    With --json: an array of objects with name, title, kind, version (the newest), retired_on, and, for a
    product that can be issued, validity_years, deposit_fen, price_fen and purse_limit_fen.
    """
    city = opened(folder)
    rows = _rows(city)
    city.close()
    if as_json:
        emit(rows)
        return
    head = ("name", "title", "version", "validity_years", "deposit_fen", "price_fen", "retired_on")
    table(head, [[_cell(row.get(name)) for name in head] for row in rows])


@group.command("show")
@click.argument("name")
@city_option
@json_option
def show(name: str, folder: Path, as_json: bool) -> None:
    """Show product NAME: its data, and where each domain lies on the cards of each version.

    With --json: the object of ``list``, with versions: number, cards (how many carry it) and places.
    """
    from citycard import registry
    from citycard.card import ProductVersion
    from citycard.store import reading

    city = opened(folder)
    rows = {row["name"]: row for row in _rows(city)}
    with reading(city.engine) as conn:
        registry.find_product(conn, name)
        found = [ProductVersion.from_json(each.layout) for each in registry.product_versions(conn, name)]
        cards = registry.count_versions(conn, name)
    city.close()
    versions: list[dict[str, Any]] = [
        {"number": each.number, "cards": cards.get(each.number, 0), "places": each.places} for each in found
    ]
    if as_json:
        emit(rows[name] | {"versions": versions})
        return
    table(("", "product"), [(key, _cell(value)) for key, value in rows[name].items()])
    lines = [
        (
            each.number,
            cards.get(each.number, 0),
            place.number,
            f"{place.record_id:04X}",
            place.sector,
            place.size,
        )
        for each in found
        for place in each.places
    ]
    table(("version", "cards", "record", "id", "sector", "bytes"), lines)


@group.command("retire")
@click.argument("name")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The last day (default: today).")
@click.option("--again", is_flag=True, help="Take it back: cards of it are made again.")
@city_option
@json_option
def retire(name: str, on: Any, again: bool, folder: Path, as_json: bool) -> None:
    """Make no new cards of product NAME after a day; those that are out go on.

    With --json: an object with name and retired_on (null when it is made again).
    """
    from citycard import registry
    from citycard.store import writing

    city = opened(folder)
    city.issuing.publish()
    day = None if again else (on.date() if on is not None else city.now_local().date())
    with writing(city.engine) as conn:
        registry.retire_product(conn, name, day)
    city.close()
    if as_json:
        emit({"name": name, "retired_on": day})
    else:
        click.echo(f"product {name}: " + ("made again" if day is None else f"no new cards after {day}"))


def _rows(city: City) -> list[dict[str, Any]]:
    from citycard import registry
    from citycard.store import reading

    city.issuing.publish()
    declared = {product.name: product for product in city.issuing.products()}
    with reading(city.engine) as conn:
        rows = []
        for product in registry.products(conn):
            newest = registry.latest_product_version(conn, product.name)
            row: dict[str, Any] = {
                "name": product.name,
                "title": product.title,
                "kind": product.kind,
                "version": newest.version if newest else None,
                "retired_on": product.retired_on,
            }
            if product.name in declared:
                now = declared[product.name]
                row |= {
                    "validity_years": now.validity_years,
                    "deposit_fen": now.deposit_fen,
                    "price_fen": now.price_fen,
                    "purse_limit_fen": now.purse_limit_fen,
                }
            rows.append(row)
    return rows


def _cell(value: object) -> object:
    return "" if value is None else value
