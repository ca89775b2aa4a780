"""``citycard refund``: give back a purchase, or a part of it, and see what was given back."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from citycard.cli.amount import amount_of
from citycard.cli.bankoptions import creditor_of, creditor_options, id_option
from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, pairs, table
from citycard.money import yuan

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """Give back purchases, and list what was given back."""


@group.command()
@click.argument("purchase")
@click.option("--amount", metavar="YUAN", help="How much of it [default: all that is left].")
@click.option(
    "--to",
    "destination",
    type=click.Choice(("account", "bank", "cash", "purse")),
    required=True,
    help="An online account, a bank account, cash at the desk, or the purse at the next reader.",
)
@click.option("--number", default="", metavar="ASN", help="With account: whose [default: the payer's].")
@creditor_options
@click.option("--reason", required=True, help="Why it is given back.")
@click.option("--approved-by", required=True, metavar="NAME", help="Who allowed it.")
@click.option("--evidence", required=True, metavar="REFERENCE", help="Where the ground for it is kept.")
@id_option
@actor_option
@city_option
@json_option
def give(
    purchase: str,
    amount: str | None,
    destination: str,
    number: str,
    account_name: str | None,
    account_no: str | None,
    bic: str,
    reason: str,
    approved_by: str,
    evidence: str,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Give back PURCHASE: the id of a record (TERMINAL-BATCH-LINE), or of a payment or hold of an account.

    Of a payment, it is what the account itself paid: ``account give-back`` gives subsidies back, too.

    With --json: an object with id, purchase, owner, amount_fen, destination, target, reason, approved_by,
    evidence, actor, at and parts (partner, amount_fen, transfer).
    """
    from citycard.city.refunds import give_refund, left_fen, purchase_of
    from citycard.store import reading
    from citycard.wallet.refunds import Destination, find_refund, refunds_of

    city = opened(folder)
    try:
        found = purchase_of(city, purchase)
        with reading(city.engine) as conn:
            earlier = refunds_of(conn, purchase=found.id)
            again = next((one for one in earlier if one.id == identity), None)
            left = left_fen(conn, found)
        if amount is not None:
            amount_fen = amount_of(amount)
        else:
            amount_fen = again.amount_fen if again is not None else left
        given = give_refund(
            city,
            identity,
            found,
            amount_fen,
            Destination(destination),
            reason=reason,
            approved_by=approved_by,
            evidence=evidence,
            actor=actor,
            account_number=number,
            creditor=creditor_of(account_name, account_no, bic) if destination == "bank" else None,
        )
        with reading(city.engine) as conn:
            given = find_refund(conn, given.id)
    finally:
        city.close()
    if as_json:
        emit(given)
    else:
        click.echo(f"refund {given.id}: {yuan(given.amount_fen)} yuan of {given.purchase} to {destination}")


@group.command("list")
@click.option("--purchase", help="Those of a purchase.")
@click.option("--card", "asn", type=CardNumber(), help="Those of a card or an online account.")
@city_option
@json_option
def list_(purchase: str | None, asn: str | None, folder: Path, as_json: bool) -> None:
    """List the refunds of a purchase or of a card, oldest first.

    With --json: an array of the objects of ``refund give``.
    """
    from citycard.city.refunds import purchase_name
    from citycard.store import reading
    from citycard.wallet.refunds import refunds_of

    if (purchase is None) == (asn is None):
        raise click.UsageError("give --purchase or --card")
    city = opened(folder)
    with reading(city.engine) as conn:
        name = None if purchase is None else purchase_name(conn, purchase)
        found = refunds_of(conn, purchase=name, owner=asn)
    city.close()
    if as_json:
        emit(found)
        return
    rows = (
        (f"{one.at:%Y-%m-%d %H:%M}", one.id, one.purchase, yuan(one.amount_fen), one.destination, one.reason)
        for one in found
    )
    table(("at (UTC)", "refund", "purchase", "yuan", "to", "reason"), rows)


@group.command()
@click.argument("identity", metavar="ID", type=click.UUID)
@city_option
@json_option
def show(identity: UUID, folder: Path, as_json: bool) -> None:
    """Show refund ID: why, who allowed it, and what each partner gave back.

    With --json: the object of ``refund give``.
    """
    from citycard.store import reading
    from citycard.wallet.refunds import find_refund

    city = opened(folder)
    try:
        with reading(city.engine) as conn:
            found = find_refund(conn, identity)
    finally:
        city.close()
    if as_json:
        emit(found)
        return
    facts = ("id", "purchase", "owner", "destination", "target", "reason", "approved_by", "evidence", "actor")
    pairs([(name.replace("_", " "), getattr(found, name)) for name in facts])
    pairs([(f"from {part.partner}", yuan(part.amount_fen)) for part in found.parts])
