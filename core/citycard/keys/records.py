"""The keys that leave a vault: those of one card, and those of one terminal's SAM. Neither shows a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from citycard.keys.cipher import Algorithm
from citycard.keys.diversify import KeyDeriver

__all__ = ["CardKeys", "SamKeys"]


def _secret() -> Any:
    return attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class CardKeys:
    """The 16-byte keys of one card, with the version and algorithm of each by purpose name."""

    purchase: bytes = _secret()
    load: bytes = _secret()
    tac: bytes = _secret()
    maintenance: bytes = _secret()
    authentication: bytes = _secret()
    internal: bytes = _secret()
    pin_unblock: bytes = _secret()
    pin_reload: bytes = _secret()
    versions: Mapping[str, int]
    algorithms: Mapping[str, Algorithm]


@attrs.frozen(kw_only=True)
class SamKeys:
    """The purchase keys of the usable versions, ready to derive card keys; shared by many SAMs.

    ``maintenance``, the current key, is there only for terminals whose cards want a MAC on records.
    """

    purchase: Mapping[int, KeyDeriver] = _secret()
    versions: tuple[int, ...]
    maintenance: KeyDeriver | None = attrs.field(default=None, repr=False)
