"""What is on a card: layouts and their codec, sectors, products and their places, files and profile.

- ``fields``, ``codec``: attrs classes to bytes and back
- ``files``: EF 15 to 18 and 1E, the enums on them, the profile of a transit card
- ``city_union``, ``profiles``: the files of other makes of cards, and every make's profile
- ``sector``, ``product``: what domains claim, and where it lies
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.card.city_union import (
        ChongqingApplication,
        CityUnionApplication,
        CityUnionBitmapApplication,
        CityUnionIssue,
    )
    from citycard.card.codec import (
        amount,
        bcd,
        choice,
        date,
        decode,
        encode,
        evolve,
        examples,
        flag,
        hexed,
        layout,
        layout_of,
        layouts,
        moment,
        raw,
        reserved,
        signed,
        text,
        unsigned,
    )
    from citycard.card.files import (
        TRANSIT_PROFILE,
        CardContents,
        CardFile,
        CardIdentity,
        CardKind,
        CardProfile,
        EnableFlag,
        FileKind,
        Holder,
        IdKind,
        Industry,
        InteropKind,
        JourneyKind,
        JourneyRecord,
        LogRecord,
        Management,
        PbocHolder,
        PublicApplication,
        TransactionType,
    )
    from citycard.card.product import CardProduct, Place, ProductVersion, allocate
    from citycard.card.profiles import CARD_PROFILES, CHONGQING_PROFILE, CITY_UNION_PROFILE, FMCOS_PROFILE
    from citycard.card.sector import ReadAccess, SectorLayout, WriteAccess

__all__ = [
    "CARD_PROFILES",
    "CHONGQING_PROFILE",
    "CITY_UNION_PROFILE",
    "FMCOS_PROFILE",
    "TRANSIT_PROFILE",
    "CardContents",
    "CardFile",
    "CardIdentity",
    "CardKind",
    "CardProduct",
    "CardProfile",
    "ChongqingApplication",
    "CityUnionApplication",
    "CityUnionBitmapApplication",
    "CityUnionIssue",
    "EnableFlag",
    "FileKind",
    "Holder",
    "IdKind",
    "Industry",
    "InteropKind",
    "JourneyKind",
    "JourneyRecord",
    "LogRecord",
    "Management",
    "PbocHolder",
    "Place",
    "ProductVersion",
    "PublicApplication",
    "ReadAccess",
    "SectorLayout",
    "TransactionType",
    "WriteAccess",
    "allocate",
    "amount",
    "bcd",
    "choice",
    "date",
    "decode",
    "encode",
    "evolve",
    "examples",
    "flag",
    "hexed",
    "layout",
    "layout_of",
    "layouts",
    "moment",
    "raw",
    "reserved",
    "signed",
    "text",
    "unsigned",
]

_MODULES = {
    "city_union": (
        "ChongqingApplication",
        "CityUnionApplication",
        "CityUnionBitmapApplication",
        "CityUnionIssue",
    ),
    "codec": (
        "amount",
        "bcd",
        "choice",
        "date",
        "decode",
        "encode",
        "evolve",
        "examples",
        "flag",
        "hexed",
        "layout",
        "layout_of",
        "layouts",
        "moment",
        "raw",
        "reserved",
        "signed",
        "text",
        "unsigned",
    ),
    "files": (
        "TRANSIT_PROFILE",
        "CardContents",
        "CardFile",
        "CardIdentity",
        "CardKind",
        "CardProfile",
        "EnableFlag",
        "FileKind",
        "Holder",
        "IdKind",
        "Industry",
        "InteropKind",
        "JourneyKind",
        "JourneyRecord",
        "LogRecord",
        "Management",
        "PbocHolder",
        "PublicApplication",
        "TransactionType",
    ),
    "product": (
        "CardProduct",
        "Place",
        "ProductVersion",
        "allocate",
    ),
    "profiles": (
        "CARD_PROFILES",
        "CHONGQING_PROFILE",
        "CITY_UNION_PROFILE",
        "FMCOS_PROFILE",
    ),
    "sector": (
        "ReadAccess",
        "SectorLayout",
        "WriteAccess",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # A plugin's sector needs the codec, and not the files of every make of card.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
