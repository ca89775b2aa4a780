"""Who a card says it is, and how to tell one that its issuer never finished (docs/terminal.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from citycard.card.codec import decode
from citycard.card.files import CardIdentity, CardProfile, LogRecord, TransactionType
from citycard.errors import CardRefused, CodecError, CommandFailed
from citycard.terminal.acceptance import Refusal, refuse
from citycard.terminal.commands import PurseCommands

__all__ = ["finished", "identity", "newest_logged"]

Answer = TypeVar("Answer")
# No such file, purse not made, no such key, never written: a card in the hands of a passenger has them all.
_MISSING = {"6A82", "6985", "6A88", "6281"}
_OTHER_LENGTH = "6C"
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


def identity(card: PurseCommands) -> CardIdentity:
    """Read who a selected card is, from the files of its make.

    Raises CardRefused: unfinished when they are empty, unreadable when not valid, other-make when they are
    those of other cards under the same application name.
    """
    try:
        files = finished(card.identity_files)
    except CommandFailed as failed:
        if failed.data["status_word"].startswith(_OTHER_LENGTH):
            raise refuse(Refusal.OTHER_MAKE) from None
        raise
    if any(len(set(content)) == 1 and content[0] in {0x00, 0xFF} for content in files.values()):
        raise refuse(Refusal.UNFINISHED)
    try:
        found = card.profile.identify(files)
    except CodecError:
        raise refuse(Refusal.UNREADABLE) from None
    if found is None:
        raise refuse(Refusal.OTHER_MAKE)
    return found


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
