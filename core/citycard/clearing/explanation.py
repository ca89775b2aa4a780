"""Explain one record: from the bytes in the file to the line that the bank gets."""

from __future__ import annotations

import attrs
import numpy as np
from sqlalchemy import Connection, select

from citycard.card.codec import decode
from citycard.clearing.adjusting import PostedAdjustment
from citycard.clearing.aftermath import Aftermath, BankLine, Position, aftermath_of
from citycard.clearing.codes import UNMOVED, Code, State
from citycard.clearing.columns import PLACES, records_of
from citycard.clearing.context import ClearingContext, Rating
from citycard.clearing.disputes import Dispute
from citycard.clearing.exceptions import Decided
from citycard.clearing.finding import find_record, is_city
from citycard.clearing.pricing import Step
from citycard.clearing.rating import ask_rate
from citycard.clearing.records import ClearedRecord, find_cleared, select_cleared
from citycard.clearing.tables import clearing_run
from citycard.clearing.verify import KEY_UNUSABLE
from citycard.ledger.records import PostedTransfer
from citycard.store.engine import reading
from citycard.terminal.record import MAC_OFFSET, TransactionRecord

__all__ = ["Explanation", "FileLine", "Outcome", "PriceCheck", "Proofs", "explain"]


@attrs.frozen(kw_only=True)
class FileLine:
    """Where a record came in: the file, its place there, and when.

    ``terminal`` and ``number`` are of the batch, or of another city (eight zeros and its code) and its file;
    that has no ``sequence``.
    """

    name: str
    digest: str
    intake: int
    terminal: str
    number: int
    line: int
    sequence: int | None
    archive: str


@attrs.frozen(kw_only=True)
class Proofs:
    """What the terminal and the card signed, checked again now.

    ``terminal_mac`` is None for what another city handed in: only that city has its terminals' keys. ``tac``
    is None while the vault cannot use its key.
    """

    terminal_mac: bool | None
    tac: bool | None


@attrs.frozen(kw_only=True)
class PriceCheck:
    """What the record should cost by the rules of now, step by step; ``same_rules`` as those of its run."""

    amount_fen: int | None
    steps: tuple[Step, ...]
    rules_version: str
    same_rules: bool
    failure: str = ""


@attrs.frozen(kw_only=True)
class Outcome:
    """Where a run let the record end; ``parts`` gives each partner's share in fen.

    ``held_run`` is the earlier run that held the record, None where none did.
    """

    run: int
    state: State
    code: str
    title: str
    notes: tuple[str, ...]
    price_fen: int | None
    parts: tuple[tuple[str, int], ...]
    held_run: int | None = None


@attrs.frozen(kw_only=True)
class Explanation:
    """Everything that is known about one record. ``outcome`` is None while it waits for a run.

    ``positions`` are the statements of the partners that it went into, ``bank`` their payments with what the
    bank says of them. ``decision``, ``adjustments`` and ``disputes`` came after the run.

    ``record`` is None when the bytes cannot be read, ``price`` also for what another city handed in: the fare
    is that city's. ``transfers`` are the postings of the run that hold this
    record's amount: what all cards spent is posted together, and so is what each partner earned.
    """

    id: str
    file: FileLine
    raw: bytes
    record: TransactionRecord | None
    proofs: Proofs | None
    price: PriceCheck | None
    outcome: Outcome | None
    transfers: tuple[PostedTransfer, ...]
    positions: tuple[Position, ...]
    bank: tuple[BankLine, ...]
    decision: Decided | None
    adjustments: tuple[PostedAdjustment, ...]
    disputes: tuple[Dispute, ...]


def explain(context: ClearingContext, record: str | tuple[str, int]) -> Explanation:
    """Explain a record, given its id (``344000000001-3-7``) or its card's ASN and counter.

    Raise RecordUnknown when no accepted file has it, ArchiveDamaged when the file's bytes are lost.
    """
    with reading(context.engine) as conn:
        found = find_record(context, conn, record)
        file, raw, decoded = found.file, found.raw, found.record
        terminal, number, line = found.terminal, found.number, found.line
        of_city = is_city(terminal)
        outcome = _outcome(find_cleared(context, conn, found.id))
        parts = [] if outcome is None else [partner for partner, _ in outcome.parts]
        after = Aftermath() if outcome is None else aftermath_of(conn, found.id, outcome.run, parts)
        return Explanation(
            id=found.id,
            file=FileLine(
                name=file.name,
                digest=file.digest,
                intake=file.intake,
                terminal=terminal,
                number=number,
                line=line,
                sequence=None if file.first_sequence is None else file.first_sequence + line - 1,
                archive=file.archive,
            ),
            raw=raw,
            record=decoded,
            proofs=None if decoded is None else _proofs(context, raw, decoded, of_city=of_city),
            price=None if decoded is None or of_city else _price(context, conn, raw, decoded, outcome),
            outcome=outcome,
            transfers=_transfers(context, conn, decoded, outcome),
            positions=after.positions,
            bank=after.bank,
            decision=after.decision,
            adjustments=after.adjustments,
            disputes=after.disputes,
        )


# ── checking again ───────────────────────────────────────────────────────────────────────────────


def _proofs(context: ClearingContext, raw: bytes, record: TransactionRecord, *, of_city: bool) -> Proofs:
    terminal6 = raw[PLACES["terminal"]]
    check = context.vault.check_terminal_mac
    return Proofs(
        terminal_mac=None if of_city else check(terminal6, raw[:MAC_OFFSET], record.mac),
        tac=_tac(context, raw, record),
    )


def _tac(context: ClearingContext, raw: bytes, record: TransactionRecord) -> bool | None:
    try:
        return context.vault.check_purchase_tac(
            raw[PLACES["asn"]][-8:],
            record.key_version,
            record.amount_fen,
            record.tti,
            raw[PLACES["terminal"]],
            record.terminal_serial,
            raw[PLACES["at"]],
            record.tac,
        )
    except KEY_UNUSABLE:
        return None


def _price(
    context: ClearingContext, conn: Connection, raw: bytes, record: TransactionRecord, outcome: Outcome | None
) -> PriceCheck:
    cleared_under = None
    if outcome is not None:
        query = select(clearing_run.c.rules_version).where(clearing_run.c.number == outcome.run)
        cleared_under = conn.scalar(query)
    version = context.rules_version
    rating, failure = _rated(context, conn, raw, record, None if outcome is None else outcome.price_fen)
    quote = rating.quote if rating else None
    return PriceCheck(
        amount_fen=quote.amount_fen if quote else None,
        steps=quote.steps if quote else (),
        rules_version=version,
        same_rules=cleared_under is None or cleared_under == version,
        failure=failure,
    )


def _rated(
    context: ClearingContext, conn: Connection, raw: bytes, record: TransactionRecord, priced_fen: int | None
) -> tuple[Rating | None, str]:
    """Rate a record as its run did: by what its terminal claims, or by what the card's own records say."""
    found = ask_rate(context.rate, record)
    records = records_of(raw)
    differs = priced_fen is not None and _fen(found[0]) != priced_fen
    if not differs or context.claimed_fen(record.service, records) is None:
        return found
    conditions = ("asn = $asn", "counter < $counter", '"at"::DATE = $day')
    values = {"asn": record.asn, "counter": record.counter, "day": record.at.date()}
    earlier = select_cleared(context, conn, conditions, values)
    paid = {one.counter: one.amount_fen for one in earlier if Code[one.code] not in UNMOVED}
    told = context.with_claims(record.service, records, np.array([sum(paid.values())]))
    other = ask_rate(context.rate, decode(TransactionRecord, told.tobytes()))
    return other if _fen(other[0]) == priced_fen else found


def _fen(rating: Rating | None) -> int | None:
    return rating.quote.amount_fen if rating and rating.quote else None


# ── what came of it ──────────────────────────────────────────────────────────────────────────────


def _outcome(found: ClearedRecord | None) -> Outcome | None:
    if found is None:
        return None
    return Outcome(
        run=found.run,
        state=found.state,
        code=found.code,
        title=found.title,
        notes=found.notes,
        price_fen=found.price_fen,
        parts=found.parts,
        held_run=found.held_run,
    )


def _transfers(
    context: ClearingContext, conn: Connection, record: TransactionRecord | None, outcome: Outcome | None
) -> tuple[PostedTransfer, ...]:
    from citycard.clearing.postings import spend_id, transfer_ids

    if record is None or outcome is None or outcome.state is not State.ACCEPTED:
        return ()
    ids = [spend_id(outcome.run)]
    for partner, _ in outcome.parts:
        ids += transfer_ids(outcome.run, partner).values()
    found = context.ledger.find(conn, ids)
    return tuple(found[one] for one in ids if one in found)
