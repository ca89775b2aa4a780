"""From a partner's statement to its records, on a page, as CSV and by program."""

from __future__ import annotations

import csv
import io

import pytest
from lxml import html

from citycard.web.permissions import Role

RUN = "/partners/harbour-ferry/runs/1"


@pytest.fixture
def look(client, bearer):
    def opened(path, role=Role.PARTNER, status=200, lang="en"):
        answer = client.get(path, headers=bearer[role] | {"accept": "text/html", "accept-language": lang})
        assert (path, answer.status_code) == (path, status)
        return answer

    return opened


def test_a_partner_goes_from_its_statement_to_a_line_and_its_records(look):
    statement = html.fromstring(look("/partners/harbour-ferry").text)
    assert statement.xpath(f"//h2/a[@href='{RUN}']")
    lines = html.fromstring(look(RUN).text)
    rows = lines.xpath("//section[@aria-labelledby='h-lines']//tbody/tr[td/a]")
    assert rows
    for row in rows:
        page = html.fromstring(look(RUN + row.xpath("td/a/@href")[0]).text)
        records = page.xpath("//section[@aria-labelledby='h-records']//tbody/tr")
        assert str(len(records)) in [cell.text_content().strip() for cell in row.xpath("td")]
        assert "031099…" in records[0].text_content()


def test_records_as_csv_and_by_program_agree(look, client, bearer):
    rows = list(
        csv.DictReader(io.StringIO(look(f"{RUN}/records.csv").text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}")))
    )
    found = client.get(f"/api{RUN}/records", headers=bearer[Role.PARTNER]).json()["records"]
    assert [one["id"] for one in found] == [row["record"] for row in rows]
    broken = client.get(f"/api{RUN}", headers=bearer[Role.PARTNER]).json()
    assert sum(line["share_fen"] for line in broken["lines"]) == broken["statement"]["gross_fen"]


def test_a_partner_sees_its_own_share_of_a_record_and_not_what_others_got(client, bearer):
    path = f"/api{RUN}/records"
    seen = {
        role: client.get(path, headers=bearer[role]).json()["records"]
        for role in (Role.PARTNER, Role.OPERATOR)
    }
    parts = {role: [part for one in found for part in one["parts"]] for role, found in seen.items()}
    assert {name for name, _ in parts[Role.PARTNER]} == {"harbour-ferry"}
    assert parts[Role.PARTNER] == [one for one in parts[Role.OPERATOR] if one[0] == "harbour-ferry"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/partners/park-gates/runs/1", 403),
        ("/partners/park-gates/runs/1/records.csv", 403),
        ("/partners/harbour-ferry/runs/99", 404),
        ("/partners/harbour-ferry/runs/x", 404),
        ("/partners/harbour-ferry/runs/1?code=ZZ9", 404),
        ("/partners/harbour-ferry/runs/1?day=x", 422),
    ],
)
def test_what_is_anothers_or_not_there_is_not_shown(look, path, status):
    look(path, status=status)


def test_the_page_is_in_chinese_too(look):
    assert "按日期、服务和代码" in look(RUN, Role.OPERATOR, lang="zh").text
