"""Everything that can go wrong, one class each: its data, its sentence, its HTTP status and its exit code.

Exit codes of the command line: 0 done, 1 the work found something wrong, 2 the call is wrong,
3 the input is wrong, 4 something needed is missing, 5 refused.
"""

# Over 400 lines because every error that a user can meet stands here, a few lines each.

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AccessSubjectMissing",
    "AccessUnknown",
    "AccountConflict",
    "AccountMissing",
    "AddressTaken",
    "AlgorithmMissing",
    "AmountInvalid",
    "ArchiveDamaged",
    "BankDetailsInvalid",
    "BatchDamaged",
    "BodyTooLarge",
    "BytesInvalid",
    "CardFull",
    "CardImageInvalid",
    "CardRefused",
    "CardRemoved",
    "CipherInputInvalid",
    "CityConfigInvalid",
    "CityExists",
    "CityNotFound",
    "CitycardError",
    "ClaimTaken",
    "CodecError",
    "CommandFailed",
    "DeclarationInvalid",
    "EventUnknown",
    "FieldInvalid",
    "FormRefused",
    "IntakeContended",
    "JobBusy",
    "JobUnknown",
    "JournalDamaged",
    "KeyPurposeClash",
    "KeyPurposeInvalid",
    "KeyPurposeUnknown",
    "KeyVersionInUse",
    "KeyVersionUnknown",
    "KeyVersionsFull",
    "LayoutInvalid",
    "LengthInvalid",
    "LoadProofWrong",
    "LoadRefused",
    "ManifestConflict",
    "ManifestInvalid",
    "MigrationRefused",
    "PageNotFound",
    "PassphraseMissing",
    "PassphraseWrong",
    "PermissionMissing",
    "PersonalisationFailed",
    "PluginFailed",
    "PluginNeeded",
    "PluginNotServing",
    "PluginRefused",
    "PluginStarting",
    "PluginUnknown",
    "PostgresqlFailed",
    "PostgresqlMissing",
    "PostingFailed",
    "PowerLoss",
    "PriceUnknown",
    "ProductInvalid",
    "PurseAlgorithmNotAllowed",
    "QueryInvalid",
    "RecordUnknown",
    "RegistryConflict",
    "RegistryInvalid",
    "RegistryMissing",
    "RuleAnswerInvalid",
    "RuleFailed",
    "RuleTwice",
    "RunUnknown",
    "SamAlgorithmMismatch",
    "SamOutOfOrder",
    "SamSerialExhausted",
    "SamTerminalInvalid",
    "SealBroken",
    "SealedDataInvalid",
    "SectorInvalid",
    "SettingsInvalid",
    "SignInNeeded",
    "StatementUnknown",
    "StatusRefused",
    "StoreUrlInvalid",
    "TableRefused",
    "TerminalInvalid",
    "TokenRefused",
    "TooManyAttempts",
    "TransferInvalid",
    "VaultClosed",
    "VaultDamaged",
    "VaultExists",
    "VaultMissing",
]


class CitycardError(Exception):
    """The base of every error that a user can meet. Subclasses name their data and write one sentence.

    ``sentence`` is a format string over the keyword arguments; ``str(error)`` is the finished sentence.
    """

    status: ClassVar[int] = 400
    exit_code: ClassVar[int] = 3
    sentence: ClassVar[str] = "something went wrong"

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.sentence.format(**data))


# ── money ────────────────────────────────────────────────────────────────────────────────────────


class AmountInvalid(CitycardError):
    """An amount could not be read or shared."""

    sentence = "amount {text!r} is not valid: expected yuan with at most two decimals, such as 12.34"


# ── city ─────────────────────────────────────────────────────────────────────────────────────────


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


# ── card ─────────────────────────────────────────────────────────────────────────────────────────


class CodecError(CitycardError):
    """A record and its bytes do not fit each other."""

    status: ClassVar[int] = 422


class FieldInvalid(CodecError):
    """A value does not fit its field."""

    sentence = "{layout}.{field} cannot be {value}: expected {expected}"


class BytesInvalid(CodecError):
    """Bytes read from a card or a file mean nothing in their field."""

    sentence = "{layout}.{field} at byte {offset} cannot be read from {found}: expected {expected}"


class LengthInvalid(CodecError):
    """A record has the wrong number of bytes."""

    sentence = "{layout} cannot be read from {found} bytes: expected {expected}"


class LayoutInvalid(CodecError):
    """A layout class contradicts itself."""

    sentence = "layout {layout}: {problem}; correct the class"


class SectorInvalid(CitycardError):
    """A sector is declared wrongly."""

    sentence = "sector {sector}: {problem}"


class ProductInvalid(CitycardError):
    """A card product is declared wrongly or its stored version cannot be read."""

    sentence = "card product {product}: {problem}"


class CardFull(CitycardError):
    """The sectors of a product take more room than the card has."""

    status, exit_code = 409, 5
    sentence = (
        "card product {product}: its sectors take {needed} bytes, the card's sector file holds {room}; "
        "sector {sector} is the first without room: leave out a sector, or choose a larger card"
    )


# ── terminal ─────────────────────────────────────────────────────────────────────────────────────


class CardRemoved(CitycardError):
    """The card does not answer any more: it left the field, or its power went."""

    status, exit_code = 409, 5
    sentence = "the card left the field during {during}: hold it to the reader again"


class CardRefused(CitycardError):
    """The terminal does not serve this card; ``reason`` is one of the words of docs/terminal.md."""

    status, exit_code = 409, 5
    sentence = "card refused ({reason}): {explanation}"


class CommandFailed(CitycardError):
    """The card answered a command with an error status; ``status_word`` has four hexadecimal digits."""

    status, exit_code = 409, 5
    sentence = "the card answered {status_word} to {command}: expected 9000; start again with a new tap"


class LoadRefused(CitycardError):
    """The load host does not grant a load."""

    status, exit_code = 409, 5
    sentence = "load refused ({reason}): {explanation}"


class TerminalInvalid(CitycardError):
    """A terminal was asked for something that its state does not allow."""

    sentence = "terminal {terminal}: {problem}"


class JournalDamaged(CitycardError):
    """The journal file of a terminal holds a line that is not a note."""

    sentence = (
        "{path}, line {line}, is not a note of a torn card: keep the file for inspection and start a new one"
    )


class BatchDamaged(CitycardError):
    """A batch file cannot be accepted; ``code`` is F02, F03, F06 or F07 (docs/terminal.md)."""

    status = 422
    sentence = "{code}: batch file damaged at byte {offset}, {field}: expected {expected}"


# ── web ──────────────────────────────────────────────────────────────────────────────────────────


class SignInNeeded(CitycardError):
    """The page needs to know who is asking."""

    status, exit_code = 401, 5
    sentence = "this needs the permission {permission}: sign in first, or send a bearer token"


class TokenRefused(CitycardError):
    """A token or a session is not valid, and it is not said why."""

    status, exit_code = 401, 5
    sentence = (
        "this token is not valid: it is unknown, has expired, or was revoked; ask an operator for a new one"
    )


class PermissionMissing(CitycardError):
    """Whoever asks is known, and may not."""

    status, exit_code = 403, 5
    sentence = "the role {role} does not have the permission {permission} here"


class FormRefused(CitycardError):
    """A form did not come from its own page."""

    status, exit_code = 403, 5
    sentence = (
        "this form was not sent from its own page, or the page is too old: load the page again, then send it"
    )


class TooManyAttempts(CitycardError):
    """An address failed to sign in too often."""

    status, exit_code = 429, 5
    sentence = "too many failed sign-ins from this address: wait {wait_s} seconds, then try again"


class PageNotFound(CitycardError):
    """An address leads nowhere."""

    status, exit_code = 404, 3
    sentence = "there is no {thing} {name}"


class PluginNotServing(CitycardError):
    """A plugin's address is asked for, and the plugin is not enabled."""

    status, exit_code = 404, 5
    sentence = "the plugin {plugin} is not enabled here: it is {state}"


class PluginStarting(CitycardError):
    """A plugin was asked for while it is on its way up."""

    status, exit_code = 503, 4
    sentence = "the plugin {plugin} is being started: try again in a second"


class QueryInvalid(CitycardError):
    """A value in an address or a form cannot be read."""

    status, exit_code = 422, 3
    sentence = "{field} {text!r} is not valid: expected {expected}"


class BodyTooLarge(CitycardError):
    """A form is larger than any form of these pages."""

    status, exit_code = 413, 3
    sentence = "the body is larger than {limit} bytes: send less"


class AccessUnknown(CitycardError):
    """An access to revoke does not exist."""

    status, exit_code = 404, 3
    sentence = "there is no access {name}: citycard access list shows all"


class AccessSubjectMissing(CitycardError):
    """A role that sees only its own things was granted without saying whose."""

    sentence = "the role {role} sees only its own things: say whose with --for ({expected})"


class AddressTaken(CitycardError):
    """The server cannot listen where it was told to."""

    exit_code = 4
    sentence = "cannot listen on {host}:{port} ({reason}): choose another with --host and --port"


# ── chip ─────────────────────────────────────────────────────────────────────────────────────────


class PowerLoss(CardRemoved):
    """The software chip lost its power, or is asked while it has none."""

    sentence = "the chip has no power: power it on, then start again from the selection of the application"


class CardImageInvalid(CitycardError):
    """The bytes of a saved card are not a card."""

    sentence = "the card image is not usable ({reason}): expected the bytes that Chip.image() gave"


class PersonalisationFailed(CitycardError):
    """A chip refused a command of its personalisation."""

    sentence = (
        "the chip refused {step} with status {status_word}: expected 9000 from a blank card of this profile"
    )


class PurseAlgorithmNotAllowed(CitycardError):
    """A card's purse keys have an algorithm that its chip does not compute."""

    status, exit_code = 409, 5
    sentence = (
        "version {version} of the {purpose} key is {algorithm}, which {profile} cards do not compute: "
        "name it in algorithms under [cards] of city.toml, or roll the key to tdes"
    )


# ── kernel ───────────────────────────────────────────────────────────────────────────────────────


class DeclarationInvalid(CitycardError, ValueError):
    """A record that a plugin declares is not what it must be."""

    sentence = "{record}.{field} is {value!r}: expected {expected}"


class PluginUnknown(CitycardError):
    """No plugin has this name here."""

    status = 404
    exit_code = 4
    sentence = "no plugin is named {plugin!r}; here are: {known}"


class PluginRefused(CitycardError):
    """A plugin may not run in this city, for a reason that it or the operator can change."""

    status = 409
    exit_code = 5
    sentence = "plugin {plugin} ({distribution}) is refused: {reason}"


class PluginFailed(CitycardError):
    """A plugin's own code raised; the rest of the city runs on."""

    status = 500
    exit_code = 1
    sentence = "plugin {plugin} ({distribution}) failed in {where}: {reason}"


class PluginNeeded(CitycardError):
    """A plugin cannot be switched off while others need it."""

    status = 409
    exit_code = 5
    sentence = "plugin {plugin} cannot be disabled: {dependents} need it; disable them first"


class ClaimTaken(CitycardError):
    """Two plugins claim the same thing, and a thing has one owner."""

    status = 409
    exit_code = 5
    sentence = "{kind} {key!r} is claimed by {holder} and by {claimant}: {hint}"


class SettingsInvalid(CitycardError):
    """Settings do not fit their class; every problem names the path of the key and what was expected."""

    sentence = "settings are not valid: {problems}"


class EventUnknown(CitycardError):
    """An event was told that nobody declared, or whose body is of another class."""

    status = 500
    sentence = "event {name!r} cannot be told: {reason}"


# ── ledger: store, wallet, registry ──────────────────────────────────────────────────────────────


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


class RegistryMissing(CitycardError):
    """A record is asked for, or referred to, that is not registered."""

    status = 404
    sentence = "{record} {key!r} is not registered: add it first"


class StatusRefused(CitycardError):
    """A card cannot go from its status to the one asked for."""

    status = 409
    exit_code = 5
    sentence = "card {asn} is {status}: it cannot become {wanted}"


class SealBroken(CitycardError):
    """Sealed personal data cannot be opened with this key, or was moved or changed."""

    exit_code = 1
    sentence = "the sealed {field} of {key!r} cannot be opened: wrong key, or the row was changed"


# ── clearing ─────────────────────────────────────────────────────────────────────────────────────


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


class IntakeContended(CitycardError):
    """Other calls kept handing in files, so this one could not find its turn."""

    status = 503
    exit_code = 4
    sentence = "intake was busy for {attempts} attempts: hand the same files in again"


class RecordUnknown(CitycardError):
    """No record of that id or of that card and counter was handed in."""

    status = 404
    exit_code = 4
    sentence = "record {record!r} is not known: expected TERMINAL-BATCH-LINE, or a card and its counter"


class RunUnknown(CitycardError):
    """No clearing run has that number, or it is not closed yet."""

    status = 404
    exit_code = 4
    sentence = "clearing run {number} is not known or not closed: run `citycard clearing run` first"


class StatementUnknown(CitycardError):
    """A partner has no statement in that run."""

    status = 404
    exit_code = 4
    sentence = "partner {partner!r} has no statement in run {number}"


class ArchiveDamaged(CitycardError):
    """A file that the store names is missing or does not have its digest."""

    status = 500
    exit_code = 4
    sentence = "{path} is missing or damaged: restore it from a copy, its name and digest are in the store"


class BankDetailsInvalid(CitycardError):
    """A name, account or bank code cannot stand in a payment instruction."""

    sentence = "bank details of {owner!r}: {field} is {value!r}, expected {expected}"


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


class AlgorithmMissing(CitycardError):
    """The installed OpenSSL cannot do this cipher."""

    status = 501
    exit_code = 4
    sentence = (
        "cipher {algorithm} is missing from the installed OpenSSL: install the cryptography wheel of PyPI"
    )


class CipherInputInvalid(CitycardError):
    """A key, factor or block has the wrong length. Only the length is told, never the bytes."""

    sentence = "{field} of {length} bytes is not valid: expected {expected}"


class SealedDataInvalid(CitycardError):
    """An encrypted data field does not open: wrong key or damaged data."""

    sentence = "sealed data of {length} bytes does not open: expected whole blocks sealed under the same key"


class KeyPurposeInvalid(CitycardError):
    """A key purpose was declared with a wrong field."""

    exit_code = 2
    sentence = "key purpose {name!r}, field {field}: {value!r} is not valid, expected {expected}"


class KeyPurposeUnknown(CitycardError):
    """The vault has no keys for this purpose."""

    status = 404
    sentence = "key purpose {name!r} is not in the vault: it has {known}"


class KeyPurposeClash(CitycardError):
    """Two owners declared the same key purpose."""

    status = 409
    exit_code = 5
    sentence = "key purpose {name!r} of {owner} is already declared by {other}: choose another name"


class KeyVersionUnknown(CitycardError):
    """A key version is not in the vault, or was retired."""

    status = 404
    sentence = "key purpose {purpose!r} has no usable version {version}: usable are {usable}"


class KeyVersionsFull(CitycardError):
    """A purpose has used up its 255 version numbers."""

    status = 409
    exit_code = 5
    sentence = "key purpose {purpose!r} has used all 255 version numbers: a new city key is needed"


class KeyVersionInUse(CitycardError):
    """The current version of a purpose cannot be retired."""

    status = 409
    exit_code = 5
    sentence = "version {version} of key purpose {purpose!r} is the current one: roll the purpose over first"


class PassphraseMissing(CitycardError):
    """A vault was to be made or opened with an empty passphrase."""

    exit_code = 4
    sentence = "the passphrase of key vault {path} is empty: give one of at least one character"


class PassphraseWrong(CitycardError):
    """The passphrase does not open the vault."""

    status = 403
    exit_code = 5
    sentence = (
        "key vault {path} does not open with this passphrase: the file is whole, so check the passphrase"
    )


class VaultClosed(CitycardError):
    """A closed vault was asked for a key."""

    status = 409
    exit_code = 5
    sentence = "the key vault is closed and its keys are wiped: open it again"


class VaultDamaged(CitycardError):
    """A vault file is not what was written."""

    status = 500
    sentence = "key vault {path} is damaged ({reason}): restore the file from its backup"


class VaultExists(CitycardError):
    """A vault would overwrite a file."""

    status = 409
    exit_code = 5
    sentence = "{path} already exists: a key vault never replaces a file, open it or choose another path"


class VaultMissing(CitycardError):
    """There is no vault file."""

    status = 404
    exit_code = 4
    sentence = "key vault {path} is missing: make it with the city, or restore it from its backup"


class SamAlgorithmMismatch(CitycardError):
    """A card reports another algorithm than its key version has."""

    status = 409
    exit_code = 5
    sentence = (
        "SAM of terminal {terminal}: the card reports algorithm {algorithm} but version {version} of its "
        "purchase key has another: reissue the card"
    )


class SamOutOfOrder(CitycardError):
    """A SAM was asked to check MAC2 without a purchase under way."""

    status = 409
    exit_code = 5
    sentence = "SAM of terminal {terminal} has no purchase under way: call init_for_purchase first"


class SamSerialExhausted(CitycardError):
    """A SAM has used up its 32-bit transaction serial."""

    status = 409
    exit_code = 5
    sentence = "SAM of terminal {terminal} has used all its transaction serials: replace it"


class SamTerminalInvalid(CitycardError):
    """A SAM was given a terminal number that is none."""

    sentence = "terminal number {number!r} of a SAM is not valid: expected 12 digits"


class CityUnfinished(CitycardError):
    """The making of a city was interrupted."""

    exit_code = 4
    sentence = "the city in {folder} was never finished: run citycard city create {folder} again"


class ProductUnknown(CitycardError):
    """No plugin declares this card product."""

    status = 404
    sentence = "there is no card product {product!r}: expected one of {known}"


class ServiceUnknown(CitycardError):
    """No running plugin owns the service of a record."""

    sentence = (
        "no plugin that is on has the service number {number}: "
        "install and enable the one that wrote the record"
    )
