"""What became of a torn debit or load: the card's own witnesses, asked in order (docs/terminal.md)."""

from __future__ import annotations

import attrs

from citycard.card.codec import decode
from citycard.card.files import CardProfile, LogRecord, TransactionType
from citycard.errors import CardRefused, CodecError, CommandFailed
from citycard.terminal.commands import INIT_PURCHASE, PurseCommands
from citycard.terminal.journal import TornDebit
from citycard.terminal.views import Debit, Outcome

__all__ = ["Verdict", "debit_of", "witness"]

# What moves the purse's own counters. The passbook has others, and writes into the same log.
_ONLINE = frozenset({TransactionType.LOAD, TransactionType.ONLINE_UNLOCK})
_OFFLINE = frozenset(
    {
        TransactionType.PURCHASE,
        TransactionType.COMPOSITE,
        TransactionType.GREY_LOCK,
        TransactionType.UNLOCK,
    }
)
_COUNTERS = 1 << 16
_LOG_RECORDS = 10


@attrs.frozen(kw_only=True)
class Verdict:
    """The outcome, with the card's MAC2 and TAC where it still gives them; both are empty otherwise."""

    outcome: Outcome
    mac2: bytes = attrs.field(default=b"", repr=False)
    tac: bytes = attrs.field(default=b"", repr=False)


def witness(card: PurseCommands, profile: CardProfile, torn: TornDebit) -> Verdict:
    """Find out how a torn transaction ended, on a selected card; nothing on the card changes.

    The counter decides first: unmoved means not done. A moved counter may be another terminal's work, so the
    log's line under that counter has to name this terminal, amount and second; only then the proof is this
    transaction's own. Where the log cannot be read, the next counter, the balance and a proof must agree.
    """
    load = torn.tti == TransactionType.LOAD
    proof = card.prove(torn.tti, torn.counter)
    now = _counter(card, torn, load=load)
    if now == torn.counter:
        return Verdict(outcome=Outcome.NOT_DONE)
    line = _logged(card, profile, torn, load=load)
    if line is not None and not _is_ours(line, torn):
        return Verdict(outcome=Outcome.NOT_DONE)
    if line is not None and proof is None:
        return Verdict(outcome=Outcome.DONE)
    moved_once = now == (torn.counter + 1) % _COUNTERS and _balance_agrees(card, torn, load=load)
    if proof is not None and (line is not None or moved_once):
        return Verdict(outcome=Outcome.DONE, mac2=proof.mac, tac=proof.tac)
    return Verdict(outcome=Outcome.UNKNOWN)


def _counter(card: PurseCommands, torn: TornDebit, *, load: bool) -> int | None:
    try:
        answer = card.initialise_load(torn.amount_fen) if load else card.initialise(INIT_PURCHASE, 0)
    except (CardRefused, CommandFailed):
        return None
    return int.from_bytes(answer[4:6], "big")


def _logged(card: PurseCommands, profile: CardProfile, torn: TornDebit, *, load: bool) -> LogRecord | None:
    wanted = (torn.counter + int(profile.log_after_increment)) % _COUNTERS
    for number in range(1, _LOG_RECORDS + 1):
        try:
            line = decode(LogRecord, card.read_record(profile.log_sfi, number))
        except (CardRefused, CommandFailed):
            return None
        except CodecError:
            continue
        if line.counter == wanted and line.tti in (_ONLINE if load else _OFFLINE) and line.at is not None:
            return line
    return None


def _is_ours(line: LogRecord, torn: TornDebit) -> bool:
    return (line.terminal, line.amount_fen, line.tti, line.at) == (
        torn.terminal,
        torn.amount_fen,
        torn.tti,
        torn.at,
    )


def _balance_agrees(card: PurseCommands, torn: TornDebit, *, load: bool) -> bool:
    change = torn.amount_fen if load else -torn.amount_fen
    return card.balance() == torn.balance_before_fen + change


def debit_of(torn: TornDebit, verdict: Verdict, *, recovered: bool) -> Debit:
    """Make the debit that a note and the verdict on it come to; ``recovered`` when it was mended later."""
    return Debit(
        asn=torn.asn,
        issuer=torn.issuer,
        card_kind=torn.card_kind,
        counter=torn.counter,
        amount_fen=torn.amount_fen,
        balance_before_fen=torn.balance_before_fen,
        balance_after_fen=torn.balance_before_fen - torn.amount_fen,
        tac=verdict.tac,
        terminal=torn.terminal,
        terminal_serial=torn.serial,
        tti=torn.tti,
        key_version=torn.key_version,
        algorithm=torn.algorithm,
        at=torn.at,
        plan=torn.plan,
        recovered=recovered,
        outcome=verdict.outcome,
    )
