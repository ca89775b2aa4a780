"""Errors of the card lists that terminals are given."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = ["ListDamaged", "ListGap", "ListOlder", "ListUnknown", "ListUntrusted"]


class ListDamaged(CitycardError):
    """A list file is not one."""

    sentence = "the list file is damaged at {field}: expected {expected}; take it from the city again"


class ListUntrusted(CitycardError):
    """A list file was not made by the city that this terminal belongs to."""

    exit_code = 5
    sentence = "list {number} is not taken: {reason}"


class ListOlder(CitycardError):
    """A list file is older than what the terminal holds."""

    status, exit_code = 409, 5
    sentence = "list {number} is not taken: this terminal holds list {held} already"


class ListGap(CitycardError):
    """A file of changes does not begin where the terminal stands."""

    status, exit_code = 409, 5
    sentence = (
        "the changes from list {since} to {number} do not fit: this terminal holds {held}; get the full list"
    )


class ListUnknown(CitycardError):
    """Changes are wanted since a list that is not an earlier one."""

    status, exit_code = 404, 3
    sentence = "there are no changes since list {since}: the newest list is {newest}"
