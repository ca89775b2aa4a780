"""Errors at PC/SC readers, and of software cards that are offered to them."""

from __future__ import annotations

from citycard.errors.base import CitycardError
from citycard.errors.terminal import CardRemoved

__all__ = [
    "CardFileInvalid",
    "CardKindUnknown",
    "CardServed",
    "FileThere",
    "NoCardInReader",
    "PcscDriverMissing",
    "PcscServiceFailed",
    "PcscServiceMissing",
    "ReaderBusy",
    "ReaderFailed",
    "ReaderLibraryMissing",
    "ReaderMissing",
    "SlotOccupied",
    "SlotUnreachable",
]


class ReaderLibraryMissing(CitycardError):
    """The library that talks to readers is not installed."""

    status, exit_code = 503, 4
    sentence = (
        "pyscard is not installed, so no reader can be used: pip install 'citycard[pcsc]', from a clone "
        "pip install -e 'core[pcsc]' "
        "(it is built with: apt install gcc python3-dev swig libpcsclite-dev pkg-config)"
    )


class PcscServiceMissing(CitycardError):
    """No PC/SC service answers on this machine."""

    status, exit_code = 503, 4
    sentence = (
        "no PC/SC service answers ({code}): install pcscd and start it "
        "(systemctl start pcscd; without systemd, as in a container: pcscd)"
    )


class ReaderMissing(CitycardError):
    """No reader has this name, expression or index."""

    status, exit_code = 404, 4
    sentence = "there is no reader {wanted}; readers: {readers}"


class ReaderBusy(CitycardError):
    """Another program has the card in this reader for itself."""

    status, exit_code = 409, 5
    sentence = "{reader}: another program is using the card: close it, or connect with sharing"


class ReaderFailed(CardRemoved):
    """The reader did not do it: for the transaction under way that is the same as a card that left."""

    status, exit_code = 503, 4
    sentence = "{reader}: {problem} during {during}: check the reader, then hold the card to it again"


class NoCardInReader(CardRemoved):
    """No card was held to the reader in the time that was given."""

    sentence = "{reader}: no card within {seconds:g} seconds: hold one to the reader"

    def __init__(self, *, reader: str, seconds: float) -> None:
        super().__init__(reader=reader, seconds=seconds, during="waiting")


class SlotUnreachable(CitycardError):
    """Nothing listens where a software card is to be put in."""

    status, exit_code = 503, 4
    sentence = (
        "nothing listens on {host}:{port}: the virtual reader is there once pcscd runs with the vpcd driver "
        "(apt install pcscd vsmartcard-vpcd; systemctl start pcscd, or without systemd: pcscd); "
        "waited {seconds:g} seconds"
    )


class SlotOccupied(CitycardError):
    """A slot takes the connection but does not speak to it: another card is in it."""

    status, exit_code = 409, 5
    sentence = (
        "slot {host}:{port} does not power the card up within {seconds:g} seconds: "
        "another card is in it, or no vpcd driver listens there; take another slot"
    )


class CardServed(CitycardError):
    """A software card lies in a slot already: it can be in one place at a time."""

    status, exit_code = 409, 5
    sentence = "this card is in slot {slot} already: remove it there first"


class PcscDriverMissing(CitycardError):
    """A private PC/SC service cannot run on this machine."""

    status, exit_code = 503, 4
    sentence = "no private PC/SC service can run here: {missing}; apt install pcscd vsmartcard-vpcd"


class PcscServiceFailed(CitycardError):
    """A private PC/SC service does not come up."""

    status, exit_code = 503, 70
    sentence = "the private pcscd did not come up: {said}"


class CardFileInvalid(CitycardError):
    """A file is no software card of any kind that is known here."""

    sentence = "{path} is no card file: {reason}; citycard chip new FILE makes one"


class FileThere(CitycardError):
    """A file that is to be made is there already."""

    status, exit_code = 409, 5
    sentence = "{path} is there already and is not written over: give another name"


class CardKindUnknown(CitycardError):
    """A card file names a make of chip that this citycard does not have."""

    sentence = "{where}: there is no profile {name!r}; profiles: {known}"
