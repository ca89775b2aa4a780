"""What health keeps on a card and writes into records, byte for byte (docs/health.md)."""

from __future__ import annotations

import datetime as dt
from enum import IntEnum

from citycard.card.codec import choice, date, encode, examples, flag, layout, raw, reserved, text, unsigned
from citycard.card.sector import SectorLayout

__all__ = [
    "EMERGENCY",
    "NONCE_BYTES",
    "SEALED_BYTES",
    "BloodGroup",
    "EmergencyAct",
    "EmergencyData",
    "EmergencyFacts",
    "EmergencyReason",
    "EmergencyRecord",
    "RegistrationFacts",
    "VisitFacts",
]

NONCE_BYTES, SEALED_BYTES = 12, 83


class BloodGroup(IntEnum):
    """A blood group with its rhesus factor; 0 where nobody determined it."""

    UNKNOWN = 0
    O_POSITIVE = 1
    O_NEGATIVE = 2
    A_POSITIVE = 3
    A_NEGATIVE = 4
    B_POSITIVE = 5
    B_NEGATIVE = 6
    AB_POSITIVE = 7
    AB_NEGATIVE = 8


@layout(size=67)
class EmergencyData:
    """What an ambulance must know. On the card it is sealed, and never lies there in the clear."""

    blood: BloodGroup = choice(BloodGroup, default=BloodGroup.UNKNOWN)
    allergies: str = text(28, default="", personal=True, note="14 Chinese characters, or 28 letters")
    contact: str = text(14, default="", personal=True, note="whom to call")
    phone: str = text(15, default="", personal=True)
    donor: bool = flag(default=False, note="is an organ donor")
    written_on: dt.date | None = date(default=None)
    reserved: bytes = reserved(4)


@layout(size=96)
class EmergencyRecord:
    """The sealed emergency data of a card: AES-128-GCM under the card's key of health's own hierarchy."""

    version: int = unsigned(1, note="0 nothing is written, 1 as below")
    nonce: bytes = raw(NONCE_BYTES)
    sealed: bytes = raw(SEALED_BYTES, note="67 bytes of EmergencyData, then the tag of 16")


class EmergencyAct(IntEnum):
    """What was done with the emergency data of a card."""

    WRITTEN = 1
    READ = 2


class EmergencyReason(IntEnum):
    """Why emergency data was read."""

    NONE = 0
    UNCONSCIOUS = 1
    ACCIDENT = 2
    ALLERGIC_SHOCK = 3
    CHEST_PAIN = 4
    OTHER = 9


@layout(size=48)
class RegistrationFacts:
    """A check-in: which appointment it keeps, and the level of doctor that the fee is for."""

    booking: bytes = raw(16, note="id of the appointment")
    level: int = unsigned(1)
    reserved: bytes = reserved(31)


@layout(size=48)
class VisitFacts:
    """What the purse pays of a visit: its id."""

    visit: bytes = raw(16)
    reserved: bytes = reserved(32)


@layout(size=48)
class EmergencyFacts:
    """Who wrote or read the emergency data of a card, and why: the log of break-glass readings."""

    act: EmergencyAct = choice(EmergencyAct)
    reason: EmergencyReason = choice(EmergencyReason, default=EmergencyReason.NONE)
    staff: str = text(16, note="who did it")
    note: str = text(30, default="")


_SEALED = EmergencyRecord(version=1, nonce=bytes(range(12)), sealed=bytes(range(83)))
_DATA = EmergencyData(
    blood=BloodGroup.O_NEGATIVE,
    allergies="青霉素",
    contact="Li Lei",
    phone="13800001111",
    written_on=dt.date(2026, 3, 2),
)
examples(
    EmergencyData,
    (
        "02"
        + "青霉素".encode("gb18030").hex().ljust(56, "0")
        + b"Li Lei".hex().ljust(28, "0")
        + b"13800001111".hex().ljust(30, "0")
        + "00 20260302 00000000",
        _DATA,
    ),
)
examples(
    RegistrationFacts,
    (
        "00112233445566778899AABBCCDDEEFF 02" + "00" * 31,
        RegistrationFacts(booking=bytes.fromhex("00112233445566778899AABBCCDDEEFF"), level=2),
    ),
)
examples(VisitFacts, ("FF" * 16 + "00" * 32, VisitFacts(visit=b"\xff" * 16)))
examples(
    EmergencyFacts,
    (
        "02 01" + b"Dr Wang".hex().ljust(32, "0") + b"street".hex().ljust(60, "0"),
        EmergencyFacts(
            act=EmergencyAct.READ, reason=EmergencyReason.UNCONSCIOUS, staff="Dr Wang", note="street"
        ),
    ),
)

EMERGENCY = SectorLayout(
    name="health-emergency",
    title="Emergency data, sealed",
    title_zh="急救信息",
    record=EmergencyRecord,
    examples=((encode(_SEALED), _SEALED),),  # type: ignore[arg-type]
)
