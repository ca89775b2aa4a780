"""``citycard supervision report``: as words, as JSON, and as the CSV file of the page."""

from __future__ import annotations

import json

import pytest
from supervisedtown import MARCH

from citycard.cli.main import _run

DAYS = ("--from", "2026-03-01", "--to", "2026-03-31")


@pytest.fixture(autouse=True)
def _in_town(supervised, monkeypatch):
    monkeypatch.setenv("CITYCARD_CITY", str(supervised.town.city.folder))


def run(*words):
    return _run(["supervision", "report", *words])


def test_it_tells_every_part_and_every_target(supervised, capsys):
    assert run(*DAYS) == 0
    told = capsys.readouterr()
    cards, uses, fen, *_ = supervised.count(*MARCH)
    total = next(line for line in told.out.splitlines() if line.startswith("all together"))
    assert total.split()[2:8] == [str(cards), "0", str(uses), "0", f"{fen / 100:.2f}", "0.00"]
    for words in (
        "Kiosks",
        "Old Town",
        "no district",
        "Old Stall",
        "all domains, all districts",
        "behind",
        "<5",
    ):
        assert words in told.out
    assert "2026-03-01 to 2026-03-31, beside 2026-02-01 to 2026-02-28" in told.err


def test_json_has_what_programs_get(supervised, capsys):
    assert run(*DAYS, "--domain", "market", "--district", "harbour", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    count = supervised.count(*MARCH, domain="market", district="harbour")
    assert (told["total"]["now"]["uses"], told["total"]["now"]["turnover_fen"]) == count[1:3]
    assert told["domain"] == "market"


def test_partners_without_a_district_can_be_asked_for(supervised, capsys):
    assert run(*DAYS, "--district", "-", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["total"]["now"]["uses"] == supervised.count(*MARCH, district="-")[1]
    assert told["total"]["now"]["cards"] is None


def test_more_partners_can_be_asked_for(capsys):
    assert run(*DAYS, "--partners", "1") == 0
    assert "4 more partners: --partners 5" in capsys.readouterr().err


def test_csv_is_written_into_a_new_file_once(tmp_path, capsys):
    path = tmp_path / "march.csv"
    assert run(*DAYS, "--csv", "--out", str(path)) == 0
    assert path.read_bytes().startswith(b"\xef\xbb\xbfrow,id,title,title_zh,")
    assert "is written" in capsys.readouterr().err
    assert run(*DAYS, "--csv", "--out", str(path)) == 5
    assert run(*DAYS, "--csv") == 0
    assert capsys.readouterr().out.encode() == path.read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("--from", "spring"), 2, "--from"),
        (("--out", "march.csv"), 2, "say --csv as well"),
        (("--csv", "--json"), 2, "one answer at a time"),
        (("--from", "2026-04-01", "--to", "2026-03-01"), 3, "until '2026-03-01' is not valid"),
        (("--district", "moon"), 3, "district 'moon' is not valid: expected one of harbour, old-town, -"),
        (("--domain", "moon"), 3, "domain 'moon' is not valid: expected one of kiosk, market, -"),
        (("--partners", "0"), 2, "--partners"),
    ],
)
def test_a_wrong_call_is_one_line(capsys, words, code, expected):
    assert run(*words) == code
    told = capsys.readouterr().err
    assert expected in told
    assert len(told.splitlines()) == 1
