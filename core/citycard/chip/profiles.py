"""The makes of chips, as data: what a new make needs is one more entry here (docs/chip.md, "Profiles")."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from citycard.chip.profile import ChipProfile, contactless_atr
from citycard.keys.cipher import Algorithm
from citycard.keys.line import SM4_LINE

__all__ = ["CHONGQING", "CITY_UNION", "CITY_UNION_34", "FMCOS", "FMCOS_SM4", "PROFILES", "T_UNION"]

_ATR = contactless_atr(b"CITYCARD")

T_UNION = ChipProfile(name="t-union", atr=_ATR, application_version=b"\x02", record_id_size=2)
"""A card after JT/T 978."""

FMCOS = ChipProfile(
    name="fmcos",
    atr=_ATR,
    load_needs_pin=True,
    protected_cache=True,
    longest_data=239,
    warns_unwritten=True,
)
"""A PBOC card with the command set of FMCOS 2.0."""

CITY_UNION = ChipProfile(name="city-union", atr=_ATR, root_name=b"1PUB.SYS.DDF01")
"""A card of the ministry of housing 住建部 (CJ/T 166)."""

CITY_UNION_34 = attrs.evolve(CITY_UNION, name="city-union-34")
"""City Union with 34 bytes in EF 15, of which ``9F0C`` carries 30."""

CHONGQING = attrs.evolve(CITY_UNION, name="chongqing", issuer_data_bytes=32)
"""City Union with 32 bytes in ``9F0C``."""

FMCOS_SM4 = attrs.evolve(FMCOS, name="fmcos-sm4", line=SM4_LINE, algorithms=(Algorithm.SM4,))
"""**Experimental**: FMCOS with SM4 everywhere; no published card or vector is known (docs/keys.md)."""

PROFILES: Mapping[str, ChipProfile] = MappingProxyType(
    {profile.name: profile for profile in (CHONGQING, CITY_UNION, CITY_UNION_34, FMCOS, FMCOS_SM4, T_UNION)}
)
"""Every make of chip by its name."""
