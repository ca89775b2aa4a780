"""``citycard agent``: outlets that load cards within a quota and hand over what they took."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, pairs, table

if TYPE_CHECKING:
    from citycard.wallet.agentdays import AgentDay
    from citycard.wallet.agents import AgentStanding

__all__ = ["group"]

_id = click.option("--id", "identity", type=click.UUID, help="An id, to call again without harm.")


@click.group(cls=ListedGroup)
def group() -> None:
    """Load agents: quota, deposits, closed days, statements."""


@group.command("open")
@click.argument("partner")
@click.option("--commission-bp", type=click.IntRange(0, 10_000), default=0, show_default=True)
@click.option("--credit", metavar="YUAN", default="0", show_default=True, help="Its credit line.")
@city_option
@json_option
def open_(partner: str, commission_bp: int, credit: str, folder: Path, as_json: bool) -> None:
    """Open PARTNER, which is registered with the kind agent, as a load agent; again without harm.

    An agent with a credit line of 0 loads what it paid in. With --json: where it stands, as in ``list``.
    """
    from citycard.city.agents import open_load_agent, standing
    from citycard.cli.amount import amount_of

    city = opened(folder)
    try:
        open_load_agent(city, partner, commission_bp=commission_bp, credit_fen=amount_of(credit))
        now = standing(city, partner)
    finally:
        city.close()
    _tell(now, as_json=as_json)


@group.command()
@click.argument("partner")
@click.argument("credit", metavar="YUAN")
@_id
@city_option
@json_option
def quota(partner: str, credit: str, identity: UUID | None, folder: Path, as_json: bool) -> None:
    """Give agent PARTNER a credit line of YUAN, in place of the one it has.

    With --json: where it stands, as in ``list``.
    """
    from citycard.city.agents import give_credit, standing
    from citycard.cli.amount import amount_of
    from citycard.ids import new_id

    city = opened(folder)
    try:
        give_credit(city, partner, amount_of(credit), identity=identity or new_id())
        now = standing(city, partner)
    finally:
        city.close()
    _tell(now, as_json=as_json)


@group.command()
@click.argument("partner")
@click.argument("amount", metavar="YUAN")
@click.option("--ref", required=True, help="Where that was read, such as the bank's reference.")
@_id
@city_option
@json_option
def deposit(partner: str, amount: str, ref: str, identity: UUID | None, folder: Path, as_json: bool) -> None:
    """Take note that agent PARTNER paid YUAN into the trust account; its quota is restored by it.

    Without --id, the same --ref is the same deposit. With --json: where it stands, as in ``list``.
    """
    from citycard.city.agents import paid_in, standing
    from citycard.cli.amount import amount_of
    from citycard.ids import derived_id

    city = opened(folder)
    try:
        made = identity or derived_id("agent deposit", partner, ref)
        paid_in(city, partner, amount_of(amount), identity=made, ref=ref)
        now = standing(city, partner)
    finally:
        city.close()
    _tell(now, as_json=as_json)


@group.command("close-day")
@click.argument("partner")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY")
@actor_option
@city_option
@json_option
def close_day(partner: str, day: Any, actor: str, folder: Path, as_json: bool) -> None:
    """Close business day DAY of agent PARTNER, once, and print its statement.

    Loads that are proven later stand in the next day that is closed. With --json: an object with agent, day,
    loads, late, amount_fen, commission_fen, hand_over_fen, actor and closed_at.
    """
    from citycard.city.agents import close_day as close

    city = opened(folder)
    try:
        made = close(city, partner, day.date(), actor=actor)
    finally:
        city.close()
    if as_json:
        emit(_day(made))
    else:
        pairs(_day(made).items())


@group.command()
@click.argument("partner")
@city_option
@json_option
def statement(partner: str, folder: Path, as_json: bool) -> None:
    """Print where agent PARTNER stands, and its closed days, newest first.

    With --json: an object with standing (as in ``list``) and days (as in ``close-day``).
    """
    from citycard.city.agents import standing
    from citycard.store import reading
    from citycard.wallet.agentdays import agent_days

    city = opened(folder)
    try:
        now = standing(city, partner)
        with reading(city.engine) as conn:
            days = [_day(one) for one in agent_days(conn, partner)]
    finally:
        city.close()
    if as_json:
        emit({"standing": _standing(now), "days": days})
        return
    pairs(_standing(now).items())
    click.echo()
    head = ("day", "loads", "late", "amount_fen", "commission_fen", "hand_over_fen")
    table(head, [[row[name] for name in head] for row in days])


@group.command("list")
@city_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """List the load agents and where they stand.

    With --json: an array of objects with agent, commission_bp, credit_fen, quota_left_fen, owed_fen,
    unclosed_loads, unclosed_fen, open_loads and open_fen.
    """
    from citycard.city.agents import standings

    city = opened(folder)
    try:
        rows = [_standing(one) for one in standings(city)]
    finally:
        city.close()
    if as_json:
        emit(rows)
        return
    head = ("agent", "commission_bp", "credit_fen", "quota_left_fen", "owed_fen", "unclosed_fen", "open_fen")
    table(head, [[row[name] for name in head] for row in rows])


def _tell(now: AgentStanding, *, as_json: bool) -> None:
    from citycard.money import yuan

    if as_json:
        emit(_standing(now))
    else:
        left, owed = yuan(now.quota_left_fen), yuan(now.owed_fen)
        click.echo(f"agent {now.agent.id} may load {left} yuan more and owes {owed} yuan")


def _standing(now: AgentStanding) -> dict[str, Any]:
    names = ("quota_left_fen", "owed_fen", "unclosed_loads", "unclosed_fen", "open_loads", "open_fen")
    terms = {
        "agent": now.agent.id,
        "commission_bp": now.agent.commission_bp,
        "credit_fen": now.agent.credit_fen,
    }
    return terms | {name: getattr(now, name) for name in names}


def _day(made: AgentDay) -> dict[str, Any]:
    names = ("agent", "day", "loads", "late", "amount_fen", "commission_fen", "hand_over_fen")
    return {name: getattr(made, name) for name in (*names, "actor", "closed_at")}
