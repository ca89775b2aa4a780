"""Who a card says it is, and how to tell one that its issuer never finished (docs/terminal.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from citycard.card.codec import decode
from citycard.card.files import CardProfile, LogRecord, Management, PublicApplication, TransactionType
from citycard.errors import CardRefused, CodecError, CommandFailed
from citycard.terminal.acceptance import Refusal, refuse
from citycard.terminal.commands import PurseCommands

__all__ = ["finished", "identity", "newest_logged"]

Answer = TypeVar("Answer")
# No such file, purse not made, no such key: a card in the hands of a passenger has all three.
_MISSING = {"6A82", "6985", "6A88"}
_OFFLINE = {TransactionType.PURCHASE, TransactionType.COMPOSITE}
_LOG_RECORDS = 10


def finished(ask: Callable[[], Answer]) -> Answer:
    """Ask a card for something that every finished card has; CardRefused (unfinished) when it lacks it."""
    try:
        return ask()
    except CommandFailed as failed:
        if failed.data["status_word"] in _MISSING:
            raise refuse(Refusal.UNFINISHED) from None
        raise


def identity(card: PurseCommands) -> tuple[PublicApplication, Management]:
    """Read EF 15 and EF 17. Raises CardRefused: unfinished when they are empty, unreadable when not valid."""
    files = [finished(card.read_application), finished(card.read_management)]
    if any(len(set(content)) == 1 and content[0] in {0x00, 0xFF} for content in files):
        raise refuse(Refusal.UNFINISHED)
    try:
        return decode(PublicApplication, files[0]), decode(Management, files[1])
    except CodecError:
        raise refuse(Refusal.UNREADABLE) from None


def newest_logged(card: PurseCommands, profile: CardProfile) -> int:
    """Return the counter that the card's log says it must have reached by debits; 0 without a log."""
    for number in range(1, _LOG_RECORDS + 1):
        try:
            line = decode(LogRecord, card.read_record(profile.log_sfi, number))
        except (CardRefused, CommandFailed):
            return 0
        except CodecError:
            continue
        if line.tti in _OFFLINE and line.at is not None:
            return line.counter + int(not profile.log_after_increment)
    return 0
