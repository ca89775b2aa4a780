"""``citycard statement``: the files and the text of a partner's statement."""

import io
import json

import pytest
from pypdf import PdfReader

from citycard import registry
from citycard.cli.main import _run
from citycard.store import writing

CITY = '[city]\nname = "Town"\nname_zh = "小城"\ncode = "9901"\n'
DAYS = ["--from", "2018-09-01", "--to", "2018-09-30"]


@pytest.fixture
def town(found_city, tmp_path, monkeypatch):
    (tmp_path / "template.toml").write_text(CITY)
    city = found_city(tmp_path / "town", tmp_path / "template.toml")
    with writing(city.engine) as conn:
        registry.add_partners(conn, [registry.Partner(id="shop", name="=Shop 商店")])
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return tmp_path


def test_text_is_for_the_screen(town, capsys):
    assert _run(["statement", "partner", "shop", *DAYS]) == 0
    told = capsys.readouterr().out
    assert "Town 小城 · Statement of a partner 合作方对账单" in told
    assert "Nothing was booked in this period" in told


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"]])
def test_json_names_the_days_and_the_sections(town, capsys, words):
    assert _run(["statement", "partner", "shop", *DAYS, *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["subject"], told["since"], told["until"]) == ("shop", "2018-09-01", "2018-09-30")
    assert [one["lines"] for one in told["sections"]] == [[]]


def test_files_are_made_and_never_written_over(town, capsys):
    pdf, csv = town / "one.pdf", town / "one.csv"
    assert _run(["statement", "partner", "shop", *DAYS, "--format", "pdf", "--out", str(pdf)]) == 0
    assert "=Shop" in PdfReader(io.BytesIO(pdf.read_bytes())).pages[0].extract_text()
    assert _run(["statement", "partner", "shop", *DAYS, "--format", "csv", "--bom", "--out", str(csv)]) == 0
    assert csv.read_bytes().startswith(b"\xef\xbb\xbfaccount,booked_at,")
    capsys.readouterr()
    assert _run(["statement", "partner", "shop", *DAYS, "--csv", "--bom"]) == 0
    assert capsys.readouterr().out.encode() == csv.read_bytes()
    assert _run(["statement", "partner", "shop", *DAYS, "--csv", "--json"]) == 2
    assert _run(["statement", "partner", "shop", *DAYS, "--format", "csv", "--out", str(csv)]) == 5


def test_days_in_the_wrong_order_are_wrong_input(town, capsys):
    assert _run(["statement", "partner", "shop", "--from", "2018-09-02", "--to", "2018-09-01"]) == 3
    assert "2018-09-02 and the last is 2018-09-01" in capsys.readouterr().err


def test_cards_and_partners_that_are_not_there_are_named(town, capsys):
    assert _run(["statement", "card", "99999999999999999999"]) == 3
    assert _run(["statement", "partner", "nobody"]) == 3
