"""``citycard account``: online accounts, their payments, holds and limits; what the books say is on cards."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from citycard.cli.account_show import act_words, hold_words, show_account
from citycard.cli.amount import amount_of
from citycard.cli.bankoptions import creditor_of, creditor_options
from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, id_option, json_option, limit_option, opened
from citycard.cli.output import emit, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.wallet import AccountHold, Payment

__all__ = ["group"]

_ACTS = ("pay", "hold", "top-up")


@click.group(cls=ListedGroup)
def group() -> None:
    """Online accounts: pay, hold, limit; shadows of cards."""


@group.command("open")
@click.argument("card", type=CardNumber())
@id_option
@actor_option
@city_option
@json_option
def open_(card: str, identity: UUID, actor: str, folder: Path, as_json: bool) -> None:
    """Open the online account of a CARD that is in use; again without harm.

    With --json: the account, as in ``show``.
    """
    from citycard.city.accounts import open_account

    city = opened(folder)
    show_account(city, open_account(city, identity, card, actor=actor).number, as_json)


@group.command()
@click.argument("number", type=CardNumber())
@city_option
@json_option
def show(number: str, folder: Path, as_json: bool) -> None:
    """Show the account with this NUMBER, or that hangs on the card with this NUMBER.

    It shows the newest ten holds and payments. With --json: an object with number, asn, status, opened_at,
    balance_fen, available_fen, owed_fen, subsidies (programme, title, title_zh, partners, partner_kinds,
    ends_on, available_fen), points (scheme, title, title_zh, points, next_points, next_expiry), holds (as in
    ``hold``), payments (as in ``pay``), refusals (as act in ``explain``), newest first, and limits (act,
    city, own, together).
    """
    show_account(opened(folder), number, as_json)


@group.command()
@click.argument("identity", metavar="ID", type=click.UUID)
@city_option
@json_option
def explain(identity: UUID, folder: Path, as_json: bool) -> None:
    """Say what was asked for under an ID and what was answered: done, or refused by whom and why.

    Of a payment it says to whom it went, and what each gave back. With --json: an object with act (id, kind,
    number, actor, at, asked: partner, service, amount_fen and such, by name, refusal: a sentence, empty when
    it was done, why: its data, such as plugin, code and reason) and shares (address, code, amount_fen,
    returned_fen), the partner that was paid first.
    """
    from citycard.city.accountview import read_act

    found = read_act(opened(folder), identity)
    if as_json:
        emit(found)
        return
    act = found.act
    click.echo(f"{act.at:%Y-%m-%d %H:%M}Z account {act.number or '-'}, by {act.actor or '-'}")
    click.echo(act_words(act))
    for share in found.shares:
        back = f", {yuan(share.returned_fen)} given back" if share.returned_fen else ""
        click.echo(f"{share.address}: {yuan(share.amount_fen)} yuan{back}")


@group.command()
@click.argument("number", type=CardNumber())
@click.argument("partner")
@click.argument("amount", metavar="YUAN")
@click.option("--note", default="", help="What it is for.")
@id_option
@actor_option
@city_option
@json_option
def pay(
    number: str,
    partner: str,
    amount: str,
    note: str,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Pay PARTNER so many YUAN from an account; subsidies that fit pay first.

    With --json: the payment: id, number, partner, amount_fen, returned_fen, hold, note, at and parts
    (programme, empty for the account's own money, amount_fen, returned_fen).
    """
    from citycard.city.accounts import payee
    from citycard.wallet import Accounts, Payments

    city = opened(folder)
    account = Accounts(city.wallet).find(number)
    payments = Payments(city.wallet)
    to = payee(city, partner)
    done = payments.pay(identity, account.number, to, amount_of(amount), note=note, actor=actor)
    _tell_payment(done, as_json)


@group.command("give-back")
@click.argument("payment", type=click.UUID)
@click.argument("amount", metavar="YUAN")
@click.option("--note", default="", help="Why.")
@id_option
@actor_option
@city_option
@json_option
def give_back(
    payment: UUID, amount: str, note: str, identity: UUID, actor: str, folder: Path, as_json: bool
) -> None:
    """Give back so many YUAN of a PAYMENT, each part to where it came from.

    With --json: the payment, as in ``pay``.
    """
    from citycard.wallet import Payments

    wallet = opened(folder).wallet
    done = Payments(wallet).give_back(identity, payment, amount_of(amount), note=note, actor=actor)
    _tell_payment(done, as_json)


@group.command()
@click.argument("number", type=CardNumber())
@click.argument("partner")
@click.argument("amount", metavar="YUAN")
@click.option("--minutes", type=click.IntRange(1), default=1440, show_default=True, help="How long it lasts.")
@click.option("--note", default="", help="What it is for.")
@id_option
@actor_option
@city_option
@json_option
def hold(
    number: str,
    partner: str,
    amount: str,
    minutes: int,
    note: str,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Hold so many YUAN on an account for PARTNER, such as a hotel or a fuel pump.

    With --json: the hold: id, number, partner, amount_fen, captured_fen, note, at, expires_at and state.
    """
    from citycard.city.accounts import payee
    from citycard.wallet import Accounts, Holds

    city = opened(folder)
    account, to = Accounts(city.wallet).find(number), payee(city, partner)
    done = Holds(city.wallet).authorise(
        identity,
        account.number,
        to.partner,
        amount_of(amount),
        timedelta(minutes=minutes),
        note=note,
        actor=actor,
    )
    _tell_hold(done, as_json)


@group.command()
@click.argument("hold", type=click.UUID)
@click.argument("amount", metavar="[YUAN]", required=False)
@id_option
@actor_option
@city_option
@json_option
def capture(hold: UUID, amount: str | None, identity: UUID, actor: str, folder: Path, as_json: bool) -> None:
    """Take what is held, or so many YUAN of it; the rest is free again.

    With --json: the hold, as in ``hold``.
    """
    from citycard.wallet import Holds

    amount_fen = None if amount is None else amount_of(amount)
    _tell_hold(Holds(opened(folder).wallet).capture(identity, hold, amount_fen, actor=actor), as_json)


@group.command()
@click.argument("hold", type=click.UUID)
@id_option
@actor_option
@city_option
@json_option
def release(hold: UUID, identity: UUID, actor: str, folder: Path, as_json: bool) -> None:
    """Free what is held; nothing is paid.

    With --json: the hold, as in ``hold``.
    """
    from citycard.wallet import Holds

    _tell_hold(Holds(opened(folder).wallet).release(identity, hold, actor=actor), as_json)


@group.command()
@click.argument("number", type=CardNumber())
@click.argument("act", type=click.Choice(_ACTS))
@click.option("--single", metavar="YUAN", help="At once.")
@click.option("--day", metavar="YUAN", help="In a day.")
@click.option("--week", metavar="YUAN", help="In a week, from Monday.")
@click.option("--month", metavar="YUAN", help="In a month.")
@click.option("--day-count", type=click.IntRange(0), help="Times in a day.")
@click.option("--week-count", type=click.IntRange(0), help="Times in a week.")
@click.option("--month-count", type=click.IntRange(0), help="Times in a month.")
@id_option
@actor_option
@city_option
@json_option
def limit(
    number: str, act: str, identity: UUID, actor: str, folder: Path, as_json: bool, **given: Any
) -> None:
    """Limit an account more tightly than the city does, for one kind of ACT.

    What is given replaces the owner's earlier limits for that act; nothing given takes them away.

    With --json: the account, as in ``show``.
    """
    from citycard.wallet import Accounts, ActKind, LimitRule

    bounds = {
        name if name.endswith("_count") else f"{name}_fen": amount_of(value)
        if isinstance(value, str)
        else value
        for name, value in given.items()
    }
    city = opened(folder)
    accounts = Accounts(city.wallet)
    found = accounts.find(number)
    accounts.limit(identity, found.number, ActKind(act), LimitRule(**bounds), actor=actor)
    show_account(city, found.number, as_json)


@group.command()
@click.argument("number", type=CardNumber())
@id_option
@actor_option
@city_option
@json_option
def freeze(number: str, identity: UUID, actor: str, folder: Path, as_json: bool) -> None:
    """Let nothing be paid or held from an account until it is unfrozen.

    With --json: the account, as in ``show``.
    """
    _become("freeze", number, identity, actor, folder, as_json)


@group.command()
@click.argument("number", type=CardNumber())
@id_option
@actor_option
@city_option
@json_option
def unfreeze(number: str, identity: UUID, actor: str, folder: Path, as_json: bool) -> None:
    """Let a frozen account pay again.

    With --json: the account, as in ``show``.
    """
    _become("unfreeze", number, identity, actor, folder, as_json)


@group.command()
@click.argument("number", type=CardNumber())
@id_option
@actor_option
@city_option
@json_option
def close(number: str, identity: UUID, actor: str, folder: Path, as_json: bool) -> None:
    """Close an account for ever; its money is a refund that is due then, subsidies and points lapse.

    With --json: the account, as in ``show``.
    """
    _become("close", number, identity, actor, folder, as_json)


@group.command("pay-out")
@click.argument("number", type=CardNumber())
@click.option("--amount", metavar="YUAN", help="How much [default: all that is owed].")
@creditor_options
@id_option
@actor_option
@city_option
@json_option
def pay_out(
    number: str,
    amount: str | None,
    account_name: str | None,
    account_no: str | None,
    bic: str,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Pay what is owed for an account to its holder: it was closed, or money came back after that.

    It is cash from the desk, or ordered from the bank where --account-name and --account are given. What the
    holder owes the city is taken first. With --json: an object with id, number, paid_fen, claim_fen,
    end_to_end and state (of the payment ordered from the bank, empty for cash).
    """
    from citycard.city.accountpayouts import pay_account

    by_bank = account_name is not None or account_no is not None
    creditor = creditor_of(account_name, account_no, bic) if by_bank else None
    amount_fen = None if amount is None else amount_of(amount)
    paid = pay_account(opened(folder), identity, number, amount_fen, creditor=creditor, actor=actor)
    if as_json:
        emit(paid)
        return
    said = f"account {paid.number}: {yuan(paid.paid_fen)} yuan "
    said += f"ordered, {paid.end_to_end}" if paid.end_to_end else "paid out"
    click.echo(said + (f", {yuan(paid.claim_fen)} taken for what was owed" if paid.claim_fen else ""))


@group.command()
@click.option("--negative", is_flag=True, help="Only those below zero.")
@limit_option
@city_option
@json_option
def shadows(negative: bool, limit: int, folder: Path, as_json: bool) -> None:
    """List what the books say is on each card, the lowest first.

    A shadow below zero is to be looked into: the card spent more than was loaded onto it.

    With --json: an array of objects with asn, balance_fen, status and product.
    """
    from citycard.city.accounts import shadows as list_shadows

    found = list_shadows(opened(folder), negative=negative, limit=limit)
    if as_json:
        emit(found)
        return
    rows = ((one.asn, yuan(one.balance_fen), one.status, one.product) for one in found)
    table(("card", "yuan", "status", "product"), rows)


def _become(what: str, number: str, identity: UUID, actor: str, folder: Path, as_json: bool) -> None:
    from citycard.wallet import Accounts

    city = opened(folder)
    accounts = Accounts(city.wallet)
    found = accounts.find(number)
    getattr(accounts, what)(identity, found.number, actor=actor)
    show_account(city, found.number, as_json)


def _tell_payment(done: Payment, as_json: bool) -> None:
    from citycard.city.accountview import payment_line

    if as_json:
        emit(payment_line(done))
        return
    said = f"payment {done.id}: {yuan(done.amount_fen)} yuan to {done.partner}"
    click.echo(said + (f", {yuan(done.returned_fen)} given back" if done.returned_fen else ""))


def _tell_hold(done: AccountHold, as_json: bool) -> None:
    if as_json:
        emit(done)
        return
    click.echo(f"hold {done.id}: {hold_words(done)}")
