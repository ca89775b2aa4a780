"""Errors of keys and vaults."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "AlgorithmMissing",
    "CipherInputInvalid",
    "ColumnInvalid",
    "KeyHierarchyMissing",
    "KeyHierarchyShared",
    "KeyNotExportable",
    "KeyPurposeClash",
    "KeyPurposeInvalid",
    "KeyPurposeUnknown",
    "KeyVersionInUse",
    "KeyVersionOnCards",
    "KeyVersionUnknown",
    "KeyVersionsFull",
    "MechanismMissing",
    "PassphraseMissing",
    "PassphraseWrong",
    "PinNotFound",
    "PinWrong",
    "RekeyRefused",
    "SealedDataInvalid",
    "SoftHsmMissing",
    "TokenFailed",
    "TokenFull",
    "TokenKeyMissing",
    "TokenMissing",
    "TokenModuleMissing",
    "TokenOccupied",
    "TokenPackageMissing",
    "VaultClosed",
    "VaultDamaged",
    "VaultExists",
    "VaultMissing",
    "VaultOutdated",
]


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


class ColumnInvalid(CitycardError):
    """A column of many records has another shape, type or range. No value is told: it may be a key."""

    sentence = "column {field}, {kind} of {shape}, is not valid: expected {expected}"


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


class VaultOutdated(CitycardError):
    """An old copy of a token vault's file was put back: it may honour versions that were retired since."""

    status = 409
    exit_code = 5
    sentence = (
        "key vault {path} is copy {number}, but token {label!r} confirmed copy {confirmed}: "
        "restore the newest one (docs/keys.md says what to do when it is lost)"
    )


class TokenPackageMissing(CitycardError):
    """Keys in a token need a package that is not installed."""

    status = 501
    exit_code = 4
    sentence = (
        "package python-pkcs11 is missing, and key module {module} needs it: "
        "install the extra with pip install 'citycard[hsm]', from a clone pip install -e 'core[hsm]'"
    )


class TokenModuleMissing(CitycardError):
    """The PKCS#11 library of a token cannot be loaded."""

    status = 501
    exit_code = 4
    sentence = (
        "PKCS#11 module {module} cannot be loaded ({reason}): "
        "install the token's library and give its path as module under [vault] of city.toml"
    )


class TokenMissing(CitycardError):
    """The token is not there: not plugged in, not reachable, or of another label."""

    status = 503
    exit_code = 4
    sentence = (
        "key token {label!r} is not there, module {module} does not show it: "
        "connect it, or correct token under [vault] of city.toml"
    )


class PinWrong(CitycardError):
    """The token refuses the PIN."""

    status = 403
    exit_code = 5
    sentence = (
        "key token {label!r} refuses the PIN ({reason}): check it before trying again, tokens lock themselves"
    )


class TokenFull(CitycardError):
    """The token has no room for another key."""

    status = 507
    exit_code = 4
    sentence = "key token {label!r} has no room for another key: remove some, or take a larger token"


class MechanismMissing(CitycardError):
    """The token cannot compute what is asked of it."""

    status = 501
    exit_code = 4
    sentence = "key token {label!r} lacks PKCS#11 mechanism {mechanism}: docs/keys.md lists those needed"


class TokenFailed(CitycardError):
    """The token refused for a reason that has no error of its own."""

    status = 502
    exit_code = 4
    sentence = "key token {label!r} failed with {reason}: look into the token's own log"


class TokenKeyMissing(CitycardError):
    """A key that the vault's file names is not in the token."""

    status = 500
    sentence = "key token {label!r} has no key {key!r}: restore its backup, or import the key again"


class TokenOccupied(CitycardError):
    """The token already holds keys under the name for which a vault is to be made."""

    status = 409
    exit_code = 5
    sentence = (
        "key token {label!r} already holds keys of {hierarchy!r} although their vault file is missing: "
        "restore the file, or take another token"
    )


class KeyNotExportable(CitycardError):
    """An imported key stays in the token for good."""

    status = 409
    exit_code = 5
    sentence = (
        "version {version} of key purpose {purpose!r} was imported into the token, which never gives it out: "
        "bring it to the other place from where it came"
    )


class SoftHsmMissing(CitycardError):
    """A test wants a SoftHSM, and none is installed."""

    exit_code = 4
    sentence = "SoftHSM is not installed: install the Debian package {package}"


class PinNotFound(CitycardError):
    """The PIN of the city's key token is nowhere to be found."""

    status = 500
    exit_code = 4
    sentence = "the PIN of the key token is missing: set {variable}, or write it into {path} (mode 0600)"


class KeyHierarchyMissing(CitycardError):
    """A hierarchy of keys with its own root was never made."""

    status = 404
    exit_code = 4
    sentence = (
        "key hierarchy {hierarchy!r} has no vault in {folder}: make it with citycard key hierarchy create, "
        "or in a key ceremony"
    )


class KeyHierarchyShared(CitycardError):
    """Two plugins declare purposes in one hierarchy."""

    status = 409
    exit_code = 5
    sentence = "key hierarchy {hierarchy!r} is declared by {owners}: a hierarchy belongs to one of them alone"


class KeyVersionOnCards(CitycardError):
    """A version cannot be retired while cards may have it."""

    status = 409
    exit_code = 5
    sentence = (
        "version {version} of key purpose {purpose!r} is on {cards} cards, and {unknown} more may have it: "
        "update them (citycard key update-card), or retire it with --force"
    )


class RekeyRefused(CitycardError):
    """A card refused its new keys; it still has the old ones, or some of each, and both are honoured."""

    status = 409
    exit_code = 5
    sentence = (
        "card {asn} refused {step} with {status_word}: not all its keys are new, hold it to the reader again"
    )
