"""What can go wrong in transit, one class each: its data and its sentence."""

from __future__ import annotations

from citycard.errors import CitycardError

__all__ = [
    "CardBoxDamaged",
    "FileNotTaps",
    "NetworkInvalid",
    "PlaceUnknown",
    "ProductNotConfigured",
    "RecordNotTransit",
    "RuleInvalid",
    "TapsTooFew",
    "TransitOff",
    "TransitRefused",
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


class PlaceUnknown(CitycardError):
    """A ride is asked about that begins or ends where the city has nothing."""

    status, exit_code = 404, 3
    sentence = (
        "--{field} {place} is no {kind} of this city; there are {known} "
        "(/transit/lines of the city's pages lists those with a name)"
    )


class ProductNotConfigured(CitycardError):
    """No card product of this name is configured."""

    status, exit_code = 404, 4
    sentence = "there is no card product {product!r} in [[plugins.transit.products]]; there are {known}"


class RecordNotTransit(CitycardError):
    """The record is not one of transit."""

    status, exit_code = 404, 4
    sentence = "the record of card {asn} with counter {counter} is not one of transit: name a ride"


class TransitOff(CitycardError):
    """The city does not have transit switched on."""

    status, exit_code = 409, 5
    sentence = (
        "transit is not enabled in the city in {folder}: citycard plugin enable transit --city {folder}"
    )


class TransitRefused(CitycardError):
    """Transit is wanted in the city and does not run; the plugin's own reason says why."""

    status, exit_code = 409, 5
    sentence = "transit does not run in the city in {folder}: {reason}"


class CardBoxDamaged(CitycardError):
    """The sealed cards of an earlier play cannot be opened."""

    exit_code = 4
    sentence = "{path} cannot be opened with this city's keys: it is damaged, or from another city"


class TapsTooFew(CitycardError):
    """The generated morning is too small to hold its own network."""

    exit_code = 2
    sentence = "{taps} taps are too few for a morning: ask for at least {least}"
