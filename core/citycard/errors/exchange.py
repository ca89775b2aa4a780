"""Errors of the exchange with other cities."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = ["CityIsOurs", "ExchangeFileDamaged", "ForeignListRefused", "SettlementRefused"]


class ExchangeFileDamaged(CitycardError):
    """A file of another city is not one, or not whole; ``code`` says how (docs/interconnect.md)."""

    sentence = "{code}: {field}: expected {expected}; have the file sent again"


class CityIsOurs(CitycardError):
    """A city is to be added as another one that is this one, or has its issuer."""

    status, exit_code = 409, 5
    sentence = "city {code} with issuer {issuer} is this city: give the code and the issuers of the other one"


class ForeignListRefused(CitycardError):
    """A city lists a card that is not its own, so that terminals here would refuse it."""

    status, exit_code = 409, 5
    sentence = "city {city} may not list {asn}: it {whose}; have the list sent without it"


class SettlementRefused(CitycardError):
    """What is between two cities cannot be settled now."""

    status, exit_code = 409, 5
    sentence = "nothing was settled with {others}: {reason}"
