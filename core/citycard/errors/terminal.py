"""Errors at a terminal: cards, SAMs, journals, batches."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "BatchDamaged",
    "CardLacksSector",
    "CardRefused",
    "CardRemoved",
    "CommandFailed",
    "JournalDamaged",
    "LoadRefused",
    "OpenBatchDamaged",
    "SamAlgorithmMismatch",
    "SamCannotSign",
    "SamOutOfOrder",
    "SamSerialExhausted",
    "SamTerminalInvalid",
    "SamUnavailable",
    "TerminalInvalid",
]


class CardRemoved(CitycardError):
    """The card does not answer any more: it left the field, or its power went."""

    status, exit_code = 409, 5
    sentence = "the card left the field during {during}: hold it to the reader again"


class CardLacksSector(CitycardError):
    """A card was issued before a domain came to the city, and was not given the domain's sector yet."""

    status, exit_code = 409, 5
    sentence = "card {asn} has no {sector} sector yet: hold it to a reader that loads new domains"


class CardRefused(CitycardError):
    """The terminal does not serve this card; ``reason`` is one of the words of docs/terminal.md."""

    status, exit_code = 409, 5
    sentence = "card refused ({reason!s}): {explanation}"


class CommandFailed(CitycardError):
    """The card answered a command with an error status; ``status_word`` has four hexadecimal digits."""

    status, exit_code = 409, 5
    sentence = "the card answered {status_word} to {command}: expected 9000; start again with a new tap"


class LoadRefused(CitycardError):
    """The load host does not grant a load."""

    status, exit_code = 409, 5
    sentence = "load refused ({reason!s}): {explanation}"


class TerminalInvalid(CitycardError):
    """A terminal was asked for something that its state does not allow."""

    sentence = "terminal {terminal}: {problem}"


class JournalDamaged(CitycardError):
    """The journal file of a terminal holds a line that is not a note."""

    sentence = (
        "{path}, line {line}, is not a note of a torn card: keep the file for inspection and start a new one"
    )


class OpenBatchDamaged(CitycardError):
    """The file of a terminal's open batch holds something that is not a record."""

    status, exit_code = 422, 3
    sentence = "{path}: byte {offset} begins no record: keep the file for inspection, do not write to it"


class BatchDamaged(CitycardError):
    """A batch file cannot be accepted; ``code`` is F02, F03, F06 or F07 (docs/terminal.md)."""

    status = 422
    sentence = "{code}: batch file damaged at byte {offset}, {field}: expected {expected}"


class SamAlgorithmMismatch(CitycardError):
    """A card reports another algorithm than its key version has."""

    status = 409
    exit_code = 5
    sentence = (
        "SAM of terminal {terminal}: the card reports algorithm {algorithm} but version {version} of its "
        "purchase key has another: reissue the card"
    )


class SamOutOfOrder(CitycardError):
    """A SAM was asked to check MAC2 without a purchase under way."""

    status = 409
    exit_code = 5
    sentence = "SAM of terminal {terminal} has no purchase under way: call init_for_purchase first"


class SamSerialExhausted(CitycardError):
    """A SAM has used up its 32-bit transaction serial."""

    status = 409
    exit_code = 5
    sentence = "SAM of terminal {terminal} has used all its transaction serials: replace it"


class SamCannotSign(CitycardError):
    """A PSAM has no key to sign records with, and the terminal was given none."""

    status, exit_code = 409, 5
    sentence = (
        "SAM of terminal {terminal} cannot sign records: load its signature key (citycard sam update), or "
        "give the terminal a key in software"
    )


class SamUnavailable(CitycardError):
    """A PSAM does not answer, or not as one does."""

    status, exit_code = 503, 4
    sentence = "SAM of terminal {terminal} does not work: {problem}; check its reader"


class SamTerminalInvalid(CitycardError):
    """A SAM was given a terminal number that is none."""

    sentence = "terminal number {number!r} of a SAM is not valid: expected 12 digits"
