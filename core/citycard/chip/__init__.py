"""A software chip that speaks ISO 7816 APDUs: a real card to everyone who talks to it (docs/chip.md).

- ``chip``: power, dispatch, clone. ``commands``: which handler answers which command. ``status``: status
  words.
- ``eeprom``: memory with a journaled commit. ``image``: saved cards. ``making``: a new chip. ``profile``,
  ``profiles``: how chips differ, as data. ``t0``: answers over T=0.
- ``files``: the file structure, parsed from the memory. ``records``: where records lie. ``state``: what
  lives in RAM.
- ``access``, ``keystore``, ``authenticate``, ``pin``, ``messaging``, ``protection``: security status, keys,
  PIN, line protection. ``blocking``: blocked applications and cards.
- ``selection``, ``binary_commands``, ``record_commands``, ``issuing``, ``key_writing``: the file commands.
- ``purse``, ``transactions``, ``load``, ``purchase``, ``capp``, ``unload``, ``overdraft``, ``prove``,
  ``log``: passbook and purse. ``greylock``, ``greyunlock``, ``lockstate``: the grey lock. ``hidden``: what
  both keep beyond the purse files.
- ``personalise``: a blank card of a product, and the card of one holder, made through APDUs.
"""

from __future__ import annotations

from citycard.chip.chip import Chip
from citycard.chip.eeprom import Eeprom
from citycard.chip.personalise import personalise, prepare_blank
from citycard.chip.profile import ChipProfile
from citycard.chip.profiles import CHONGQING, CITY_UNION, FMCOS, FMCOS_SM4, PROFILES, T_UNION
from citycard.errors import PowerLoss

__all__ = [
    "CHONGQING",
    "CITY_UNION",
    "FMCOS",
    "FMCOS_SM4",
    "PROFILES",
    "T_UNION",
    "Chip",
    "ChipProfile",
    "Eeprom",
    "PowerLoss",
    "personalise",
    "prepare_blank",
]
