"""``citycard refund``, ``partner payout`` and ``chargeback`` by command, on an online payment."""

import json

import pytest

from citycard import registry
from citycard.cli.main import _run
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Transfer
from citycard.store import writing
from citycard.wallet.online import open_account

CITY = '[city]\nname = "Town"\ncode = "9901"\n'
CARD = "01010199010000000001"
WHY = ["--reason", "no lunch", "--approved-by", "Wang", "--evidence", "ticket 7"]


@pytest.fixture
def town(found_city, tmp_path, monkeypatch):
    """A town in which an online account was topped up and paid a canteen; gives both transfers."""
    (tmp_path / "template.toml").write_text(CITY)
    city = found_city(tmp_path / "town", tmp_path / "template.toml")
    at, made = city.now_local(), []
    ways = [
        ("trust/bank", f"account/{CARD}/online", 1000),
        (f"account/{CARD}/online", "partner/canteen/payable", 600),
    ]
    with writing(city.engine) as conn:
        registry.add_partners(conn, [registry.Partner(id="canteen", name="Canteen", account_no="6222000011")])
        open_account(conn, city.ledger, CARD, at=city.clock.now())
        codes = {"trust/bank": 1001, "partner/canteen/payable": 2101}
        city.ledger.open_accounts(conn, [AccountSpec(address=one, code=code) for one, code in codes.items()])
        for debit, credit, fen in ways:
            made.append(
                Transfer(
                    id=new_id(),
                    debit_address=debit,
                    credit_address=credit,
                    amount_fen=fen,
                    code=120,
                    event_time=at,
                    business_date=at.date(),
                )
            )
        city.ledger.post_all(conn, made)
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return [str(one.id) for one in made]


def asked(capsys, *words):
    assert (_run([*words, "--json"]), words) == (0, words)
    return json.loads(capsys.readouterr().out)


def test_a_refund_is_given_once_for_an_id_and_shown(town, capsys):
    identity = str(new_id())
    words = ["refund", "give", town[1], "--to", "account", "--amount", "2.50", "--id", identity, *WHY]
    first = asked(capsys, *words)
    assert asked(capsys, *words) == first
    assert (first["amount_fen"], first["parts"][0]["partner"]) == (250, "canteen")
    assert asked(capsys, "refund", "show", identity) == first
    assert asked(capsys, "refund", "list", "--purchase", town[1]) == [first]
    assert asked(capsys, "refund", "list", "--card", CARD) == [first]


def test_without_an_amount_it_is_all_that_is_left_also_when_asked_again(town, capsys):
    asked(capsys, "refund", "give", town[1], "--to", "cash", "--amount", "1", *WHY)
    identity = str(new_id())
    for _ in range(2):
        given = asked(capsys, "refund", "give", town[1], "--to", "account", "--id", identity, *WHY)
        assert given["amount_fen"] == 500
    assert _run(["refund", "give", town[1], "--to", "cash", "--amount", "0.01", *WHY]) == 5


def test_a_bank_account_is_named_or_the_call_is_wrong(town, capsys):
    words = ["refund", "give", town[1], "--to", "bank", *WHY]
    assert _run(words) == 2
    given = asked(capsys, *words, "--account-name", "李雷", "--account", "622200")
    assert given["target"] == "李雷 622200"


def test_a_partner_is_paid_out_once_for_an_id(town, capsys):
    identity = str(new_id())
    paid = [asked(capsys, "partner", "payout", "canteen", "--id", identity) for _ in range(2)]
    assert paid[0] == paid[1]
    assert (paid[0]["amount_fen"], paid[0]["state"]) == (600, "ordered")
    assert _run(["partner", "payout", "canteen"]) == 5


def test_a_charge_back_takes_its_steps(town, capsys):
    case = asked(capsys, "chargeback", "open", town[0], "--reason", "stolen", "--deadline", "2099-01-01")
    assert (case["state"], case["held_fen"]) == ("open", 400)
    assert _run(["chargeback", "step", case["id"], "won"]) == 5
    assert asked(capsys, "chargeback", "overdue") == {"accepted": 0}
    for state in ("disputed", "lost"):
        step = asked(capsys, "chargeback", "step", case["id"], state, "--evidence", "letter 3")
        assert step["state"] == state
    assert [one["id"] for one in asked(capsys, "chargeback", "list", "--state", "lost")] == [case["id"]]
    shown = asked(capsys, "chargeback", "show", case["id"])
    assert [one["state"] for one in shown["steps"]] == ["open", "disputed", "lost"]
    assert asked(capsys, "chargeback", "pay-claim", CARD, "1.00") == {"asn": CARD, "left_fen": 500}


def test_words_for_a_person(town, capsys):
    identity = str(new_id())
    for words in (
        ["refund", "give", town[1], "--to", "cash", "--id", identity, *WHY],
        ["refund", "show", identity],
        ["refund", "list", "--purchase", town[1]],
        ["chargeback", "list"],
        ["chargeback", "overdue"],
    ):
        assert _run(words) == 0
    assert "6.00" in capsys.readouterr().out
    assert _run(["refund", "list"]) == 2
