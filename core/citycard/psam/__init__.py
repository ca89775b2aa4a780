"""The PSAM: a terminal's security module as a chip in software, and its issuing script (docs/sam.md).

- ``psam``: the chip; ``profile``: how SAMs differ, as data; ``making``: its files; ``state``: its memory.
- ``keytable``, ``writing``: its keys. ``purchase``, ``crypt``, ``greylock``: the keys at work.
- ``personalise``: a blank SAM made the SAM of one terminal, and new key versions for one in use.
"""

from __future__ import annotations

from citycard.psam.keytable import SamKey
from citycard.psam.personalise import SamIdentity, load_keys, personalise_sam
from citycard.psam.profile import FUEL_USAGES, MOHURD_PSAM, TRANSIT_PSAM, TRANSIT_USAGES, SamKind, SamProfile
from citycard.psam.psam import Psam

__all__ = [
    "FUEL_USAGES",
    "MOHURD_PSAM",
    "TRANSIT_PSAM",
    "TRANSIT_USAGES",
    "Psam",
    "SamIdentity",
    "SamKey",
    "SamKind",
    "SamProfile",
    "load_keys",
    "personalise_sam",
]
