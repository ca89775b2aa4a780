"""``citycard clearing disputes``: opened, proven, decided, by a person or by rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
import click

from citycard.clearing.casecodes import Bearer, Verdict
from citycard.cli.amount import amount_of
from citycard.cli.bank_exceptions import step_option
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, id_option, json_option, opened
from citycard.cli.output import emit, options_of, pairs, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.disputes import Dispute

__all__ = ["disputes"]

_STATES = ("open", *(verdict.value for verdict in Verdict))


@click.group("disputes", cls=ListedGroup)
def disputes() -> None:
    """Open, prove and decide what partners and holders say is wrong."""


@disputes.command("list")
@click.option("--state", type=click.Choice((*_STATES, "all")), default="open", show_default=True)
@click.option("--partner", default="", help="Only those of this partner.")
@click.option("--about", default="", help="Only those about this record or position.")
@city_option
@json_option
def list_command(state: str, partner: str, about: str, folder: Path, as_json: bool) -> None:
    """List disputes, by the day until which they must be decided.

    With --json: an array of objects with id, party, partner, about, run, amount_fen, reason, opened_by,
    opened_at, evidence_until, decide_until, pieces (of evidence), proposed_by, proposal (in words), state,
    overdue, and decision (an object, or null: outcome, amount_fen, bearer, reason, actor, proposed_by, rule
    and at).
    """
    from citycard.clearing.disputes import DisputeState, find_disputes
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        wanted = None if state == "all" else DisputeState(state)
        found = find_disputes(conn, state=wanted, partner=partner, about=about)
    facts = [_facts(city, one) for one in found]
    if as_json:
        emit(facts)
        return
    head = ("dispute", "by", "about", "yuan", "decide until", "evidence", "state")
    rows = [
        (
            one["id"],
            one["partner"] or "holder",
            one["about"],
            yuan(one["amount_fen"]),
            one["decide_until"],
            one["pieces"],
            "overdue" if one["overdue"] else one["state"],
        )
        for one in facts
    ]
    table(head, rows)


@disputes.command("show")
@click.argument("identity", metavar="DISPUTE", type=click.UUID)
@city_option
@json_option
def show_command(identity: UUID, folder: Path, as_json: bool) -> None:
    """Show a DISPUTE with its evidence, what was proposed and decided, and the money it moved.

    With --json: the object of ``disputes list`` with evidence (id, name, digest, size, note, actor, at),
    steps (id, what, actor, detail, at) and adjustments (id, code, about, cause, debit, credit, amount_fen,
    reason, at, run).
    """
    from citycard.clearing.adjusting import adjustments_about
    from citycard.clearing.disputes import dispute_of, evidence_of, evidence_path
    from citycard.clearing.exceptions import history
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        facts = _facts(city, dispute_of(conn, identity))
        evidence, steps = evidence_of(conn, identity), history(conn, str(identity))
        moved = adjustments_about(conn, cause=str(identity))
    if as_json:
        emit(facts | {"evidence": evidence, "steps": steps, "adjustments": moved})
        return
    said = {key: value for key, value in facts.items() if key not in {"decision", "pieces"} and value}
    said["amount_fen"] = yuan(facts["amount_fen"])
    pairs([(key.removesuffix("_fen").replace("_", " "), value) for key, value in said.items()])
    if evidence:
        rows = [
            (
                f"{one.at:%F %T}",
                one.actor,
                one.name or one.note,
                evidence_path(one.digest) if one.name else "",
            )
            for one in evidence
        ]
        table(("evidence of", "by", "what", "where"), rows)
    if steps:
        table(
            ("at", "what", "by", ""), [(f"{one.at:%F %T}", one.what, one.actor, one.detail) for one in steps]
        )
    for one in moved:
        when = f"run {one.run}" if one.run else "the next run"
        click.echo(f"{one.code}  {one.debit} -> {one.credit} {yuan(one.amount_fen)} by {when} ({one.id})")


@disputes.command("open")
@click.argument("about")
@click.option("--partner", default="", help="The partner that disputes.")
@click.option("--holder", is_flag=True, help="The holder of the record's card disputes it.")
@click.option("--amount", required=True, metavar="YUAN", help="How much of it.")
@click.option("--reason", required=True, help="What is wrong.")
@id_option
@actor_option
@city_option
@json_option
def open_command(
    about: str, partner: str, holder: bool, amount: str, reason: str, identity: UUID, actor: str,
    folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """Dispute a record (TERMINAL-BATCH-LINE), or a position of a partner's statement.

    A position is run/NUMBER, run/NUMBER/DAY or run/NUMBER/DAY/CODE. With --json: the object of ``disputes
    list``.
    """
    from citycard.clearing.disputes import Claim, open_dispute

    if holder is bool(partner):
        raise click.UsageError("who disputes? give --partner NAME or --holder")
    city = opened(folder)
    claim = Claim(
        party="holder" if holder else "partner",
        partner=partner,
        about=about,
        amount_fen=amount_of(amount),
        reason=reason,
    )
    _told(city, open_dispute(city, identity, claim, actor=actor), as_json)


@disputes.command("evidence")
@click.argument("identity", metavar="DISPUTE", type=click.UUID)
@click.argument(
    "files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--note", default="", help="Evidence in words.")
@actor_option
@city_option
@json_option
def evidence_command(
    identity: UUID, files: tuple[Path, ...], note: str, actor: str, folder: Path, as_json: bool
) -> None:
    """Add evidence to a DISPUTE: files, a note, or both; the same again is added once.

    With --json: an array of objects with id, name, digest, size, note, actor and at.
    """
    from citycard.clearing.disputes import add_evidence
    from citycard.ids import derived_id

    if not files and not note.strip():
        raise click.UsageError("no evidence: name files, or give a --note")
    city, added = opened(folder), []
    for file in files:
        data = file.read_bytes()
        piece = derived_id("evidence", identity, actor, file.name, data)
        added.append(add_evidence(city, identity, piece, actor=actor, name=file.name, data=data))
    if note.strip():
        piece = derived_id("evidence", identity, actor, note)
        added.append(add_evidence(city, identity, piece, actor=actor, note=note))
    if as_json:
        emit(added)
        return
    for one in added:
        say(f"evidence {one.name or one.note}: {one.size} bytes, SHA-256 {one.digest}")


@disputes.command("decide")
@click.argument("identity", metavar="DISPUTE", type=click.UUID)
@click.option("--how", type=click.Choice([one.value for one in Verdict]), required=True, help="How it ends.")
@click.option("--amount", metavar="YUAN", help="part: how much is upheld.")
@click.option("--from", "bearer", type=click.Choice([one.value for one in Bearer]), help="Who pays it.")
@click.option("--payer", default="", metavar="PARTNER", help="--from partner: which one.")
@click.option("--reason", required=True, help="Why, for both sides.")
@step_option
@actor_option
@city_option
@json_option
def decide_command(
    identity: UUID, how: str, amount: str | None, bearer: str | None, payer: str, reason: str, actor: str,
    step: UUID | None, folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """Decide a DISPUTE: upheld in full, in part, or refused.

    A partner is paid by the issuer, the card, or another partner; a holder by the partners that were paid, or
    the issuer. More than second_person_fen is only proposed, until another person says the same. The next run
    posts it. With --json: the object of ``disputes list``.
    """
    from citycard.clearing.upholding import Judgement, decide_dispute
    from citycard.ids import new_id

    wish = Judgement(
        outcome=Verdict(how),
        amount_fen=0 if amount is None else amount_of(amount),
        bearer=Bearer(bearer) if bearer else None,
        payer=payer,
        reason=reason,
    )
    city = opened(folder)
    found = decide_dispute(city, identity, wish, actor=actor, step=step or new_id())
    said = {"--how": how, "--amount": amount, "--from": bearer, "--payer": payer, "--reason": wish.reason}
    _told(city, found, as_json, options_of(said))


@disputes.command("overdue")
@actor_option
@city_option
@json_option
def overdue_command(actor: str, folder: Path, as_json: bool) -> None:
    """Let the rules decide every dispute whose days are over.

    Without evidence in time it is refused; not decided in time it is upheld and the issuer pays, unless the
    amount needs two persons or it is about a position of a statement. With --json: an array of the objects of
    ``disputes list``.
    """
    from citycard.clearing.upholding import decide_overdue

    city = opened(folder)
    decided = decide_overdue(city, actor=actor)
    if as_json:
        emit([_facts(city, one) for one in decided])
        return
    for one in decided:
        _told(city, one, as_json)
    say(f"{len(decided)} disputes were decided by rule")


def _told(city: City, one: Dispute, as_json: bool, options: str = "") -> None:
    if as_json:
        emit(_facts(city, one))
    elif one.decision is not None:
        paid = (
            f", {yuan(one.decision.amount_fen)} yuan by {one.decision.bearer}"
            if one.decision.amount_fen
            else ""
        )
        say(f"dispute {one.id} is {one.state.value}{paid}: {one.decision.reason}")
    elif one.proposed_by:
        told = f"dispute {one.id}: proposed by {one.proposed_by}"
        say(f"{told}, another person decides it with the same: {options}")
    else:
        say(
            f"dispute {one.id} is open:"
            f" evidence until {one.evidence_until}, decision until {one.decide_until}"
        )


def _facts(city: City, one: Dispute) -> dict[str, Any]:
    from citycard.clearing.exceptions import today

    told = attrs.asdict(one) | {"party": one.party.value, "state": one.state.value}
    if one.decision is not None:
        told["decision"] = attrs.asdict(one.decision) | {"outcome": one.decision.outcome.value}
    return told | {"overdue": one.overdue(today(city))}
