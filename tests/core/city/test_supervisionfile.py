"""The CSV has a row for each line of the report, and opens in a spreadsheet as text."""

from __future__ import annotations

import csv
import io

import attrs
import pytest
from supervisedtown import MARCH

from citycard.city.supervision import scope_of, supervise
from citycard.city.supervisionfile import COLUMNS, supervision_csv


@pytest.fixture(scope="module")
def report(supervised):
    city = supervised.town.city
    return supervise(city, scope_of(city, since=MARCH[0], until=MARCH[1]))


def rows(report):
    text = "".join(supervision_csv(report))
    assert text.startswith("\ufeffrow,id,")
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def test_every_line_of_the_report_is_a_row(report):
    found = rows(report)
    wanted = [
        ("total", report.total.id),
        *(("domain", line.id.strip("-")) for line in report.domains),
        *(("district", line.id.strip("-")) for line in report.districts),
        *(("partner", line.id) for line in report.partners),
        *(("target", f"{one.target.domain} {one.target.district}") for one in report.targets),
    ]
    assert [(row["row"], row["id"]) for row in found] == wanted
    assert all(tuple(row) == COLUMNS and None not in row.values() for row in found)


def test_amounts_are_yuan_and_changes_have_their_sign(supervised, report):
    total = rows(report)[0]
    cards, uses, fen, *_ = supervised.count(*MARCH)
    assert (total["cards"], total["uses"], total["turnover"]) == (str(cards), str(uses), f"{fen / 100:.2f}")
    assert total["uses_change"] == str(uses)
    assert (total["since"], total["until"]) == ("2026-03-01", "2026-03-31")


def test_few_cards_are_told_as_few(report):
    north = next(row for row in rows(report) if row["id"] == "kiosk-north")
    assert (north["cards"], north["cards_change"]) == ("<5", "")


def test_a_target_in_fen_is_told_in_yuan(report):
    target = next(row for row in rows(report) if row["id"] == "market harbour")
    assert (target["measure"], target["target"]) == ("turnover", "10.00")
    assert target["title_zh"] == "Market，港区"


def test_a_name_that_a_spreadsheet_would_calculate_gets_an_apostrophe(report):
    wild = attrs.evolve(report.partners[0], title='=HYPERLINK("x")', title_zh="＋1")
    row = next(row for row in rows(attrs.evolve(report, partners=(wild,))) if row["row"] == "partner")
    assert (row["title"], row["title_zh"]) == ('\'=HYPERLINK("x")', "'＋1")
