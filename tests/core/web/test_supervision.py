"""The supervision page: in two languages, for whom it is, the same on page, in CSV and JSON."""

from __future__ import annotations

import csv
import io

import pytest
from supervisedtown import MARCH

from citycard.web.permissions import Role

PAGE = {"accept": "text/html"}
QUERY = "since=2026-03-01&until=2026-03-31"


@pytest.fixture(scope="module")
def clients(supervised):
    subjects = {Role.PARTNER: "pier", Role.CITIZEN: supervised.cards[0].asn}
    return {role: supervised.town.client(role, subjects.get(role, "")) for role in Role}


@pytest.fixture(scope="module")
def client(clients):
    return clients[Role.AUDITOR]


def test_programs_get_what_a_plain_count_gives(client, supervised):
    told = client.get(f"/api/supervision?{QUERY}").json()
    now = told["total"]["now"]
    found = (now["cards"], now["uses"], now["turnover_fen"], now["partners"], now["terminals"])
    assert found == supervised.count(*MARCH)
    assert told["total"]["uses_change"] == now["uses"]
    north = next(line for line in told["partners"] if line["id"] == "kiosk-north")
    assert north["now"]["cards"] is None
    assert told["targets"][0]["progress"]["standing"] == "behind"


def test_the_page_is_in_both_languages(client):
    english = client.get(f"/supervision?{QUERY}", headers=PAGE).text
    chinese = client.get(f"/supervision?{QUERY}&lang=zh", headers=PAGE).text
    client.cookies.clear()
    for words in ("Supervision", "Active cards", "Old Town", "no district", "behind", "&lt;5"):
        assert words in english
    for words in ("监督考核", "活跃卡数", "老城区", "无区县", "落后", "全部区县", "&lt;5"):
        assert words in chinese


def test_a_target_is_a_bar_and_words(client):
    page = client.get(f"/supervision?{QUERY}", headers=PAGE).text
    assert '<progress class="bad" value="40" max="100" aria-label="40%"></progress>' in page
    assert '<span class="tag bad">behind</span>' in page


def test_the_file_has_what_the_page_shows(client):
    page = client.get(f"/supervision?{QUERY}&district=harbour", headers=PAGE).text
    link = page.partition('<a href="/supervision.csv?')[2].partition('"')[0].replace("&amp;", "&")
    answer = client.get(f"/supervision.csv?{link}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].endswith('"supervision-2026-03-01-2026-03-31.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert {row["title"] for row in rows if row["row"] == "district"} == {"Harbour"}
    for row in rows:
        if row["row"] in {"district", "domain", "partner"}:
            assert row["title"] in page
            assert f"¥{row['turnover']}" in page


def test_a_line_leads_to_its_own_report(client, supervised):
    page = client.get(f"/supervision?{QUERY}", headers=PAGE).text
    link = f"/supervision?{QUERY}&domain=market"
    assert f'href="{link.replace("&", "&amp;")}"' in page
    own = client.get(link, headers=PAGE).text
    assert f"¥{supervised.count(*MARCH, domain='market')[2] / 100:.2f}" in own
    assert "Kiosks</a>" not in own


def test_more_partners_are_one_step_away(client):
    page = client.get(f"/supervision?{QUERY}&partners=1", headers=PAGE).text
    assert "4 more partners" in page
    assert "partners=10000" in page


def test_without_days_it_is_this_month(client, supervised):
    today = supervised.town.now.date()
    told = client.get("/api/supervision").json()
    assert (told["since"], told["until"]) == (str(today.replace(day=1)), str(today))


def test_a_part_without_any_use_says_so(client):
    page = client.get("/supervision?since=2020-01-01&until=2020-01-31&domain=market&district=-", headers=PAGE)
    assert "Nothing was used" in page.text
    assert "No target for these days" in page.text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=spring", "since"),
        ("until=2026-02-30", "until"),
        ("since=2026-04-01&until=2026-03-01", "until"),
        ("since=0001-01-01", "since"),
        ("until=9999-12-31", "until"),
        ("district=moon", "district"),
        ("domain=moon", "domain"),
        ("domain=" + "x" * 65, "domain"),
        ("partners=0", "partners"),
        ("partners=many", "partners"),
    ],
)
@pytest.mark.parametrize("path", ["/supervision", "/supervision.csv", "/api/supervision"])
def test_what_cannot_be_asked_is_a_problem_that_names_the_field(client, path, query, field):
    answer = client.get(f"{path}?{query}", headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(f"{field} '")


@pytest.mark.parametrize("path", ["/supervision", "/supervision.csv", "/api/supervision"])
def test_it_is_for_operators_and_auditors(clients, path):
    may = {role: clients[role].get(path).status_code for role in Role}
    assert {role for role, status in may.items() if status == 200} == {Role.OPERATOR, Role.AUDITOR}
    assert {may[Role.CITIZEN], may[Role.PARTNER], may[Role.CLERK]} == {403}
    assert may[Role.PUBLIC] == 401


def test_it_stands_in_the_menu_of_who_may_read_it(clients):
    link = '<a href="/supervision"'
    assert link in clients[Role.AUDITOR].get("/supervision", headers=PAGE).text
    assert link not in clients[Role.CLERK].get("/partners", headers=PAGE).text


def test_programs_are_told_what_to_expect(client):
    described = client.get("/openapi.json").json()
    get = described["paths"]["/api/supervision"]["get"]
    assert {one["name"] for one in get["parameters"]} == {"since", "until", "district", "domain", "partners"}
    assert "SupervisionReport" in str(get["responses"]["200"])
    assert "cards_change" in described["components"]["schemas"]["SupervisionLine"]["properties"]
