"""The software MIFARE Classic: sectors, keys, access bits, value blocks, and writes that can be torn.

A refused command ends the authentication, as on the real chip. A write goes to its block in one physical
step; when the power goes in the middle of it, half of the block has arrived (``memory.cut_after``).
"""

from __future__ import annotations

from functools import reduce
from hmac import compare_digest
from operator import xor
from typing import Self

from citycard.chip.eeprom import Eeprom
from citycard.errors import AccessBitsInvalid, PowerLoss, SectorCardInvalid, ValueBlockInvalid
from citycard.mifare import image as images
from citycard.mifare.access import TRANSPORT, AccessBits, KeyKind, Right
from citycard.mifare.geometry import BLOCK_SIZE, CardType, group_of, sector_of, trailer_of
from citycard.mifare.value import LARGEST, SMALLEST, ValueBlock

__all__ = ["TRANSPORT_KEY", "BlockMemory", "RefusedError", "SectorCard"]

TRANSPORT_KEY = b"\xff" * 6
_GENERAL_BYTE = b"\x69"
_UID_SIZES = (4, 7)
_KEY = 6
_CASCADE = 0x88
_TRAILER_GROUP = 3
_TRAILER_PARTS = (
    (slice(0, 6), Right.WRITE_A),
    (slice(6, 10), Right.WRITE_BITS),
    (slice(10, 16), Right.WRITE_B),
)


class RefusedError(Exception):
    """The card answers NAK, or not at all. It never leaves the card: a reader turns it into 6300."""


class BlockMemory(Eeprom):
    """The blocks of one card. There is no journal: a write that is cut leaves half of its block behind."""

    __slots__ = ()

    def write_block(self, block: int, data16: bytes) -> None:
        """Write one block; raises PowerLoss where a test has ordered it."""
        self._write(self.cells, block * BLOCK_SIZE, data16)

    def block(self, block: int) -> bytes:
        """Return the 16 bytes of a block."""
        return bytes(self.cells[block * BLOCK_SIZE : (block + 1) * BLOCK_SIZE])


class SectorCard:
    """Be one MIFARE Classic 1K or 4K. Make it with ``blank`` or ``from_image``; it works while powered.

    ``memory.cut_after(writes, torn)`` takes the power away in a later write.
    """

    def __init__(self, kind: CardType, uid_size: int, memory: BlockMemory) -> None:
        self.kind = kind
        self.memory = memory
        self._uid_size = uid_size
        self._powered = False
        self._sector: int | None = None
        self._key = KeyKind.A
        self._register: ValueBlock | None = None

    @classmethod
    def blank(cls, uid: bytes, kind: CardType = CardType.CLASSIC_1K) -> Self:
        """Return a card as its maker delivers it: all zeros, keys FF, access bits FF0780."""
        if len(uid) not in _UID_SIZES or uid[0] == _CASCADE:
            raise SectorCardInvalid(
                field="uid", found=uid.hex().upper(), expected="4 or 7 bytes, not 88 first"
            )
        cells = bytearray(kind.blocks * BLOCK_SIZE)
        check = b"" if len(uid) != _UID_SIZES[0] else bytes((reduce(xor, uid),))
        maker = uid + check + bytes((kind.sak,)) + kind.atqa
        cells[: len(maker)] = maker
        trailer = TRANSPORT_KEY + TRANSPORT.encode() + _GENERAL_BYTE + TRANSPORT_KEY
        for sector in range(kind.sectors):
            at = trailer_of(sector) * BLOCK_SIZE
            cells[at : at + BLOCK_SIZE] = trailer
        return cls(kind, len(uid), BlockMemory(len(cells), cells))

    @classmethod
    def from_image(cls, image: bytes) -> Self:
        """Return the card that ``image`` saved, without power; raises SectorImageInvalid."""
        kind, uid_size, cells = images.read_image(image)
        return cls(kind, uid_size, BlockMemory(len(cells), cells))

    def image(self) -> bytes:
        """Return everything the card keeps without power, as bytes for a file."""
        return images.write_image(self.kind, self._uid_size, bytes(self.memory.cells))

    def clone(self) -> Self:
        """Return another card with the same content and no power."""
        return type(self)(self.kind, self._uid_size, BlockMemory(self.memory.capacity, self.memory.cells))

    @property
    def uid(self) -> bytes:
        """Return the 4 or 7 bytes that the card shows to everybody."""
        return bytes(self.memory.cells[: self._uid_size])

    # ── power ────────────────────────────────────────────────────────────────────────────────────

    def power_on(self) -> None:
        """Start without authentication and with an empty value register."""
        self.power_off()
        self._powered = True

    def power_off(self) -> None:
        """Take the field away."""
        self._powered, self._sector, self._register = False, None, None

    def require_power(self) -> None:
        """Raise PowerLoss when the card is not in the field."""
        if not self._powered:
            raise PowerLoss

    # ── commands ─────────────────────────────────────────────────────────────────────────────────

    def authenticate(self, block: int, key: KeyKind, secret6: bytes) -> None:
        """Open the sector of a block with key A or B; RefusedError when the key is wrong."""
        self.require_power()
        self._sector = None
        self._check_block(block)
        sector = sector_of(block)
        trailer = self.memory.block(trailer_of(sector))
        if not compare_digest(trailer[:_KEY] if key is KeyKind.A else trailer[-_KEY:], secret6):
            raise RefusedError
        self._sector, self._key = sector, key

    def read(self, block: int) -> bytes:
        """Return 16 bytes; of a trailer, key A and what may not be read are zeros."""
        rights = self._rights(block)
        data = self.memory.block(block)
        if group_of(block) != _TRAILER_GROUP:
            self._require(rights, Right.READ)
            return data
        self._require(rights, Right.READ_BITS)
        key_b = data[10:] if Right.READ_B in rights else bytes(_KEY)
        return bytes(_KEY) + data[6:10] + key_b

    def write(self, block: int, data16: bytes) -> None:
        """Write a block; of a trailer, only the parts that may be written change."""
        rights = self._rights(block)
        if block == 0 or len(data16) != BLOCK_SIZE:
            self._refuse()
        if group_of(block) == _TRAILER_GROUP:
            self._require_any(rights, *(right for _, right in _TRAILER_PARTS))
            data16 = self._merged(block, data16, rights)
        else:
            self._require(rights, Right.WRITE)
        self._store(block, data16)

    def increment(self, block: int, amount: int) -> None:
        """Read a value block into the register and add; the block changes only with ``transfer``."""
        self._load(block, Right.INCREMENT, amount)

    def decrement(self, block: int, amount: int) -> None:
        """Read a value block into the register and take away."""
        self._load(block, Right.DECREMENT, -amount)

    def restore(self, block: int) -> None:
        """Read a value block into the register."""
        self._load(block, Right.DECREMENT, 0)

    def transfer(self, block: int) -> None:
        """Write the register to a block of the same sector, which needs not be a value block before."""
        self._require(self._rights(block), Right.DECREMENT)
        if self._register is None or block == 0:
            self._refuse()
        else:
            self._store(block, self._register.encode())

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _check_block(self, block: int) -> None:
        if not 0 <= block < self.kind.blocks:
            self._refuse()

    def _refuse(self) -> None:
        self._sector, self._register = None, None
        raise RefusedError

    def _rights(self, block: int) -> Right:
        self.require_power()
        self._check_block(block)
        if self._sector is None or sector_of(block) != self._sector:
            self._refuse()
        trailer = self.memory.block(trailer_of(sector_of(block)))
        try:
            return AccessBits.decode(trailer[6:9]).rights(group_of(block), self._key)
        except AccessBitsInvalid:
            self._refuse()
            raise

    def _require(self, rights: Right, wanted: Right) -> None:
        if wanted not in rights:
            self._refuse()

    def _require_any(self, rights: Right, *wanted: Right) -> None:
        if not any(one in rights for one in wanted):
            self._refuse()

    def _merged(self, block: int, data16: bytes, rights: Right) -> bytes:
        merged = bytearray(self.memory.block(block))
        for part, right in _TRAILER_PARTS:
            if right in rights:
                merged[part] = data16[part]
        return bytes(merged)

    def _load(self, block: int, right: Right, change: int) -> None:
        rights = self._rights(block)
        if group_of(block) == _TRAILER_GROUP:
            self._refuse()
        self._require(rights, right)
        try:
            held = ValueBlock.decode(self.memory.block(block))
        except ValueBlockInvalid:
            self._refuse()
            raise
        if not SMALLEST <= held.value + change <= LARGEST or abs(change) > LARGEST:
            self._refuse()
        self._register = ValueBlock(value=held.value + change, address=held.address)

    def _store(self, block: int, data16: bytes) -> None:
        try:
            self.memory.write_block(block, data16)
        except PowerLoss:
            self.power_off()
            raise
