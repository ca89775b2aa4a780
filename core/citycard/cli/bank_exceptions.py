"""``citycard bank exceptions``: what needs a person: listed, taken, resolved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
import click

from citycard.bank.codes import BankCode, CaseState, How
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.bank.cases import Case
    from citycard.city import City

__all__ = ["ALL_STATES", "STATES", "exceptions", "from_other_option", "step_option"]

ALL_STATES = "all"
STATES = (*(state.value for state in CaseState), ALL_STATES)
_HOWS = [How.MATCHED.value, How.POSTED.value, How.PAID_BACK.value, How.NOT_PAID.value]


def step_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--id UUID``: made by the caller, so that a step which is sent twice is taken once."""
    return click.option("--id", "step", type=click.UUID, help="The id of this step (default: a new one).")(
        function
    )


def from_other_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--from-other``: what somebody else works on is taken from them."""
    return click.option("--from-other", is_flag=True, help="Take it from whoever has it.")(function)


@click.group("exceptions", cls=ListedGroup)
def exceptions() -> None:
    """List, take and resolve what needs a person."""


@exceptions.command("list")
@click.option(
    "--state", type=click.Choice(STATES), help="Only this state (default: all that are not resolved)."
)
@click.option("--code", type=click.Choice([code.name for code in BankCode]), help="Only this code.")
@city_option
@json_option
def list_command(state: str | None, code: str | None, folder: Path, as_json: bool) -> None:
    """List exceptions, the longest waiting first: those that are not resolved, or those of --state.

    With --json: an array of objects with id, code, state, since, age (in business days), amount_fen, party,
    text, statement, position, payment, end_to_end, taken_by, how and resolution.
    """
    from citycard.bank.cases import find_cases
    from citycard.store import reading

    with closing(opened(folder)) as city, reading(city.engine) as conn:
        found = find_cases(
            conn,
            state=CaseState(state) if state and state != ALL_STATES else None,
            code=BankCode[code] if code else None,
            resolved_too=state == ALL_STATES,
        )
        facts = [_facts(city, one) for one in found]
    if as_json:
        emit(facts)
        return
    rows = [
        (
            one["id"],
            one["code"],
            yuan(one["amount_fen"]),
            one["age"],
            one["party"],
            one["state"],
            one["taken_by"],
        )
        for one in facts
    ]
    table(("exception", "code", "yuan", "days", "party", "state", "taken by"), rows)


@exceptions.command("show")
@click.argument("case", type=click.UUID)
@city_option
@json_option
def show_command(case: UUID, folder: Path, as_json: bool) -> None:
    """Show one exception and what happened to it.

    With --json: the object of ``exceptions list`` and steps, an array of objects with id, what, actor, detail
    and at.
    """
    from citycard.bank.cases import case_of, history
    from citycard.store import reading

    with closing(opened(folder)) as city, reading(city.engine) as conn:
        facts, steps = _facts(city, case_of(conn, case)), history(conn, case)
    if as_json:
        emit(facts | {"steps": steps})
        return
    said = facts | {"amount_fen": yuan(facts["amount_fen"])}
    pairs([(key.removesuffix("_fen").replace("_", " "), value) for key, value in said.items() if value])
    table(("at", "what", "by", ""), [(f"{one.at:%F %T}", one.what, one.actor, one.detail) for one in steps])


@exceptions.command("take")
@click.argument("case", type=click.UUID)
@from_other_option
@actor_option
@step_option
@city_option
@json_option
def take_command(
    case: UUID, from_other: bool, actor: str, step: UUID | None, folder: Path, as_json: bool
) -> None:
    """Take an exception to work on it, so that nobody else does; with --from-other from who has it.

    With --json: the object of ``exceptions list``.
    """
    from citycard.bank.cases import take
    from citycard.ids import new_id

    with closing(opened(folder)) as city:
        found = take(city, case, actor=actor, step=step or new_id(), from_other=from_other)
        _told(city, found, as_json)


@exceptions.command("resolve")
@click.argument("case", type=click.UUID)
@click.option("--how", type=click.Choice(_HOWS), required=True, help="Where the money belongs.")
@click.option("--reason", required=True, help="Why, for the history.")
@click.option("--payment", default="", help="matched: the payment that the line is.")
@click.option("--account", default="", help="posted: the ledger account; matched: for a difference.")
@click.option("--to-name", default="", help="paid-back: whom to pay, when not who sent it.")
@click.option("--to-account", default="", help="paid-back: the account to pay.")
@click.option("--to-bic", default="", help="paid-back: its bank.")
@actor_option
@step_option
@city_option
@json_option
def resolve_command(
    case: UUID, how: str, reason: str, payment: str, account: str, to_name: str, to_account: str,
    to_bic: str, actor: str, step: UUID | None, folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """Resolve an exception and post where its money belongs.

    matched: the line is a payment, booked or come back. posted: the money belongs to a ledger account;
    trust/bank says that it is the desk's cash. paid-back: it is sent back. not-paid: the bank never executed
    the payment. With --json: the object of ``exceptions list``.
    """
    from citycard.bank.instruction import BankAccount
    from citycard.bank.resolving import Resolution, resolve
    from citycard.ids import new_id

    creditor = BankAccount(name=to_name, account=to_account, bic=to_bic) if to_name or to_account else None
    wish = Resolution(how=How(how), reason=reason, payment=payment, account=account, creditor=creditor)
    with closing(opened(folder)) as city:
        _told(city, resolve(city, case, wish, actor=actor, step=step or new_id()), as_json)


def _told(city: City, case: Case, as_json: bool) -> None:
    if as_json:
        emit(_facts(city, case))
        return
    words = f": {case.resolution}" if case.resolution else f" by {case.taken_by}" if case.taken_by else ""
    say(f"exception {case.id} is {case.state.value}{words}")


def _facts(city: City, case: Case) -> dict[str, Any]:
    from citycard.bank.context import today

    age = case.age(city.calendar, today(city))
    return attrs.asdict(case) | {"state": case.state.value, "age": age}
