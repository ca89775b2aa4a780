"""Errors of what senders hand in."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "ConversionRefused",
    "CoverInvalid",
    "FileChanging",
    "FileNotHeld",
    "FileUnreadable",
    "FixedMappingInvalid",
    "InboxBusy",
    "InboxUnusable",
    "LateFileRefused",
    "SenderIdInvalid",
    "SenderKeyInvalid",
    "SenderPartnerUnknown",
    "SenderTaken",
    "SenderUnknown",
    "SentFileDamaged",
    "UploadBroken",
    "UploadConflict",
    "UploadStalled",
    "UploadUnknown",
    "UploadUntraceable",
    "UploadsTooMany",
]


class CoverInvalid(CitycardError):
    """The cover of a file cannot be read."""

    status = 422
    sentence = "the cover is not valid at {field}: expected {expected}"


class SenderIdInvalid(CitycardError):
    """A sender is to have an id that no cover can name."""

    sentence = "{sender!r} can be no id of a sender: expected {expected}"


class SenderKeyInvalid(CitycardError):
    """A sender's key is not one."""

    sentence = "this is no {expected}: {remedy}"


class SenderPartnerUnknown(CitycardError):
    """A sender is to hand in for a partner that nobody registered."""

    status, exit_code = 404, 4
    sentence = "there is no partner {partner}: register it first"


class SenderTaken(CitycardError):
    """A sender of that id is there, with another partner or another key."""

    status, exit_code = 409, 5
    sentence = "the sender {sender} is there with another partner or key: choose another id"


class SenderUnknown(CitycardError):
    """No sender has that id, or not for whoever asks."""

    status, exit_code = 404, 4
    sentence = "the sender {sender} is not known here: citycard clearing sender list shows all"


class SentFileDamaged(CitycardError):
    """A sender's file is not what it should be; nothing of it is taken in."""

    status = 422
    sentence = "{code}: line {line}, {field}: expected {expected}"


class FixedMappingInvalid(CitycardError):
    """The layout of fixed width cannot be used."""

    sentence = "the layout {path} is not valid: {reason}"


class ConversionRefused(CitycardError):
    """Batch files cannot be converted."""

    sentence = "{file} cannot be converted: {reason}"


class FileUnreadable(CitycardError):
    """A file that arrived cannot be read, or is not to be."""

    sentence = "{file} cannot be read: {reason}"


class FileChanging(FileUnreadable):
    """A file that arrived is still written to."""


class InboxBusy(CitycardError):
    """Another process takes in what is dropped into a folder."""

    status, exit_code = 409, 5
    sentence = "another process already takes in what is dropped into {folder}: end it, or leave it to it"


class InboxUnusable(CitycardError):
    """Nothing can be written into a folder, so that nothing could be moved either."""

    exit_code = 4
    sentence = "{folder} cannot be used: {reason}; citycard must be allowed to write there"


class FileNotHeld(CitycardError):
    """A file is to be released that does not wait for that."""

    status, exit_code = 404, 4
    sentence = "no file {digest} waits as too late (L02): citycard clearing late lists those that do"


class LateFileRefused(CitycardError):
    """A late file was let through, and something else is wrong with it."""

    status, exit_code = 409, 5
    sentence = "file {name} was let through and is quarantined all the same, {code}: {reason}"


class UploadUnknown(CitycardError):
    """No upload has that id, it belongs to somebody else, or it has expired."""

    status, exit_code = 404, 4
    sentence = "there is no upload {upload} of yours: it is not known or has expired, begin it again"


class UploadConflict(CitycardError):
    """An upload does not go on where it was left, or its number was used for another file."""

    status, exit_code = 409, 5
    sentence = "{reason}"


class UploadBroken(CitycardError):
    """What arrived is not what the cover says; the upload begins again at its first byte."""

    status = 422
    sentence = "the bytes have the SHA-256 {found}, the cover says {expected}: send them again from byte 0"


class UploadStalled(CitycardError):
    """Whoever sends an upload does not go on; what came is kept."""

    status = 408
    sentence = "{reason}: ask for the offset, and go on there"


class UploadsTooMany(CitycardError):
    """A sender begins more and more uploads and finishes none."""

    status, exit_code = 429, 5
    sentence = "sender {sender} has more than {limit} unfinished uploads: finish those, or wait three days"


class UploadUntraceable(CitycardError):
    """A file came before, and its entry in the log of files received is not there."""

    status = 500
    exit_code = 4
    sentence = (
        "file {number} of sender {sender} with the SHA-256 {digest} came before, and the store does not say "
        "how it ended: restore the store from a copy"
    )
