"""City hall in a city: its settings, and how what identifies a person is sealed and found.

A resident's number is found by a keyed digest: HMAC-SHA256 under a key of the vault's purpose ``egov-index``,
whose first version stands for ever, since digests are not made again. Values are sealed together with where
they belong, so that one moved to another place does not open.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from citycard.errors import SealBroken
from citycard.kernel import State
from citycard.kernel.settings import structure
from citycard.keys import Algorithm, KeyPurpose
from citycard_egov.errors import EgovInvalid, EgovOff
from citycard_egov.settings import EgovSettings

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.kernel.identity import PluginContext

__all__ = ["IDENTITY_KEY", "INDEX_KEY", "Office", "checked_number", "identity_number"]

IDENTITY_KEY = KeyPurpose(
    name="egov-identity", kind=0x5C, title="Proves whose card it is, once the PIN was verified", owner="egov"
)
INDEX_KEY = KeyPurpose(
    name="egov-index",
    kind=0x5E,
    title="Finds a resident by a digest of the number",
    owner="egov",
    algorithm=Algorithm.AES,
)

_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_NOBODY = bytes(8)


class Office:
    """City hall. ``of`` gives that of a city in which egov runs; everything of egov works in one."""

    def __init__(self, city: City, settings: EgovSettings) -> None:
        self.city = city
        self.settings = settings

    @classmethod
    def of(cls, city: City) -> Office:
        """Give the office of a city; raise EgovOff when egov does not run there."""
        if not city.plugins.enabled("egov"):
            found = city.plugins.report("egov")
            off = found.state is State.DISABLED or not found.reason
            reason = "citycard plugin enable egov" if off else " ".join(found.reason.split())
            raise EgovOff(folder=city.folder, reason=reason)
        section = city.config.plugins.get("egov", {})
        return cls(city, structure(EgovSettings, section, where="city.toml: plugins.egov"))

    @classmethod
    def within(cls, context: PluginContext) -> Office:
        """Give the office that a hook or a job runs in."""
        return cls(context.city, context.settings)

    @property
    def engine(self) -> Any:
        """The city's database."""
        return self.city.engine

    @property
    def party(self) -> str:
        """The id under which the city hall takes part in the exchange, such as ``city-9901``."""
        return f"city-{self.city.code}"

    def now(self) -> dt.datetime:
        """Tell the city's local time."""
        return self.city.now_local()

    def seal(self, place: str, text: str) -> bytes:
        """Seal a text together with its place, such as ``resident/<id>/name``."""
        sealed: bytes = self._sealer.seal(f"{place}\n{text}".encode())
        return sealed

    def open(self, place: str, sealed: bytes) -> str:
        """Open a text; raise SealBroken when it was sealed for another place, or was changed."""
        plain: bytes = self._sealer.open(sealed)
        kept, _, text = plain.decode().partition("\n")
        if kept != place:
            raise SealBroken(field=place, key=kept)
        return text

    def digest(self, kind: str, text: str) -> bytes:
        """Give the keyed digest of a text, 32 bytes: nobody without the key can tell whose it is."""
        return hmac.digest(self._index_key, f"{kind}\n{text}".encode(), hashlib.sha256)

    def number_digest(self, id_number: str) -> bytes:
        """Give the keyed digest that a resident's number is found by; raise EgovInvalid."""
        return self.digest("id-number", checked_number(id_number))

    @cached_property
    def _sealer(self) -> Any:
        return self.city.vault.sealer("egov")

    @cached_property
    def _index_key(self) -> bytes:
        return self.city.vault.card_key(INDEX_KEY.name, _NOBODY, 1)


def checked_number(text: str) -> str:
    """Give a citizen's identity number (GB 11643: 18 characters, the last a check); raise EgovInvalid."""
    number = text.strip().upper()
    if not _NUMBER.fullmatch(number):
        raise EgovInvalid(field="id_number", value=_hidden(text), expected="17 digits and a digit or X")
    if number[17] != _check_of(number[:17]):
        raise EgovInvalid(field="id_number", value=_hidden(text), expected="a number whose check is right")
    return number


def identity_number(area: str, born: dt.date, turn: int) -> str:
    """Make the identity number of an ``area`` of 6 digits, a birthday, and a ``turn`` of 0 to 999."""
    digits = f"{area}{born:%Y%m%d}{turn:03d}"
    return digits + _check_of(digits)


def _check_of(digits: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return _CHECKS[total % 11]


def _hidden(number: str) -> str:
    # Errors are shown and logged: they name enough to find the line, and not the person.
    text = number.strip()
    return f"{text[:2]}…{text[-2:]}" if len(text) > 4 else "…"  # noqa: PLR2004
