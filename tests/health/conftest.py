"""A town with health: two clinics, an insurer, two plans, and doctors on Monday."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from citycard.ids import new_id
from citycard.money import yuan
from citycard.store import reading
from citycard.testing.town import Town, TownCard
from citycard_health.booking import appointments_of_day, book, free_slots, import_schedule
from citycard_health.opening import settings_of
from citycard_health.patients import import_insured
from citycard_health.settings import HealthSettings

SETTINGS: dict[str, Any] = {
    "products": [
        {"name": "health-card", "title": "Health card", "title_zh": "居民健康卡", "kind": 56},
        {"name": "health-senior", "title": "Senior's health card", "kind": 57, "entitlements": ["senior"]},
    ],
    "clinics": [
        {
            "id": "clinic-east",
            "name": "East Clinic",
            "name_zh": "东城医院",
            "account": "62009901000000017",
            "bic": "CITYCNBJXXX",
        },
        {"id": "clinic-west", "name": "West Clinic", "account": "62009901000000018", "bic": "CITYCNBJXXX"},
    ],
    "insurers": [{"id": "medicare", "name": "Medical Insurance Fund"}],
    "levels": [
        {"number": 1, "name": "Doctor", "fee_fen": 500},
        {"number": 2, "name": "Chief doctor", "fee_fen": 2000},
    ],
    "concessions": [{"name": "seniors", "only_for": ["senior"], "percent": 50}],
    "items": [
        {"code": "blood", "title": "Blood count", "title_zh": "血常规", "coverage": "A", "price_fen": 3000},
        {"code": "scan", "title": "CT scan", "coverage": "B", "price_fen": 20001},
        {"code": "vitamin", "title": "Vitamins", "coverage": "C", "price_fen": 1999},
    ],
    "plans": [
        {
            "name": "employee",
            "title": "Employees",
            "insurer": "medicare",
            "deductible_fen": 5000,
            "ceiling_fen": 40000,
            "percents": {"A": 80, "B": 70},
        }
    ],
    "vaccines": [
        {
            "code": "mmr",
            "title": "Measles, mumps, rubella",
            "title_zh": "麻腮风疫苗",
            "cvx": "03",
            "doses": [{"age_days": 240}, {"age_days": 540, "interval_days": 28}],
        },
        {"code": "flu", "title": "Influenza", "title_zh": "流感疫苗", "doses": [{"age_days": 180}]},
    ],
    "sports": {
        "year_cap_fen": 10000,
        "venues": [
            {
                "id": "swim-hall",
                "name": "Swimming hall",
                "price_fen": 3000,
                "account": "62009901000000019",
                "bic": "CITYCNBJXXX",
            }
        ],
    },
}

SCHEDULE = """\
clinic,department,doctor,level,day,from,until,minutes,places
clinic-east,Internal medicine,Dr Wang,1,2026-03-03,08:00,10:00,30,2
clinic-east,Internal medicine,Prof Zhou,2,2026-03-03,08:00,09:00,30,1
clinic-west,Surgery,Dr Li,1,2026-03-04,14:00,15:00,20,3
"""


@pytest.fixture
def settings(town: Town) -> HealthSettings:
    """Give the settings that the town's plugin runs with."""
    return settings_of(town.city)


@pytest.fixture
def insure(town: Town, settings: HealthSettings) -> Callable[..., None]:
    """Insure the holders of cards as employees."""

    def insured(*cards: TownCard, until: str = "2026-12-31") -> None:
        lines = "".join(f"{card.asn},employee,{until}\n" for card in cards)
        import_insured(town.city, settings, f"card,plan,until\n{lines}".encode(), file="insured.csv")

    return insured


def _made(folder: Path, more: str = "") -> Town:
    """Make a town on 2 March 2026, 08:00, whose clinics see people the next day."""
    town = Town.make(
        folder, domains=["health"], settings={"health": SETTINGS}, hierarchies=["health"], more=more
    )
    import_schedule(town.city, settings_of(town.city), SCHEDULE.encode(), file="schedule.csv")
    return town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Give a town that keeps its state in SQLite."""
    town = _made(tmp_path)
    yield town
    town.close()


@pytest.fixture
def town_of(tmp_path: Path, store_url: str) -> Iterator[Town]:
    """Give a town on each database."""
    town = _made(tmp_path, f'[store]\nurl = "{store_url}"')
    yield town
    town.close()


_CAMT = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>{day}T23:00:00</CreDtTm></GrpHdr>
<Stmt><Id>STMT-1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>{day}T23:00:00</CreDtTm>
<FrToDt><FrDtTm>{day}T00:00:00</FrDtTm><ToDtTm>{day}T23:59:59</ToDtTm></FrToDt>
<Acct><Id><Othr><Id>6200990100000000001</Id></Othr></Id><Ccy>CNY</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">0.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{yuan}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
<Ntry><Amt Ccy="CNY">{yuan}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>B-1</AcctSvcrRef><BkTxCd></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>
<Amt Ccy="CNY">{yuan}</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>
"""


@pytest.fixture
def bank_day() -> Callable[[Town, str, int], bytes]:
    """Write the bank's statement of a day on which one receipt was booked."""

    def written(town: Town, reference: str, amount_fen: int) -> bytes:
        return _CAMT.format(day=town.now.date(), reference=reference, yuan=yuan(amount_fen)).encode()

    return written


@pytest.fixture
def content() -> dict[str, Any]:
    """Give the section of the town's configuration."""
    return SETTINGS


@pytest.fixture
def booked(town: Town, settings: HealthSettings) -> Callable[[str], tuple[TownCard, list[Any]]]:
    """Book a doctor for a new card, go to the morning of that day, and give the list of the clinic's till."""

    def book_and_wait(product: str) -> tuple[TownCard, list[Any]]:
        card = town.card(product)
        with reading(town.city.engine) as conn:
            slot = free_slots(conn, town.now, clinic="clinic-east")[0]
        book(town.city, settings, new_id(), card.asn, slot.id)
        town.pass_time(slot.starts_at - town.now - timedelta(minutes=10))
        with reading(town.city.engine) as conn:
            return card, appointments_of_day(conn, "clinic-east", slot.starts_at.date())

    return book_and_wait
