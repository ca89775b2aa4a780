"""Putting money on a purse with a host's consent, and finding out how a torn load ended."""

from __future__ import annotations

import contextlib
import datetime as dt

from citycard.card.files import CardProfile, TransactionType
from citycard.errors import CardRefused, CommandFailed
from citycard.terminal.acceptance import Refusal, refuse
from citycard.terminal.commands import PurseCommands, bcd_moment
from citycard.terminal.journal import Journal, TornDebit
from citycard.terminal.load import Load, LoadHost
from citycard.terminal.record import RecordPlan
from citycard.terminal.recovery import witness
from citycard.terminal.views import CardView, Outcome

__all__ = ["load_purse", "mend_load"]

_NO_PLAN = RecordPlan()


def load_purse(
    card: PurseCommands,
    profile: CardProfile,
    view: CardView,
    journal: Journal,
    host: LoadHost,
    *,
    terminal: str,
    amount_fen: int,
    at: dt.datetime,
) -> Load:
    """Load the purse of an opened card. Raises LoadRefused, CardRefused, CommandFailed and CardRemoved."""
    if profile.load_needs_pin:
        card.verify_pin(profile.pin)
    try:
        answer = card.initialise_load(amount_fen)
    except CommandFailed:
        if card.is_grey_locked():
            raise refuse(Refusal.GREY_LOCKED) from None
        raise
    torn = TornDebit(
        asn=view.asn,
        issuer=view.issuer,
        card_kind=view.card_kind,
        counter=int.from_bytes(answer[4:6], "big"),
        balance_before_fen=int.from_bytes(answer[:4], "big"),
        amount_fen=amount_fen,
        tti=int(TransactionType.LOAD),
        serial=0,
        key_version=answer[6],
        algorithm=answer[7],
        terminal=terminal,
        at=at.replace(microsecond=0),
        plan=_NO_PLAN,
    )
    mac2 = host.begin(
        torn.asn,
        torn.key_version,
        torn.balance_before_fen,
        torn.counter,
        answer[8:12],
        answer[12:16],
        amount_fen,
        terminal,
        torn.at,
    )
    journal.note(torn, load=True)
    try:
        tac = card.credit(bcd_moment(torn.at), mac2)[:4]
    except (CommandFailed, CardRefused):
        host.reverse(torn.asn, torn.counter)
        journal.remove(torn.asn, load=True)
        raise
    return _confirmed(torn, tac, journal, host, recovered=False)


def mend_load(
    card: PurseCommands, profile: CardProfile, asn: str, journal: Journal, host: LoadHost
) -> Load | None:
    """Resolve a torn load of a selected card and tell the host; return it when it was done."""
    torn = journal.find(asn, load=True)
    if torn is None:
        return None
    if profile.load_needs_pin:
        # The card tells its online counter and its log only then. Another PIN is tried once: the note goes.
        with contextlib.suppress(CommandFailed):
            card.verify_pin(profile.pin)
    verdict = witness(card, profile, torn)
    if verdict.outcome is Outcome.DONE:
        return _confirmed(torn, verdict.tac, journal, host, recovered=True)
    if verdict.outcome is Outcome.NOT_DONE:
        host.reverse(asn, torn.counter)
    # An unknown end stays pending at the host: the card's next load or balance settles it there.
    journal.remove(asn, load=True)
    return None


def _confirmed(torn: TornDebit, tac: bytes, journal: Journal, host: LoadHost, *, recovered: bool) -> Load:
    host.confirm(torn.asn, torn.counter, tac)
    journal.remove(torn.asn, load=True)
    return Load(
        asn=torn.asn,
        counter=torn.counter,
        amount_fen=torn.amount_fen,
        balance_before_fen=torn.balance_before_fen,
        balance_after_fen=torn.balance_before_fen + torn.amount_fen,
        tac=tac,
        key_version=torn.key_version,
        algorithm=torn.algorithm,
        terminal=torn.terminal,
        at=torn.at,
        recovered=recovered,
    )
