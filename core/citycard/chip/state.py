"""What a chip is between two commands: its memory, its structure, and what it forgets without power."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from citycard.chip.eeprom import Eeprom
from citycard.chip.files import Directory, File, Key, Structure
from citycard.chip.profile import ChipProfile
from citycard.chip.status import FILE_NOT_FOUND, NO_CURRENT_FILE, RefusedError
from citycard.errors import PowerLoss

__all__ = ["CardState", "Pending", "Ram", "RandomSource"]

RandomSource = Callable[[int], bytes]


@attrs.define(kw_only=True)
class Pending:
    """Keep a purse transaction between its INITIALIZE command and its second command.

    ``cache``: the records of UPDATE CAPP DATA CACHE as (file, record number or 0 to append, data).
    """

    tti: int
    key: Key
    amount_fen: int
    terminal: bytes
    random: bytes
    purse: File
    cache: list[tuple[File, int, bytes]] | None = None


@attrs.define
class Ram:
    """Hold what is lost at every power-on: selection, security status, challenge, pending transaction.

    ``challenge`` is good for the command in hand only; ``next_challenge`` waits for the next one. ``record``
    is the number of the record of ``file`` that a tag found last, 0 before any. ``pin_verified`` says that a
    PIN of the current directory was right, whatever status it gives. ``waiting`` is the data that
    GET RESPONSE fetches from a T=0 chip, ``waiting_status`` the status word that ends it.
    """

    directory: Directory
    file: File | None = None
    root_status: int = 0
    status: int = 0
    pin_verified: bool = False
    challenge: bytes | None = None
    next_challenge: bytes | None = None
    pending: Pending | None = None
    record: int = 0
    waiting: bytes = b""
    waiting_status: bytes = b""


class CardState:
    """Join memory, structure, profile and random source of one chip; what every command works on."""

    __slots__ = ("eeprom", "profile", "ram", "random", "structure")

    def __init__(
        self, *, eeprom: Eeprom, structure: Structure, profile: ChipProfile, random: RandomSource
    ) -> None:
        self.eeprom = eeprom
        self.structure = structure
        self.profile = profile
        self.random = random
        self.ram: Ram | None = None

    @property
    def powered(self) -> Ram:
        """Return the working state; raises ``PowerLoss`` when there is no power."""
        if self.ram is None:
            raise PowerLoss
        return self.ram

    def enter(self, directory: Directory) -> None:
        """Make ``directory`` the current one; its security status starts at 0."""
        ram = self.powered
        ram.directory, ram.file, ram.status, ram.record = directory, None, 0, 0
        ram.pin_verified = False
        if directory.parent is None:
            ram.root_status = 0

    def raise_status(self, status: int) -> None:
        """Set the security status of the current directory, as a right key or PIN says."""
        ram = self.powered
        ram.status = status
        if ram.directory.parent is None:
            ram.root_status = status

    def reread_structure(self) -> None:
        """Parse the headers again after a command that changed them, and stay in the same directory."""
        ram = self.powered
        self.structure = Structure.parse(self.eeprom.cells, self.eeprom.capacity)
        ram.directory = self.structure.directories[ram.directory.address]
        ram.file, ram.record = None, 0

    @property
    def record_id_size(self) -> int:
        """Return the bytes of a variable record's id: one in the master file, whose records are PBOC's."""
        return 1 if self.powered.directory.parent is None else self.profile.record_id_size

    def file_by_sfi(self, sfi: int) -> File:
        """Return the file with the short id, 0 meaning the current one; refuse with ``6A82`` or ``6986``."""
        ram = self.powered
        if sfi:
            found = ram.directory.files.get(sfi)
            if found is None:
                raise RefusedError(FILE_NOT_FOUND)
            if found is not ram.file:
                ram.file, ram.record = found, 0
            return found
        if ram.file is None:
            raise RefusedError(NO_CURRENT_FILE)
        return ram.file
