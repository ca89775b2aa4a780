"""``citycard clearing exceptions``: suspended and rejected records: listed, taken, decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
import click

from citycard.bank.codes import CaseState
from citycard.clearing.casecodes import Bearer, Ruling
from citycard.clearing.codes import Code
from citycard.cli.amount import amount_of
from citycard.cli.bank_exceptions import ALL_STATES, STATES, from_other_option
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, id_option, json_option, opened
from citycard.cli.output import emit, options_of, pairs, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.exceptions import ExceptionCase

__all__ = ["exceptions"]

_CODES = [code.name for code in Code if code.is_work]


@click.group("exceptions", cls=ListedGroup)
def exceptions() -> None:
    """List, take and decide records that were suspended or rejected."""


@exceptions.command("list")
@click.option(
    "--state", type=click.Choice(STATES), help="Only this state (default: all that are not decided)."
)
@click.option("--code", type=click.Choice(_CODES), help="Only this code.")
@click.option("--partner", default="", help="Only what this partner's terminals handed in.")
@click.option("--run", "number", type=click.IntRange(min=1), help="Only what this run judged.")
@click.option("--older-than", type=click.IntRange(min=0), default=0, metavar="DAYS", help="Business days.")
@click.option("--at-least", metavar="YUAN", default="0", help="Only amounts from this on.")
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="How many at most.")
@city_option
@json_option
def list_command(
    state: str | None, code: str | None, partner: str, number: int | None, older_than: int, at_least: str,
    limit: int, folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """List exceptions, the longest waiting first: those that are not decided, or those of --state.

    With --json: an array of objects with id, run, since, age (in business days), at, card, counter, service,
    amount_fen, price_fen, ended, code, title, notes, partner, state, taken_by, proposed_by, proposal (in
    words) and decision (an object, or null: how, bearer, amount_fen, reason, evidence, actor, proposed_by and
    at).
    """
    from citycard.clearing.exceptions import find_exceptions

    city = opened(folder)
    found = find_exceptions(
        city,
        state=CaseState(state) if state and state != ALL_STATES else None,
        decided_too=state == ALL_STATES,
        code=Code[code] if code else None,
        partner=partner,
        run=number,
        older_than=older_than,
        at_least_fen=amount_of(at_least) if at_least != "0" else 0,
        limit=limit,
    )
    facts = [_facts(city, one) for one in found]
    if as_json:
        emit(facts)
        return
    head = ("exception", "code", "yuan", "days", "partner", "card", "state", "taken by")
    keys = ("id", "code", "amount_fen", "age", "partner", "card", "state", "taken_by")
    table(head, [[yuan(one[key]) if key == "amount_fen" else one[key] for key in keys] for one in facts])


@exceptions.command("show")
@click.argument("record")
@city_option
@json_option
def show_command(record: str, folder: Path, as_json: bool) -> None:
    """Show the exception RECORD (TERMINAL-BATCH-LINE) and what happened to it.

    With --json: the object of ``exceptions list`` with steps, an array of objects with id, what, actor,
    detail and at, and adjustments, the money that was moved for it: id (of its transfer), code, about, cause,
    debit, credit, amount_fen, reason, at, and run (null until one posts it).
    """
    from citycard.clearing.adjusting import adjustments_about
    from citycard.clearing.exceptions import exception_of, history
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        case = exception_of(city, conn, record)
        facts, steps = _facts(city, case), history(conn, case.id)
        moved = adjustments_about(conn, about=case.id)
    if as_json:
        emit(facts | {"steps": steps, "adjustments": moved})
        return
    flat = {key: value for key, value in facts.items() if key != "decision"}
    said = flat | {
        "amount_fen": yuan(case.amount_fen),
        "price_fen": "" if case.price_fen is None else yuan(case.price_fen),
    }
    pairs([(key.removesuffix("_fen").replace("_", " "), value) for key, value in said.items() if value])
    table(("at", "what", "by", ""), [(f"{one.at:%F %T}", one.what, one.actor, one.detail) for one in steps])
    for one in moved:
        when = f"run {one.run}" if one.run else "the next run"
        click.echo(f"{one.code}  {one.debit} -> {one.credit} {yuan(one.amount_fen)} by {when} ({one.id})")


@exceptions.command("take")
@click.argument("record")
@from_other_option
@id_option
@actor_option
@city_option
@json_option
def take_command(
    record: str, from_other: bool, identity: UUID, actor: str, folder: Path, as_json: bool
) -> None:
    """Take the exception RECORD to work on it, so that nobody else does; with --from-other from who has it.

    With --json: the object of ``exceptions list``.
    """
    from citycard.clearing.deciding import take

    city = opened(folder)
    _told(city, take(city, record, actor=actor, step=identity, from_other=from_other), as_json)


@exceptions.command("decide")
@click.argument("record")
@click.option("--how", type=click.Choice([how.value for how in Ruling]), required=True, help="How it ends.")
@click.option(
    "--from",
    "bearer",
    type=click.Choice((Bearer.ISSUER.value, Bearer.CARD.value)),
    help="accepted: who pays.",
)
@click.option("--reason", required=True, help="Why, for the history.")
@click.option("--evidence", default="", metavar="REFERENCE", help="Where the ground for it is kept.")
@id_option
@actor_option
@city_option
@json_option
def decide_command(
    record: str, how: str, bearer: str | None, reason: str, evidence: str, identity: UUID, actor: str,
    folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """Decide the exception RECORD: accepted, rejected or left.

    accepted: the partners are paid as charged, by the card or the issuer, in the next run. rejected: nothing
    is paid, for good. left: the partner may dispute it. An amount over second_person_fen is only proposed,
    until another person says the same. With --json: the object of ``exceptions list``.
    """
    from citycard.clearing.deciding import Decision, decide

    city = opened(folder)
    wish = Decision(
        how=Ruling(how), bearer=Bearer(bearer) if bearer else None, reason=reason, evidence=evidence
    )
    case = decide(city, record, wish, actor=actor, step=identity)
    said = {"--how": how, "--from": bearer, "--reason": wish.reason, "--evidence": wish.evidence}
    _told(city, case, as_json, options_of(said))


def _told(city: City, case: ExceptionCase, as_json: bool, options: str = "") -> None:
    if as_json:
        emit(_facts(city, case))
    elif case.decision is not None:
        say(f"exception {case.id} is {case.decision.how.value}: {case.decision.reason}")
    elif case.proposed_by:
        told = f"exception {case.id}: proposed by {case.proposed_by}"
        say(f"{told}, another person decides it with the same: {options}")
    else:
        say(f"exception {case.id} is {case.state.value} by {case.taken_by}")


def _facts(city: City, case: ExceptionCase) -> dict[str, Any]:
    from citycard.clearing.exceptions import today

    told = attrs.asdict(case) | {"state": case.state.value, "ended": case.ended.value, "title": case.title}
    if case.decision is not None:
        told["decision"] = attrs.asdict(case.decision) | {"how": case.decision.how.value}
    return told | {"age": case.age(city.terms.calendar, today(city))}
