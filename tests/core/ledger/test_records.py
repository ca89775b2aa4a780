from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from citycard.errors import TransferInvalid
from citycard.ledger.chart import Guard, Side
from citycard.ledger.records import AccountSpec, Balance, Limit, Transfer, account_id

GOOD = {
    "id": UUID(int=7),
    "debit_address": "bank",
    "credit_address": "card/1/purse",
    "amount_fen": 5000,
    "code": 10,
    "event_time": datetime(2018, 9, 1, 8),
    "business_date": date(2018, 9, 1),
}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("amount_fen", 0, "1 to 1000000000000000"),
        ("amount_fen", -5, "1 to"),
        ("amount_fen", 10**15 + 1, "1 to"),
        ("credit_address", "bank", "another account"),
        ("code", 0, "1 to 65535"),
        ("event_time", datetime(2018, 9, 1, tzinfo=UTC), "without a time zone"),
        ("ref", "x" * 201, "at most 200"),
        ("ref", "run\x1fpost", "no control characters"),
        ("debit_address", "bank\0", "no control characters"),
        ("credit_address", "a\x1fb", "no control characters"),
        ("limits", (Limit(key="day", max_fen=5), Limit(key="day", max_count=1)), "each key once"),
    ],
)
def test_a_transfer_that_cannot_be_names_itself_and_the_field(field, value, expected):
    with pytest.raises(TransferInvalid) as caught:
        Transfer(**GOOD | {field: value})
    assert str(caught.value).startswith(f"transfer {UUID(int=7)}: {field} is ")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("address", ""), ("address", " bank"), ("address", "x" * 201), ("address", "a\nb"), ("code", 70_000)],
)
def test_an_account_that_cannot_be_names_the_field(field, value):
    with pytest.raises(TransferInvalid, match=f"{field} is "):
        AccountSpec(**{"address": "bank", "code": 1001} | {field: value})


@pytest.mark.parametrize(
    ("code", "side"),
    [(1001, "D"), (2001, "C"), (4001, "C"), (5001, "D"), (9001, "C")],
)
def test_the_side_of_an_account_follows_from_its_class(code, side):
    assert AccountSpec(address="a", code=code).side == side


def test_the_side_can_be_said():
    assert AccountSpec(address="a", code=9001, side="D").side is Side.DEBIT


def test_an_address_has_one_id():
    assert account_id("bank") == account_id("bank") != account_id("bank2")


@pytest.mark.parametrize(("side", "fen"), [(Side.DEBIT, 70), (Side.CREDIT, -70)])
def test_a_balance_is_counted_on_its_own_side(side, fen):
    balance = Balance(
        address="a", code=1, side=side, guard=Guard.NONE, owner="", debits_fen=100, credits_fen=30
    )
    assert balance.balance_fen == fen
