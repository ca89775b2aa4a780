"""The driver: blocks and values of a sector card behind any reader, by the pseudo-APDUs of PC/SC part 3.

Value commands are an addition of some makers. Where a reader has none, ``SectorReader`` reads the block,
checks its format and writes it whole: only with a key B that may write the block, because a key that may
only take away must not be able to add (docs/mifare.md).
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from citycard.errors import AccessBitsInvalid, SectorAccessFailed, ValueFallbackRefused
from citycard.mifare.access import AccessBits, KeyKind, Right
from citycard.mifare.geometry import BLOCK_SIZE, group_of, sector_of, trailer_of
from citycard.mifare.value import LARGEST, SMALLEST, ValueBlock
from citycard.terminal.reader import Reader

__all__ = ["KeySource", "ReaderCapabilities", "SectorReader"]

_OK = b"\x90\x00"
_UID = b"\xff\xca\x00\x00\x00"
_INCREMENT, _DECREMENT, _RESTORE = 1, 2, 3
_NOT_THERE = (b"\x6a\x81", b"\x6d\x00", b"\x69\x00", b"\x68\x00")

KeySource = Callable[[bytes, int, KeyKind], bytes]
"""Give the 6-byte key of a card (its UID), a sector, and which of the two keys it is."""


@attrs.frozen(kw_only=True)
class ReaderCapabilities:
    """What the reader at hand can do. ``value_commands`` None: find out with the first value command.

    ``obsolete_authenticate`` uses FF 88 instead of FF 86; ``slot`` is where keys are loaded.
    """

    value_commands: bool | None = None
    obsolete_authenticate: bool = False
    slot: int = 0


class SectorReader:
    """Work on the sector card in one reader. ``connect`` first; each sector is opened when it is touched.

    ``keys`` gives the keys. A key is tried once: a refused one raises SectorAccessFailed, and so does every
    other refusal. CardRemoved comes from the reader.
    """

    def __init__(
        self, reader: Reader, keys: KeySource, capabilities: ReaderCapabilities | None = None
    ) -> None:
        self._reader = reader
        self._keys = keys
        self.capabilities = capabilities or ReaderCapabilities()
        self._uid = b""
        self._open: tuple[int, KeyKind] | None = None
        self._loaded: bytes = b""

    @property
    def uid(self) -> bytes:
        """Return the UID of the connected card."""
        return self._uid

    def connect(self) -> bytes:
        """Power the card up and return its UID, 4 or 7 bytes."""
        self._open, self._loaded = None, b""
        self._reader.connect()
        self._uid = self._command("reading the UID", 0, _UID)
        return self._uid

    # ── blocks ──

    def authenticate(self, block: int, key: KeyKind) -> None:
        """Open the sector of a block with its key A or B; nothing is sent when it is open so."""
        sector = sector_of(block)
        if self._open == (sector, key):
            return
        self._open = None
        secret, slot = self._keys(self._uid, sector, key), self.capabilities.slot
        if secret != self._loaded:
            self._command("loading the key", block, bytes((0xFF, 0x82, 0, slot, len(secret))) + secret)
            self._loaded = secret
        where = block.to_bytes(2, "big") + bytes((key, slot))
        head = b"\xff\x88" if self.capabilities.obsolete_authenticate else b"\xff\x86\x00\x00\x05\x01"
        self._command("authentication", block, head + where)
        self._open = (sector, key)

    def read(self, block: int, key: KeyKind = KeyKind.A) -> bytes:
        """Return the 16 bytes of a block."""
        self.authenticate(block, key)
        data = self._command("reading", block, b"\xff\xb0" + block.to_bytes(2, "big") + b"\x10")
        if len(data) != BLOCK_SIZE:
            raise SectorAccessFailed(step="reading", block=block, status_word="9000 and too few bytes")
        return data

    def write(self, block: int, data16: bytes, key: KeyKind = KeyKind.B) -> None:
        """Write the 16 bytes of a block."""
        self.authenticate(block, key)
        self._command("writing", block, b"\xff\xd6" + block.to_bytes(2, "big") + b"\x10" + data16)

    # ── values ──

    def read_value(self, block: int, key: KeyKind = KeyKind.A) -> int:
        """Return the value of a block; raises ValueBlockInvalid."""
        return ValueBlock.decode(self.read(block, key)).value

    def store(self, block: int, value: int, address: int, key: KeyKind = KeyKind.B) -> None:
        """Make a block a value block, whatever it held."""
        self.write(block, ValueBlock(value=value, address=address).encode(), key)

    def increment(self, block: int, amount: int, key: KeyKind = KeyKind.B) -> None:
        """Add to a value block."""
        self._change(block, _INCREMENT, amount, key)

    def decrement(self, block: int, amount: int, key: KeyKind = KeyKind.A) -> None:
        """Take away from a value block."""
        self._change(block, _DECREMENT, amount, key)

    def copy(self, source: int, target: int, key: KeyKind = KeyKind.A) -> None:
        """Copy a value block over another block of its sector: RESTORE and TRANSFER."""
        apdu = b"\xff\xd7" + source.to_bytes(2, "big") + bytes((2, _RESTORE, target))
        if self._vendor(apdu, target, key, "copying"):
            return
        self._require_write(target, key)
        self.write(target, ValueBlock.decode(self.read(source, key)).encode(), key)

    def probe(self, block: int, key: KeyKind = KeyKind.A) -> bool:
        """Find out on a value block whether the reader has value commands, and keep the answer.

        Readers without them answer 6300 as well as 6A81 or 6D00, so the block has to be a value block.
        """
        held = self.read_value(block, key)
        answer = self._reader.transmit(b"\xff\xb1" + block.to_bytes(2, "big") + b"\x04")
        has = answer == held.to_bytes(4, "big", signed=True) + _OK
        if not has:
            self._open = None
        self.capabilities = attrs.evolve(self.capabilities, value_commands=has)
        return has

    def _change(self, block: int, operation: int, amount: int, key: KeyKind) -> None:
        apdu = b"\xff\xd7" + block.to_bytes(2, "big") + bytes((5, operation)) + amount.to_bytes(4, "big")
        if self._vendor(apdu, block, key, "changing the value"):
            return
        self._require_write(block, key)
        held = ValueBlock.decode(self.read(block, key))
        after = held.value + (amount if operation == _INCREMENT else -amount)
        if not SMALLEST <= after <= LARGEST:
            raise ValueFallbackRefused(block=block, problem="the value would not fit 32 bits")
        self.write(block, attrs.evolve(held, value=after).encode(), key)

    def _vendor(self, apdu: bytes, block: int, key: KeyKind, step: str) -> bool:
        """Send a value command where the reader has them, and say whether it has."""
        if self.capabilities.value_commands is False:
            return False
        self.authenticate(block, key)
        answer = self._reader.transmit(apdu)
        if self.capabilities.value_commands is None and answer in _NOT_THERE:
            self.capabilities = attrs.evolve(self.capabilities, value_commands=False)
            return False
        self._check(step, block, answer)
        self.capabilities = attrs.evolve(self.capabilities, value_commands=True)
        return True

    def _require_write(self, block: int, key: KeyKind) -> None:
        trailer = self.read(trailer_of(sector_of(block)), key)
        try:
            rights = AccessBits.decode(trailer[6:9]).rights(group_of(block), key)
        except AccessBitsInvalid as error:
            raise ValueFallbackRefused(block=block, problem=str(error)) from None
        if Right.WRITE not in rights:
            raise ValueFallbackRefused(block=block, problem=f"key {key.name} may not write it")
        if key is not KeyKind.B:
            raise ValueFallbackRefused(block=block, problem="key B has to be used")

    # ── APDUs ──

    def _command(self, step: str, block: int, apdu: bytes) -> bytes:
        answer = self._reader.transmit(apdu)
        self._check(step, block, answer)
        return answer[:-2]

    def _check(self, step: str, block: int, answer: bytes) -> None:
        if answer[-2:] != _OK:
            self._open = None
            raise SectorAccessFailed(step=step, block=block, status_word=answer[-2:].hex().upper())
