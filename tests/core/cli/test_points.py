"""``citycard points`` in a real city."""

from __future__ import annotations

import json
from datetime import date

import pytest

from citycard import registry
from citycard.cli.main import _run
from citycard.store import writing

CARD = "0101990100000000000" + "1"
CITY = '[city]\nname = "Quiet town"\ncode = "9901"\n[plugins]\nallow = []\n'


@pytest.fixture(autouse=True)
def _town(found_city, tmp_path, monkeypatch):
    (tmp_path / "template.toml").write_text(CITY)
    city = found_city(tmp_path / "town", tmp_path / "template.toml")
    with writing(city.engine) as conn:
        registry.add_products(conn, [registry.Product(name="plain", title="Plain", kind=7)])
        registry.add_product_versions(
            conn, [registry.ProductVersion(product="plain", version=1, layout='{"places": []}')]
        )
        card = registry.Card(
            asn=CARD,
            issuer="01019901FFFFFFFF",
            product="plain",
            kind=7,
            issued_on=city.now_local().date(),
            expires_on=date(2099, 1, 1),
        )
        registry.add_cards(conn, [card])
        registry.add_partners(conn, [registry.Partner(id=one, name=one) for one in ("metro", "zoo")])
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    assert _run(["account", "open", CARD]) == 0


@pytest.fixture
def call(capsys):
    """Return a function that calls a command and gives exit code, answer and what was said beside it."""

    def call(*words):
        capsys.readouterr()
        code = _run(["points", *words, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


def test_points_are_earned_used_and_exchanged(call):
    terms = ("--per-yuan", "2", "--rate", "3", "--days", "90")
    for partner, added in (("metro", True), ("zoo", True), ("metro", False)):
        assert call("scheme", partner, "--title", "Stars", *terms)[1]["added"] is added
    assert call("accept", "metro", "zoo", "2")[1]["fen_per_point"] == 2
    assert call("rate", "metro", "zoo", "10", "4")[1]["get"] == 4
    assert call("earn", CARD, "metro", "20")[1]["points"] == 40
    used = call("use", CARD, "metro", "zoo", "15")[1]
    assert (used["points"], used["amount_fen"]) == (-15, 30)
    assert call("exchange", CARD, "metro", "zoo", "20")[1]["points"] == 8
    code, found, _ = call("list")
    assert code == 0
    assert [(one["scheme"]["partner"], one["points"], one["fund_fen"]) for one in found] == [
        ("metro", 5, 15),
        ("zoo", 8, 24),
    ]
    assert found[0]["accepted"] == {"zoo": 2}


def test_points_that_are_not_there_are_told(call):
    terms = ("--per-yuan", "2", "--rate", "3", "--days", "90")
    call("scheme", "metro", "--title", "Stars", *terms)
    call("accept", "metro", "zoo", "2")
    code, _, err = call("use", CARD, "metro", "zoo", "1")
    assert (code, err) == (5, f"citycard: points of metro: account {CARD} has 0, 1 are wanted\n")
    assert call("earn", CARD, "zoo", "20")[0] == 3
