"""A town with two water and gas works, and what tests of bills ask for again and again."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard import yuan
from citycard.testing.town import Town
from citycard_utilities.opening import settings_of

SETTINGS = {
    "billers": [
        {"id": "water-works", "number": 1, "kind": "water", "name": "Haibin Water", "name_zh": "海滨水务",
         "account": "6200990100000100001", "bic": "CITYCNBJXXX"},
        {"id": "power-grid", "number": 2, "kind": "electricity", "name": "Haibin Power",
         "surplus": "give-back", "account": "6200990100000100002", "bic": "CITYCNBJXXX", "fee_bp": 50},
        {"id": "gas-works", "number": 3, "kind": "gas", "name": "Haibin Gas",
         "account": "6200990100000100003", "bic": "CITYCNBJXXX"},
        {"id": "harbour-net", "number": 4, "kind": "broadband", "name": "Harbour Net",
         "account": "6200990100000100004", "bic": "CITYCNBJXXX"},
    ],
    "kinds": [
        {"name": "water", "title": "Water", "title_zh": "水费", "unit": "m³"},
        {"name": "electricity", "title": "Electricity", "title_zh": "电费", "unit": "kWh"},
        {"name": "gas", "title": "Gas", "title_zh": "燃气费", "unit": "m³", "prepaid": True},
        {"name": "broadband", "title": "Broadband", "title_zh": "宽带费", "currency": "HKD"},
    ],
    "currencies": [{"code": "HKD", "fen": 92, "per": 100}],
    "late_fees": [
        {"name": "water-late", "kinds": ["water"], "grace_days": 2, "bp_per_day": 50, "most_bp": 1000}
    ],
    "prices": [
        {"name": "gas-tiers", "kind": "gas",
         "tiers": [{"above_units": 0, "fen": 263}, {"above_units": 50, "fen": 316}]}
    ],
}  # fmt: skip


@pytest.fixture(scope="session")
def town_settings():
    """Give what ``city.toml`` says of plugins."""
    return {"utilities": SETTINGS}


@pytest.fixture
def town(tmp_path, town_settings):
    """Give the town."""
    made = Town.make(tmp_path, domains=["utilities"], settings=town_settings)
    yield made
    made.close()


@pytest.fixture
def on_postgresql(postgresql_server, tmp_path, town_settings):
    """Give the same town, whose store is PostgreSQL."""
    url = postgresql_server.create_database()
    made = Town.make(tmp_path, domains=["utilities"], settings=town_settings, more=f'[store]\nurl = "{url}"')
    yield made
    made.close()
    postgresql_server.drop_database(url)


@pytest.fixture
def settings(town):
    """Give the town's settings of utilities."""
    return settings_of(town.city)


@pytest.fixture
def bill_file():
    """Give what writes a biller's file of (bill, household, fen, due), with a trailer that is right."""

    def written(*lines, action="", name="王小明"):
        rows = ["bill,household,amount,due,action,name,period"]
        rows += [
            f"{number},{household},{yuan(fen)},{due},{action},{name},2026-02"
            for number, household, fen, due in lines
        ]
        total = sum(line[2] for line in lines)
        return "\n".join([*rows, f"end,{len(lines)},{yuan(total)}", ""]).encode()

    return written


@pytest.fixture
def due():
    """Give a due date that is not over yet."""
    return dt.date(2026, 3, 20)
