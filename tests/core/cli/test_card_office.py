"""The card office on the command line: from a job's card image to a replaced card with its money."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import pytest

from citycard import registry
from citycard.city import City
from citycard.cli.main import _run
from citycard.store import writing

pytestmark = pytest.mark.usefixtures("bazaar")

CITY = """\
[city]
name = "Card town"
code = "9901"
[cards]
clearing_days = 0
[plugins]
allow = ["bazaar"]
enable = ["bazaar"]
[[plugins.bazaar.products]]
name = "standard"
title = "City card"
deposit_fen = 2000
"""
FIRST = "01019901000000000001"
SECOND = "01019901000000000002"


@pytest.fixture
def out(found_city, tmp_path, monkeypatch, capsys):
    """Two cards in stock, as images."""
    (tmp_path / "template.toml").write_text(CITY)
    found_city(tmp_path / "town", tmp_path / "template.toml").close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    add = ["stock", "range", "add", "r1", "--product", "standard", "--first", FIRST, "--size", "100"]
    assert _run(add) == 0
    assert _run(["stock", "receive", "box-1", "--cards", "5"]) == 0
    assert _run(["job", "open", "standard", "2", "--range", "r1", "--lot", "box-1"]) == 0
    assert _run(["job", "run", "1", "--out", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    return tmp_path / "out"


def register_terminal():
    number = "990100000001"
    city = City.open(Path(os.environ["CITYCARD_CITY"]))
    with writing(city.engine) as conn:
        registry.add_partners(conn, [registry.Partner(id="desk", name="Service desk")])
        terminal = registry.Terminal(number=number, partner="desk", opened_on=dt.date(2018, 9, 1))
        registry.add_terminals(conn, [terminal])
    city.close()
    return number


def answer(capsys, *words, code=0):
    assert _run(["card", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def image(out, asn):
    return ["--image", str(out / f"{asn}.card")]


def test_a_card_lives_from_the_stock_to_its_replacement(out, capsys):
    assert answer(capsys, "issue", FIRST, "--by", "anna")["deposit_fen"] == 2000
    assert answer(capsys, "activate", *image(out, FIRST)) == {"asn": FIRST, "done": "activated"}
    renewed = answer(capsys, "renew", "--until", "2050-12-31", *image(out, FIRST))
    lost = answer(capsys, "lost", FIRST)
    replaced = answer(capsys, "replace", FIRST, SECOND, "--reason", "lost", "--fee", "5")
    answer(capsys, "activate", *image(out, SECOND))
    moved = answer(capsys, "transfer", *image(out, SECOND))

    assert renewed["expires_on"] == "2050-12-31"
    assert lost["status"] == "lost"
    assert (replaced["status"], replaced["closing"]["successor"]) == ("replaced", SECOND)
    assert moved == {"asn": SECOND, "done": "transferred", "loaded_fen": 0, "already_at": None}
    assert answer(capsys, "show", SECOND)["deposit_fen"] == 2000
    assert [line["what"] for line in answer(capsys, "history", FIRST)] == [
        "personalised",
        "keys",
        "stock → issued",
        "activated",
        "renewed",
        "issued → lost",
        "lost → replaced",
        "owed",
    ]


def test_the_number_that_a_card_shows_and_the_one_that_is_printed_are_both_taken(out, capsys):
    assert _run(["card", "read", *image(out, FIRST)]) == 0
    assert FIRST in capsys.readouterr().out.split()
    assert answer(capsys, "issue", FIRST.removeprefix("0"))["asn"] == FIRST
    assert answer(capsys, "show", FIRST.removeprefix("0"))["status"] == "issued"
    assert _run(["card", "show", FIRST[2:]]) == 3
    assert "expected 20 digits" in capsys.readouterr().err


def test_a_card_that_is_not_enabled_names_the_commands_that_enable_it(out, tmp_path, capsys):
    terminal, old = "990100000077", str(tmp_path / "old.card")
    assert _run(["partner", "add", "shop", "--name", "Corner shop"]) == 0
    assert _run(["terminal", "add", terminal, "--partner", "shop"]) == 0
    assert _run(["card", "make-old", old, "--serial", "00012345", "--balance", "5"]) == 0
    load = ["card", "load", "5", "--terminal", terminal, *image(out, FIRST)]
    migrate = ["card", "migrate", "--old", old, "--new", str(out / f"{FIRST}.card")]
    for words in (load, migrate):
        capsys.readouterr()
        assert _run(words) == 5
        told = capsys.readouterr().err
        assert "not-enabled" in told
        assert "citycard card issue NUMBER" in told
        assert "citycard card activate" in told

    answer(capsys, "issue", FIRST)
    answer(capsys, "activate", *image(out, FIRST))
    assert _run(load) == 0
    assert _run(migrate) == 0


def test_a_returned_card_is_stopped_and_paid_out(out, capsys):
    answer(capsys, "issue", FIRST)
    assert answer(capsys, "return", FIRST)["status"] == "returned"
    assert answer(capsys, "stop", *image(out, FIRST))["done"] == "stopped"
    assert answer(capsys, "settle") == {"due": 1, "put_right": 0}
    assert answer(capsys, "pay-out", FIRST) == {"asn": FIRST, "paid_fen": 2000, "already_at": None}
    again = answer(capsys, "pay-out", FIRST)
    assert again["paid_fen"] == 0
    assert again["already_at"] == answer(capsys, "history", FIRST)[-1]["at"]
    assert _run(["card", "pay-out", FIRST]) == 0
    assert "already paid out on 20" in capsys.readouterr().out


def test_a_transfer_says_the_second_time_that_it_was_done(out, capsys):
    answer(capsys, "issue", FIRST)
    answer(capsys, "activate", *image(out, FIRST))
    answer(capsys, "load", "30", "--terminal", register_terminal(), *image(out, FIRST))
    answer(capsys, "replace", FIRST, SECOND, "--reason", "broken")
    answer(capsys, "activate", *image(out, SECOND))
    first = answer(capsys, "transfer", *image(out, SECOND))
    again = answer(capsys, "transfer", *image(out, SECOND))

    assert (first["loaded_fen"], first["already_at"]) == (3000, None)
    assert (again["loaded_fen"], again["already_at"][:2]) == (0, "20")
    assert _run(["card", "transfer", *image(out, SECOND)]) == 0
    assert "already transferred on 20" in capsys.readouterr().out


def test_a_card_up_to_date_is_not_written(out, capsys):
    before = (out / f"{FIRST}.card").read_bytes()
    updated = answer(capsys, "update", *image(out, FIRST))
    assert (updated["added"], updated["version"]) == ([], 1)
    assert (out / f"{FIRST}.card").read_bytes() == before


def test_what_a_cards_life_does_not_allow_is_refused_in_one_line(out, capsys):
    assert _run(["card", "activate", *image(out, FIRST)]) == 5
    assert _run(["card", "replace", FIRST, SECOND, "--reason", "lost"]) == 5
    assert _run(["card", "block", FIRST, "--reason", "misprinted"]) == 0
    assert _run(["card", "unblock", FIRST, "--reason", "looked again"]) == 0
    assert _run(["card", "history", FIRST]) == 0
    assert _run(["card", "show", FIRST]) == 0
    assert _run(["card", "pay-out", FIRST]) == 5

    said = capsys.readouterr()
    assert "it was not given up" in said.err
    assert "blocked → stock" in said.out
