"""``citycard partner``: who takes part and is paid, registered by hand; plugins register their own."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
import click

from citycard.cli.bankoptions import id_option
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, pairs, table
from citycard.registry.records import PartnerStatus

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """Register partners, list and show them."""


@group.command()
@click.argument("partner", metavar="ID")
@click.option("--name", help="Its name; needed when it is new.")
@click.option("--kind", help="What it is, such as operator, shop or agent [default: operator].")
@click.option("--district", metavar="ID", help="Its district, of [[districts]] in city.toml.")
@click.option("--account-name", help="The holder of its bank account.")
@click.option("--account", "account_no", metavar="NUMBER", help="Its bank account; nothing is paid without.")
@click.option("--bic", "bank_bic", help="Its bank.")
@city_option
@json_option
def add(partner: str, name: str | None, folder: Path, as_json: bool, **given: str | None) -> None:
    """Register partner ID; again without harm, and refused when something is registered otherwise.

    With --json: an object with added, id, name, kind, account_name, account_no, bank_bic, district, status.
    """
    from citycard import registry
    from citycard.errors import RegistryMissing
    from citycard.store import writing

    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if name is not None:
        changes["name"] = name
    city = opened(folder)
    try:
        with writing(city.engine) as conn:
            try:
                wanted = attrs.evolve(registry.find_partner(conn, partner), **changes)
            except RegistryMissing:
                if name is None:
                    problem = f"partner {partner} is new: give its --name"
                    raise click.UsageError(problem) from None
                wanted = registry.Partner(id=partner, **changes)
            added = registry.add_partners(conn, [wanted]) == 1
    finally:
        city.close()
    if as_json:
        emit({"added": added} | attrs.asdict(wanted) | {"status": str(wanted.status)})
    else:
        click.echo(f"partner {partner} is {'registered' if added else 'registered already'}: {wanted.name}")


@group.command()
@click.argument("partner", metavar="ID")
@click.option("--name", help="Its name.")
@click.option("--kind", help="What it is, such as operator, shop or agent.")
@click.option("--district", metavar="ID", help="Its district, of [[districts]] in city.toml.")
@click.option("--account-name", help="The holder of its bank account.")
@click.option("--account", "account_no", metavar="NUMBER", help="Its bank account; empty: none.")
@click.option("--bic", "bank_bic", help="Its bank.")
@click.option(
    "--status",
    type=click.Choice([one.value for one in PartnerStatus]),
    help="One that is not active is not paid.",
)
@click.option("--reason", required=True, help="Why, for its history.")
@actor_option
@city_option
@json_option
def change(partner: str, reason: str, actor: str, folder: Path, as_json: bool, **given: str | None) -> None:
    """Change partner ID: its account, its status, or what it is called; what is left out stays.

    What changed, why and who did it is kept. With --json: the object of ``partner show``.
    """
    from citycard import registry
    from citycard.store import writing

    wanted = {key: value for key, value in given.items() if value is not None}
    if not wanted:
        raise click.UsageError("say what is to change, such as --account")
    with closing(opened(folder)) as city:
        with writing(city.engine) as conn:
            at = city.clock.now()
            registry.change_partner(conn, partner, wanted, reason=reason[:200], actor=actor[:100], at=at)
        facts = _shown(city, partner)
    if as_json:
        emit(facts)
    else:
        click.echo(f"partner {partner} is changed: {reason}")


@group.command("list")
@click.option("--district", metavar="ID", help="Only those of a district.")
@city_option
@json_option
def list_(district: str | None, folder: Path, as_json: bool) -> None:
    """List the partners by id.

    With --json: an array of the objects of ``partner add``, without added.
    """
    from citycard import registry
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        found = registry.partners(conn, district=district)
    city.close()
    if as_json:
        emit([attrs.asdict(one) | {"status": str(one.status)} for one in found])
        return
    rows = ((one.id, one.name, one.kind, one.district or "", one.status) for one in found)
    table(("partner", "name", "kind", "district", "status"), rows)


@group.command()
@click.argument("partner", metavar="ID")
@click.option("--amount", metavar="YUAN", help="How much [default: all that it is owed].")
@id_option
@city_option
@json_option
def payout(partner: str, amount: str | None, identity: UUID, folder: Path, as_json: bool) -> None:
    """Order a payment of what partner ID is owed beyond the clearing runs.

    With --json: an object with id, partner, amount_fen, end_to_end and state.
    """
    from citycard.city.payouts import pay_partner
    from citycard.cli.amount import amount_of
    from citycard.money import yuan

    city = opened(folder)
    try:
        amount_fen = None if amount is None else amount_of(amount)
        payment = pay_partner(city, identity, partner, amount_fen)
    finally:
        city.close()
    if as_json:
        facts = {"id": payment.id, "partner": partner, "amount_fen": payment.amount_fen}
        emit(facts | {"end_to_end": payment.end_to_end, "state": payment.state})
    else:
        click.echo(f"partner {partner}: {yuan(payment.amount_fen)} yuan ordered, {payment.end_to_end}")


@group.command()
@click.argument("partner", metavar="ID")
@city_option
@json_option
def show(partner: str, folder: Path, as_json: bool) -> None:
    """Show partner ID, the numbers of its terminals, and what was changed.

    With --json: the object of ``partner list`` with terminals, an array of numbers, and changes, an array of
    objects with partner, field, before, after, reason, at and actor.
    """
    with closing(opened(folder)) as city:
        facts = _shown(city, partner)
    if as_json:
        emit(facts)
        return
    facts["terminals"] = ", ".join(facts["terminals"]) or "none: citycard terminal add registers one"
    changes = facts.pop("changes")
    pairs([(key.replace("_", " "), "" if value is None else value) for key, value in facts.items()])
    for one in changes:
        click.echo(one.words)


def _shown(city: City, partner: str) -> dict[str, Any]:
    from citycard import registry
    from citycard.store import reading

    with reading(city.engine) as conn:
        found = registry.find_partner(conn, partner)
        numbers = [one.number for one in registry.terminals(conn, partner=partner)]
        changes = registry.partner_history(conn, partner)
    return attrs.asdict(found) | {"status": str(found.status), "terminals": numbers, "changes": changes}
