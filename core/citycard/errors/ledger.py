"""Errors of the store, the wallet and the registry."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "AccountConflict",
    "AccountMissing",
    "DatabaseInUse",
    "LedgerBusy",
    "LoadProofWrong",
    "MigrationRefused",
    "OutcomeUnknown",
    "PostgresqlFailed",
    "PostgresqlMissing",
    "PostingFailed",
    "RegistryConflict",
    "RegistryInvalid",
    "RegistryMissing",
    "SealBroken",
    "StatusRefused",
    "StoreUrlInvalid",
    "TableRefused",
    "TransferInvalid",
]


class StoreUrlInvalid(CitycardError):
    """The store's URL names a database that citycard does not know."""

    sentence = "the store url starts with {scheme!r}: expected sqlite:///<file> or postgresql://<user>@<host>/<database>"


class TableRefused(CitycardError):
    """A plugin declares a table that it may not have."""

    status = 409
    exit_code = 5
    sentence = "plugin {plugin}: table {table!r} {reason}"


class MigrationRefused(CitycardError):
    """The database is not in a state from which it can be migrated."""

    status = 409
    exit_code = 5
    sentence = "cannot migrate {owner}: {reason}"


class PostgresqlMissing(CitycardError):
    """No PostgreSQL server program is installed."""

    exit_code = 4
    sentence = (
        "no PostgreSQL server found under {folder}: install the Debian package {package} "
        "(apt-get install {package}), or run the tests with -m 'not postgresql'"
    )


class PostgresqlFailed(CitycardError):
    """A program of PostgreSQL did not do what the tests need."""

    exit_code = 4
    sentence = "PostgreSQL's {program} failed: {said}"


class AccountConflict(CitycardError):
    """An account is to be opened that exists and is different."""

    status = 409
    exit_code = 5
    sentence = "account {address!r} is open with {field} {existing!r}: it cannot be opened with {wanted!r}"


class AccountMissing(CitycardError):
    """An account is asked for that nobody opened."""

    status = 404
    sentence = "there is no account {address!r} in the ledger: open it first"


class TransferInvalid(CitycardError, ValueError):
    """An account or transfer is not well-formed."""

    sentence = "{record}: {field} is {value!r}: expected {expected}"


class DatabaseInUse(CitycardError):
    """A measurement wants a database of its own, and the file is there."""

    status = 409
    exit_code = 5
    sentence = "{path} is there already: name a file that is not, it is made and removed"


class LedgerBusy(CitycardError):
    """The ledger has more to do than it can do in time; nothing was done."""

    status = 503
    exit_code = 4
    sentence = "the ledger is busy: {waiting} transfers wait; nothing was done, send the same again later"


class OutcomeUnknown(CitycardError):
    """The answer did not come in time; the transfers may have been posted."""

    status = 503
    exit_code = 4
    sentence = (
        "the ledger did not answer within {wait_s:g} seconds: send the same transfers with the same ids "
        "again, they get the answer of the first time"
    )


class PostingFailed(CitycardError):
    """Transfers that must be posted were not."""

    status = 409
    exit_code = 1
    sentence = "{failed} of {total} transfers were not posted; the first is {first}: {result}"


class LoadProofWrong(CitycardError):
    """A load's TAC does not prove the load."""

    status = 409
    exit_code = 1
    sentence = (
        "card {asn}: the TAC does not prove the load with online counter {online_atc}; "
        "it stays pending until the card is seen again"
    )


class RegistryInvalid(CitycardError, ValueError):
    """A field of a registry record is not well-formed."""

    sentence = "{record} {key!r}: {field} is {value!r}: expected {expected}"


class RegistryConflict(CitycardError):
    """A record is to be added that exists and is different."""

    status = 409
    exit_code = 5
    sentence = "{record} {key!r} is registered with {field} {existing!r}: it cannot be added with {wanted!r}"


_REMEDIES = {
    "card": "expected the number of a card that citycard job run or chip new made",
    "city": "add it first with citycard interconnect add",
    "district": "write it into [[districts]] of city.toml and call citycard city upgrade",
    "partner": "add it first with citycard partner add",
    "place": "add it first with citycard terminal add --place CODE --place-name NAME",
    "sam": "make it first with citycard sam issue",
    "terminal": "add it first with citycard terminal add",
}


class RegistryMissing(CitycardError):
    """A record is asked for, or referred to, that is not registered."""

    status = 404
    sentence = "{record} {key!r} is not registered: {remedy}"

    def __init__(self, *, record: str, key: str) -> None:
        super().__init__(record=record, key=key, remedy=_REMEDIES.get(record, "add it first"))


class StatusRefused(CitycardError):
    """A card cannot go from its status to the one asked for."""

    status = 409
    exit_code = 5
    sentence = "card {asn} is {status}: it cannot become {wanted}"


class SealBroken(CitycardError):
    """Sealed personal data cannot be opened with this key, or was moved or changed."""

    exit_code = 1
    sentence = "the sealed {field} of {key!r} cannot be opened: wrong key, or the row was changed"
