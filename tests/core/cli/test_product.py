"""``citycard product`` in a real city: what cards carry and cost, and products that are no longer made."""

from __future__ import annotations

import json

import pytest

from citycard import registry
from citycard.city import City
from citycard.cli.main import _run
from citycard.errors import LoadRefused
from citycard.store import writing
from citycard.terminal import InProcessReader, Terminal

pytestmark = pytest.mark.usefixtures("bazaar")

CITY = """\
[city]
name = "Card town"
code = "9901"
[plugins]
allow = ["bazaar"]
enable = ["bazaar"]
[[plugins.bazaar.products]]
name = "standard"
title = "City card"
deposit_fen = 2000
price_fen = 300
purse_limit_fen = 100000
"""
ASN = "01019901000000000001"
GATE = "990100000700"


@pytest.fixture
def town(found_city, tmp_path, monkeypatch):
    (tmp_path / "template.toml").write_text(CITY)
    found_city(tmp_path / "town", tmp_path / "template.toml").close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return tmp_path / "town"


def answer(capsys, *words):
    assert _run(["product", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_product_is_listed_with_what_its_cards_cost(town, capsys):
    (product,) = answer(capsys, "list")
    assert (product["name"], product["version"], product["retired_on"]) == ("standard", 1, None)
    assert (product["deposit_fen"], product["price_fen"], product["purse_limit_fen"]) == (2000, 300, 100000)


def test_a_product_is_shown_with_the_places_of_every_version(town, capsys):
    shown = answer(capsys, "show", "standard")
    (version,) = shown["versions"]
    assert (version["number"], version["cards"]) == (1, 0)
    assert version["places"][0]["sector"] == "bazaar-stalls"
    assert _run(["product", "show", "standard"]) == 0
    assert _run(["product", "list"]) == 0
    assert _run(["product", "show", "gold"]) == 3
    assert "bazaar-stalls" in capsys.readouterr().out


def test_no_card_of_a_retired_product_is_made(town, capsys):
    first = ["--first", ASN, "--size", "10"]
    assert _run(["stock", "range", "add", "r1", "--product", "standard", *first]) == 0
    assert _run(["stock", "receive", "box-1", "--cards", "5"]) == 0
    job = ["job", "open", "standard", "2", "--range", "r1", "--lot", "box-1"]
    assert _run(["product", "retire", "standard", "--on", "2018-12-31"]) == 0
    assert _run(job) == 5
    assert "was retired on 2018-12-31" in capsys.readouterr().err
    assert _run(["product", "retire", "standard", "--again"]) == 0
    assert _run(job) == 0


def test_a_purse_is_not_filled_over_its_products_limit(town):
    city = City.open(town)
    at = city.now_local()
    chip = city.issuing.chip(ASN, "standard", at.date())
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", at.date())])
    tap = Terminal(GATE, city.sam(GATE), host=city.desk).tap(InProcessReader(chip), at)

    with pytest.raises(LoadRefused, match="more than 100000"):
        tap.load(100_001, at)
    tap.load(100_000, at)
    city.close()
