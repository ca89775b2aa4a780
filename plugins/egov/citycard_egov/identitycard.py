"""What a window's or a citizen's reader says to the card: write the identity key, verify the PIN, answer.

Commands and rights: docs/chip.md. Nothing here knows the city's keys but the card's own, while it is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from citycard.errors import CommandFailed, Phrase
from citycard.keys.cipher import mac8, xor_halves
from citycard.keys.line import TDES_LINE, line_mac, seal
from citycard.terminal.answering import whole_answer
from citycard.terminal.commands import PurseCommands
from citycard.terminal.identity import identity
from citycard_egov.errors import IdentityRefused, PinRefused

if TYPE_CHECKING:
    from citycard.card.files import CardIdentity, CardProfile
    from citycard.terminal import Reader

__all__ = ["IdentityCard", "prove"]

_OK = b"\x90\x00"
_TERMINAL = "0" * 12
_PIN = re.compile(r"[0-9]{4,6}")
_KIND, _INDEX = 0x30, 0x01
_AFTER_PIN, _AUTHENTICATED = 0xF1, 0xF2
_ENCIPHERED = 0xC0
_NO_KEY = (b"\x6a\x88", b"\x6a\x86")
_EXISTS = b"\x6a\x86"
_NOT_ALLOWED = b"\x69\x82"
_PIN_LOCKED = b"\x69\x83"
_TRIES = 0x63


class IdentityCard:
    """A card in a reader, as far as it proves who its holder is."""

    def __init__(self, reader: Reader, profile: CardProfile) -> None:
        self._reader = reader
        self._commands = PurseCommands(reader, profile, _TERMINAL)

    def open(self) -> CardIdentity:
        """Power the card up, select its application and return who it says it is."""
        self._commands.select()
        return identity(self._commands)

    def verify_pin(self, pin: str) -> None:
        """Present the PIN once; raise PinRefused and say how many tries are left."""
        digits = _pin(pin)
        self._check_pin(b"\x00\x20\x00\x00" + bytes((len(digits),)) + digits)

    def change_pin(self, old: str, new: str) -> None:
        """Replace the PIN; raise PinRefused."""
        body = _pin(old) + b"\xff" + _pin(new)
        self._check_pin(b"\x80\x5e\x01\x00" + bytes((len(body),)) + body)

    def reload_pin(self, pin_reload: bytes, new: str) -> None:
        """Give the card a new PIN with all its tries, also where it is locked; ``pin_reload`` is its key."""
        body = _pin(new)
        mac = mac8(xor_halves(pin_reload), body)
        self._check_pin(b"\x80\x5e\x00\x00" + bytes((len(body) + len(mac),)) + body + mac)

    def answer(self, challenge: bytes) -> bytes:
        """Encipher a challenge with the identity key; raise IdentityRefused before a PIN was verified."""
        head = b"\x00\x88\x00" + bytes((_INDEX, len(challenge)))
        answer = self._send(head + challenge + bytes((len(challenge),)))
        if answer[-2:] == _NOT_ALLOWED:
            raise IdentityRefused(reason="the card answers only after its PIN was verified")
        if answer[-2:] in _NO_KEY:
            raise IdentityRefused(reason="the card has no identity key: a service window writes it")
        if answer[-2:] != _OK:
            raise CommandFailed(status_word=answer[-2:].hex().upper(), command="INTERNAL AUTHENTICATE")
        return answer[:-2]

    def write_identity_key(self, authentication: bytes, key: bytes) -> None:
        """Add the identity key, or replace one that is there: enciphered and with a MAC on its way."""
        challenge = self._ok(b"\x00\x84\x00\x00\x08", "GET CHALLENGE")
        proof = TDES_LINE.encrypt(authentication, challenge)
        self._ok(b"\x00\x82\x00\x00\x08" + proof, "EXTERNAL AUTHENTICATE")
        entry = bytes((_KIND | _ENCIPHERED, _AFTER_PIN, _AUTHENTICATED, 1, 0)) + key
        answer = self._write_key(1, authentication, entry)
        if answer[-2:] == _EXISTS:
            answer = self._write_key(_KIND, authentication, entry)
        if answer[-2:] != _OK:
            raise CommandFailed(status_word=answer[-2:].hex().upper(), command="WRITE KEY")

    def _write_key(self, p1: int, authentication: bytes, entry: bytes) -> bytes:
        challenge = self._ok(b"\x00\x84\x00\x00\x04", "GET CHALLENGE")
        body = seal(authentication, entry)
        command = b"\x84\xd4" + bytes((p1, _INDEX, len(body) + 4)) + body
        return self._send(command + line_mac(authentication, command, challenge))

    def _check_pin(self, apdu: bytes) -> None:
        answer = self._send(apdu)
        if answer[-2] == _TRIES:
            raise PinRefused(reason=Phrase("it is wrong; {left} tries are left", left=answer[-1] & 15))
        if answer[-2:] == _PIN_LOCKED:
            raise PinRefused(reason="it is locked after wrong tries: a service window unblocks it")
        if answer[-2:] != _OK:
            raise CommandFailed(status_word=answer[-2:].hex().upper(), command="PIN")

    def _ok(self, apdu: bytes, command: str) -> bytes:
        answer = self._send(apdu)
        if answer[-2:] != _OK:
            raise CommandFailed(status_word=answer[-2:].hex().upper(), command=command)
        return answer[:-2]

    def _send(self, apdu: bytes) -> bytes:
        return whole_answer(self._reader.transmit, apdu)


def prove(reader: Reader, profile: CardProfile, pin: str, challenge: bytes) -> bytes:
    """Verify the PIN on the card in a reader and let it answer a challenge, in one session."""
    device = IdentityCard(reader, profile)
    device.open()
    device.verify_pin(pin)
    return device.answer(challenge)


def _pin(pin: str) -> bytes:
    if not _PIN.fullmatch(pin):
        raise PinRefused(reason="expected 4 to 6 digits")
    return pin.encode()
