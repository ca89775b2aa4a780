"""``citycard chargeback``: top-ups that a bank or a provider takes back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

from citycard.cli.amount import amount_of
from citycard.cli.bankoptions import id_option
from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table
from citycard.money import yuan

__all__ = ["group"]

_STATES = ("open", "accepted", "disputed", "won", "lost")


@click.group(cls=ListedGroup)
def group() -> None:
    """Open charge-backs of top-ups, dispute them, and say how they ended."""


@group.command("open")
@click.argument("topup", type=click.UUID)
@click.option("--amount", metavar="YUAN", help="How much of it [default: all of it].")
@click.option("--reason", required=True, help="Why it is taken back, as the bank or provider says.")
@click.option("--deadline", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The last day to dispute.")
@click.option(
    "--taken-from", default="", metavar="ADDRESS", help="The account it left [default: where it came from]."
)
@id_option
@actor_option
@city_option
@json_option
def open_(
    topup: UUID,
    amount: str | None,
    reason: str,
    deadline: datetime,
    taken_from: str,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Open the case of TOPUP, the id of the transfer that topped a card or an online account up.

    With --json: an object with id, topup, owner, account, taken_from, amount_fen, held_fen, reason, deadline
    and state.
    """
    from citycard.city.chargebacks import open_chargeback

    city = opened(folder)
    try:
        case = open_chargeback(
            city,
            identity,
            topup,
            None if amount is None else amount_of(amount),
            reason=reason,
            deadline=deadline.date(),
            actor=actor,
            taken_from=taken_from,
        )
    finally:
        city.close()
    if as_json:
        emit(case)
    else:
        held = f"{yuan(case.held_fen)} held on its account"
        click.echo(f"charge-back {case.id} of {yuan(case.amount_fen)} yuan is {case.state}, {held}")


@group.command("step")
@click.argument("identity", metavar="ID", type=click.UUID)
@click.argument("state", type=click.Choice(_STATES[1:]))
@click.option("--evidence", default="", metavar="REFERENCE", help="Where its ground is kept.")
@actor_option
@city_option
@json_option
def step(identity: UUID, state: str, evidence: str, actor: str, folder: Path, as_json: bool) -> None:
    """Let case ID be accepted, disputed, won or lost; again without harm.

    Accepted or lost, the holder bears it: the online account first; the rest is a claim, and the card is
    blocked. With --json: the object of ``chargeback open``.
    """
    from citycard.city.chargebacks import take_step
    from citycard.wallet.chargebacks import ChargebackState

    city = opened(folder)
    try:
        case = take_step(city, identity, ChargebackState(state), evidence=evidence, actor=actor)
    finally:
        city.close()
    if as_json:
        emit(case)
    else:
        click.echo(f"charge-back {case.id} is {case.state}")


@group.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only those in a state.")
@city_option
@json_option
def list_(state: str | None, folder: Path, as_json: bool) -> None:
    """List the cases, the nearest deadline first.

    With --json: an array of the objects of ``chargeback open``.
    """
    from citycard.store import reading
    from citycard.wallet.chargebacks import ChargebackState, chargebacks

    city = opened(folder)
    with reading(city.engine) as conn:
        found = chargebacks(conn, state=None if state is None else ChargebackState(state))
    city.close()
    if as_json:
        emit(found)
        return
    rows = ((one.deadline, one.id, one.owner, yuan(one.amount_fen), one.state, one.reason) for one in found)
    table(("until", "charge-back", "card or account", "yuan", "state", "reason"), rows)


@group.command()
@click.argument("identity", metavar="ID", type=click.UUID)
@city_option
@json_option
def show(identity: UUID, folder: Path, as_json: bool) -> None:
    """Show case ID and its steps.

    With --json: the object of ``chargeback open`` and steps (state, evidence, actor, at).
    """
    import attrs

    from citycard.store import reading
    from citycard.wallet.chargebacks import find_chargeback, steps_of

    city = opened(folder)
    try:
        with reading(city.engine) as conn:
            case, steps = find_chargeback(conn, identity), steps_of(conn, identity)
    finally:
        city.close()
    if as_json:
        emit(attrs.asdict(case) | {"steps": steps})
        return
    pairs([(name.replace("_", " "), value) for name, value in attrs.asdict(case).items()])
    table(
        ("at (UTC)", "state", "by", "evidence"),
        [(f"{one.at:%Y-%m-%d %H:%M}", one.state, one.actor, one.evidence) for one in steps],
    )


@group.command()
@actor_option
@city_option
@json_option
def overdue(actor: str, folder: Path, as_json: bool) -> None:
    """Accept every open case whose last day to dispute is over.

    With --json: an object with accepted.
    """
    from citycard.city.chargebacks import accept_overdue

    city = opened(folder)
    try:
        accepted = accept_overdue(city, actor=actor)
    finally:
        city.close()
    if as_json:
        emit({"accepted": accepted})
    else:
        say(f"{accepted} cases accepted, as nobody disputed them in time")


@group.command("pay-claim")
@click.argument("asn", type=CardNumber())
@click.argument("amount", metavar="YUAN")
@id_option
@city_option
@json_option
def pay_claim(asn: str, amount: str, identity: UUID, folder: Path, as_json: bool) -> None:
    """Take what the holder of card ASN owes for charge-backs, in cash at the desk.

    With --json: an object with asn and left_fen.
    """
    from citycard.city.chargebacks import pay_claim as pay

    city = opened(folder)
    try:
        left_fen = pay(city, identity, asn, amount_of(amount))
    finally:
        city.close()
    if as_json:
        emit({"asn": asn, "left_fen": left_fen})
    else:
        click.echo(f"card {asn}: {yuan(left_fen)} yuan are still owed")
