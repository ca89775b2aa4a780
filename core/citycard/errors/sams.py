"""Errors of issuing and revoking SAMs."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = ["SamMismatch", "SamNumberInvalid", "SamRevoked", "SamTaken"]


class SamTaken(CitycardError):
    """A terminal, or a number, has a SAM already."""

    status, exit_code = 409, 5
    sentence = (
        "terminal {terminal} has SAM {number}, {sam_status}: load keys into it with citycard sam update, or "
        "give the place a new terminal number"
    )


class SamRevoked(CitycardError):
    """Something is asked for a SAM that was revoked."""

    status, exit_code = 409, 5
    sentence = (
        "SAM {number} of terminal {terminal} was revoked: give the place a new terminal number with "
        "citycard terminal add, and that number a SAM with citycard sam issue"
    )


class SamMismatch(CitycardError):
    """The SAM at hand is not the one that is meant."""

    status, exit_code = 409, 5
    sentence = "the SAM at hand is {found}, and SAM {number} is meant: put that one in"


class SamNumberInvalid(CitycardError):
    """A number is not one of a SAM."""

    sentence = "SAM number {number!r}: expected 20 digits"
