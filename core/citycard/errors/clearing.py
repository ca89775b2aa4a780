"""Errors of clearing."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "ArchiveDamaged",
    "GapUnknown",
    "ManifestConflict",
    "ManifestInvalid",
    "PriceUnknown",
    "RecordUnknown",
    "RuleAnswerInvalid",
    "RuleFailed",
    "RuleTwice",
    "RunUnknown",
    "StatementUnknown",
]


class PriceUnknown(CitycardError):
    """Neither a rule nor the gate gave a base price."""

    status = 409
    sentence = "service {service!r} has no price: declare a rule of stage BASE, or let the gate give one"


class RuleTwice(CitycardError):
    """Two fee rules of one owner carry one name."""

    status = 409
    sentence = "fee rule {rule!r} is declared twice by {owner}: give each rule its own name"


class RuleFailed(CitycardError):
    """A plugin's fee rule raised."""

    status = 500
    exit_code = 1
    sentence = "fee rule {rule!r} of {owner} failed: {error}"


class RuleAnswerInvalid(CitycardError):
    """A fee rule answered with something other than an amount of fen."""

    status = 500
    exit_code = 1
    sentence = "a fee rule answered {amount!r} ({reason}): expected whole fen, zero or more"


class ManifestInvalid(CitycardError):
    """A collector's manifest could not be read."""

    sentence = "manifest is not valid at {field}: {reason}"


class ManifestConflict(CitycardError):
    """A collector used one manifest number for two different lists."""

    status = 409
    sentence = "manifest {number} of collector {collector!r} came before with other content: use a new number"


class RecordUnknown(CitycardError):
    """No record of that id or of that card and counter was handed in."""

    status = 404
    sentence = "record {record!r} is not known: expected TERMINAL-BATCH-LINE, or a card and its counter"


class RunUnknown(CitycardError):
    """No clearing run has that number, or it is not closed yet."""

    status = 404
    # Something is needed first: the run itself.
    exit_code = 4
    sentence = "clearing run {number} is not known or not closed: run `citycard clearing run` first"


class StatementUnknown(CitycardError):
    """A partner has no statement in that run."""

    status = 404
    sentence = (
        "partner {partner!r} has no statement in {run}: "
        "`citycard clearing statement` lists those of the last run"
    )


class GapUnknown(CitycardError):
    """A card has no open gap that could be given up."""

    status = 404
    sentence = "card {card} has no open gap: citycard clearing gaps list shows those that are"


class ArchiveDamaged(CitycardError):
    """A file that the store names is missing or does not have its digest."""

    status = 500
    exit_code = 4
    sentence = "{path} is missing or damaged: restore it from a copy, its name and digest are in the store"
