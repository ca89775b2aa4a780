"""The city's SAMs: made for a terminal, given new key versions, revoked (docs/sam.md)."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import attrs

from citycard.errors import RegistryInvalid, SamMismatch
from citycard.keys import KeyPurpose
from citycard.keys.versions import KeyStatus
from citycard.psam import TRANSIT_PSAM, SamIdentity, SamKind, load_keys, personalise_sam
from citycard.registry import find_terminal
from citycard.registry.sams import (
    Sam,
    SamChange,
    SamStatus,
    add_sam,
    find_sam,
    note_sam_keys,
    require_open,
    revoke_sam,
    sam_history,
    sam_of_terminal,
    sams,
    use_sam,
)
from citycard.store import reading, writing
from citycard.terminal.answering import whole_answer
from citycard.terminal.reader import Reader

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.city.configuration import Configuration

__all__ = ["SAM_PURPOSE", "Sams"]

SAM_PURPOSE = KeyPurpose(name="sam", kind=0x39, title="Master key of the SAMs of terminals")
# A key that waits for its roll-over is nobody's yet, and a retired one nobody's any more.
_HONOURED = {KeyStatus.CURRENT, KeyStatus.ACCEPTED}
_TERMINAL = re.compile(r"[0-9]{12}")
_VALID_YEARS = 20
_READ_NUMBER = bytes.fromhex("00B095000A")


@attrs.frozen(kw_only=True)
class _Load:
    """What a SAM is given of a purpose: the kind and the levels of the key, and its name in the registry."""

    purpose: str
    kind: SamKind
    levels: int = 1
    name: str = attrs.field(default=attrs.Factory(lambda self: self.purpose, takes_self=True))


_ALWAYS = (
    _Load(purpose="purchase", kind=SamKind.PURCHASE),
    _Load(purpose="batch", kind=SamKind.SIGNATURE, levels=0),
)
_BLOCKING = _Load(purpose="maintenance", kind=SamKind.MAINTENANCE)
# Fuel cards are locked by their purchase key; a SAM wants it under the grey lock's own usage.
_FUEL = _Load(purpose="purchase", kind=SamKind.GREY_LOCK, name="grey-lock")


class Sams:
    """Issue, update, revoke and look up the SAMs of a city.

    A SAM holds the purchase keys of all usable versions, above the cards, and the terminal's own signature
    key. Keys travel only sealed under the SAM's master key, which is its own.
    """

    def __init__(self, city: City) -> None:
        self._city = city

    def issue(
        self,
        terminal: str,
        reader: Reader,
        *,
        number: str | None = None,
        blocking: bool = False,
        fuel: bool = False,
        actor: str = "",
    ) -> Sam:
        """Make the blank SAM in a reader the SAM of a registered terminal (12 digits).

        ``number`` has 20 digits; without it the city's code and the terminal's number make it. ``blocking``
        also gives it the key that blocks blacklisted cards, ``fuel`` that which locks cards at a pump.
        Interrupted anywhere, the same call goes on. Raises RegistryMissing, RegistryInvalid, SamTaken,
        SamRevoked, SamNumberInvalid, PersonalisationFailed.
        """
        city = self._city
        if _TERMINAL.fullmatch(terminal) is None:
            expected = "12 decimal digits, the number of a registered terminal"
            raise RegistryInvalid(
                record="terminal", key=terminal, field="number", value=terminal, expected=expected
            )
        wanted = number or f"0000{city.config.city.code}{terminal}"
        sam = Sam(number=wanted, terminal=terminal, issued_at=city.clock.now())
        with writing(city.engine) as conn:
            find_terminal(conn, terminal)
            sam = add_sam(conn, sam, actor=actor)
        # On some makes records of a composite purchase have a MAC under the same key.
        blocking = blocking or city.issuing.profile.cache_needs_mac
        loads = (*_ALWAYS, *[_BLOCKING] * blocking, *[_FUEL] * fuel)
        master = self._master(sam)
        today = city.now_local().date()
        keys = self._sealed(sam, loads, master)
        identity = SamIdentity(
            number=sam.number,
            terminal=terminal,
            issuer=city.config.city.issuer,
            receiver=city.config.city.issuer,
            start=today,
            expiry=date(today.year + _VALID_YEARS, 12, 31),
        )
        personalise_sam(reader, identity, keys.values(), master)
        return self._noted(sam, keys, actor)

    def update(self, number: str, reader: Reader, *, actor: str = "") -> Sam:
        """Load the key versions of today into the SAM in a reader; those it has stay.

        Raises RegistryMissing, SamRevoked, SamMismatch when another SAM is in the reader, and
        PersonalisationFailed.
        """
        sam = require_open(self.find(number))
        found = self.number_of(reader)
        if found != number:
            raise SamMismatch(found=found, number=number)
        master = self._master(sam)
        loads = (*_ALWAYS, *(load for load in (_BLOCKING, _FUEL) if load.name in sam.keys))
        keys = self._sealed(sam, loads, master)
        load_keys(reader, keys.values(), master)
        return self._noted(sam, keys, actor)

    @staticmethod
    def number_of(reader: Reader) -> str:
        """Return the number, 20 digits, that the SAM in a reader bears in EF 15; empty when it has none."""
        reader.connect()
        return whole_answer(reader.transmit, _READ_NUMBER)[:-2].hex()

    def revoke(self, number: str, *, reason: str, actor: str = "") -> Sam:
        """Revoke a SAM for ever: it gets no configuration, and clearing holds what it signs from now on."""
        with writing(self._city.engine) as conn:
            return revoke_sam(conn, number, reason=reason, at=self._city.clock.now(), actor=actor)

    def sign_configuration(self, terminal: str, configuration: Configuration) -> bytes:
        """Return the 16-byte MAC by which a terminal knows a configuration; its SAM is in use from then on.

        Raises RegistryMissing for an unknown terminal, SamRevoked for one whose SAM was revoked. A terminal
        with a SAM in software alone has none in the registry.
        """
        with writing(self._city.engine) as conn:
            find_terminal(conn, terminal)
            sam = sam_of_terminal(conn, terminal)
            if sam is not None:
                use_sam(conn, require_open(sam).number, at=self._city.clock.now())
        return self._city.vault.terminal_mac(bytes.fromhex(terminal), configuration.signed_bytes)

    def find(self, number: str) -> Sam:
        """Return the SAM of a number; raises RegistryMissing."""
        with reading(self._city.engine) as conn:
            return find_sam(conn, number)

    def held(self, status: SamStatus | None = None) -> list[Sam]:
        """List the SAMs by number."""
        with reading(self._city.engine) as conn:
            return sams(conn, status)

    def history(self, number: str) -> list[SamChange]:
        """List what happened to a SAM, oldest first."""
        with reading(self._city.engine) as conn:
            return sam_history(conn, number)

    # ── inside ──

    def _master(self, sam: Sam) -> bytes:
        vault = self._city.vault
        vault.ensure_purposes([SAM_PURPOSE])
        version = max(sam.keys.get(SAM_PURPOSE.name, ()), default=None)
        return vault.card_key(SAM_PURPOSE.name, bytes.fromhex(sam.number[4:]), version)

    def _sealed(self, sam: Sam, loads: tuple[_Load, ...], master: bytes) -> dict[tuple[str, int], bytes]:
        vault, sealed = self._city.vault, {}
        own = bytes(2) + bytes.fromhex(sam.terminal)
        for load in loads:
            usage = TRANSIT_PSAM.usage(load.kind, load.levels)
            for row in vault.versions():
                if row.purpose == load.purpose and row.status in _HONOURED:
                    header = bytes((usage, row.version, row.algorithm))
                    factors = [own] if load.kind is SamKind.SIGNATURE else []
                    sealed[load.name, row.version] = vault.export_under(
                        master, row.purpose, row.version, factors, header=header
                    )
        return sealed

    def _noted(self, sam: Sam, keys: dict[tuple[str, int], bytes], actor: str) -> Sam:
        city, held = self._city, list(keys)
        if SAM_PURPOSE.name not in sam.keys:
            current = [row for row in city.vault.versions() if row.purpose == SAM_PURPOSE.name]
            held.append((SAM_PURPOSE.name, max(row.version for row in current)))
        with writing(city.engine) as conn:
            note_sam_keys(conn, sam.number, held, at=city.clock.now(), actor=actor)
            return find_sam(conn, sam.number)
