"""The issuer's side of a card: an issuing script whose refusals are errors that name the step."""

from __future__ import annotations

from typing import Protocol

from citycard.chip.profile import ChipProfile
from citycard.errors import PersonalisationFailed
from citycard.keys.line import line_mac

__all__ = ["IssuableCard", "Script"]

_OK = b"\x90\x00"
_CHALLENGE_4, _CHALLENGE_8 = b"\x00\x84\x00\x00\x04", b"\x00\x84\x00\x00\x08"
_MAC_SIZE = 4


class IssuableCard(Protocol):
    """A card that can be issued: a software chip, or one in a reader, of a make that ``profile`` names."""

    @property
    def profile(self) -> ChipProfile:
        """Return the make of the card."""
        ...

    def power_on(self) -> bytes:
        """Start from nothing, and return the answer to reset."""
        ...

    def power_off(self) -> None:
        """Let go of the card."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Execute one command; the answer ends with the two status bytes."""
        ...


class Script:
    """Send the commands of issuing to one chip; each raises ``PersonalisationFailed`` when it refuses."""

    __slots__ = ("_chip", "_line", "_transmit")

    def __init__(self, chip: IssuableCard) -> None:
        self._chip = chip
        self._line = chip.profile.line
        self._transmit = chip.transmit

    def power_on(self) -> None:
        """Start from nothing, at the master file."""
        self._chip.power_on()

    def select(self, name: bytes) -> None:
        """SELECT a directory by name."""
        self._send("SELECT", b"\x00\xa4\x04\x00" + bytes((len(name),)) + name)

    def authenticate(self, key: bytes) -> None:
        """EXTERNAL AUTHENTICATE with key 00 of kind 39."""
        challenge = self._send("GET CHALLENGE", _CHALLENGE_8)
        block = self._line.block
        answer = self._line.encrypt(key, challenge.ljust(block, b"\0"))
        self._send("EXTERNAL AUTHENTICATE", b"\x00\x82\x00\x00" + bytes((block,)) + answer)

    def erase(self) -> None:
        """ERASE DF: empty the current directory."""
        self._send("ERASE DF", b"\x80\x0e\x00\x00")

    def create(self, fid: int, description: bytes) -> None:
        """CREATE FILE."""
        head = b"\x80\xe0" + fid.to_bytes(2, "big") + bytes((len(description),))
        self._send(f"CREATE FILE {fid:04X}", head + description)

    def add_key(self, index: int, entry: bytes) -> None:
        """WRITE KEY: add a key."""
        self._write_key(1, index, entry)

    def change_key(self, kind: int, index: int, entry: bytes) -> None:
        """WRITE KEY: replace a key."""
        self._write_key(kind, index, entry)

    def append(self, sfi: int, record: bytes) -> None:
        """APPEND RECORD."""
        self._send("APPEND RECORD", b"\x00\xe2\x00" + bytes((sfi << 3 | 4, len(record))) + record)

    def append_protected(self, sfi: int, record: bytes, key: bytes) -> None:
        """APPEND RECORD with MAC."""
        self._protected("APPEND RECORD", b"\x04\xe2\x00" + bytes((sfi << 3 | 4,)), record, key)

    def replace_protected(self, sfi: int, number: int, record: bytes, key: bytes) -> None:
        """UPDATE RECORD with MAC."""
        self._protected("UPDATE RECORD", b"\x04\xdc" + bytes((number, sfi << 3 | 4)), record, key)

    def update(self, sfi: int, content: bytes) -> None:
        """UPDATE BINARY in plain, from the beginning of the file."""
        self._send(f"UPDATE BINARY {sfi:02X}", b"\x00\xd6" + bytes((0x80 | sfi, 0, len(content))) + content)

    def update_protected(self, sfi: int, content: bytes, key: bytes) -> None:
        """UPDATE BINARY with MAC, from the beginning of the file."""
        self._protected(f"UPDATE BINARY {sfi:02X}", b"\x04\xd6" + bytes((0x80 | sfi, 0)), content, key)

    def _write_key(self, p1: int, index: int, entry: bytes) -> None:
        head = b"\x80\xd4" + bytes((p1, index, len(entry)))
        self._send(f"WRITE KEY {entry[0]:02X} {index:02X}", head + entry)

    def _protected(self, step: str, head: bytes, data: bytes, key: bytes) -> None:
        challenge = self._send("GET CHALLENGE", _CHALLENGE_4)
        command = head + bytes((len(data) + _MAC_SIZE,)) + data
        self._send(step, command + line_mac(key, command, challenge, self._line))

    def _send(self, step: str, apdu: bytes) -> bytes:
        answer = self._transmit(apdu)
        if answer[-2:] != _OK:
            raise PersonalisationFailed(step=step, status_word=answer[-2:].hex().upper())
        return answer[:-2]
