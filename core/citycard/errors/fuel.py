"""Errors at a fuel pump: locks that are not there, or that nobody can open here."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = ["GreyLockInvalid", "GreyLockUnknown"]


class GreyLockInvalid(CitycardError):
    """A pump asked for something that the state of the card's lock does not allow."""

    status, exit_code = 409, 5
    sentence = "card {asn}: {problem}"


class GreyLockUnknown(CitycardError):
    """The SAM did not make the lock of this card, or does not know any more that it is locked."""

    status, exit_code = 409, 5
    sentence = (
        "terminal {terminal} cannot open the lock of card {asn} with counter {counter}: "
        "use the pump that locked it, or unlock it online"
    )
