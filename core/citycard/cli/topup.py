"""``citycard topup``: orders paid online, loads whose end is open, and automatic top-up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, id_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table
from citycard.cli.reader_options import CardAt, card_option

if TYPE_CHECKING:
    from citycard.wallet.order import PaymentOrder

__all__ = ["group"]

_STATES = ("created", "paid", "delivered", "refunding", "refunded", "closed")


@click.group(cls=ListedGroup)
def group() -> None:
    """Orders paid online, loads whose end is open, automatic top-up."""


@group.command()
@click.argument("asn")
@click.argument("amount", metavar="YUAN")
@click.option("--id", "identity", type=click.UUID, help="The order's id, to ask again [default: a new one].")
@click.option("--account", default="", help="The online account that gets it [default: the card's purse].")
@actor_option
@city_option
@json_option
def order(
    asn: str, amount: str, identity: UUID | None, account: str, actor: str, folder: Path, as_json: bool
) -> None:
    """Order a top-up of YUAN for card ASN, and say where it is paid; with the same --id it is the same order.

    With --json: the order, as in ``show``.
    """
    from citycard.city.orders import order_top_up
    from citycard.cli.amount import amount_of
    from citycard.ids import new_id

    amount_fen = amount_of(amount)
    city = opened(folder)
    try:
        made = order_top_up(city, identity or new_id(), asn, amount_fen, account=account, actor=actor)
    finally:
        city.close()
    if as_json:
        emit(_row(made))
        return
    click.echo(f"order {made.id} is {made.state}")
    if made.pay_url:
        click.echo(f"pay at {made.pay_url}")


@group.command()
@click.option("--terminal", metavar="NUMBER", help="The terminal that this is [default: the city's desk].")
@city_option
@card_option
@json_option
def deliver(terminal: str | None, folder: Path, at: CardAt, as_json: bool) -> None:
    """Serve the card at a reader: finish what was torn, load its paid orders, then its automatic top-up.

    A card that left meanwhile is held there again and the same command repeated. With --json: an object with
    asn, balance_before_fen, balance_after_fen, recovered_fen, delivered (ids of orders), topped_up_fen and
    refused (words).
    """
    from citycard.city.delivering import deliver as serve
    from citycard.money import yuan

    city = opened(folder)
    try:
        with at.opened() as reader:
            seen = serve(city, reader, terminal)
    finally:
        city.close()
    if as_json:
        emit(seen)
        return
    if seen.recovered_fen:
        click.echo(f"an earlier load of {yuan(seen.recovered_fen)} yuan had been done")
    for identity in seen.delivered:
        click.echo(f"order {identity} is on the card")
    if seen.topped_up_fen:
        click.echo(f"topped up by {yuan(seen.topped_up_fen)} yuan")
    for words in seen.refused:
        say(words)
    click.echo(f"card {seen.asn}: balance {yuan(seen.balance_after_fen)} yuan")


@group.command("list")
@click.option("--card", "asn", default="", help="Only those of a card.")
@click.option("--state", type=click.Choice(_STATES), help="Only those in a state.")
@click.option("--loads", is_flag=True, help="The loads whose money is reserved, instead of orders.")
@click.option("--exceptions", is_flag=True, help="The loads that the city bore, instead of orders.")
@city_option
@json_option
def list_(asn: str, state: str | None, loads: bool, exceptions: bool, folder: Path, as_json: bool) -> None:
    """List the orders, newest first; or loads that are open, or that the city had to bear.

    With --json: an array of objects as in ``show``; of loads: id, asn, payer, amount_fen, at, terminal,
    state, proof and money.
    """
    from citycard.store import reading
    from citycard.wallet.loadbook import held_loads, lost_loads
    from citycard.wallet.order import OrderState
    from citycard.wallet.orderbook import orders

    if loads and exceptions:
        raise click.UsageError("--loads and --exceptions: list one of them")
    city = opened(folder)
    try:
        with reading(city.engine) as conn:
            if loads or exceptions:
                found = lost_loads(conn) if exceptions else held_loads(conn)
                rows = [_load_row(one) for one in found if asn in {"", one.asn}]
            else:
                wanted = [OrderState(state)] if state else []
                rows = [_row(one) for one in orders(conn, asn=asn, states=wanted)]
    finally:
        city.close()
    if as_json:
        emit(rows)
        return
    head = ("asn", "payer", "amount_fen", "at", "state", "money") if loads or exceptions else _HEAD
    table(head, [[row[name] for name in head] for row in rows])


_HEAD = ("id", "asn", "amount_fen", "state", "created_at")


@group.command()
@click.argument("identity", metavar="ORDER", type=click.UUID)
@city_option
@json_option
def show(identity: UUID, folder: Path, as_json: bool) -> None:
    """Show an order and where it is.

    With --json: an object with id, provider, asn, account, amount_fen, agreement, by, state, pay_url,
    transaction, load, trouble, created_at, expires_at, paid_at and ended_at.
    """
    from citycard.store import reading
    from citycard.wallet.orderbook import find_order

    city = opened(folder)
    try:
        with reading(city.engine) as conn:
            row = _row(find_order(conn, identity))
    finally:
        city.close()
    if as_json:
        emit(row)
    else:
        pairs((name, "" if value is None else value) for name, value in row.items())


@group.command()
@click.argument("identity", metavar="ORDER", type=click.UUID)
@click.option("--reason", default="asked for", show_default=True, help="Why, for the order.")
@city_option
@json_option
def refund(identity: UUID, reason: str, folder: Path, as_json: bool) -> None:
    """Send the money of a paid order back; refused while a load with its money is open.

    With --json: the order, as in ``show``.
    """
    from citycard.city.orders import send_back

    city = opened(folder)
    try:
        done = send_back(city, identity, reason)
    finally:
        city.close()
    if as_json:
        emit(_row(done))
    else:
        click.echo(f"order {done.id} is {done.state}")


@group.command()
@click.argument("identities", metavar="[ORDER]...", nargs=-1, type=click.UUID)
@city_option
@json_option
def check(identities: tuple[UUID, ...], folder: Path, as_json: bool) -> None:
    """Ask the provider about each ORDER, or about every order that is due, as the server does by itself.

    With --json: an object with orders, how many were asked about.
    """
    from citycard.city.orders import look_after, look_after_due

    city = opened(folder)
    try:
        for identity in identities:
            look_after(city, identity)
        asked = len(identities) or look_after_due(city)
    finally:
        city.close()
    if as_json:
        emit({"orders": asked})
    else:
        click.echo(f"{asked} orders were looked after")


@group.command()
@city_option
@json_option
def expire(folder: Path, as_json: bool) -> None:
    """Give back the money of loads whose end no card showed in time, and refund their orders.

    The server does it by itself every hour. With --json: an object with loads (as in ``list --loads``) and
    orders, which were paid and never collected (as in ``show``).
    """
    from citycard.city.expiring import expire as run

    city = opened(folder)
    try:
        done = run(city)
    finally:
        city.close()
    if as_json:
        loads = [_load_row(one) for one in done.loads]
        emit({"loads": loads, "orders": [_row(one) for one in done.orders]})
    else:
        given, back = len(done.loads), len(done.orders)
        click.echo(f"{given} loads gave their money back, {back} orders were never collected")


@group.command()
@click.argument("asn")
@click.option("--below", metavar="YUAN", help="Load when the purse holds less.")
@click.option("--amount", metavar="YUAN", help="How much to load.")
@click.option("--daily", metavar="YUAN", help="How much in one day at most.")
@click.option("--from", "source", help="account/NUMBER, or agreement/ID of the provider.")
@click.option("--off", is_flag=True, help="Do not top the card up any more.")
@id_option
@actor_option
@city_option
@json_option
def auto(
    asn: str,
    below: str | None,
    amount: str | None,
    daily: str | None,
    source: str | None,
    off: bool,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Show, set or stop the automatic top-up of card ASN.

    With --json: an object with asn, threshold_fen, amount_fen, daily_limit_fen, source, actor and set_at; or
    null.
    """
    from citycard import registry
    from citycard.cli.amount import amount_of
    from citycard.money import yuan
    from citycard.store import writing
    from citycard.wallet.autotopup import AutoTopUp, change_rule, find_rule

    given = (below, amount, daily, source)
    if any(given) and (off or not all(given)):
        raise click.UsageError("give --below, --amount, --daily and --from together, or --off, or nothing")
    city = opened(folder)
    try:
        with writing(city.engine) as conn:
            registry.find_card(conn, asn)
            rule = None
            if below and amount and daily and source:
                rule = AutoTopUp(
                    asn=asn,
                    threshold_fen=amount_of(below),
                    amount_fen=amount_of(amount),
                    daily_limit_fen=amount_of(daily),
                    source=source,
                    actor=actor,
                    set_at=city.clock.now(),
                )
            if rule is None and not off:
                found = find_rule(conn, asn)
            else:
                found = change_rule(conn, identity, asn, rule, actor=actor, at=city.clock.now())
    finally:
        city.close()
    if as_json:
        emit(found)
    elif found is None:
        click.echo(f"card {asn} is not topped up by itself")
    else:
        click.echo(
            f"card {asn}: below {yuan(found.threshold_fen)}, load {yuan(found.amount_fen)} "
            f"from {found.source}, at most {yuan(found.daily_limit_fen)} yuan a day"
        )


def _row(one: PaymentOrder) -> dict[str, Any]:
    names = (
        "id",
        "provider",
        "asn",
        "account",
        "amount_fen",
        "agreement",
        "state",
        "pay_url",
        "transaction",
        "load",
        "trouble",
        "created_at",
        "expires_at",
        "paid_at",
        "ended_at",
    )
    return {name: getattr(one, name) for name in names} | {"by": one.actor}


def _load_row(one: Any) -> dict[str, Any]:
    names = ("id", "asn", "amount_fen", "at", "terminal", "state", "proof", "money")
    return {name: getattr(one, name) for name in names} | {"payer": one.agent}
