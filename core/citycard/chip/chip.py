"""The software chip: power, one APDU in, one answer out (ISO 7816-4, PBOC, JT/T 978; docs/chip.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar, Self

from citycard.chip import blocking, t0
from citycard.chip import image as images
from citycard.chip.commands import COMMANDS, KEEP_PENDING, Command
from citycard.chip.eeprom import Eeprom
from citycard.chip.files import CARD_BLOCKED, STATE_OFFSET, Structure
from citycard.chip.making import delivered
from citycard.chip.profile import ChipProfile
from citycard.chip.profiles import T_UNION
from citycard.chip.state import CardState, Ram, RandomSource
from citycard.chip.status import (
    CLASS_NOT_SUPPORTED,
    INSTRUCTION_NOT_SUPPORTED,
    NOT_SUPPORTED,
    WRONG_LENGTH,
    RefusedError,
)
from citycard.errors import PowerLoss

__all__ = ["Chip"]

_SHORTEST, _WITH_LE, _LE_00 = 4, 5, 256


class Chip(CardState):
    """Be one card. Make it with ``blank``, ``clone`` or ``from_image``, power it on, and talk APDUs to it.

    ``random`` gives the card's random numbers; tests pass their own to make a run repeatable.
    """

    __slots__ = ()

    commands: ClassVar[Mapping[bytes, Command]] = COMMANDS
    """What answers which class and instruction byte; a chip of another kind, such as a PSAM, has its own."""
    keep_pending: ClassVar[frozenset[bytes]] = KEEP_PENDING

    @classmethod
    def blank(
        cls, profile: ChipProfile = T_UNION, *, transport: bool = False, random: RandomSource = os.urandom
    ) -> Self:
        """Return a card with an empty master file, free to create in.

        With ``transport`` it is in transport state, as the chip maker delivers it: the profile's transport
        key is its key 00 of kind 39, and only who knows it can erase and create.
        """
        eeprom = Eeprom(profile.capacity, delivered(profile, transport=transport))
        structure = Structure.parse(eeprom.cells, eeprom.capacity)
        return cls(eeprom=eeprom, structure=structure, profile=profile, random=random)

    @classmethod
    def from_image(
        cls, image: bytes, profile: ChipProfile = T_UNION, *, random: RandomSource = os.urandom
    ) -> Self:
        """Return the card that ``image`` saved, without power; raises ``CardImageInvalid``."""
        eeprom, structure = images.read_image(image)
        return cls(eeprom=eeprom, structure=structure, profile=profile, random=random)

    def image(self) -> bytes:
        """Return everything the card keeps without power, as bytes for a file."""
        return images.write_image(self.eeprom)

    def clone(self) -> Self:
        """Return another card with the same content and no power; the file descriptions are shared."""
        return type(self)(
            eeprom=self.eeprom.clone(), structure=self.structure, profile=self.profile, random=self.random
        )

    @property
    def atr(self) -> bytes:
        """The answer to reset; a reader may ask for it without power."""
        return self.profile.atr

    def power_on(self) -> bytes:
        """Start from nothing in working memory, finish or drop an interrupted commit, and answer the ATR.

        Raises ``PowerLoss`` only where a test has ordered it.
        """
        self.ram = None
        eeprom = self.eeprom
        if eeprom.journal:  # the cut command may have changed files before its mark was cleared
            eeprom.recover()
            self.structure = Structure.parse(eeprom.cells, eeprom.capacity)
        self.ram = Ram(self.structure.root)
        return self.profile.atr

    def power_off(self) -> None:
        """Take the power away between two commands."""
        self.ram = None

    def reset(self) -> bytes:
        """Do what ``power_on`` does: selection, challenge, status and pending transaction are lost."""
        return self.power_on()

    def transmit(self, apdu: bytes) -> bytes:
        """Execute one short command APDU and return its data and two status bytes.

        Any bytes give an answer. Raises only ``PowerLoss``: when a test cuts the power, or there is none.
        """
        apdu = bytes(apdu)
        if not self.profile.t0:
            return self._answer(apdu)
        if apdu[:2] == t0.GET_RESPONSE:
            return t0.get_response(self.powered, apdu)
        self.powered.waiting = b""
        return t0.held_back(self.powered, apdu, self._answer(apdu))

    def _answer(self, apdu: bytes) -> bytes:
        ram, cells, head = self.powered, self.eeprom.cells, apdu[:2]
        ram.challenge, ram.next_challenge = ram.next_challenge, None
        if head not in self.keep_pending:
            ram.pending = None
        if cells[STATE_OFFSET] == CARD_BLOCKED:
            return NOT_SUPPORTED
        command = self.commands.get(head)
        if command is None or len(apdu) < _SHORTEST:
            return self._unknown(apdu)
        try:
            data, le = _body(apdu)
            if len(data) > self.profile.longest_data:
                return WRONG_LENGTH
            state = cells[ram.directory.address + STATE_OFFSET]
            if state and (refused := blocking.refusal(state, head)):
                return refused
            return command(self, apdu[2], apdu[3], data, le)
        except RefusedError as refusal:
            return refusal.status_word
        except PowerLoss:
            self.ram = None
            raise

    def _unknown(self, apdu: bytes) -> bytes:
        if len(apdu) < _SHORTEST:
            return WRONG_LENGTH
        known = any(head[0] == apdu[0] for head in self.commands)
        return INSTRUCTION_NOT_SUPPORTED if known else CLASS_NOT_SUPPORTED


def _body(apdu: bytes) -> tuple[bytes, int | None]:
    size = len(apdu)
    if size == _WITH_LE:
        return b"", apdu[4] or _LE_00
    if size > _WITH_LE:
        lc = apdu[4]
        if size == _WITH_LE + lc:
            return apdu[5:], None
        if size == _WITH_LE + 1 + lc and lc:
            return apdu[5:-1], apdu[-1] or _LE_00
    elif size == _SHORTEST:
        return b"", None
    raise RefusedError(WRONG_LENGTH)
