"""Writing what only the issuer may write, at any reader: the issuer's host gives each command its MAC.

The maintenance key never comes to the reader. The card draws a challenge, the host returns the MAC of one
command under it (docs/keys.md, secure messaging), and the command goes to the card.
"""

from __future__ import annotations

from typing import Protocol

from citycard.card.codec import decode, encode
from citycard.card.files import TRANSIT_PROFILE, CardIdentity, CardProfile
from citycard.errors import CodecError, CommandFailed, MaintenanceRefused
from citycard.terminal.acceptance import Refusal, refuse
from citycard.terminal.commands import PurseCommands
from citycard.terminal.identity import identity
from citycard.terminal.reader import Reader

__all__ = ["MaintenanceHost", "MaintenanceSession", "append_command", "application_command"]

_OK, _WRONG_MAC, _NO_RECORD = b"\x90\x00", b"\x69\x88", "6A83"
_CHALLENGE = b"\x00\x84\x00\x00\x04"
_MAC_SIZE = 4
_APPLICATION_SFI = 0x15
# Three wrong MACs lock the application for good: there is always one left.
_ATTEMPTS = 2
_NO_TERMINAL = "0" * 12


class MaintenanceHost(Protocol):
    """The issuer's side of a maintenance session."""

    def line_mac(self, asn: str, command: bytes, challenge: bytes, attempt: int) -> bytes:
        """Return the 4-byte MAC of a command for this card; raises OfficeRefused for one it did not ask for.

        ``attempt`` counts from 0: with 1 the card refused the MAC under the first key version.
        """
        ...


class MaintenanceSession:
    """Write the card in one reader with its issuer's consent; ``open`` it first."""

    def __init__(
        self, reader: Reader, host: MaintenanceHost, *, profile: CardProfile = TRANSIT_PROFILE
    ) -> None:
        self._card = PurseCommands(reader, profile, _NO_TERMINAL)
        self._transmit = reader.transmit
        self._host = host
        self._profile = profile
        self._asn = ""

    def open(self) -> CardIdentity:
        """Select the purse application and read whose card it is; CardRefused, CardRemoved."""
        self._card.select()
        who = identity(self._card)
        self._asn = who.asn
        return who

    def application(self) -> object:
        """Read EF 15 by the layout of the card's make; CardRefused, CardRemoved."""
        try:
            found: object = decode(self._profile.application, self._card.identity_files()[_APPLICATION_SFI])
        except CodecError:
            raise refuse(Refusal.UNREADABLE) from None
        return found

    def records(self) -> tuple[bytes, ...]:
        """Read every record of the sector file, in order."""
        found: list[bytes] = []
        while True:
            try:
                found.append(self._card.read_record(self._profile.sector_sfi, len(found) + 1))
            except CommandFailed as end:
                if end.data["status_word"] != _NO_RECORD:
                    raise
                return tuple(found)

    def balance_fen(self) -> int:
        """Return the balance of the purse in fen."""
        return self._card.balance()

    def write_application(self, application: object) -> None:
        """Write EF 15; MaintenanceRefused, CardRemoved."""
        self._write("UPDATE BINARY 15", application_command(application))

    def append(self, record: bytes) -> None:
        """Add a record to the sector file; MaintenanceRefused, CardRemoved."""
        self._write(f"APPEND RECORD {self._profile.sector_sfi:02X}", append_command(record, self._profile))

    def _write(self, step: str, command: bytes) -> None:
        status = b""
        for attempt in range(_ATTEMPTS):
            challenge = self._transmit(_CHALLENGE)
            if challenge[-2:] != _OK:
                raise self._refused("GET CHALLENGE", challenge[-2:])
            mac = self._host.line_mac(self._asn, command, challenge[:-2], attempt)
            status = self._transmit(command + mac)[-2:]
            if status == _OK:
                return
            if status != _WRONG_MAC:
                break
        raise self._refused(step, status)

    def _refused(self, step: str, status: bytes) -> MaintenanceRefused:
        return MaintenanceRefused(asn=self._asn, step=step, status_word=status.hex().upper())


def application_command(application: object) -> bytes:
    """Return UPDATE BINARY of EF 15 as its MAC covers it: the length counts the MAC, which is not there."""
    data = encode(application)
    return b"\x04\xd6" + bytes((0x80 | _APPLICATION_SFI, 0, len(data) + _MAC_SIZE)) + data


def append_command(record: bytes, profile: CardProfile = TRANSIT_PROFILE) -> bytes:
    """Return APPEND RECORD to the sector file as its MAC covers it."""
    head = b"\x04\xe2\x00" + bytes((profile.sector_sfi << 3 | 4, len(record) + _MAC_SIZE))
    return head + record
