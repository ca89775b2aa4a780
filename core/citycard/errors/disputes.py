"""Errors of what happens after clearing: exceptions that are decided, and disputes."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "DecisionRefused",
    "DisputeConflict",
    "DisputeDecided",
    "DisputeForeign",
    "DisputeRefused",
    "DisputeStanding",
    "DisputeUnknown",
    "EvidenceConflict",
    "RecordNoException",
]


class RecordNoException(CitycardError):
    """A record is not among those that were suspended or rejected."""

    status = 404
    sentence = (
        "record {record} {ended}: only suspended and rejected ones are exceptions "
        "(`citycard clearing exceptions list`)"
    )


class DecisionRefused(CitycardError):
    """An exception cannot be decided in that way."""

    status = 409
    exit_code = 5
    sentence = "exception {case} cannot be decided so: {reason}"


class DisputeUnknown(CitycardError):
    """No dispute has that id."""

    status = 404
    sentence = "dispute {id} is not known: `citycard clearing disputes list` lists them"


class DisputeConflict(CitycardError):
    """A dispute was opened before under the same id, and otherwise."""

    status = 409
    exit_code = 5
    sentence = "dispute {id} was opened before with another {field}: use a new id for another dispute"


class DisputeStanding(CitycardError):
    """The same party disputes the same thing already."""

    status = 409
    exit_code = 5
    sentence = "{about} is disputed already by {who}: {id}; {what_then}"


class DisputeRefused(CitycardError):
    """A dispute cannot be opened, added to or decided in that way."""

    status = 409
    exit_code = 5
    sentence = "dispute about {about}: {reason}"


class DisputeDecided(DisputeRefused):
    """A dispute was decided before: nothing is added to it, and it is not decided again."""


class DisputeForeign(DisputeRefused):
    """A partner disputes a record that it has nothing to do with."""


class EvidenceConflict(CitycardError):
    """Evidence was added before under that id, and it was another piece."""

    status = 409
    exit_code = 5
    sentence = "evidence {id} was added before with another {field}: use a new id for a new piece"
