"""The pseudo-APDUs by which PC/SC readers let a program talk to a sector card (PC/SC part 3, ACS dialect).

``PseudoReader`` is reader and card in one: it answers like a card, so that it goes wherever a chip goes. What
the card refuses is ``6300``, as on nearly every reader; a malformed command gets ``6700``, ``6A81``, ``6A86``
or ``6D00`` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from citycard.errors import ValueBlockInvalid
from citycard.mifare.access import KeyKind
from citycard.mifare.atr import storage_atr
from citycard.mifare.card import BlockMemory, RefusedError, SectorCard
from citycard.mifare.geometry import BLOCK_SIZE, sector_of
from citycard.mifare.value import ValueBlock

__all__ = ["PseudoReader", "ReaderModel"]

_OK = b"\x90\x00"
_FAILED = b"\x63\x00"
_END_OF_DATA = b"\x62\x82"
_WRONG_LENGTH = b"\x67\x00"
_WRONG_LE = 0x6C
_NOT_SUPPORTED = b"\x6a\x81"
_WRONG_P1_P2 = b"\x6a\x86"
_UNKNOWN_INSTRUCTION = b"\x6d\x00"
_UNKNOWN_CLASS = b"\x6e\x00"
_CLASS = 0xFF
_HEAD, _WITH_LE = 4, 5
_KEY = 6
_NON_VOLATILE = 0x20
_AUTHENTICATE_DATA = 5
_OBSOLETE, _OBSOLETE_DATA = 0x88, 2
_VALUE_DATA = 5
_RESTORE_DATA = 2
_ADDRESSES = range(256)  # what a value block keeps of its address is one byte
_STORE, _INCREMENT, _DECREMENT, _RESTORE = 0, 1, 2, 3
_ATS = 1


@attrs.frozen(kw_only=True)
class ReaderModel:
    """What a make of reader can do: ACS readers have value commands, others have none.

    ``slots`` volatile keys are kept while the reader has power, ``stored_slots`` for ever (P1 20).
    ``long_reads`` lets one READ take several blocks of one sector.
    """

    name: str = "ACS"
    value_commands: bool = True
    slots: int = 2
    stored_slots: int = 0
    long_reads: bool = False


class _WrongError(Exception):
    def __init__(self, status: bytes) -> None:
        super().__init__(status.hex())
        self.status = status


class PseudoReader:
    """Answer pseudo-APDUs for one sector card. Keys stay in the reader when the card loses its power."""

    def __init__(self, card: SectorCard, model: ReaderModel | None = None) -> None:
        self.card = card
        self.model = model or ReaderModel()
        self._keys: dict[int, bytes] = {}
        self._stored: dict[int, bytes] = {}
        self._commands: dict[int, Callable[[bytes, bytes, int | None], bytes]] = {
            0xCA: self._get_data,
            0x82: self._load_key,
            0x86: self._authenticate,
            0x88: self._authenticate_obsolete,
            0xB0: self._read,
            0xD6: self._write,
        }
        if self.model.value_commands:
            self._commands |= {0xD7: self._value, 0xB1: self._read_value}

    @property
    def atr(self) -> bytes:
        """The ATR that the reader makes up for this card; no power is needed."""
        return storage_atr(self.card.kind)

    @property
    def eeprom(self) -> BlockMemory:
        """The card's memory, where a test can cut the power."""
        return self.card.memory

    def power_on(self) -> bytes:
        """Put the card into the field: it is not authenticated."""
        self.card.power_on()
        return self.atr

    def power_off(self) -> None:
        """Take the card out of the field."""
        self.card.power_off()

    def reset(self) -> bytes:
        """Do what ``power_on`` does."""
        return self.power_on()

    def image(self) -> bytes:
        """Return the bytes of the saved card."""
        return self.card.image()

    def transmit(self, apdu: bytes) -> bytes:
        """Execute one pseudo-APDU. Any bytes give an answer; raises only PowerLoss."""
        self.card.require_power()
        try:
            p1_p2, data, le, command = self._parse(bytes(apdu))
            return command(p1_p2, data, le)
        except (RefusedError, ValueBlockInvalid):
            return _FAILED
        except _WrongError as wrong:
            return wrong.status

    def _parse(self, apdu: bytes) -> tuple[bytes, bytes, int | None, Callable[..., bytes]]:
        if len(apdu) < _HEAD:
            raise _WrongError(_WRONG_LENGTH)
        if apdu[0] != _CLASS:
            raise _WrongError(_UNKNOWN_CLASS)
        command = self._commands.get(apdu[1])
        if command is None:
            known_elsewhere = apdu[1] in {0xD7, 0xB1}
            raise _WrongError(_NOT_SUPPORTED if known_elsewhere else _UNKNOWN_INSTRUCTION)
        if len(apdu) <= _WITH_LE:
            return apdu[2:4], b"", apdu[4] if len(apdu) == _WITH_LE else None, command
        if apdu[1] == _OBSOLETE:
            return apdu[2:4], apdu[4:], None, command  # the only command without a length byte
        if len(apdu) != _WITH_LE + apdu[4]:
            raise _WrongError(_WRONG_LENGTH)
        return apdu[2:4], apdu[5:], None, command

    # ── about the reader ──

    def _get_data(self, p1_p2: bytes, data: bytes, le: int | None) -> bytes:
        if p1_p2[0] == _ATS:
            return _NOT_SUPPORTED  # no ATS: the card is ISO 14443-3 only
        if p1_p2 != b"\0\0":
            return _WRONG_P1_P2
        if le is None or data:
            return _WRONG_LENGTH
        uid = self.card.uid
        if le == 0 or le == len(uid):
            return uid + _OK
        return uid + _END_OF_DATA if le > len(uid) else bytes((_WRONG_LE, len(uid)))

    def _load_key(self, p1_p2: bytes, data: bytes, le: int | None) -> bytes:
        structure, slot = p1_p2
        if len(data) != _KEY:
            return _WRONG_LENGTH
        if structure == 0 and slot < self.model.slots:
            self._keys[slot] = data
        elif structure == _NON_VOLATILE and slot < self.model.stored_slots:
            self._stored[slot] = data
        else:
            return _FAILED
        return _OK

    def _authenticate(self, p1_p2: bytes, data: bytes, le: int | None) -> bytes:
        if len(data) != _AUTHENTICATE_DATA:
            return _WRONG_LENGTH
        if p1_p2 != b"\0\0" or data[0] != 1:
            return _WRONG_P1_P2
        return self._open(int.from_bytes(data[1:3], "big"), data[3], data[4])

    def _authenticate_obsolete(self, p1_p2: bytes, data: bytes, le: int | None) -> bytes:
        if len(data) != _OBSOLETE_DATA:
            return _WRONG_LENGTH
        return self._open(int.from_bytes(p1_p2, "big"), data[0], data[1])

    def _open(self, block: int, kind: int, slot: int) -> bytes:
        if kind not in {KeyKind.A, KeyKind.B}:
            return _WRONG_P1_P2
        key = self._keys.get(slot) or self._stored.get(slot)
        if key is None:
            return _FAILED
        self.card.authenticate(block, KeyKind(kind), key)
        return _OK

    # ── about blocks ──

    def _read(self, p1_p2: bytes, data: bytes, le: int | None) -> bytes:
        if le is None or data:
            return _WRONG_LENGTH
        first = int.from_bytes(p1_p2, "big")
        size = le or BLOCK_SIZE
        several = size != BLOCK_SIZE
        if size % BLOCK_SIZE or (several and not self.model.long_reads):
            return bytes((_WRONG_LE, BLOCK_SIZE))
        blocks = range(first, first + size // BLOCK_SIZE)
        if sector_of(blocks[-1]) != sector_of(first):
            return _FAILED
        return b"".join(self.card.read(block) for block in blocks) + _OK

    def _write(self, p1_p2: bytes, data: bytes, le: int | None) -> bytes:
        if len(data) != BLOCK_SIZE:
            return _WRONG_LENGTH
        self.card.write(int.from_bytes(p1_p2, "big"), data)
        return _OK

    # ── values, an addition of ACS ──

    def _value(self, p1_p2: bytes, data: bytes, le: int | None) -> bytes:
        block = int.from_bytes(p1_p2, "big")
        if block not in _ADDRESSES:
            return _FAILED
        if len(data) == _RESTORE_DATA and data[0] == _RESTORE:
            if sector_of(block) != sector_of(data[1]):
                return _FAILED
            self.card.restore(block)
            self.card.transfer(data[1])
            return _OK
        if len(data) != _VALUE_DATA:
            return _WRONG_LENGTH
        operation, value = data[0], int.from_bytes(data[1:], "big", signed=True)
        if operation == _STORE:
            self.card.write(block, ValueBlock(value=value, address=block).encode())
        elif operation in {_INCREMENT, _DECREMENT} and value >= 0:
            change = self.card.increment if operation == _INCREMENT else self.card.decrement
            change(block, value)
            self.card.transfer(block)
        else:
            return _FAILED
        return _OK

    def _read_value(self, p1_p2: bytes, data: bytes, le: int | None) -> bytes:
        if data or le not in {0, 4}:
            return _WRONG_LENGTH
        block = int.from_bytes(p1_p2, "big")
        return ValueBlock.decode(self.card.read(block)).value.to_bytes(4, "big", signed=True) + _OK
