"""Tell the story of one record: a title and a sentence for each thing that happened to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.clearing.explanation import Explanation

__all__ = ["story"]


def story(found: Explanation) -> Iterable[tuple[str, Any]]:
    """Tell a record from its file to the bank and to what people decided about it, in the order of events."""
    file = found.file
    sequence = "" if file.sequence is None else f" sequence {file.sequence},"
    yield "record", found.id
    yield (
        "file",
        f"{file.name}, line {file.line},{sequence} intake {file.intake}, in {file.archive}",
    )
    yield "bytes", found.raw.hex().upper()
    if found.record is not None:
        record = found.record
        yield "card", f"{record.asn}, counter {record.counter}, {yuan(record.balance_before_fen)} yuan before"
        yield "debit", f"{yuan(record.amount_fen)} yuan at {record.at} by terminal {record.terminal}"
    if found.proofs is not None:
        by_terminal = found.proofs.terminal_mac
        by_card = "cannot be checked now" if found.proofs.tac is None else _fine(found.proofs.tac)
        checked = "checked by its city" if by_terminal is None else _fine(by_terminal)
        yield "proofs", f"TAC {by_card}, terminal MAC {checked}"
    if found.price is not None:
        for step in found.price.steps:
            change = f"{yuan(step.before_fen)} -> {yuan(step.after_fen)}"
            yield "price", f"{step.stage.name.lower()} {step.rule}: {change} ({step.reason})"
        if not found.price.same_rules:
            yield "price", "by today's rules; they have changed since the record was cleared"
    if found.outcome is None:
        yield "run", "waits for the next run"
        return
    if found.outcome.held_run is not None:
        yield "held", f"by run {found.outcome.held_run}, until a later one could decide it"
    yield "run", f"{found.outcome.run}: {found.outcome.state} {found.outcome.code}, {found.outcome.title}"
    for partner, part_fen in found.outcome.parts:
        yield "share", f"{partner} {yuan(part_fen)}"
    for posted in found.transfers:
        moved = posted.transfer
        yield (
            "posting",
            f"{moved.debit_address} -> {moved.credit_address} {yuan(moved.amount_fen)} ({moved.id})",
        )
    yield from _settled(found)
    yield from _after(found)


def _settled(found: Explanation) -> Iterable[tuple[str, str]]:
    """Tell what the partners' statements came to, and what the bank says of their payments."""
    for one in found.positions:
        held = f", {yuan(one.held_fen)} held by the cap" if one.held_fen else ""
        earned = f"{one.records} records, gross {yuan(one.gross_fen)} less fee {yuan(one.fee_fen)}"
        paid = f"carried {yuan(one.carried_fen)}, paid {yuan(one.paid_fen)}{held}"
        yield "position", f"run {one.run}, {one.partner}: {earned}, {paid}"
    for line in found.bank:
        yield (
            "bank",
            f"{line.partner} {yuan(line.amount_fen)} to {line.account_no}, {line.end_to_end} in {line.file}:"
            f" {line.state} {line.code}".rstrip(),
        )
        for entry in line.entries:
            where = f"statement {entry.statement} line {entry.position}, {entry.booked_on}"
            ended = f"{entry.state} {entry.code}, {entry.reason}"
            yield "booked", f"{where}, {yuan(entry.amount_fen)}: {ended}"


def _after(found: Explanation) -> Iterable[tuple[str, str]]:
    """Tell what people decided about it, and what that moved."""
    if found.decision is not None:
        one = found.decision
        two = f" and {one.proposed_by}" if one.proposed_by else ""
        yield (
            "decided",
            f"{one.how} by {one.actor}{two} at {one.at:%F %T}: {one.reason} ({one.evidence or '-'})",
        )
    for dispute in found.disputes:
        ended = f", {dispute.decision.reason}" if dispute.decision is not None else ""
        who = dispute.partner or "the holder"
        yield "dispute", f"{dispute.id} of {who}, {yuan(dispute.amount_fen)}: {dispute.state}{ended}"
    for moved in found.adjustments:
        when = f"in run {moved.run}" if moved.run else "by the next run"
        yield (
            "adjusted",
            f"{moved.code} {moved.debit} -> {moved.credit} {yuan(moved.amount_fen)} {when} ({moved.id})",
        )


def _fine(holds: bool) -> str:
    return "holds" if holds else "is wrong"
