"""Errors of key ceremonies, and of keys that leave or come under a transport key."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "CeremonyInvalid",
    "CeremonyOutOfOrder",
    "CeremonyPersonTwice",
    "ComponentInvalid",
    "ComponentWrong",
    "InputEnded",
    "KeyAuditBroken",
    "PeopleMissing",
    "SigningKeyInvalid",
    "SigningKeyLocked",
    "TransportInvalid",
]


class CeremonyInvalid(CitycardError):
    """The protocol of a key ceremony breaks a rule, or does not hold."""

    sentence = "key ceremony {path} does not hold: {reason}"


class CeremonyOutOfOrder(CitycardError):
    """A step of a key ceremony comes at the wrong time or from the wrong person."""

    status = 409
    exit_code = 5
    sentence = "key ceremony {path} cannot do this: {reason}"


class CeremonyPersonTwice(CitycardError):
    """One person has two components or two roles."""

    status = 409
    exit_code = 5
    sentence = (
        "key ceremony {path} names {person!r} twice or not at all: each role and component has its own person"
    )


class ComponentInvalid(CitycardError):
    """What was typed or read is no component. It is never told what it was."""

    sentence = "{place} holds no component: {reason}"


class ComponentWrong(CitycardError):
    """A check value does not agree. Only check values are told."""

    exit_code = 5
    sentence = "{whose} does not agree: its KCV is {found}, expected {expected}; enter it again"


class InputEnded(CitycardError):
    """Something secret was to be typed, and the standard input ended."""

    sentence = "{what} was expected on the standard input, and it ended: {instead}"


class SigningKeyInvalid(CitycardError):
    """A signing key of an officer or a witness cannot be used."""

    sentence = "the signing key is not valid: {reason}"


class SigningKeyLocked(CitycardError):
    """A signing key is encrypted, and no passphrase was given."""

    exit_code = 5
    sentence = "the signing key is encrypted: give its passphrase"


class KeyAuditBroken(CitycardError):
    """The audit of keys that left or came is not what was written."""

    status = 500
    exit_code = 1
    sentence = "key audit {path} was changed at line {line}: no key leaves or comes until it is looked into"


class PeopleMissing(CitycardError):
    """Something with keys needs two people."""

    exit_code = 5
    sentence = "two different people are needed, given were: {people}"


class TransportInvalid(CitycardError):
    """A wrapped key, or the transport key for it, cannot be used."""

    sentence = "{place} cannot be used: {reason}"
