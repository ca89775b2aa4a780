"""What can go wrong in transit, one class each: its data and its sentence."""

from __future__ import annotations

from citycard.errors import CitycardError

__all__ = [
    "FileNotTaps",
    "NetworkInvalid",
    "ProductUnknown",
    "RideUnknown",
    "RuleInvalid",
    "TapsTooFew",
]


class FileNotTaps(CitycardError):
    """The file of taps cannot be read at all."""

    status, exit_code = 400, 3
    sentence = "{path} cannot be read as taps: {reason}"


class RuleInvalid(CitycardError):
    """A fare rule in the configuration contradicts itself."""

    sentence = "[plugins.transit] {rule}: {reason}"


class NetworkInvalid(CitycardError):
    """A name in the configuration points nowhere."""

    sentence = "[plugins.transit] {field}: {value!r} is not declared; declared are {known}"


class ProductUnknown(CitycardError):
    """No card product of this name is configured."""

    status, exit_code = 404, 4
    sentence = "there is no card product {product!r} in [[plugins.transit.products]]; there are {known}"


class RideUnknown(CitycardError):
    """No record of this card and counter is in the city."""

    status, exit_code = 404, 4
    sentence = "card {asn} has no record with counter {counter} here: name a ride that was handed in"


class TapsTooFew(CitycardError):
    """The generated morning is too small to hold its own network."""

    exit_code = 2
    sentence = "{taps} taps are too few for a morning: ask for at least {least}"
