"""``citycard float``: the report, its days and its accounts by command."""

import json

import pytest

from citycard.cli.main import _run
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Transfer
from citycard.store import writing

CITY = '[city]\nname = "Town"\ncode = "9901"\n'


@pytest.fixture
def town(found_city, tmp_path, monkeypatch):
    (tmp_path / "template.toml").write_text(CITY)
    city = found_city(tmp_path / "town", tmp_path / "template.toml")
    at = city.now_local()
    with writing(city.engine) as conn:
        city.ledger.open_accounts(
            conn,
            [
                AccountSpec(address="trust/bank", code=1001),
                AccountSpec(address="account/1/online", code=2002),
            ],
        )
        topup = Transfer(
            id=new_id(),
            debit_address="trust/bank",
            credit_address="account/1/online",
            amount_fen=1234,
            code=100,
            event_time=at,
            business_date=at.date(),
        )
        city.ledger.post_all(conn, [topup])
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))


def asked(capsys, *words):
    assert _run(["float", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_both_sides_are_said_and_equal(town, capsys):
    told = asked(capsys)
    assert (told["assets_fen"], told["liabilities_fen"], told["difference_fen"]) == (1234, 1234, 0)
    assert [(row["code"], row["balance_fen"]) for row in told["rows"]] == [(1001, 1234), (2002, 1234)]
    assert told["cards"]["difference_fen"] == 0


def test_before_the_first_transfer_there_is_nothing(town, capsys):
    assert asked(capsys, "--at", "2018-09-01T10:00")["rows"] == []


def test_days_and_accounts(town, capsys):
    days = asked(capsys, "--days", "2")
    assert [day["accounts_fen"] for day in days] == [0, 1234]
    assert asked(capsys, "--code", "2002") == [
        {"address": "account/1/online", "owner": "", "balance_fen": 1234}
    ]
    assert asked(capsys, "--code", "2002", "--after", "account/1/online") == []


def test_words_for_a_person(town, capsys):
    assert _run(["float", "--keep"]) == 0
    told = capsys.readouterr()
    assert "Online accounts" in told.out
    assert "12.34" in told.out
    assert "after 1 transfers" in told.err
    for words in (["--days", "1"], ["--code", "2002"]):
        assert _run(["float", *words]) == 0
        assert "12.34" in capsys.readouterr().out


def test_days_and_a_code_do_not_go_together(town, capsys):
    assert _run(["float", "--days", "1", "--code", "2001"]) == 2
