"""``citycard card issue``, ``lost``, ``replace`` and the other steps of a card's life that need no reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citycard.cli.bankoptions import creditor_of, creditor_options
from citycard.cli.cardnumber import CardNumber
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city import City

__all__ = ["block", "history", "issue", "lost", "pay_out", "replace", "return_", "settle", "show", "unblock"]


@click.command()
@click.argument("asn", type=CardNumber())
@click.option("--holder", type=click.UUID, help="The id of its holder (default: nobody named).")
@click.option("--reason", default="sold", show_default=True, help="Why, for the history.")
@actor_option
@city_option
@json_option
def issue(asn: str, holder: Any, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Give card ASN out of the stock; its deposit and price are taken. Then activate it at a reader.

    With --json: the card, as in ``show``.
    """
    from citycard.city.office import Office

    city = opened(folder)
    Office(city, actor).issue(asn, holder=holder, reason=reason)
    _show(city, asn, as_json=as_json)


@click.command()
@click.argument("asn", type=CardNumber())
@click.option("--reason", default="reported lost", show_default=True, help="Why, for the history.")
@actor_option
@city_option
@json_option
def lost(asn: str, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Report card ASN lost: it is on the blacklist that is published now.

    With --json: the card, as in ``show``.
    """
    from citycard.city.office import Office

    city = opened(folder)
    Office(city, actor).lost(asn, reason=reason)
    _show(city, asn, as_json=as_json)


@click.command()
@click.argument("asn", type=CardNumber())
@click.option("--reason", required=True, help="Why, for the history.")
@actor_option
@city_option
@json_option
def block(asn: str, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Block card ASN: it is on the blacklist that is published now.

    With --json: the card, as in ``show``.
    """
    from citycard.city.office import Office

    city = opened(folder)
    Office(city, actor).block(asn, reason=reason)
    _show(city, asn, as_json=as_json)


@click.command()
@click.argument("asn", type=CardNumber())
@click.option("--reason", required=True, help="Why, for the history.")
@actor_option
@city_option
@json_option
def unblock(asn: str, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Let card ASN, lost or blocked, be what it was before.

    With --json: the card, as in ``show``.
    """
    from citycard.city.office import Office

    city = opened(folder)
    Office(city, actor).unblock(asn, reason=reason)
    _show(city, asn, as_json=as_json)


@click.command()
@click.argument("asn", type=CardNumber())
@click.argument("new", type=CardNumber())
@click.option("--reason", required=True, help="Why, for the history.")
@click.option("--fee", metavar="YUAN", help="The fee (default: replacement_fee_fen of city.toml).")
@actor_option
@city_option
@json_option
def replace(
    asn: str, new: str, reason: str, fee: str | None, actor: str, folder: Path, as_json: bool
) -> None:
    """Give card NEW of the stock in place of card ASN.

    The balance follows after the clearing days, with ``citycard card transfer``. With --json: card ASN, as in
    ``show``.
    """
    from citycard.city.office import Office
    from citycard.cli.amount import amount_of

    city = opened(folder)
    fee_fen = None if fee is None else amount_of(fee)
    Office(city, actor).replace(asn, new, reason=reason, fee_fen=fee_fen)
    _show(city, asn, as_json=as_json)


@click.command("return")
@click.argument("asn", type=CardNumber())
@click.option("--reason", default="returned", show_default=True, help="Why, for the history.")
@actor_option
@city_option
@json_option
def return_(asn: str, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Take card ASN back; deposit and balance are paid after the clearing days, with ``pay-out``.

    With --json: the card, as in ``show``.
    """
    from citycard.city.office import Office

    city = opened(folder)
    Office(city, actor).give_back(asn, reason=reason)
    _show(city, asn, as_json=as_json)


@click.command()
@actor_option
@city_option
@json_option
def settle(actor: str, folder: Path, as_json: bool) -> None:
    """Fix what is owed for cards whose last taps have come in, and make good what came later.

    A served city does it every hour by itself. With --json: an object with due and put_right.
    """
    from citycard.city.closing import settle_due

    city = opened(folder)
    done = settle_due(city, actor=actor)
    city.close()
    if as_json:
        emit(done)
    else:
        click.echo(f"cards that fell due: {done.due}; put right: {done.put_right}")


@click.command("pay-out")
@click.argument("asn", type=CardNumber())
@creditor_options
@actor_option
@city_option
@json_option
def pay_out(
    asn: str,
    account_name: str | None,
    account_no: str | None,
    bic: str,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Pay what is owed for card ASN to its holder; the second time there is nothing left.

    It is cash from the desk, or ordered from the bank where --account-name and --account are given. What the
    holder owes the city is taken first. With --json: an object with asn, paid_fen, and already_at (when it
    was paid before, if nothing was left).
    """
    from citycard.city.closing import paid_out_at, settle_card
    from citycard.city.closing import pay_out as pay
    from citycard.money import yuan

    city = opened(folder)
    settle_card(city, asn, actor=actor)
    by_bank = account_name is not None or account_no is not None
    creditor = creditor_of(account_name, account_no, bic) if by_bank else None
    paid_fen = pay(city, asn, actor=actor, creditor=creditor)
    already_at = None if paid_fen else paid_out_at(city, asn)
    city.close()
    if as_json:
        emit({"asn": asn, "paid_fen": paid_fen, "already_at": already_at})
    elif already_at is not None:
        click.echo(f"card {asn}: already paid out on {already_at:%Y-%m-%d %H:%M:%S} UTC, nothing is owed")
    else:
        click.echo(f"card {asn}: {yuan(paid_fen)} yuan paid out")


@click.command()
@click.argument("asn", type=CardNumber())
@city_option
@json_option
def show(asn: str, folder: Path, as_json: bool) -> None:
    """Show what the city knows of card ASN: status, product, days, money.

    With --json: an object with asn, status, product, version, newest_version, holder (its id or null),
    issued_on, expires_on, purse_fen, deposit_fen, owed_fen, and closing (null, or successor, due_on, state).
    """
    _show(opened(folder), asn, as_json=as_json)


@click.command()
@click.argument("asn", type=CardNumber())
@city_option
@json_option
def history(asn: str, folder: Path, as_json: bool) -> None:
    """List everything that was done to card ASN, oldest first.

    With --json: an array of objects with at, what, detail and by.
    """
    from citycard import registry
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        registry.find_card(conn, asn)
        rows = [
            (step.at, f"{step.before} → {step.after}", step.reason, step.actor)
            for step in registry.card_history(conn, asn)
        ]
        rows += [(one.at, one.what, one.detail, one.actor) for one in registry.card_events(conn, asn)]
    city.close()
    rows.sort(key=lambda row: row[0])
    if as_json:
        emit([dict(zip(("at", "what", "detail", "by"), row, strict=True)) for row in rows])
        return
    lines = [(f"{at:%Y-%m-%d %H:%M:%S} UTC", *rest) for at, *rest in rows]
    table(("when", "what", "why", "by"), lines)


def _show(city: City, asn: str, *, as_json: bool) -> None:
    from citycard.store import reading

    with reading(city.engine) as conn:
        row = _row(city, conn, asn)
    city.close()
    if as_json:
        emit(row)
        return
    closing = row.pop("closing")
    if closing is not None:
        row |= {name: closing[name] for name in ("successor", "due_on", "state") if closing[name]}
    table(("", "card"), [(name, "" if value is None else value) for name, value in row.items()])


def _row(city: City, conn: Connection, asn: str) -> dict[str, Any]:
    from citycard import registry
    from citycard.city.cardmoney import CardMoney
    from citycard.wallet.addresses import card_deposit

    card, money = registry.find_card(conn, asn), CardMoney(city, conn)
    newest = registry.latest_product_version(conn, card.product)
    closing = registry.closing_of(conn, asn)
    return {
        "asn": asn,
        "status": str(card.status),
        "product": card.product,
        "version": card.product_version,
        "newest_version": newest.version if newest else card.product_version,
        "holder": card.holder,
        "issued_on": card.issued_on,
        "expires_on": card.expires_on,
        "purse_fen": money.purse_fen(asn),
        "deposit_fen": money.balance_fen(card_deposit(asn)),
        "owed_fen": money.owed_fen(asn),
        "closing": closing
        and {"successor": closing.successor, "due_on": closing.due_on, "state": str(closing.state)},
    }
