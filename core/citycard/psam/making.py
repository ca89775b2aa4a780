"""The files of a new PSAM, made as a chip maker makes them: by commands, before the commands are taken away.

Master file: EF 15 (14 bytes: SAM number 10, version, kind, issuer's own 2), EF 16 (6: terminal number). Its
application: EF 17 (25: key index, issuer 8, receiver 8, first day 4, last day 4), EF 18 (4: the serial),
the table of keys and the grey locks. Reading is free; writing needs the master key of the directory; EF 18
only the SAM writes.
"""

from __future__ import annotations

import attrs

from citycard.chip.chip import Chip
from citycard.chip.eeprom import Eeprom
from citycard.chip.files import HEADER, Structure
from citycard.chip.script import Script
from citycard.psam.greylock import LOCK_SIZE, LOCKS_FID
from citycard.psam.keytable import KEY_ENTRY, TABLE_FID
from citycard.psam.profile import SamProfile

__all__ = ["make_blank"]

_MASTER = bytes((0x39, 0xF0, 0xF2, 0x02, 0x33))
_MASTER_ROOM = 23
_LOCKS = 16


def make_blank(profile: SamProfile) -> tuple[Eeprom, Structure]:
    """Return memory and structure of a SAM without keys of its own."""
    chip = Chip.blank(attrs.evolve(profile, t0=False))
    script = Script(chip)
    script.power_on()
    _keys(script, 0x01, profile.transport_key)
    script.create(0x0015, _binary(14, 0xF2))
    script.create(0x0016, _binary(6, 0xF2))
    table = profile.key_slots * (KEY_ENTRY + 1)
    locks = 8 + _LOCKS * (LOCK_SIZE + 1)
    room = 5 * HEADER + _MASTER_ROOM + 25 + 4 + table + locks
    description = b"\x38" + room.to_bytes(2, "big") + b"\xf2\xf2\x95\xff\xff" + profile.adf_name
    script.create(profile.adf_fid, description)
    script.select(profile.adf_name)
    _keys(script, 0x95, profile.transport_key)
    script.create(0x0017, _binary(25, 0xF2))
    script.create(0x0018, _binary(4, 0xEF))
    script.create(TABLE_FID, bytes((0x2A, profile.key_slots, KEY_ENTRY, 0xEF, 0xEF, 0xFF, 0xFF)))
    script.create(LOCKS_FID, bytes((0x2E, _LOCKS, LOCK_SIZE, 0xEF, 0xEF, 0xFF, 0xFF)))
    chip.power_off()
    return chip.eeprom, chip.structure


def _keys(script: Script, entry: int, transport: bytes) -> None:
    script.create(0x0000, bytes((0x3F, 0x00, _MASTER_ROOM, entry, 0xEF, 0xFF, 0xFF)))
    script.add_key(0, _MASTER + transport)
    script.authenticate(transport)


def _binary(size: int, write: int) -> bytes:
    return b"\x28" + size.to_bytes(2, "big") + bytes((0xF0, write, 0xFF, 0xFF))
