"""``citycard account``, ``subsidy`` and ``points`` in one small town: each is a page of one story."""

from __future__ import annotations

import json
from datetime import date
from uuid import uuid4

import pytest

from citycard import registry
from citycard.city import City
from citycard.cli.main import _run
from citycard.ids import new_id
from citycard.ledger import AccountSpec
from citycard.store import writing
from citycard.wallet import TRUST_BANK, card_purse, online_account

FIRST, SECOND = "0101990100000000000" + "1", "0101990100000000000" + "2"
CITY = """[city]
name = "Quiet town"
code = "9901"
[plugins]
allow = []
[wallet.limits.pay]
single_fen = 50000
day_fen = 100000
"""


@pytest.fixture(autouse=True)
def town(found_city, tmp_path, monkeypatch):
    """A town with two cards, a hotel and a canteen, and 100 yuan on the first card's account."""
    (tmp_path / "template.toml").write_text(CITY)
    city = found_city(tmp_path / "town", tmp_path / "template.toml")
    today = city.now_local().date()
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
                issued_on=today,
                expires_on=date(2099, 1, 1),
            )
            for asn in (FIRST, SECOND)
        ]
        registry.add_cards(conn, cards)
        partners = [("hotel", "hotel"), ("canteen", "food")]
        registry.add_partners(conn, [registry.Partner(id=one, name=one, kind=kind) for one, kind in partners])
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    assert _run(["account", "open", FIRST]) == 0
    put(city, TRUST_BANK, online_account(FIRST), 10_000)
    city.close()
    return tmp_path


def put(city, debit, credit, amount_fen):
    with writing(city.engine) as conn:
        city.ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=1001)])
        city.ledger.post_all(
            conn, [city.wallet.transfer(new_id(), debit, credit, amount_fen, 90, ref="test")]
        )


@pytest.fixture
def answer(capsys):
    """Return a function that calls a command with --json and gives what it answered."""

    def call(*words, code=0):
        capsys.readouterr()
        assert _run([*words, "--json"]) == code, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def said(capsys):
    """Return a function that calls a command and gives its exit code and its one line of error."""

    def call(*words):
        capsys.readouterr()
        code = _run([*words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_a_payment_is_made_and_a_part_given_back(answer):
    identity = str(uuid4())
    paid = [answer("account", "pay", FIRST, "canteen", "25.50", "--id", identity) for _ in range(2)]
    assert paid[0] == paid[1]
    assert (paid[0]["amount_fen"], paid[0]["parts"][0]["programme"]) == (2550, "")
    assert answer("account", "give-back", identity, "5.50")["returned_fen"] == 550
    shown = answer("account", "show", FIRST)
    assert (shown["balance_fen"], shown["payments"][0]["id"]) == (8000, identity)


def test_an_id_is_explained_by_what_was_asked_and_answered(answer, said):
    paid, refused = str(uuid4()), str(uuid4())
    answer("account", "pay", FIRST, "canteen", "25.50", "--id", paid, "--by", "Wang")
    assert said("account", "pay", FIRST, "canteen", "400", "--id", refused, "--by", "Wang")[0] == 5
    answer("account", "give-back", paid, "5")
    told = answer("account", "explain", refused)["act"]
    assert (told["kind"], told["asked"]["partner"], told["why"]["wanted_fen"]) == ("pay", "canteen", 40_000)
    _, out, _ = said("account", "explain", paid)
    assert f"account {FIRST}, by Wang\npay, partner canteen, 25.50 yuan: done\n" in out
    assert out.endswith("partner/canteen/payable: 25.50 yuan, 5.00 given back\n")
    code, out, _ = said("account", "show", FIRST)
    line = f"pay, partner canteen, 400.00 yuan: account {FIRST} has 7450 fen for this: 40000 fen are wanted"
    assert (code, line in out) == (0, True)
    assert said("account", "explain", str(uuid4()))[0] == 3


def test_a_hold_is_captured_or_released(answer, said):
    held = answer("account", "hold", FIRST, "hotel", "60", "--note", "room 7")
    assert (held["state"], held["amount_fen"]) == ("pending", 6000)
    assert answer("account", "capture", held["id"], "45")["captured_fen"] == 4500
    code, _, err = said("account", "release", held["id"])
    assert (code, err) == (5, f"citycard: hold {held['id']}: it is posted: it ends once\n")
    second = answer("account", "hold", FIRST, "hotel", "10", "--minutes", "5")
    assert answer("account", "release", second["id"])["state"] == "voided"


def test_an_account_is_limited_frozen_and_closed(answer, said):
    limited = answer("account", "limit", FIRST, "pay", "--day", "30", "--day-count", "2")
    assert limited["limits"][0]["together"]["single_fen"] == 50_000
    assert (limited["limits"][0]["own"]["day_fen"], limited["limits"][0]["own"]["day_count"]) == (3000, 2)
    code, _, err = said("account", "pay", FIRST, "canteen", "30.01")
    assert code == 5
    assert "pay per day, in fen is limited to 3000, 0 are used until" in err
    assert said("account", "limit", FIRST, "pay", "--single", "500.01")[0] == 5
    assert answer("account", "freeze", FIRST)["status"] == "frozen"
    assert said("account", "pay", FIRST, "canteen", "1")[0] == 5
    assert answer("account", "unfreeze", FIRST)["status"] == "open"
    assert answer("account", "close", FIRST)["status"] == "closed"


def test_the_id_of_a_payment_or_a_hold_is_a_purchase_that_is_refunded_once(answer, said):
    why = ["--to", "cash", "--reason", "no lunch", "--approved-by", "Wang", "--evidence", "ticket 7"]
    paid = answer("account", "pay", FIRST, "canteen", "6")
    held = answer("account", "hold", FIRST, "hotel", "9")
    answer("account", "capture", held["id"], "5")
    assert answer("account", "give-back", paid["id"], "1")["returned_fen"] == 100
    assert answer("refund", "give", paid["id"], *why)["amount_fen"] == 500
    assert answer("refund", "give", held["id"], *why)["amount_fen"] == 500
    assert answer("account", "show", FIRST)["payments"][1]["returned_fen"] == 600
    assert len(answer("refund", "list", "--purchase", held["id"])) == 1
    code, _, err = said("refund", "give", paid["id"], "--amount", "0.01", *why)
    told = "is not refunded: 0 fen of it are left, less than 1"
    assert (code, err) == (5, f"citycard: purchase {paid['id']} {told}\n")


def test_what_is_owed_for_a_closed_account_is_paid_out(answer, said):
    assert said("account", "pay-out", FIRST)[0] == 5
    assert answer("account", "close", FIRST)["owed_fen"] == 10_000
    identity = str(uuid4())
    to = ["--account-name", "李雷", "--account", "6222000011112222"]
    paid = [answer("account", "pay-out", FIRST, "--amount", "60", "--id", identity, *to) for _ in range(2)]
    assert paid[0] == paid[1]
    assert (paid[0]["paid_fen"], paid[0]["state"]) == (6000, "ordered")
    assert "owed       40.00 yuan\n" in said("account", "show", FIRST)[1]
    assert said("account", "pay-out", FIRST)[1] == f"account {FIRST}: 40.00 yuan paid out\n"
    code, _, err = said("account", "pay-out", FIRST)
    assert (code, err) == (
        5,
        f"citycard: account {FIRST} is not paid out: nothing is owed for it: close it first\n",
    )
    assert said("account", "pay-out", FIRST, "--account", "6222")[0] == 2


_SHOWN = (
    "balance                                       97.75 yuan",
    "95.75 yuan",
    "2.00 yuan for hotel, pending\n",
    "2.00 yuan for hotel, posted, 1.50 captured\n",
    "1.50 yuan to hotel, of hold ",
    "1.00 yuan to canteen, 0.25 given back\n",
)


def test_what_is_said_without_json_is_short(said):
    paid = said("account", "pay", FIRST, "canteen", "1")[1]
    assert paid.endswith(": 1.00 yuan to canteen\n")
    held = said("account", "hold", FIRST, "hotel", "2")[1]
    assert held.endswith(": 2.00 yuan for hotel, pending\n")
    assert (
        ": 2.00 yuan for hotel, posted, 1.50 captured\n"
        in said("account", "capture", held.split()[1][:-1], "1.5")[1]
    )
    assert (
        ": 1.00 yuan to canteen, 0.25 given back\n"
        in said("account", "give-back", paid.split()[1][:-1], "0.25")[1]
    )
    said("account", "hold", FIRST, "hotel", "2")
    shown = said("account", "show", FIRST)[1]
    assert [words for words in _SHOWN if words not in shown] == []


def test_shadows_below_zero_are_listed(town, answer, said):
    city = City.open(town / "town")
    with writing(city.engine) as conn:
        city.ledger.open_accounts(
            conn,
            [
                AccountSpec(address=card_purse(SECOND), code=2001, owner=SECOND),
                AccountSpec(address="control/window", code=9001),
            ],
        )
    put(city, card_purse(SECOND), "control/window", 250)
    city.close()
    found = answer("account", "shadows", "--negative")
    assert [(one["asn"], one["balance_fen"], one["status"]) for one in found] == [(SECOND, -250, "issued")]
    assert "-2.50" in said("account", "shadows")[1]


def test_a_number_that_is_nobodys_is_told(said):
    code, _, err = said("account", "show", SECOND)
    assert code == 3
    assert f"there is no online account {SECOND!r}: citycard account open CARD opens one" in err
