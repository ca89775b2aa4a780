"""Errors of sector cards: their blocks, their purse, and their migration to a new card."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "AccessBitsInvalid",
    "DirectoryInvalid",
    "MigrationConflict",
    "MigrationOpen",
    "MigrationStopped",
    "MigrationUnknown",
    "SectorAccessFailed",
    "SectorCardInvalid",
    "SectorCardRefused",
    "SectorImageInvalid",
    "SectorPlanUnknown",
    "ValueBlockInvalid",
    "ValueFallbackRefused",
]


class AccessBitsInvalid(CitycardError):
    """The access bits of a sector contradict their inverted copies."""

    sentence = "access bits {found} are not valid: expected each bit beside its inverse; the sector is lost"


class ValueBlockInvalid(CitycardError):
    """A block is not a value block."""

    sentence = "block {found} is not a value block: expected the value, its inverse and the value again"


class DirectoryInvalid(CitycardError):
    """A card's application directory cannot be read or written."""

    sentence = "application directory: {problem}"


class SectorImageInvalid(CitycardError):
    """The bytes of a saved sector card are not one."""

    sentence = (
        "the sector card image is not usable ({reason}): expected the bytes that SectorCard.image() gave"
    )


class SectorCardInvalid(CitycardError):
    """A sector card cannot be made as asked."""

    sentence = "sector card, {field}: found {found}, expected {expected}"


class SectorAccessFailed(CitycardError):
    """A sector card or its reader refused a command; ``status_word`` has four hexadecimal digits."""

    status, exit_code = 409, 5
    sentence = "{step} of block {block} was refused with {status_word}: hold the card to the reader again"


class ValueFallbackRefused(CitycardError):
    """A reader without value commands cannot change a value block safely."""

    status, exit_code = 409, 5
    sentence = "the reader has no value commands, and block {block} cannot be changed without them: {problem}"


class SectorCardRefused(CitycardError):
    """A terminal does not serve this sector card; ``reason`` is one of the words of docs/mifare.md."""

    status, exit_code = 409, 5
    sentence = "card refused ({reason!s}): {explanation}"


class SectorPlanUnknown(CitycardError):
    """There is no sector plan of this name."""

    status, exit_code = 404, 4
    sentence = "there is no sector plan {name!r}: expected one of {known}"


class MigrationConflict(CitycardError):
    """An old card's migration contradicts what was written down about it, or about the new card."""

    status, exit_code = 409, 5
    sentence = "old card {old}: {problem}"


class MigrationOpen(CitycardError):
    """A migration was begun earlier and is not finished."""

    status, exit_code = 409, 5
    sentence = "the migration of old card {old} to {new} stands at {state}: add --resume to go on with it"


class MigrationStopped(CitycardError):
    """A migration cannot go on now; what was done stands, and it can be resumed."""

    status, exit_code = 409, 5
    sentence = "the migration of old card {old} stands at {state} and waits: {problem}"


class MigrationUnknown(CitycardError):
    """Nobody began a migration of such a card."""

    status, exit_code = 404, 4
    sentence = "no migration of card {number} is known: expected the number of an old card or of its new one"
