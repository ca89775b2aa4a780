from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest

from citycard.errors import TransferInvalid
from citycard.ledger.chart import Guard, Side
from citycard.ledger.records import AccountSpec, Balance, Kind, Limit, Transfer, account_id

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
        ("amount_fen", -5, "1 to 1000000000000000"),
        ("amount_fen", 10**15 + 1, "1 to 1000000000000000"),
        ("credit_address", "bank", "another account than the debit account"),
        ("code", 0, "1 to 65535"),
        ("event_time", datetime(2018, 9, 1, tzinfo=UTC), "the city's local time, without a time zone"),
        ("ref", "x" * 201, "at most 200 characters"),
        ("ref", "run\x1fpost", "no U+0000, U+001F or surrogate"),
        ("ref", "run\ud800", "no U+0000, U+001F or surrogate"),
        ("debit_address", "bank\0", "no U+0000, U+001F or surrogate"),
        ("credit_address", "a\x1fb", "no U+0000, U+001F or surrogate"),
        ("limits", (Limit(key="day", max_fen=5), Limit(key="day", max_count=1)), "each key once"),
    ],
)
def test_a_transfer_that_cannot_be_names_itself_and_the_field(field, value, expected):
    with pytest.raises(TransferInvalid) as caught:
        Transfer(**GOOD | {field: value})
    assert str(caught.value).startswith(f"transfer {UUID(int=7)}: {field} is ")
    assert str(caught.value).endswith(f": expected {expected}")


@pytest.mark.parametrize(
    ("field", "value"),
    [("address", ""), ("address", " bank"), ("address", "x" * 201), ("address", "a\x1fb"), ("code", 70_000)],
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


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("expires_at", datetime(2018, 9, 1), "with its time zone"),
        (
            "expires_at",
            datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-8))),
            "before the year 9000",
        ),
        ("kind", Kind.SINGLE, "of a pending transfer"),
        ("pending_id", UUID(int=1), "none: a pending ends no hold"),
        ("reverses", UUID(int=1), "none: a pending takes nothing back"),
        ("kind", Kind.POST, "the id of a hold"),
    ],
)
def test_what_a_hold_cannot_have_is_named(field, value, expected):
    held = GOOD | {"kind": Kind.PENDING, "expires_at": datetime(2018, 9, 1, tzinfo=UTC)}
    with pytest.raises(TransferInvalid, match=expected):
        Transfer(**held | {field: value})


def test_the_end_of_a_hold_has_no_limits():
    with pytest.raises(TransferInvalid, match=r"limits is .* judged when it began"):
        Transfer(**GOOD, kind=Kind.VOID, pending_id=UUID(int=1), limits=(Limit(key="day"),))


KEYS = "1 to 200 characters, no U+0000, U+001F or surrogate"
BOUNDS = "0 or more, or None for no bound"


def test_a_limit_has_a_key_of_1_to_200_characters():
    assert [len(Limit(key="x" * size).key) for size in (1, 200)] == [1, 200]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("key", "", KEYS),
        ("key", "x" * 201, KEYS),
        ("key", "a\0", KEYS),
        ("max_fen", -1, BOUNDS),
        ("max_count", -1, BOUNDS),
    ],
)
def test_a_limit_that_cannot_be_names_the_field(field, value, expected):
    with pytest.raises(TransferInvalid) as caught:
        Limit(**{"key": "day"} | {field: value})
    record = "limit" if field == "key" else "limit day"
    assert str(caught.value) == f"{record}: {field} is {value!r}: expected {expected}"


@pytest.mark.parametrize("currency", ["cny", "CN", "CNYX", ""])
def test_a_currency_has_three_capital_letters(currency):
    with pytest.raises(TransferInvalid, match=r"currency is .* three capital letters"):
        AccountSpec(address="a", code=1001, currency=currency)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("address", "", "account: address is '': expected 1 to 200 characters without spaces around"),
        ("address", " a", "account: address is ' a': expected 1 to 200 characters without spaces around"),
        ("address", "a\0", "account: address is 'a\\x00': expected no U+0000, U+001F or surrogate"),
        ("code", 0, "account bank: code is 0: expected 1 to 65535"),
        ("code", 65536, "account bank: code is 65536: expected 1 to 65535"),
        ("currency", "cny", "account bank: currency is 'cny': expected three capital letters"),
    ],
)
def test_an_account_that_cannot_be_names_itself_the_field_and_what_was_expected(field, value, told):
    with pytest.raises(TransferInvalid) as caught:
        AccountSpec(**{"address": "bank", "code": 1001, "side": "D"} | {field: value})
    assert str(caught.value) == told


def test_what_is_just_within_its_bounds_is_taken():
    assert [AccountSpec(address="a", code=code, side="D").code for code in (1, 65535)] == [1, 65535]
    assert len(AccountSpec(address="a" * 200, code=1001).address) == 200
    assert Limit(key="day", max_fen=0, max_count=0).max_fen == 0
    assert len(Transfer(**GOOD | {"ref": "x" * 200}).ref) == 200
    assert Transfer(**GOOD | {"code": 65535}).code == 65535
