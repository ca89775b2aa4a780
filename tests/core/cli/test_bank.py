"""``citycard bank`` in a city of its own, from the order to the last exception."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import sys
from pathlib import Path

import pytest

from citycard.bank.instruction import BankAccount
from citycard.bank.payments import Payment, order_payment
from citycard.cli.main import _run
from citycard.clock import FixedClock
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Transfer
from citycard.store import writing

_SPEC = importlib.util.spec_from_file_location(
    "camtwriter", Path(__file__).parents[1] / "bank" / "camtwriter.py"
)
camtwriter = importlib.util.module_from_spec(_SPEC)
sys.modules["camtwriter"] = camtwriter
_SPEC.loader.exec_module(camtwriter)

ACCOUNT = "6200990100000000001"
TOML = f'[city]\nname = "Haibin"\ncode = "9901"\n[plugins]\nallow = []\n[bank]\naccount = "{ACCOUNT}"\n'
AT = dt.datetime(2026, 11, 23, 9)
SHOP = "partner/shop/payable"


@pytest.fixture
def town(found_city, tmp_path):
    """A city that took 500 yuan for a shop at its desk and owes it 300 of them."""
    template = tmp_path / "template.toml"
    template.write_text(TOML)
    city = found_city(tmp_path / "town", template, clock=FixedClock(AT.replace(tzinfo=dt.UTC)))
    taken = Transfer(
        id=new_id(), debit_address="trust/bank", credit_address=SHOP, amount_fen=50_000, code=10,
        event_time=AT, business_date=AT.date(),
    )  # fmt: skip
    payment = Payment(
        id=new_id(), kind="payout", amount_fen=30_000, source=SHOP, end_to_end="E2E-1",
        creditor=BankAccount(name="Corner Shop", account="440010001"),
    )  # fmt: skip
    with writing(city.engine) as conn:
        city.ledger.open_accounts(
            conn, [AccountSpec(address="trust/bank", code=1001), AccountSpec(address=SHOP, code=2101)]
        )
        city.ledger.post_all(conn, [taken])
        order_payment(conn, city.ledger, payment, event_time=AT, business_date=AT.date())
    city.close()
    return tmp_path / "town"


@pytest.fixture
def call(town, capsys):
    """Call a command in the town and give its exit code and its JSON."""

    def calling(*arguments):
        code = _run(["bank", *map(str, arguments), "--city", str(town), "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else said.err

    return calling


def test_from_the_order_to_the_last_exception(call, tmp_path):
    code, made = call("instruct")
    assert (code, made["total_fen"], made["path"]) == (0, 30_000, "bank/000001.pain.001.001.09.xml")
    assert call("instruct") == (0, None)
    bank = camtwriter.Bank(ACCOUNT, 40_000)
    file = tmp_path / "day.xml"
    day = dt.date(2026, 11, 24)
    file.write_bytes(
        bank.day(
            day,
            camtwriter.Booked(signed=-30_000, day=day, end_to_end="E2E-1"),
            camtwriter.Booked(signed=700, day=day, text="KIOSK-7"),
            camtwriter.Booked(signed=5, day=day),
        )
    )
    assert call("expect", "kiosk-7", "--kind", "agent", "--for", "kiosk", "--standing")[1]["new"]
    code, received = call("receive", file)
    assert (code, received[0]["statements"][0]["states"]["matched"]) == (1, 2)
    assert call("receive", file)[0] == 0
    assert [one["code"] for one in call("lines")[1]] == ["OK", "A01", "M02"]
    assert [one["state"] for one in call("payments", "--state", "settled")[1]] == ["settled"]
    (case,) = call("exceptions", "list")[1]
    assert call("exceptions", "take", case["id"], "--by", "li")[1]["taken_by"] == "li"
    wish = ("exceptions", "resolve", case["id"], "--how", "posted", "--reason", "his", "--by", "li")
    assert call(*wish)[0] == 5
    assert call(*wish, "--account", SHOP)[1]["state"] == "resolved"
    assert [one["what"] for one in call("exceptions", "show", case["id"])[1]["steps"]] == [
        "opened",
        "taken",
        "resolved",
    ]
    code, found = call("reconcile")
    assert (code, found["unexplained_fen"], found["desk_fen"]) == (0, 0, 10_000)
    assert call("match") == (0, {"explained": 0, "missing": 0})
    assert call("statements")[1]["holes"] == []


def test_every_command_speaks_to_people_too(town, capsys, tmp_path):
    file = tmp_path / "day.xml"
    day = dt.date(2026, 11, 24)
    file.write_bytes(camtwriter.Bank(ACCOUNT).day(day, camtwriter.Booked(signed=5, day=day, name="Stranger")))
    said = {}
    for words in (
        ["instruct"],
        ["receive", str(file)],
        ["lines"],
        ["statements"],
        ["payments"],
        ["exceptions", "list"],
        ["reconcile"],
        ["calendar", "--from", "2026-12-30", "--days", "4"],
    ):
        assert _run(["bank", *words, "--city", str(town)]) in {0, 1}
        answer = capsys.readouterr()
        said[" ".join(words[:2])] = answer.out + answer.err
    assert "Corner Shop" in said["payments"]
    assert "nothing was ordered or expected" not in said["lines"]
    assert "M02" in said["exceptions list"]
    assert "left unexplained: 0.00 yuan" in said["reconcile"]
    assert "of 2027 no public holidays are known" in said["calendar --from"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["expect", "KIOSK", "--kind", "agent"], 2),
        (["expect", "X", "--kind", "desk"], 3),
        (["expect", "DESK", "--kind", "desk", "--credit", "trust/bank"], 3),
        (["expect", "FUND-1", "--kind", "subsidy"], 2),
        (["expect", "FUND-1", "--kind", "subsidy", "--for", "nothing"], 3),
        (["expect", "FUND-1", "--kind", "subsidy", "--credit", "nobody"], 3),
        (["exceptions", "show", "00000000-0000-0000-0000-000000000000"], 4),
        (["receive", "/nowhere.xml"], 2),
    ],
)
def test_a_wrong_call_ends_with_its_own_code(call, words, code):
    assert call(*words)[0] == code
