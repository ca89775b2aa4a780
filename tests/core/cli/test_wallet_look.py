"""``citycard wallet accounts``, ``balance`` and ``transfers`` look into the ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from citycard.cli.wallet import group
from citycard.clock import FixedClock
from citycard.errors import AccountMissing
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Kind, Transfer
from citycard.store import writing

CITY = '[city]\nname = "Wallet town"\ncode = "9901"\n'
START = datetime(2018, 9, 1, 0, 0, tzinfo=UTC)


@pytest.fixture
def call(found_city, tmp_path):
    template = tmp_path / "template.toml"
    template.write_text(CITY)
    clock = FixedClock(START)
    city = found_city(tmp_path / "town", template, clock=clock)
    with writing(city.engine) as conn:
        city.ledger.open_accounts(
            conn,
            [
                AccountSpec(address="trust/bank", code=1001),
                AccountSpec(address="account/1", code=2002, guard="dr<=cr", owner="1"),
                AccountSpec(address="account/2", code=2002, currency="PTS"),
                AccountSpec(address="points", code=1001, currency="PTS"),
            ],
        )
    for debit, credit, fen, kind in (
        ("trust/bank", "account/1", 1234, Kind.SINGLE),
        ("points", "account/2", 7, Kind.SINGLE),
        ("account/1", "trust/bank", 200, Kind.PENDING),
    ):
        with writing(city.engine) as conn:
            at = city.now_local()
            city.ledger.post_all(
                conn,
                [
                    Transfer(
                        id=new_id(),
                        debit_address=debit,
                        credit_address=credit,
                        amount_fen=fen,
                        code=10,
                        kind=kind,
                        event_time=at,
                        business_date=at.date(),
                    )
                ],
            )
        clock.moment += timedelta(hours=1)

    def call(*arguments):
        words = [*map(str, arguments), "--city", str(city.folder)]
        done = CliRunner().invoke(group, words, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done.stdout

    yield call
    city.close()


def test_accounts_are_found_by_the_beginning_of_their_address_and_by_code(call):
    found = json.loads(call("accounts", "account/", "--json"))
    assert [(one["address"], one["balance_fen"], one["available_fen"]) for one in found] == [
        ("account/1", 1234, 1034),
        ("account/2", 7, 7),
    ]
    assert [one["address"] for one in json.loads(call("accounts", "--code", 1001, "--json"))] == [
        "points",
        "trust/bank",
    ]
    lines = call("accounts").splitlines()
    assert lines[0].split() == ["address", "code", "currency", "balance", "available", "transfers"]
    assert lines[1].split() == ["account/1", "2002", "CNY", "12.34", "10.34", "2"]
    assert lines[2].split() == ["account/2", "2002", "PTS", "7", "7", "1"]
    assert len(json.loads(call("accounts", "--limit", 1, "--json"))) == 1
    assert json.loads(call("accounts", "a%", "--json")) == []


def test_a_balance_is_told_now_and_at_any_past_moment(call):
    now = json.loads(call("balance", "account/1", "--json"))
    assert (now["balance_fen"], now["debits_pending_fen"], now["guard"]) == (
        1234,
        200,
        "dr<=cr",
    )
    assert "12.34" in call("balance", "account/1")
    before = json.loads(call("balance", "account/1", "--at", "2018-09-01T07:59:59", "--json"))
    after = json.loads(call("balance", "account/1", "--at", "2018-09-01T08:00", "--json"))
    assert (before["balance_fen"], after["balance_fen"]) == (0, 1234)
    with pytest.raises(AccountMissing):
        call("balance", "nobody")


def test_transfers_are_listed_newest_first_and_page_by_page(call):
    found = json.loads(call("transfers", "account/1", "--json"))
    assert [(one["posted_seq"], one["transfer"]["kind"]) for one in found] == [(3, "pending"), (1, "single")]
    assert [
        one["posted_seq"] for one in json.loads(call("transfers", "account/1", "--before", 3, "--json"))
    ] == [1]
    lines = call("transfers", "account/2").splitlines()
    assert lines[1].split()[:7] == ["2", "2018-09-01", "10", "single", "points", "account/2", "7"]
