"""``citycard stock``: number ranges, and the blank cards of a city: received, handed out, used, spoiled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say, table

if TYPE_CHECKING:
    from citycard.registry import LotCount, NumberRange

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """Keep the number ranges and the stock of blank cards."""


@group.group("range", cls=ListedGroup)
def ranges() -> None:
    """Open number ranges and check them."""


@ranges.command("add")
@click.argument("name")
@click.option("--product", required=True, help="The card product whose cards get these numbers.")
@click.option("--first", required=True, type=CardNumber(), metavar="ASN", help="The first number, 20 digits.")
@click.option("--size", required=True, type=click.IntRange(min=1), help="How many numbers.")
@city_option
@json_option
def add_range(name: str, product: str, first: str, size: int, folder: Path, as_json: bool) -> None:
    """Open the number range NAME for a card product.

    With --json: an object with name, product, first, last, size, taken and left.
    """
    from citycard import registry
    from citycard.store import writing

    city = opened(folder)
    city.issuing.version(product)
    made = registry.NumberRange(
        name=name, product=product, first=first, size=size, opened_on=city.now_local().date()
    )
    with writing(city.engine) as conn:
        registry.add_number_range(conn, made)
        found = registry.find_number_range(conn, name)
    city.close()
    _show_ranges([found], as_json=as_json, one=True)


@ranges.command("list")
@city_option
@json_option
def list_ranges(folder: Path, as_json: bool) -> None:
    """List the number ranges; exit 1 when two of them share a number, or jobs took more than they count.

    With --json: an array of objects as ``range add`` prints them.
    """
    from citycard import registry
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        found, wrong = registry.number_ranges(conn), registry.check_number_ranges(conn)
    city.close()
    _show_ranges(found, as_json=as_json)
    for sentence in wrong:
        say(f"citycard stock range list: {sentence}")
    if wrong:
        raise click.exceptions.Exit(1)


@group.command("receive")
@click.argument("lot")
@click.option("--cards", required=True, type=click.IntRange(min=1), help="How many blank cards came.")
@click.option("--supplier", default="", help="Who sent them.")
@actor_option
@city_option
@json_option
def receive(lot: str, cards: int, supplier: str, actor: str, folder: Path, as_json: bool) -> None:
    """Take the blank cards of LOT into the store; the same lot again changes nothing.

    With --json: the lot, as in ``report``.
    """
    from citycard import registry
    from citycard.ids import derived_id
    from citycard.store import writing

    city = opened(folder)
    arrived = registry.StockLot(name=lot, supplier=supplier, size=cards, received_on=city.now_local().date())
    with writing(city.engine) as conn:
        registry.receive_stock(
            conn, arrived, id=derived_id("received", lot), actor=actor, at=city.clock.now()
        )
        (count,) = [each for each in registry.stock_report(conn) if each.lot == lot]
    city.close()
    _show_lots([count], as_json=as_json, one=True)


@group.command("hand")
@click.argument("lot")
@click.argument("cards", type=click.IntRange(min=1))
@click.option("--from", "source", default="store", show_default=True, help="Where the cards lie.")
@click.option("--to", "target", required=True, help="The counter or outlet that gets them, or store.")
@click.option("--reason", default="handed out", show_default=True, help="Why.")
@click.option("--ref", help="The number of the slip: the same slip twice is one move.")
@actor_option
@city_option
@json_option
def hand(
    lot: str,
    cards: int,
    source: str,
    target: str,
    reason: str,
    ref: str | None,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Hand CARDS blank cards of LOT to a counter or an outlet, or take them back.

    With --json: the lot, as in ``report``.
    """
    if target in {"used", "spoiled"}:
        raise click.UsageError(
            f"--to {target} is no counter: jobs use cards, citycard stock spoil writes off"
        )
    _moved(folder, lot, cards, source, target, reason, ref, actor, as_json=as_json)


@group.command("spoil")
@click.argument("lot")
@click.argument("cards", type=click.IntRange(min=1))
@click.option("--at", "source", default="store", show_default=True, help="Where the cards lie.")
@click.option("--reason", required=True, help="What is wrong with them.")
@click.option("--ref", help="The number of the slip: the same slip twice is one move.")
@actor_option
@city_option
@json_option
def spoil(
    lot: str,
    cards: int,
    source: str,
    reason: str,
    ref: str | None,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Write off CARDS blank cards of LOT that are broken or cannot be found.

    With --json: the lot, as in ``report``.
    """
    _moved(folder, lot, cards, source, "spoiled", reason, ref, actor, as_json=as_json)


@group.command("report")
@city_option
@json_option
def report(folder: Path, as_json: bool) -> None:
    """Count the blank cards of every lot; exit 1 when they do not add up.

    With --json: an array of objects with lot, supplier, size, held (by place), used, spoiled and adds_up.
    """
    from citycard import registry
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        counts = registry.stock_report(conn)
    city.close()
    _show_lots(counts, as_json=as_json)
    if not all(count.adds_up for count in counts):
        raise click.exceptions.Exit(1)


def _moved(
    folder: Path,
    lot: str,
    cards: int,
    source: str,
    target: str,
    reason: str,
    ref: str | None,
    actor: str,
    *,
    as_json: bool,
) -> None:
    from citycard import registry
    from citycard.ids import derived_id, new_id
    from citycard.store import writing

    city = opened(folder)
    key = new_id() if ref is None else derived_id("stock-slip", ref)
    with writing(city.engine) as conn:
        registry.move_stock(
            conn, lot, source, target, cards, id=key, reason=reason, actor=actor, at=city.clock.now()
        )
        (count,) = [each for each in registry.stock_report(conn) if each.lot == lot]
    city.close()
    _show_lots([count], as_json=as_json, one=True)


def _show_ranges(found: list[NumberRange], *, as_json: bool, one: bool = False) -> None:
    rows = [
        {
            "name": each.name,
            "product": each.product,
            "first": each.first,
            "last": each.last,
            "size": each.size,
            "taken": each.taken,
            "left": each.left,
        }
        for each in found
    ]
    if as_json:
        emit(rows[0] if one else rows)
    else:
        head = ("range", "product", "first", "last", "size", "taken", "left")
        table(head, [tuple(row.values()) for row in rows])


def _show_lots(counts: list[LotCount], *, as_json: bool, one: bool = False) -> None:
    rows = [
        {
            "lot": count.lot,
            "supplier": count.supplier,
            "size": count.size,
            "held": count.held,
            "used": count.used,
            "spoiled": count.spoiled,
            "adds_up": count.adds_up,
        }
        for count in counts
    ]
    if as_json:
        emit(rows[0] if one else rows)
        return
    table(
        ("lot", "received", "at hand", "used", "spoiled"),
        [
            (
                count.lot,
                count.size,
                ", ".join(f"{place} {cards}" for place, cards in count.held.items()) or "none",
                count.used,
                count.spoiled,
            )
            for count in counts
        ],
    )
