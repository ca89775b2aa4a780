"""Statements on the pages: whose they are, what they say, and files that say the same."""

from __future__ import annotations

import csv
import io

import pytest
from pypdf import PdfReader

from citycard.store import reading
from citycard.web.permissions import Role
from citycard.web.readings import readings

CARD, OTHER = "03109901000000000001", "03109901000000000002"
DAYS = "?since=2026-03-01&until=2026-03-31"


def test_a_statement_is_every_movement_between_two_balances(client, operator):
    told = client.get(f"/api/cards/{CARD}/account{DAYS}", headers=operator).json()
    purse, *_ = told["sections"]
    assert (purse["opening_fen"], purse["closing_fen"]) == (0, 4650)
    assert [line["amount_fen"] for line in purse["lines"]] == [5000, -350]
    assert [line["balance_fen"] for line in purse["lines"]] == [5000, 4650]


def test_page_csv_and_pdf_say_the_same(client, operator):
    page = client.get(f"/cards/{CARD}/account{DAYS}", headers=operator | {"accept": "text/html"}).text
    written = client.get(f"/cards/{CARD}/account.csv{DAYS}", headers=operator)
    pdf = client.get(f"/cards/{CARD}/account.pdf{DAYS}", headers=operator)
    rows = list(csv.reader(io.StringIO(written.text.removeprefix("\ufeff"), newline="")))
    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(pdf.content)).pages)
    for amount in ("50.00", "3.50", "46.50"):
        assert amount in page
        assert amount in text
    purse = [row[10] for row in rows if row[0] == f"card/{CARD}/purse"]
    assert purse == ["", "50.00", "-3.50", ""]
    assert written.headers["content-type"] == "text/csv; charset=utf-8"
    assert pdf.headers["content-type"] == "application/pdf"
    name = "statement-03109901000000000001-2026-03-01-2026-03-31.pdf"
    assert pdf.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_every_look_at_a_cards_statement_is_recorded(client, operator, city):
    with reading(city.engine) as conn:
        before = len(readings(conn, OTHER, limit=1000))
    for where in (
        "/cards/{}/account",
        "/cards/{}/account.csv",
        "/cards/{}/account.pdf",
        "/api/cards/{}/account",
    ):
        assert client.get(where.format(OTHER) + DAYS, headers=operator).status_code == 200
    with reading(city.engine) as conn:
        looks = readings(conn, OTHER, limit=1000)
    assert [look.page for look in looks[: len(looks) - before]] == [
        "api account",
        "account pdf",
        "account csv",
        "account",
    ]


@pytest.mark.parametrize("ending", ["", ".csv", ".pdf"])
@pytest.mark.parametrize(
    ("role", "own", "others"),
    [(Role.CITIZEN, 200, 403), (Role.CLERK, 200, 200), (Role.AUDITOR, 200, 200), (Role.PARTNER, 403, 403)],
)
def test_a_citizen_sees_the_own_card_and_the_office_every_card(client, bearer, ending, role, own, others):
    found = [client.get(f"/cards/{asn}/account{ending}", headers=bearer[role]) for asn in (CARD, OTHER)]
    assert [answer.status_code for answer in found] == [own, others]


@pytest.mark.parametrize("ending", ["", ".csv", ".pdf"])
def test_a_partner_sees_its_own_statement_alone(client, bearer, ending):
    found = [
        client.get(f"/partners/{name}/account{ending}", headers=bearer[Role.PARTNER])
        for name in ("harbour-ferry", "park-gates")
    ]
    assert [answer.status_code for answer in found] == [200, 403]


def test_a_partners_statement_ends_at_what_it_is_owed(client, operator):
    told = client.get(f"/api/partners/harbour-ferry/account{DAYS}", headers=operator).json()
    (payable,) = told["sections"]
    assert [line["code"] for line in payable["lines"]] == [30, 40, 50]
    assert payable["closing_fen"] == payable["lines"][-1]["balance_fen"] == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?since=2026-03-02&until=2026-03-01", 422),
        ("?since=yesterday", 422),
        ("?until=2026-03-32", 422),
    ],
)
def test_days_that_are_none_are_refused(client, operator, query, status):
    assert client.get(f"/api/cards/{CARD}/account{query}", headers=operator).status_code == status


def test_names_are_escaped_on_the_page_too(client, operator):
    page = client.get(f"/partners/park-gates/account{DAYS}", headers=operator | {"accept": "text/html"}).text
    assert "<Gates>" not in page
    assert "Park &amp; &lt;Gates&gt;" in page
