"""What utilities keeps on a card and in records: prepaid credit on its way to a meter, and what was paid.

Each prepaid kind of bill has one sector, ``utilities-<kind>``. The counter of the biller writes what stands
above ``credit_mac``, the meter what stands below it, each with a MAC of its own (``macs``), in one step with
a purchase.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from citycard.card.codec import (
    amount,
    bcd,
    date,
    encode,
    examples,
    layout,
    moment,
    raw,
    reserved,
    text,
    unsigned,
)
from citycard.card.sector import SectorLayout
from citycard_utilities.settings import UtilitySettings

__all__ = ["NO_METER", "BillFacts", "CreditFacts", "MeterFacts", "Prepaid", "sector_name", "sectors"]

NO_METER = "0" * 12


@layout(size=60)
class Prepaid:
    """Credit for one meter, and what the meter said when it last saw the card; units are hundredths."""

    biller: int = unsigned(2, default=0, note="the biller's number, 0 while the card has no meter")
    meter: str = bcd(6, default=NO_METER)
    counter: int = unsigned(4, default=0, note="grows with every purchase of credit")
    units: int = unsigned(4, default=0, note="credit that no meter has taken")
    year: int = unsigned(2, default=0, note="calendar year of the next field")
    year_units: int = unsigned(4, default=0, note="bought in the year, for its tiers")
    credit_mac: bytes = raw(8, default=bytes(8), note="by the counter, over all before and the ASN")
    taken: int = unsigned(4, default=0, note="counter that the meter took last")
    reading: int = unsigned(4, default=0, note="all that the meter ever counted")
    left: int = unsigned(4, default=0, note="credit left in the meter")
    read_at: dt.datetime | None = moment(default=None)
    usage_mac: bytes = raw(8, default=bytes(8), note="by the meter, over these four, meter and ASN")
    reserved: bytes = reserved(3)


@layout(size=48)
class BillFacts:
    """The facts of a bill paid at a kiosk: whose it is and when it was due; its amount is the list price."""

    biller: int = unsigned(2, note="the biller's number")
    bill: str = text(20, note="the biller's number of the bill")
    due: dt.date | None = date(default=None)
    household: str = text(16, default="")
    reserved: bytes = reserved(6)


@layout(size=48)
class CreditFacts:
    """The facts of prepaid credit bought at a counter, and what the meter had told the card before."""

    biller: int = unsigned(2, note="the biller's number")
    meter: str = bcd(6)
    units: int = unsigned(4, note="hundredths of a unit bought now")
    year_units: int = unsigned(4, note="bought before in the calendar year")
    counter: int = unsigned(4, note="of this purchase")
    taken: int = unsigned(4, default=0, note="counter that the meter took last")
    reading: int = unsigned(4, default=0)
    left: int = unsigned(4, default=0)
    read_at: dt.datetime | None = moment(default=None)
    worth_fen: int = amount(default=0, note="what it costs before concessions; for people")
    reserved: bytes = reserved(5)


@layout(size=48)
class MeterFacts:
    """The facts of a card at a meter: what it took over, and where the meter stands. It costs nothing."""

    biller: int = unsigned(2)
    meter: str = bcd(6)
    counter: int = unsigned(4, note="counter that the meter took last")
    units: int = unsigned(4, default=0, note="taken over now")
    reading: int = unsigned(4, default=0)
    left: int = unsigned(4, default=0)
    reserved: bytes = reserved(24)


_BOUGHT = Prepaid(
    biller=3,
    meter="000000420017",
    counter=2,
    units=3000,
    year=2026,
    year_units=8000,
    credit_mac=bytes.fromhex("A1A2A3A4A5A6A7A8"),
    taken=1,
    reading=12345,
    left=250,
    read_at=dt.datetime(2026, 11, 29, 8, 30),  # noqa: DTZ001 - cards know local time only
    usage_mac=bytes.fromhex("B1B2B3B4B5B6B7B8"),
)
examples(
    Prepaid,
    (
        (
            "0003 000000420017 00000002 00000BB8 07EA 00001F40 A1A2A3A4A5A6A7A8"
            "00000001 00003039 000000FA 20261129083000 B1B2B3B4B5B6B7B8 000000"
        ),
        _BOUGHT,
    ),
)
examples(
    BillFacts,
    (
        "0001" + b"W202611000017".hex() + "00" * 7 + "20261215" + b"H0017".hex() + "00" * 11 + "00" * 6,
        BillFacts(biller=1, bill="W202611000017", due=dt.date(2026, 12, 15), household="H0017"),
    ),
)
examples(
    CreditFacts,
    (
        (
            "0003 000000420017 00000BB8 00001388 00000002 00000001 00003039 000000FA 20261129083000"
            "00001F40 0000000000"
        ),
        CreditFacts(
            biller=3,
            meter="000000420017",
            units=3000,
            year_units=5000,
            counter=2,
            taken=1,
            reading=12345,
            left=250,
            read_at=dt.datetime(2026, 11, 29, 8, 30),  # noqa: DTZ001 - cards know local time only
            worth_fen=8000,
        ),
    ),
)
examples(
    MeterFacts,
    (
        "0003 000000420017 00000002 00000BB8 00003039 00000CB2" + "00" * 24,
        MeterFacts(biller=3, meter="000000420017", counter=2, units=3000, reading=12345, left=3250),
    ),
)


def sector_name(kind: str) -> str:
    """Name the sector of a prepaid kind."""
    return f"utilities-{kind}"


def sectors(settings: UtilitySettings) -> Iterator[SectorLayout]:
    """Declare a sector for each prepaid kind."""
    for kind in settings.kinds:
        if kind.prepaid:
            yield SectorLayout(
                name=sector_name(kind.name),
                title=f"Prepaid: {kind.title}",
                title_zh=f"预付费：{kind.title_zh or kind.title}",
                record=Prepaid,
                examples=((encode(_BOUGHT), _BOUGHT),),  # type: ignore[arg-type]
            )
