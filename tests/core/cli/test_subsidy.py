"""``citycard subsidy`` in a real city."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from citycard import registry
from citycard.cli.main import _run
from citycard.store import writing

FIRST, SECOND = "0101990100000000000" + "1", "0101990100000000000" + "2"
CITY = '[city]\nname = "Quiet town"\ncode = "9901"\n[plugins]\nallow = []\n'


@pytest.fixture(autouse=True)
def today(found_city, tmp_path, monkeypatch):
    """A town with two cards and a canteen, and a programme for its meals; return the city's day."""
    (tmp_path / "template.toml").write_text(CITY)
    city = found_city(tmp_path / "town", tmp_path / "template.toml")
    day = city.now_local().date()
    with writing(city.engine) as conn:
        registry.add_products(conn, [registry.Product(name="plain", title="Plain", kind=7)])
        registry.add_product_versions(
            conn, [registry.ProductVersion(product="plain", version=1, layout='{"places": []}')]
        )
        cards = [
            registry.Card(
                asn=asn,
                issuer="01019901FFFFFFFF",
                product="plain",
                kind=7,
                issued_on=day,
                expires_on=date(2099, 1, 1),
            )
            for asn in (FIRST, SECOND)
        ]
        registry.add_cards(conn, cards)
        registry.add_partners(conn, [registry.Partner(id="canteen", name="Canteen", kind="food")])
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    monkeypatch.chdir(tmp_path)
    return day


@pytest.fixture
def call(capsys):
    """Return a function that calls a command and gives exit code, answer and what was said beside it."""

    def call(*words):
        capsys.readouterr()
        code = _run(["subsidy", *words, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


@pytest.fixture
def meals(call, today):
    days = ("--from", str(today), "--until", str(today + timedelta(days=30)))
    words = ("add", "meals", "--title", "Meals", "--funder", "Office", "--kind", "food", *days)
    return call, words


def test_a_programme_is_made_funded_granted_and_reported(meals, tmp_path):
    call, words = meals
    assert [call(*words)[1]["added"] for _ in range(2)] == [True, False]
    assert call(*words[:3], "Lunch", *words[4:])[0] == 5
    assert call("fund", "meals", "100")[1]["budget_fen"] == 10_000
    (tmp_path / "grants.csv").write_text(f"card,amount\n{FIRST},20\n{SECOND},70\nnobody,1\n")
    grant = ("grant-file", "meals", "grants.csv", "--batch", "2026-11", "--open")
    code, done, _ = call(*grant)
    assert (code, done["granted"], done["granted_fen"]) == (1, 2, 9000)
    assert [one["line"] for one in done["bad"]] == [4]
    code, done, _ = call(*grant)
    assert (code, done["granted"], done["repeated"]) == (1, 0, 2)
    assert call("grant", "meals", FIRST, "5")[1]["left_fen"] == 500
    code, _, err = call("grant", "meals", FIRST, "5.01")
    assert (code, "500 fen of its budget are left" in err) == (5, True)
    report = call("report", "meals")
    assert (report[0], report[1]["held_fen"], report[1]["difference_fen"]) == (0, 9500, 0)
    assert [one["programme"]["id"] for one in call("list")[1]] == ["meals"]
    assert call("lapse")[1] == {"subsidies_fen": 0, "points": 0}


def test_a_file_that_is_no_file_of_grants_is_refused(meals, tmp_path):
    call, words = meals
    call(*words)
    (tmp_path / "grants.csv").write_text("a;b\n")
    code, _, err = call("grant-file", "meals", "grants.csv", "--batch", "1")
    assert (code, err) == (3, "citycard: grants.csv: its first line names no column card and no amount\n")


def test_a_programme_that_is_not_there_is_told(call):
    code, _, err = call("report", "gone")
    assert (code, err) == (
        3,
        "citycard: there is no subsidy programme 'gone': citycard subsidy add makes one\n",
    )
