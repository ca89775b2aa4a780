"""What the tests of city hall share: a town with offices, services, rights and a window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from citycard.testing.town import Town
from citycard_egov.office import Office, identity_number

SETTINGS: dict[str, Any] = {
    "departments": [
        {
            "id": "civil-affairs",
            "title": "Civil Affairs",
            "title_zh": "民政局",
            "tells": ["name", "born", "address", "residence"],
            "account": "6200990100000600001",
            "bic": "CITYCNBJXXX",
        },
        {"id": "police", "title": "Police", "title_zh": "公安局", "tells": ["name", "address"]},
        {"id": "education", "title": "Education", "title_zh": "教育局", "tells": ["student_until"]},
    ],
    "fields": [
        {"name": "name", "title": "Name", "title_zh": "姓名"},
        {"name": "born", "title": "Date of birth", "title_zh": "出生日期", "kind": "date"},
        {"name": "address", "title": "Address", "title_zh": "住址"},
        {"name": "residence", "title": "Registered since", "title_zh": "落户日期", "kind": "date"},
        {"name": "student_until", "title": "Student until", "title_zh": "学籍截止", "kind": "date"},
    ],
    "services": [
        {
            "id": "residence-certificate",
            "number": 7,
            "title": "Certificate of residence",
            "title_zh": "居住证明",
            "department": "civil-affairs",
            "fee_fen": 1000,
            "fields": ["name", "address"],
            "form": ["reason"],
            "steps": [
                {"title": "Check the address", "department": "police", "working_days": 3},
                {"title": "Issue", "department": "civil-affairs", "working_days": 2},
            ],
        },
        {
            "id": "hearing",
            "number": 8,
            "title": "Hearing",
            "department": "police",
            "steps": [{"title": "Answer", "department": "police", "working_days": 1}],
        },
    ],
    "rights": [
        {"name": "over-65", "title": "Over 65", "field": "born", "since_age": 65, "mark": 0},
        {"name": "resident", "title": "Resident", "field": "residence", "mark": 1},
        {"name": "student", "title": "Student", "field": "student_until", "until": True, "mark": 2},
    ],
    "concessions": [{"name": "old-age", "rights": ["over-65"], "percent": 50}],
    "windows": [{"id": "hall", "title": "Hall", "title_zh": "大厅"}],
}


@pytest.fixture
def number() -> Callable[..., str]:
    """Make the identity number of somebody by a serial number and a birthday such as 19800101."""
    return lambda serial, born="19800101": identity_number("110101", dt.date.fromisoformat(born), serial)


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def make_town(tmp_path: Path) -> Iterator[Callable[..., Town]]:
    made: list[Town] = []

    def make(**more: Any) -> Town:
        made.append(Town.make(tmp_path, domains=["egov"], settings={"egov": {**SETTINGS, **more}}))
        return made[-1]

    yield make
    for town in made:
        town.close()


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town that the tests of one module share: each brings persons of its own."""
    town = Town.make(tmp_path_factory.mktemp("hall"), domains=["egov"], settings={"egov": SETTINGS})
    yield town
    town.close()


@pytest.fixture(scope="module")
def desk(hall: Town) -> Office:
    return Office.of(hall.city)


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    return make_town()


@pytest.fixture
def office(town: Town) -> Office:
    return Office.of(town.city)
