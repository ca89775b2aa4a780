"""``citycard bank``: order to the bank, its statements back, and every fen between them explained."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from citycard.bank.codes import BankCode, LineState
from citycard.cli.amount import amount_of
from citycard.cli.bank_exceptions import exceptions
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.bank.holes import Hole
    from citycard.bank.receiving import Received
    from citycard.bank.reconciling import Reconciliation

__all__ = ["group"]

_DAYS_SHOWN = 14
_PAYMENT_STATES = ("ordered", "instructed", "settled", "returned")
_KINDS = ("agent", "provider", "subsidy", "partner", "desk")


@click.group(cls=ListedGroup)
def group() -> None:
    """Instruct the bank, take in its statements, reconcile."""


group.add_command(exceptions)


@group.command("instruct")
@city_option
@json_option
def instruct_command(folder: Path, as_json: bool) -> None:
    """Collect every ordered payment into one pain.001 file for the bank.

    With --json: null when nothing was ordered, otherwise an object with number, request, message_id, path,
    execution_date, created_at, payments and total_fen.
    """
    from citycard.bank.instructing import instruct

    with closing(opened(folder)) as city:
        made = instruct(city)
    if as_json:
        emit(made)
    elif made is None:
        say("nothing is ordered that is not instructed")
    else:
        pairs([("file", made.path), ("execution", made.execution_date), ("payments", made.payments),
               ("yuan", yuan(made.total_fen))])  # fmt: skip


@group.command("payments")
@click.option("--state", type=click.Choice(_PAYMENT_STATES), help="Only those in a state.")
@city_option
@json_option
def payments_command(state: str | None, folder: Path, as_json: bool) -> None:
    """List the payments that the city ordered, the newest first.

    With --json: an array of objects with id, end_to_end, kind, amount_fen, creditor (name, account, bic),
    source, transit, transfer, text, state, instruction, ordered_at and code (null while nothing is odd).
    """
    from citycard.bank.payments import PaymentState, payments
    from citycard.bank.tracing import trace_payments
    from citycard.store import reading

    with closing(opened(folder)) as city, reading(city.engine) as conn:
        found = payments(conn, PaymentState(state) if state else None)
        traces = trace_payments(conn, [one.id for one in found])
    codes = {name: trace.code.name for name, trace in traces.items() if trace.code is not None}
    if as_json:
        emit([attrs.asdict(one) | {"state": one.state.value, "code": codes.get(one.id)} for one in found])
        return
    rows = [
        (
            one.end_to_end,
            one.kind,
            yuan(one.amount_fen),
            one.creditor.name,
            one.state,
            codes.get(one.id, "-"),
            one.instruction or "-",
        )
        for one in found
    ]
    table(("payment", "kind", "yuan", "to", "state", "code", "instruction"), rows)


@group.command("expect")
@click.argument("reference")
@click.option("--kind", type=click.Choice(_KINDS), required=True, help="Who pays in.")
@click.option(
    "--for", "owner", metavar="ID", default="", help="The agent or partner that pays in, or the programme."
)
@click.option("--credit", metavar="ACCOUNT", default="", help="The ledger account that is credited.")
@click.option("--amount", metavar="YUAN", help="How much; any amount when left out.")
@click.option("--standing", is_flag=True, help="The reference is used again and again.")
@city_option
@json_option
def expect_command(
    reference: str, kind: str, owner: str, credit: str, amount: str | None, standing: bool,
    folder: Path, as_json: bool,
) -> None:  # fmt: skip
    """Expect money under REFERENCE: what the payer writes, as end-to-end id or in the text.

    --for says whose account it is for an agent or a partner, and for a subsidy the programme; others name an
    open account with --credit. The desk's cash needs neither. With --json: an object with new, id, reference,
    kind, amount_fen, credit, standing and state.
    """
    from citycard.bank.receipts import Receipt, account_for, expect_receipt
    from citycard.ids import derived_id
    from citycard.store import writing
    from citycard.wallet.addresses import subsidy_fund

    account = account_for(kind, owner) if owner else None
    if kind == "subsidy" and owner:
        credit = credit or subsidy_fund(owner)
    if account is None and kind in {"agent", "partner"}:
        problem = f"say whose {kind} it is, with --for ID"
        raise click.UsageError(problem)
    if account is None and kind != "desk" and not credit:
        raise click.UsageError("say which ledger account it is for, with --credit ACCOUNT")
    receipt = Receipt(
        id=derived_id("bank", "receipt", reference.upper()),
        kind=kind,
        reference=reference,
        amount_fen=amount_of(amount) if amount else None,
        credit=account.address if account else credit,
        standing=standing,
    )
    with closing(opened(folder)) as city, writing(city.engine) as conn:
        if account is None and receipt.credit:
            city.ledger.balance(conn, receipt.credit)
        new = expect_receipt(conn, city.ledger, receipt, account)
    if as_json:
        emit({"new": new} | attrs.asdict(receipt))
    else:
        click.echo(f"{receipt.reference} is expected{'' if new else ' already'}")


@group.command("receive")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@city_option
@json_option
def receive_command(files: tuple[Path, ...], folder: Path, as_json: bool) -> int:
    """Take in bank statements (camt.053): store them, match and post every line.

    Leaves with 1 when a new line ended as an exception. With --json: an array with an object for each FILE:
    digest, statements (number, statement_id, account, closed_on, new, lines, pending, opening_fen,
    closing_fen, states), rematched (explained, missing) and holes.
    """
    from citycard.bank.receiving import receive

    with closing(opened(folder)) as city:
        found = [receive(city, _read(file)) for file in files]
    if as_json:
        emit(found)
    else:
        _print_received(found)
    odd = sum(one.states[LineState.EXCEPTION] for each in found for one in each.statements)
    return 1 if odd else 0


@group.command("match")
@city_option
@json_option
def match_command(folder: Path, as_json: bool) -> None:
    """Look again at lines that nothing explained, and for payments that are missing at the bank.

    With --json: an object with explained and missing.
    """
    from citycard.bank.receiving import match_again

    with closing(opened(folder)) as city:
        found = match_again(city)
    if as_json:
        emit(found)
    else:
        say(f"{found.explained} lines explained themselves, {found.missing} payments are missing at the bank")


@group.command("statements")
@city_option
@json_option
def statements_command(folder: Path, as_json: bool) -> None:
    """List the bank's statements, the last received first, and say what is missing between them.

    With --json: an object with statements (number, statement_id, account, sequence, opened_on, closed_on,
    opening_fen, closing_fen, credit_fen, debit_fen, lines, received_at) and holes (after, before, from_day,
    to_day, missing, moved_fen).
    """
    from citycard.bank.holes import holes
    from citycard.bank.lines import statements
    from citycard.store import reading

    with closing(opened(folder)) as city, reading(city.engine) as conn:
        found, missing = statements(conn), holes(conn, city.bank_terms.debtor.account)
    if as_json:
        emit({"statements": found, "holes": missing})
        return
    rows = [
        (one.number, one.statement_id, one.closed_on, one.lines, yuan(one.credit_fen), yuan(one.debit_fen),
         yuan(one.closing_fen))
        for one in found
    ]  # fmt: skip
    table(("statement", "id", "day", "lines", "in", "out", "balance"), rows)
    _print_holes(missing)


@group.command("lines")
@click.option("--statement", type=click.IntRange(min=1), help="Only those of a statement.")
@click.option("--state", type=click.Choice([state.value for state in LineState]), help="Only this state.")
@click.option("--code", type=click.Choice([code.name for code in BankCode]), help="Only this code.")
@city_option
@json_option
def lines_command(
    statement: int | None, state: str | None, code: str | None, folder: Path, as_json: bool
) -> None:
    """List the bank's lines and where each ended.

    With --json: an array of objects with statement, line (position, direction, amount_fen, booked_on,
    reference, end_to_end, batch, party_name, party_account, text, kind, return_reason), state, code,
    reason, payment, case, case_state and how.
    """
    from citycard.bank.lines import matched_lines
    from citycard.store import reading

    with closing(opened(folder)) as city, reading(city.engine) as conn:
        found = matched_lines(
            conn,
            statement=statement,
            state=LineState(state) if state else None,
            code=BankCode[code] if code else None,
        )
    if as_json:
        emit(found)
        return
    rows = [
        (f"{one.statement}/{one.line.position}", one.line.booked_on, yuan(one.line.signed_fen), one.code,
         one.case_state or one.state, one.reason)
        for one in found
    ]  # fmt: skip
    table(("line", "day", "yuan", "code", "state", "reason"), rows)


@group.command("reconcile")
@city_option
@json_option
def reconcile_command(folder: Path, as_json: bool) -> int:
    """Compare the trust account in the ledger with the bank's last statement, explained line by line.

    Leaves with 1 when something is left unexplained. With --json: an object with ledger_fen, in_transit_fen,
    unmatched_fen, book_fen, bank_fen, closed_on, difference_fen, items (kind, amount_fen, text, day,
    reference), explained_fen, unexplained_fen and desk_fen.
    """
    from citycard.bank.reconciling import reconcile

    with closing(opened(folder)) as city:
        found = reconcile(city)
    if as_json:
        sums = ("book_fen", "difference_fen", "explained_fen", "unexplained_fen", "desk_fen")
        emit(attrs.asdict(found, recurse=False) | {name: getattr(found, name) for name in sums})
    else:
        _print_reconciliation(found)
    return 1 if found.unexplained_fen else 0


@group.command("calendar")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day (default: today).")
@click.option(
    "--days", type=click.IntRange(1, 1000), default=_DAYS_SHOWN, show_default=True, help="How many."
)
@city_option
@json_option
def calendar_command(first: datetime | None, days: int, folder: Path, as_json: bool) -> None:
    """Say on which days the bank works, and who says so.

    With --json: an object with days (day, business_day, source: city, state-council or weekday),
    known_years (first and last) and unknown_years: those of which only weekends are known.
    """
    from citycard.bank.calendar import known_years
    from citycard.bank.context import today

    with closing(opened(folder)) as city:
        calendar, start = city.calendar, first.date() if first else today(city)
    shown = [start + timedelta(days=place) for place in range(days)]
    facts = [
        {"day": day, "business_day": calendar.is_business_day(day), "source": calendar.source(day).value}
        for day in shown
    ]
    unknown = calendar.unknown_years(day.year for day in shown)
    if as_json:
        emit({"days": facts, "known_years": known_years(), "unknown_years": unknown})
        return
    rows: list[tuple[Any, ...]] = [
        (one["day"], f"{one['day']:%a}", "works" if one["business_day"] else "closed", one["source"])
        for one in facts
    ]
    table(("day", "", "bank", "says"), rows)
    for year in unknown:
        say(f"of {year} no public holidays are known: only weekends, and what [bank] in city.toml says")


def _read(path: Path) -> bytes:
    from citycard.bank.camt import LARGEST_BYTES

    with path.open("rb") as file:
        return file.read(LARGEST_BYTES + 1)


def _print_received(found: list[Received]) -> None:
    rows = []
    for one in (one for each in found for one in each.statements):
        states = [one.states[state] for state in LineState]
        rows.append(
            (one.statement_id, one.closed_on, "new" if one.new else "came before", one.lines, *states)
        )
    table(("statement", "day", "", "lines", *(state.value for state in LineState)), rows)
    explained = sum(each.rematched.explained for each in found)
    missing = sum(each.rematched.missing for each in found)
    if explained:
        say(f"{explained} lines of earlier statements explained themselves")
    if missing:
        say(f"{missing} payments are missing at the bank: `citycard bank exceptions list --code M01`")
    _print_holes(found[-1].holes)


def _print_holes(missing: tuple[Hole, ...] | list[Hole]) -> None:
    for hole in missing:
        what = f"{hole.missing} statements are missing" if hole.missing else "something is missing"
        moved = f", in which {yuan(hole.moved_fen)} yuan moved" if hole.moved_fen else ""
        say(f"{what} between {hole.from_day} and {hole.to_day}{moved}")


def _print_reconciliation(found: Reconciliation) -> None:
    from citycard.bank.reconciling import ITEM_TITLES

    pairs([
        ("trust account in the ledger", yuan(found.ledger_fen)),
        ("less what is on its way out", yuan(found.in_transit_fen)),
        ("less what is nobody's", yuan(found.unmatched_fen)),
        ("the books say", yuan(found.book_fen)),
        (f"the bank says{f', {found.closed_on}' if found.closed_on else ''}", yuan(found.bank_fen)),
        ("the bank has more by", yuan(found.difference_fen)),
    ])  # fmt: skip
    table(
        ("because it is", "day", "yuan", "of", "reference"),
        [
            (ITEM_TITLES[one.kind], one.day or "", yuan(one.amount_fen), one.text, one.reference)
            for one in found.items
        ],
    )
    say(f"cash at the desk: {yuan(found.desk_fen)} yuan")
    say(f"left unexplained: {yuan(found.unexplained_fen)} yuan")
