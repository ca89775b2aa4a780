"""Top-ups by command: ordered, paid at a sandbox in its own process, delivered onto a card in a file."""

from __future__ import annotations

import json

import pytest

from citycard import registry
from citycard.cli.cardfile import chip_file, write_card_file
from citycard.cli.main import _run
from citycard.store import writing

ASN = "01019901000000000001"
TEMPLATE = """\
[city]
name = "Paid town"
code = "9901"

[plugins]
allow = ["bazaar"]
enable = ["bazaar"]

[[plugins.bazaar.products]]
name = "standard"
title = "City card"

"""


@pytest.fixture
def town(bazaar, found_city, tmp_path, monkeypatch, payment_sandbox):
    (tmp_path / "template.toml").write_text(TEMPLATE + payment_sandbox.section())
    city = found_city(tmp_path / "town", tmp_path / "template.toml")
    city.issuing.publish()
    today = city.now_local().date()
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", today)])
    card = tmp_path / "own.card"
    write_card_file(card, chip_file(city.issuing.chip(ASN, "standard", today), "t-union"))
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return card


@pytest.fixture
def asked(capsys):
    def ask(*words, code=0):
        assert _run([*words, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return ask


def test_an_order_is_made_paid_found_out_and_delivered(town, asked, payment_sandbox, capsys):
    made = asked("topup", "order", ASN, "50")
    assert asked("topup", "order", ASN, "50", "--id", made["id"]) == made
    payment_sandbox.pay(made["id"].replace("-", ""))
    assert asked("topup", "check", made["id"]) == {"orders": 1}
    found = asked("topup", "show", made["id"])
    assert (found["state"], found["amount_fen"]) == ("paid", 5000)
    seen = asked("topup", "deliver", "--image", str(town))
    assert (seen["delivered"], seen["balance_after_fen"]) == ([made["id"]], 5000)
    assert _run(["topup", "deliver", "--image", str(town)]) == 0
    assert capsys.readouterr().out == f"card {ASN}: balance 50.00 yuan\n"
    assert [one["state"] for one in asked("topup", "list", "--card", ASN)] == ["delivered"]
    assert asked("topup", "list", "--loads") == asked("topup", "list", "--exceptions") == []


def test_a_paid_order_is_sent_back(town, asked, payment_sandbox, capsys):
    made = asked("topup", "order", ASN, "20")
    assert _run(["topup", "refund", made["id"]]) == 5
    assert "only one that is paid is refunded" in capsys.readouterr().err
    payment_sandbox.pay(made["id"].replace("-", ""))
    asked("topup", "check", made["id"])
    assert asked("topup", "refund", made["id"])["state"] == "refunded"
    assert asked("topup", "expire") == {"loads": [], "orders": []}


def test_an_automatic_top_up_is_set_shown_and_stopped(town, asked, capsys):
    assert asked("topup", "auto", ASN) is None
    given = ("--below", "10", "--amount", "20", "--daily", "40", "--from", f"account/{ASN}")
    assert asked("topup", "auto", ASN, *given)["threshold_fen"] == 1000
    assert _run(["topup", "auto", ASN]) == 0
    assert "below 10.00, load 20.00 from account/" in capsys.readouterr().out
    assert _run(["topup", "auto", ASN, "--below", "10"]) == 2
    identity = "018f4e2a-7c1b-7d3a-9f00-5a6b7c8d9e0f"
    less = ("--below", "5", *given[2:], "--id", identity)
    assert asked("topup", "auto", ASN, *less)["threshold_fen"] == 500
    asked("topup", "auto", ASN, *given)
    assert asked("topup", "auto", ASN, *less)["threshold_fen"] == 1000
    assert asked("topup", "auto", ASN, "--off") is None
    assert asked("topup", "auto", ASN, *less) is None
