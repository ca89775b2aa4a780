"""Errors of a city: its folder, its configuration, its jobs."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "CityConfigInvalid",
    "CityExists",
    "CityNotFound",
    "CityUnfinished",
    "JobBusy",
    "JobUnknown",
    "PassphraseNotFound",
    "ProductUnknown",
    "ServiceOff",
    "ServiceUnknown",
    "SupervisionTargetInvalid",
]


class PassphraseNotFound(CitycardError):
    """The vault's passphrase is not where it should be."""

    status, exit_code = 500, 4
    sentence = "the vault's passphrase is missing: set {variable}, or put it into {path}"


class CityNotFound(CitycardError):
    """There is no city in this folder."""

    status, exit_code = 404, 4
    sentence = (
        "there is no city.toml in {folder}: name the city's folder with --city, or make a city with "
        "citycard city create {folder} --config FILE"
    )


class CityConfigInvalid(CitycardError):
    """The city's configuration cannot be read."""

    sentence = "{path}: {reason}"


class CityExists(CitycardError):
    """The folder already holds a city."""

    status, exit_code = 409, 5
    sentence = "{folder} already holds a city: choose another folder, or open this one"


class JobUnknown(CitycardError):
    """No plugin that is on has this job."""

    status, exit_code = 404, 4
    sentence = "no plugin that is on has the job {job!r}: expected one of {known}"


class JobBusy(CitycardError):
    """A job is being run by somebody else."""

    status, exit_code = 409, 5
    sentence = "job {job} has been running since {since}: wait for it, or look at citycard plugin jobs"


class CityUnfinished(CitycardError):
    """The making of a city was interrupted."""

    exit_code = 4
    sentence = "the city in {folder} was never finished: run citycard city create {folder} again"


class ProductUnknown(CitycardError):
    """No plugin declares this card product."""

    status = 404
    sentence = "there is no card product {product!r}: expected one of {known}"


class ServiceOff(CitycardError):
    """A service is switched off for a partner or its district."""

    status, exit_code = 409, 5
    sentence = "{where} does not take the card for {service} now: it is switched off"


class ServiceUnknown(CitycardError):
    """No running plugin owns the service of a record."""

    sentence = (
        "no plugin that is on has the service number {number}: "
        "install and enable the one that wrote the record"
    )


class SupervisionTargetInvalid(CitycardError):
    """A target of the supervision report is about a domain that the city does not have."""

    status, exit_code = 409, 3
    sentence = (
        "city.toml: supervision.targets[{place}].domain {domain!r} is not known: expected one of {known}"
    )
