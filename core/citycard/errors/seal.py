"""Errors of sealing the ledger and of verifying it."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = ["LedgerAltered", "NotSealed", "ProofInvalid", "SealKeyInvalid", "SealMissing", "TransferUnknown"]


class LedgerAltered(CitycardError):
    """The ledger is not what was sealed, or does not follow from its transfers."""

    status = 500
    exit_code = 1
    sentence = "the ledger was altered: {found} ({count} findings; citycard wallet verify lists them)"


class TransferUnknown(CitycardError):
    """An id is asked for that the ledger never answered."""

    status = 404
    sentence = "the ledger never answered a transfer {id}"


class NotSealed(CitycardError):
    """What is to be proven is in the ledger and not under a seal yet."""

    status = 409
    exit_code = 5
    sentence = "transfer {id} is not sealed yet: citycard wallet seal seals it, a server within a minute"


class SealMissing(CitycardError):
    """A seal is asked for that nobody made."""

    status = 404
    sentence = "there is no seal {seq}: the last one is {last}"


class SealKeyInvalid(CitycardError, ValueError):
    """A file does not hold a public key of seals."""

    sentence = "the public key of seals cannot be read: {reason}; expected what citycard wallet key prints"


class ProofInvalid(CitycardError, ValueError):
    """A proof does not hold, or is none."""

    exit_code = 1
    sentence = "{path}: the proof does not hold: {reason}"
