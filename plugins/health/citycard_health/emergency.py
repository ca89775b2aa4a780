"""Emergency data on the card: sealed under health's own keys, read offline by health terminals, never unseen.

A reading is a use of the card that costs nothing: its record says who read and why, carries the card's TAC,
and reaches the city with the terminal's batch. What was read is given out only once that record is made.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from citycard.card import decode, encode, evolve
from citycard.errors import Phrase
from citycard_health.errors import EmergencyBroken, EmergencyRefused
from citycard_health.sectors import (
    EMERGENCY,
    NONCE_BYTES,
    EmergencyAct,
    EmergencyData,
    EmergencyFacts,
    EmergencyReason,
    EmergencyRecord,
)
from citycard_health.services import CARD_SERVICE, EMERGENCY_KEY

if TYPE_CHECKING:
    from citycard.city.till import Decide, Sale, Till, Visit
    from citycard.terminal.reader import Reader

__all__ = ["CardKeys", "EmergencyTerminal", "open_record", "seal_record"]

_VERSION = 1
_INFO = b"citycard health emergency"


class CardKeys(Protocol):
    """What a health terminal has and others lack: card keys under the root of health (``city.hierarchy``)."""

    def card_key(self, purpose: str, asn8: bytes) -> bytes:
        """Give the 16-byte key of a card, by the last 8 bytes of its number."""


def seal_record(
    keys: CardKeys, asn8: bytes, data: EmergencyData, nonce: bytes | None = None
) -> EmergencyRecord:
    """Seal emergency data for one card: it opens on no other."""
    nonce = nonce or os.urandom(NONCE_BYTES)
    plain: bytes = encode(data)
    sealed = _cipher(keys, asn8).encrypt(nonce, plain, _bound(asn8))
    return EmergencyRecord(version=_VERSION, nonce=nonce, sealed=sealed)


def open_record(keys: CardKeys, asn: str, asn8: bytes, record: EmergencyRecord) -> EmergencyData:
    """Open what a card carries; raise EmergencyRefused when nothing is written, EmergencyBroken."""
    if record.version == 0:
        raise EmergencyRefused(asn=asn, reason="none is written")
    if record.version != _VERSION:
        raise EmergencyRefused(
            asn=asn, reason=Phrase("version {version} is not known to this terminal", version=record.version)
        )
    try:
        plain = _cipher(keys, asn8).decrypt(record.nonce, record.sealed, _bound(asn8))
    except InvalidTag:
        raise EmergencyBroken(asn=asn) from None
    data: EmergencyData = decode(EmergencyData, plain)
    return data


def _cipher(keys: CardKeys, asn8: bytes) -> AESGCM:
    key = keys.card_key(EMERGENCY_KEY.name, asn8)
    return AESGCM(HKDF(SHA256(), 16, salt=None, info=_INFO).derive(key))


def _bound(asn8: bytes) -> bytes:
    return _INFO + bytes([_VERSION]) + asn8


class EmergencyTerminal:
    """A till of a clinic or an ambulance with keys of health: it writes and reads emergency data offline."""

    def __init__(self, till: Till, keys: CardKeys) -> None:
        self._till, self._keys = till, keys

    def write(self, card: Reader, at: dt.datetime, data: EmergencyData, *, staff: str) -> None:
        """Write emergency data onto a card; the record says who did."""
        from citycard.city.till import Sale

        _named(staff)
        stamped = evolve(data, written_on=at.date())
        asked: list[str] = []

        def decide(visit: Visit) -> Sale:
            asked[:] = [visit.asn]
            sealed = seal_record(self._keys, visit.asn8, stamped)
            facts = EmergencyFacts(act=EmergencyAct.WRITTEN, staff=staff)
            return Sale(
                service=CARD_SERVICE,
                amount_fen=visit.price(CARD_SERVICE, facts).amount_fen,
                facts=facts,
                writes={EMERGENCY.name: sealed},
            )

        self._serve(card, at, decide, asked)

    def read(
        self, card: Reader, at: dt.datetime, *, reason: EmergencyReason, staff: str, note: str = ""
    ) -> EmergencyData:
        """Read the emergency data of a card: who reads, and why. Raise EmergencyRefused, EmergencyBroken."""
        from citycard.city.till import Sale

        _named(staff)
        if reason is EmergencyReason.NONE or (reason is EmergencyReason.OTHER and not note.strip()):
            raise EmergencyRefused(
                asn="", reason="nobody reads it without a reason; with OTHER, say it in a note"
            )
        facts = EmergencyFacts(act=EmergencyAct.READ, reason=reason, staff=staff, note=note)
        found: list[EmergencyData] = []

        def decide(visit: Visit) -> Sale:
            found[:] = [open_record(self._keys, visit.asn, visit.asn8, visit.read(EMERGENCY.name))]
            return Sale(
                service=CARD_SERVICE, amount_fen=visit.price(CARD_SERVICE, facts).amount_fen, facts=facts
            )

        self._serve(card, at, decide, found)
        return found[0]

    def _serve(self, card: Reader, at: dt.datetime, decide: Decide, asked: list[Any]) -> None:
        """Serve a card until it was asked for this: a torn sale of before is finished first."""
        while True:
            self._till.serve(card, at, decide)
            if asked:
                return


def _named(staff: str) -> None:
    if not staff.strip():
        raise EmergencyRefused(asn="", reason="who does it? the record needs a name")
